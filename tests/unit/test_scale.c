/*
 * test_scale.c - more or fewer workers while the bus runs.
 *
 * The workers are fakes, see fake_worker.h.
 */
#include "fake_worker.h"
#include "primary_rig.h"

#include <fcntl.h>
#include <sys/resource.h>

static const char *const flags[] = { "-n", "3", "--backoff-min", "1h",
	"--backoff-max", "1h", "--drain-window", "0", "--kill-timeout", "100ms",
	NULL };

static struct rig rig;

static int
set_up(void **state)
{
	rig_up(&rig, true, flags);
	*state = &rig;
	return 0;
}

static bool
has_sockets(unsigned slot)
{
	int fds[LISTENERS_MAX];

	return listeners_fds(&rig.supervisor->now->listeners, slot, fds) > 0;
}

/* ---- more -------------------------------------------------------------- */

static void
growing_ends_when_all_are_ready(void **state)
{
	pid_t pid = rig_pid(&rig, 0);

	(void)state;
	assert_int_equal(rig_job(&rig, JOB_SCALE, 6), 0);
	assert_string_equal(rig.text, "6 workers, there were 3");
	assert_int_equal(rig_running(&rig), 6);
	assert_int_equal(rig_pid(&rig, 0), pid);
	for (unsigned i = 0; i < 6; i++)
		assert_true(has_sockets(i));
	rig_until(&rig,
	    rig.page->slot_count == 6 && rig.supervisor->steered[5]);
}

static void
without_sockets_for_all_nothing_changes(void **state)
{
	struct rlimit before, tight;
	int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	(void)state;
	assert_int_not_equal(lowest, -1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	(void)close(lowest);
	/* One more descriptor, and five are needed. */
	tight = before;
	tight.rlim_cur = (rlim_t)lowest + 1;
	rig.code = -1;
	assert_int_equal(jobs_add(&rig.jobs, JOB_SCALE, 8, &rig.waiter), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	jobs_check(&rig.jobs);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rig.code, 1);
	assert_non_null(strstr(rig.text, "cannot listen on"));
	assert_non_null(strstr(rig.text, "3 workers as before"));
	assert_int_equal(rig.supervisor->wanted, 3);
	for (unsigned i = 3; i < 8; i++)
		assert_false(has_sockets(i));
	assert_int_equal(rig_running(&rig), 3);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 4), 0);
}

static void
a_new_worker_that_dies_is_said_and_tried_again(void **state)
{
	(void)state;
	fakes_are("exit1");
	assert_int_equal(rig_job(&rig, JOB_SCALE, 4), 1);
	assert_non_null(strstr(rig.text, "slot 3: worker"));
	assert_non_null(strstr(rig.text, "it is tried again"));
	assert_int_equal(rig.supervisor->slots[3].state, SLOT_BACKOFF);
	assert_int_equal(rig_running(&rig), 3);
}

static void
a_new_worker_that_cannot_work_is_not_tried_again(void **state)
{
	(void)state;
	fakes_are("exit78");
	assert_int_equal(rig_job(&rig, JOB_SCALE, 4), 1);
	assert_non_null(strstr(rig.text, "status 78"));
	assert_null(strstr(rig.text, "tried again"));
	assert_int_equal(rig.supervisor->slots[3].state, SLOT_EMPTY);
	assert_int_equal(rig_running(&rig), 3);
	/* The others are not to blame. */
	assert_int_equal(rig.supervisor->stopping, STOP_NOT);
}

/* ---- fewer ------------------------------------------------------------- */

static void
those_who_go_get_no_more_clients_and_keep_their_sockets_until_then(void **state)
{
	pid_t pid = rig_pid(&rig, 2);

	(void)state;
	rig.code = -1;
	rig.page->sections[rig.supervisor->slots[2].current->section]
	    .now.ready = 1;
	assert_int_equal(jobs_add(&rig.jobs, JOB_SCALE, 2, &rig.waiter), 0);
	rig_until(&rig,
	    rig.jobs.phase == JOB_SETTLING && !rig.supervisor->steered[2]);
	/* What is on its way to it still arrives. */
	assert_int_equal(rig_pid(&rig, 2), pid);
	assert_int_equal(rig.supervisor->slots[2].state, SLOT_RUNNING);
	while (rig.code == -1) {
		if (rig_pid(&rig, 2) == pid)
			assert_true(has_sockets(2));
		rig_turn(&rig);
	}
	assert_int_equal(rig.code, 0);
	assert_string_equal(rig.text, "2 workers, there were 3");
	assert_false(has_sockets(2));
	assert_true(has_sockets(1));
	assert_int_equal(rig.supervisor->slots[2].state, SLOT_EMPTY);
	assert_int_equal(rig.page->hub.restarts, 0);
	assert_false(scale_is_due(rig.supervisor));
}

static void
a_slot_that_rests_goes_as_well(void **state)
{
	const struct slot *slot = &rig.supervisor->slots[2];

	(void)state;
	fakes_are("exit1");
	assert_int_equal(kill(rig_pid(&rig, 2), SIGKILL), 0);
	rig_until(&rig, slot->state == SLOT_BACKOFF && slot->rest_ms > 0);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 2), 0);
	assert_int_equal(slot->state, SLOT_EMPTY);
	assert_false(has_sockets(2));
}

static void
one_that_hears_nothing_is_waited_for_down_the_ladder(void **state)
{
	(void)state;
	rig.supervisor->now->config->drain_timeout = 100;
	fakes_are("deaf");
	assert_int_equal(rig_job(&rig, JOB_RESTART, 2), 0);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 2), 0);
	assert_int_equal(rig.page->slots[2].last_status, SIGKILL);
	assert_false(has_sockets(2));
}

static void
workers_in_slots_that_should_have_none_are_due(void **state)
{
	(void)state;
	assert_false(scale_is_due(rig.supervisor));
	rig.supervisor->wanted = 2;
	assert_true(scale_is_due(rig.supervisor));
	/* So that asking for what is wanted already is not always nothing. */
	assert_int_equal(rig_job(&rig, JOB_SCALE, 2), 0);
	assert_string_equal(rig.text, "2 workers, there were 2");
	assert_int_equal(rig_running(&rig), 2);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 2), 0);
	assert_string_equal(rig.text, "2 workers, as before");
}

/* ---- what is no number of workers, and one after the other ------------- */

static void
a_bus_has_at_least_one_worker_and_at_most_256(void **state)
{
	static const int wrong[] = { 0, -1, STATS_SLOTS_MAX + 1, INT32_MAX,
		INT32_MIN };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(rig_job(&rig, JOB_SCALE, wrong[i]), 2);
		assert_non_null(strstr(rig.text, "1 to 256"));
		assert_int_equal(rig.supervisor->wanted, 3);
	}
	assert_int_equal(rig_running(&rig), 3);
}

static unsigned order[4], ended;

static void
on_end(struct waiter *waiter, int code, const char *text)
{
	(void)waiter;
	assert_int_equal(code, 0);
	order[ended++] = (unsigned)strtoul(text, NULL, 10);
}

static void
on_info(struct waiter *waiter, const char *text)
{
	(void)waiter;
	(void)text;
}

static void
scales_queue_and_run_in_the_order_they_came(void **state)
{
	static const int targets[] = { 5, 3, 4 };
	struct waiter waiters[ARRAY_LEN(targets)];

	(void)state;
	ended = 0;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		list_init(&waiters[i].link);
		waiters[i].info = on_info;
		waiters[i].done = on_end;
		assert_int_equal(jobs_add(&rig.jobs, JOB_SCALE, targets[i],
				     &waiters[i]),
		    0);
	}
	assert_int_equal(rig.jobs.count, 3);
	/* A step counts from the last of them. */
	assert_int_equal(jobs_scale_target(&rig.jobs, 1), 5);
	rig_until(&rig, ended == ARRAY_LEN(targets));
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		assert_int_equal(order[i], targets[i]);
	assert_int_equal(rig_running(&rig), 4);
	assert_int_equal(rig.jobs.count, 0);
}

#define SCALE_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SCALE_TEST(growing_ends_when_all_are_ready),
		SCALE_TEST(without_sockets_for_all_nothing_changes),
		SCALE_TEST(a_new_worker_that_dies_is_said_and_tried_again),
		SCALE_TEST(a_new_worker_that_cannot_work_is_not_tried_again),
		SCALE_TEST(
		    those_who_go_get_no_more_clients_and_keep_their_sockets_until_then),
		SCALE_TEST(a_slot_that_rests_goes_as_well),
		SCALE_TEST(
		    one_that_hears_nothing_is_waited_for_down_the_ladder),
		SCALE_TEST(workers_in_slots_that_should_have_none_are_due),
		SCALE_TEST(a_bus_has_at_least_one_worker_and_at_most_256),
		SCALE_TEST(scales_queue_and_run_in_the_order_they_came),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_handover_supervisor.c - slots, workers and listening sockets go over
 * into another supervisor of the same process, as after an exec.
 *
 * The workers are fakes, see fake_worker.h.
 */
#include "fake_worker.h"
#include "primary_rig.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "primary/handover_parts.h"

static const char *const flags[] = { "-n", "3", "--backoff-min", "1h",
	"--backoff-max", "1h", "--drain-window", "0", "--drain-timeout",
	"100ms", "--kill-timeout", "100ms", NULL };

static struct rig rig;

static int
set_up(void **state)
{
	rig_up(&rig, true, flags);
	*state = &rig;
	return 0;
}

static struct handover_out *
write_down(void)
{
	struct handover_out *out = handover_out_new();
	struct handover_job job = { .kind = JOB_UPGRADE };
	struct handover_primary primary;

	memset(&primary, 0, sizeof(primary));
	handover_rest_hub(rig.supervisor->hub);
	handover_put_hub(out, rig.supervisor->hub, &primary);
	primary.lock_fd = 900;
	primary.hub_fd = 901;
	primary.control_fd = 902;
	primary.door_fd = primary.door_tcp_fd = HANDOVER_NONE;
	primary.spawn = 1;
	primary.wanted = rig.supervisor->wanted;
	handover_put(out, HANDOVER_PRIMARY, &primary, "1", 1, NULL, 0);
	handover_put_settings(out, rig.supervisor->now);
	handover_put_listeners(out, &rig.supervisor->now->listeners);
	handover_put_nodes(out, rig.supervisor->hub);
	handover_put_supervisor(out, rig.supervisor);
	handover_put(out, HANDOVER_JOB, &job, NULL, 0, NULL, 0);
	assert_int_equal(handover_finish(out), 0);
	return out;
}

/* The old supervisor goes; the descriptors stay, as in an exec. */
static void
forget_old(const struct handover_out *out)
{
	int *saved = calloc(out->fd_count, sizeof(saved[0]));

	for (size_t i = 0; i < out->fd_count; i++)
		saved[i] = fcntl(out->fds[i], F_DUPFD_CLOEXEC, 0);
	supervisor_free(rig.supervisor);
	rig.supervisor = NULL;
	for (size_t i = 0; i < out->fd_count; i++) {
		assert_int_equal(dup3(saved[i], out->fds[i], O_CLOEXEC),
		    out->fds[i]);
		(void)close(saved[i]);
	}
	free(saved);
}

static void
hand_over(void)
{
	struct handover_out *out = write_down();
	struct handover_state state;
	struct settings *settings;
	char said[256] = "";
	const char *why;

	if (handover_check(buf_data(&out->buf), out->buf.len, NULL, &state,
		&why) != 0)
		fail_msg("%s", why);
	forget_old(out);
	settings = handover_take_settings(&state, said, sizeof(said));
	if (settings == NULL)
		fail_msg("%s", said);
	rig.supervisor = supervisor_new(rig.loop, rig.page, rig.page_fd,
	    rig.dir, true, settings);
	assert_non_null(rig.supervisor);
	log_set_level(LOG_LEVEL_ERROR);
	rig.supervisor->arg = &rig;
	rig.supervisor->on_change = rig_on_change;
	rig.supervisor->on_ready = rig_on_ready;
	rig.supervisor->on_stopped = rig_on_stopped;
	rig.jobs.supervisor = rig.supervisor;
	assert_int_equal(handover_take_hub(&state, rig.supervisor->hub), 0);
	assert_int_equal(handover_take_listeners(&state,
			     &rig.supervisor->now->listeners),
	    0);
	assert_int_equal(handover_take_supervisor(&state, rig.supervisor), 0);
	handover_wake_hub(rig.supervisor->hub);
	supervisor_reap(rig.supervisor);
	handover_out_free(out);
}

/* ---- what goes on ------------------------------------------------------ */

static void
workers_and_sockets_are_the_same_afterwards(void **state)
{
	char before[STATS_LISTEN_MAX], after[STATS_LISTEN_MAX];
	int fds[LISTENERS_MAX], fds_before[LISTENERS_MAX];
	pid_t pids[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		pids[i] = rig_pid(&rig, i);
	listeners_text(&rig.supervisor->now->listeners, ",", before,
	    sizeof(before));
	assert_int_equal(listeners_fds(&rig.supervisor->now->listeners, 2,
			     fds_before),
	    1);
	for (int i = 0; i < 5; i++)
		hand_over();
	assert_int_equal(rig_running(&rig), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig_pid(&rig, i), pids[i]);
	listeners_text(&rig.supervisor->now->listeners, ",", after,
	    sizeof(after));
	assert_string_equal(after, before);
	assert_int_equal(listeners_fds(&rig.supervisor->now->listeners, 2, fds),
	    1);
	assert_int_equal(fds[0], fds_before[0]);
	rig_turn(&rig);
	rig_until(&rig, rig.supervisor->steered[2]);
	assert_int_equal(rig.ready, 1); /* it is not said twice */
}

static void
one_that_dies_afterwards_is_replaced(void **state)
{
	pid_t pid = rig_pid(&rig, 1);

	(void)state;
	hand_over();
	assert_int_equal(kill(pid, SIGKILL), 0);
	rig_until(&rig, rig_pid(&rig, 1) != 0 && rig_pid(&rig, 1) != pid);
	rig_until(&rig, rig_running(&rig) == 3);
	assert_int_equal(rig.page->slots[1].restarts, 1);
}

static void
one_that_died_in_between_is_found_dead(void **state)
{
	struct process *process = rig.supervisor->slots[1].current;
	pid_t pid = process->pid;
	siginfo_t info;

	(void)state;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	hand_over();
	rig_until(&rig, rig_pid(&rig, 1) != 0 && rig_pid(&rig, 1) != pid);
	rig_until(&rig, rig_running(&rig) == 3);
}

static void
a_slot_that_rests_rests_on(void **state)
{
	struct slot *slot = &rig.supervisor->slots[1];
	uint64_t until_ms;

	(void)state;
	/* The second early death: the first one is followed at once. */
	for (int i = 0; i < 2; i++) {
		rig_until(&rig, slot->state == SLOT_RUNNING);
		assert_int_equal(kill(slot->current->pid, SIGKILL), 0);
		rig_until(&rig, slot->state != SLOT_RUNNING);
	}
	rig_until(&rig, slot->state == SLOT_BACKOFF);
	until_ms = slot->until_ms;
	hand_over();
	slot = &rig.supervisor->slots[1];
	assert_int_equal(slot->state, SLOT_BACKOFF);
	assert_int_equal(slot->until_ms, until_ms);
	assert_int_equal(slot->early_deaths, 2);
	assert_true(ev_is_active(&slot->rest));
	assert_non_null(strstr(slot->why, "signal 9"));
	assert_int_equal(rig_job(&rig, JOB_RESTART, 1), 0);
	assert_int_equal(rig_running(&rig), 3);
}

static void
one_that_ignores_its_drain_goes_on_down_the_ladder(void **state)
{
	struct slot *slot = &rig.supervisor->slots[0];
	struct process *old;
	pid_t pid;

	(void)state;
	fakes_are("deaf");
	assert_int_equal(rig_job(&rig, JOB_RESTART, 0), 0);
	fakes_are("good");
	old = slot->current;
	pid = old->pid;
	worker_drain(old);
	assert_int_equal(old->stage, PROCESS_DRAINING);
	hand_over();
	assert_int_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig.supervisor->slots[0].current->stage,
	    PROCESS_DRAINING);
	rig_until(&rig, rig_pid(&rig, 0) != pid);
	rig_until(&rig, rig_running(&rig) == 3);
}

static void
scaling_works_on_what_was_taken_over(void **state)
{
	int fds[LISTENERS_MAX];

	(void)state;
	hand_over();
	assert_int_equal(rig_job(&rig, JOB_SCALE, 1), 0);
	assert_int_equal(listeners_fds(&rig.supervisor->now->listeners, 2, fds),
	    0);
	hand_over();
	assert_int_equal(rig_job(&rig, JOB_SCALE, 4), 0);
	assert_int_equal(rig_running(&rig), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(workers_and_sockets_are_the_same_afterwards),
		TEST(one_that_dies_afterwards_is_replaced),
		TEST(one_that_died_in_between_is_found_dead),
		TEST(a_slot_that_rests_rests_on),
		TEST(one_that_ignores_its_drain_goes_on_down_the_ladder),
		TEST(scaling_works_on_what_was_taken_over),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

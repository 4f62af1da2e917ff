/*
 * test_watch.c - workers that live but may not be well.
 *
 * A tick of the watch is made by the test, after it has set the times that the
 * watch compares, so nothing here waits for them to pass.  The workers are fakes
 * (fake_worker.h), which never write into the statistics page.
 */
#include "fake_worker.h"
#include "primary_rig.h"

#include "primary/watch.h"

static const char *const flags[] = { "-n", "2", "--stall-timeout", "1h",
	"--stable-after", "1h", "--drain-window", "0", NULL };

static struct rig rig;

static int
set_up(void **state)
{
	rig_up(&rig, true, flags);
	*state = &rig;
	return 0;
}

static struct stats_section *
section_of(unsigned slot)
{
	const struct process *process = rig.supervisor->slots[slot].current;

	return &rig.page->sections[process->section];
}

/* The worker of slot has not moved for ms, and was ready long before. */
static void
be_silent(unsigned slot, uint64_t ms)
{
	struct process *process = rig.supervisor->slots[slot].current;

	process->ready_ms = 1;
	section_of(slot)->now.ready = 1;
	section_of(slot)->heartbeat_ms = clock_now_ms() - ms;
}

static void
tick(void)
{
	ev_invoke(rig.loop, &rig.supervisor->tick, EV_TIMER);
}

static bool
is_killed(unsigned slot)
{
	return rig.supervisor->slots[slot].current->stage == PROCESS_KILLED;
}

/* ---- heartbeats -------------------------------------------------------- */

static void
a_stalled_worker_is_killed_after_stall_timeout_and_not_before(void **state)
{
	pid_t pid = rig_pid(&rig, 0);

	(void)state;
	rig.supervisor->now->config->stall_timeout = 60000;
	be_silent(0, 50000);
	be_silent(1, 0);
	tick();
	assert_false(is_killed(0));
	assert_int_equal(rig.page->hub.stalled, 0);
	be_silent(0, 60000);
	tick();
	assert_true(is_killed(0));
	assert_false(is_killed(1));
	assert_int_equal(rig.page->hub.stalled, 1);
	tick(); /* is not killed, and counted, twice */
	assert_int_equal(rig.page->hub.stalled, 1);
	rig_until(&rig, rig_running(&rig) == 2 && rig_pid(&rig, 0) != pid);
}

static void
a_worker_that_has_just_become_ready_has_its_whole_time(void **state)
{
	(void)state;
	rig.supervisor->now->config->stall_timeout = 60000;
	be_silent(0, 100000);
	rig.supervisor->slots[0].current->ready_ms = clock_now_ms();
	tick();
	assert_false(is_killed(0));
}

static void
a_worker_that_is_not_ready_yet_is_not_asked_for_a_heartbeat(void **state)
{
	(void)state;
	be_silent(0, 2 * 3600000);
	rig.supervisor->slots[0].current->ready = false;
	tick();
	assert_false(is_killed(0));
	rig.supervisor->slots[0].current->ready = true;
	tick();
	assert_true(is_killed(0));
}

static void
a_primary_that_slept_itself_blames_nobody(void **state)
{
	uint64_t before = rig.supervisor->awake_ms;

	(void)state;
	rig.supervisor->now->config->stall_timeout = 60000;
	be_silent(0, 100000);
	rig.supervisor->ticked_ms = clock_now_ms() - 100000;
	tick();
	assert_false(is_killed(0));
	assert_true(rig.supervisor->awake_ms > before);
	/* From then on the worker has its time, and no more. */
	rig.supervisor->awake_ms = clock_now_ms() - 60000;
	tick();
	assert_true(is_killed(0));
}

static void
a_sluggish_worker_gets_no_new_clients_until_it_moves(void **state)
{
	(void)state;
	be_silent(0, 0);
	be_silent(1, 0);
	tick();
	rig_until(&rig, rig.supervisor->steered[0]);
	assert_true(rig.supervisor->steered[1]);
	be_silent(0, SUPERVISOR_SLUGGISH_MS);
	tick();
	rig_until(&rig, !rig.supervisor->steered[0]);
	assert_true(rig.supervisor->steered[1]);
	be_silent(0, 0);
	tick();
	rig_until(&rig, rig.supervisor->steered[0]);
	assert_false(is_killed(0));
}

static void
a_worker_that_does_not_accept_gets_no_new_clients(void **state)
{
	(void)state;
	be_silent(0, 0);
	tick();
	rig_until(&rig, rig.supervisor->steered[0]);
	section_of(0)->now.ready = 0;
	tick();
	rig_until(&rig, !rig.supervisor->steered[0]);
}

/* ---- links ------------------------------------------------------------- */

static void
a_worker_without_a_link_is_replaced_when_it_is_not_back_in_time(void **state)
{
	struct process *process = rig.supervisor->slots[1].current;
	pid_t pid = process->pid;

	(void)state;
	process->unlinked_ms = clock_now_ms() - SUPERVISOR_LINK_MS / 2;
	tick();
	assert_int_equal(process->stage, PROCESS_ALIVE);
	process->unlinked_ms = clock_now_ms() - SUPERVISOR_LINK_MS;
	tick();
	assert_int_equal(process->stage, PROCESS_DRAINING);
	rig_until(&rig, rig_running(&rig) == 2 && rig_pid(&rig, 1) != pid);
}

static void
one_that_loses_its_link_before_it_is_ready_is_killed(void **state)
{
	struct process *process = rig.supervisor->slots[1].current;

	(void)state;
	process->ready = false;
	process->unlinked_ms = clock_now_ms() - SUPERVISOR_LINK_MS;
	tick();
	assert_int_equal(process->stage, PROCESS_KILLED);
}

/* ---- forgiving --------------------------------------------------------- */

static void
earlier_deaths_are_forgiven_after_stable_after_and_not_before(void **state)
{
	struct slot *slot = &rig.supervisor->slots[0];

	(void)state;
	slot->early_deaths = SLOT_CRASH_LOOP;
	slot->crash_loop = true;
	tick();
	assert_true(slot->crash_loop);
	slot->current->started_ms = 0;
	rig.supervisor->now->config->stable_after = 1;
	tick();
	assert_false(slot->crash_loop);
	assert_int_equal(slot->early_deaths, 0);
	rig_until(&rig, rig.page->slots[0].crash_loop == 0);
}

/* ---- how often --------------------------------------------------------- */

static double
interval(uint64_t stall_ms)
{
	rig.supervisor->now->config->stall_timeout = stall_ms;
	watch_start(rig.supervisor);
	return rig.supervisor->tick.repeat;
}

static void
it_looks_several_times_in_stall_timeout_and_never_spins(void **state)
{
	(void)state;
	assert_true(interval(200) >= 0.05 && interval(200) <= 0.1);
	assert_true(interval(1600) > 0.19 && interval(1600) < 0.21);
	assert_true(interval(3600000) <= 0.25);
	assert_true(ev_is_active(&rig.supervisor->tick));
}

#define WATCH_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(
		    a_stalled_worker_is_killed_after_stall_timeout_and_not_before),
		WATCH_TEST(
		    a_worker_that_has_just_become_ready_has_its_whole_time),
		WATCH_TEST(
		    a_worker_that_is_not_ready_yet_is_not_asked_for_a_heartbeat),
		WATCH_TEST(a_primary_that_slept_itself_blames_nobody),
		WATCH_TEST(
		    a_sluggish_worker_gets_no_new_clients_until_it_moves),
		WATCH_TEST(a_worker_that_does_not_accept_gets_no_new_clients),
		WATCH_TEST(
		    a_worker_without_a_link_is_replaced_when_it_is_not_back_in_time),
		WATCH_TEST(
		    one_that_loses_its_link_before_it_is_ready_is_killed),
		WATCH_TEST(
		    earlier_deaths_are_forgiven_after_stable_after_and_not_before),
		WATCH_TEST(
		    it_looks_several_times_in_stall_timeout_and_never_spins),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_supervisor.c - slots with real processes in them.
 *
 * The workers are this very program, started again with the word "worker"; see
 * fake_worker.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "fake_worker.h"
#include "primary_rig.h"

/* ---- starting ---------------------------------------------------------- */

static const char *const three[] = { "-n", "3", "--backoff-min", "5ms",
	"--backoff-max", "20ms", "--drain-window", "0", NULL };

static void
all_slots_run_and_ready_is_said_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_up(&rig, true, three);
	assert_int_equal(rig_running(&rig), 3);
	assert_int_equal(rig.page->slot_count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(rig.page->slots[i].state, SLOT_RUNNING);
		assert_int_equal(rig.page->slots[i].pid, rig_pid(&rig, i));
		assert_int_equal(rig.page->slots[i].generation, 1);
	}
	assert_int_equal(rig_job(&rig, JOB_RESTART, -1), 0);
	assert_int_equal(rig.ready, 1);
	rig_release(&rig);
}

static void
a_killed_worker_is_back_and_its_counters_are_kept(void **state)
{
	struct rig rig;
	struct process *process;
	pid_t pid;

	(void)state;
	rig_up(&rig, true, three);
	process = rig.supervisor->slots[1].current;
	pid = process->pid;
	rig.page->sections[process->section].now.deliveries = 5;
	rig.page->sections[process->section].now.clients = 7;
	assert_int_equal(kill(pid, SIGKILL), 0);
	rig_until(&rig, rig_pid(&rig, 1) != pid && rig_running(&rig) == 3);
	assert_int_equal(rig.page->slots[1].retired.deliveries, 5);
	assert_int_equal(rig.page->slots[1].retired.clients, 0);
	rig_until(&rig, rig.page->slots[1].generation == 2);
	assert_int_equal(rig.page->slots[1].restarts, 1);
	assert_int_equal(rig.page->hub.restarts, 1);
	assert_int_equal(rig.page->slots[1].last_status, SIGKILL);
	rig_release(&rig);
}

static void
workers_that_never_become_ready_end_the_bus(void **state)
{
	struct rig rig;

	(void)state;
	fakes_are("exit1");
	rig_init(&rig, true, three);
	rig_start(&rig);
	rig_until(&rig, rig.stopped > 0);
	assert_int_equal(rig.supervisor->exit_status, 1);
	assert_non_null(strstr(rig.supervisor->verdict, "status 1"));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig.page->slots[i].crash_loop, 1);
	rig_release(&rig);
}

static void
a_configuration_that_cannot_work_is_not_tried_again(void **state)
{
	struct rig rig;

	(void)state;
	fakes_are("exit78");
	rig_init(&rig, true, three);
	rig_start(&rig);
	rig_until(&rig, rig.stopped > 0);
	assert_int_equal(rig.supervisor->exit_status, 78);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig.page->page_generation[i], 1);
	rig_release(&rig);
}

static void
a_worker_that_says_nothing_is_killed_in_time(void **state)
{
	static const char *const flags[] = { "-n", "1", "--start-timeout",
		"100ms", "--backoff-min", "5ms", "--backoff-max", "5ms", NULL };
	struct rig rig;

	(void)state;
	fakes_are("mute");
	rig_init(&rig, true, flags);
	rig_start(&rig);
	rig_until(&rig, rig.page->page_generation[0] > 1);
	assert_non_null(
	    strstr(rig.supervisor->slots[0].why, "not ready in time"));
	fakes_are("good");
	rig_until(&rig, rig.ready > 0);
	rig_release(&rig);
}

/* ---- leaving ----------------------------------------------------------- */

static void
a_worker_that_hears_nothing_goes_down_the_ladder(void **state)
{
	static const char *const flags[] = { "-n", "2", "--drain-window", "0",
		"--drain-timeout", "100ms", "--kill-timeout", "100ms", NULL };
	struct rig rig;

	(void)state;
	fakes_are("deaf");
	rig_init(&rig, true, flags);
	rig_start(&rig);
	rig_until(&rig, rig.ready > 0);
	supervisor_stop(rig.supervisor, STOP_PACED);
	rig_until(&rig, rig.stopped > 0);
	assert_int_equal(rig.supervisor->exit_status, 0);
	assert_int_equal(rig.page->slots[0].last_status, SIGKILL);
	rig_release(&rig);
}

static void
a_worker_without_a_heartbeat_is_replaced(void **state)
{
	static const char *const flags[] = { "-n", "1", "--stall-timeout",
		"300ms", "--drain-window", "0", NULL };
	struct rig rig;
	pid_t pid;

	(void)state;
	fakes_are("good"); /* but none of them writes into the page */
	rig_init(&rig, true, flags);
	rig_start(&rig);
	rig_until(&rig, rig.ready > 0);
	pid = rig_pid(&rig, 0);
	rig_until(&rig, rig.page->hub.stalled > 0);
	rig_until(&rig, rig_running(&rig) == 1 && rig_pid(&rig, 0) != pid);
	assert_int_equal(rig.page->slots[0].last_status, SIGKILL);
	rig_release(&rig);
}

/* ---- jobs -------------------------------------------------------------- */

static void
a_restart_replaces_each_worker(void **state)
{
	struct rig rig;
	pid_t pids[3];

	(void)state;
	rig_up(&rig, true, three);
	for (unsigned i = 0; i < 3; i++)
		pids[i] = rig_pid(&rig, i);
	assert_int_equal(rig_job(&rig, JOB_RESTART, -1), 0);
	assert_int_equal(rig.infos, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_not_equal(pids[i], rig_pid(&rig, i));
	/* Replaced, not died. */
	assert_int_equal(rig.page->hub.restarts, 0);
	pids[0] = rig_pid(&rig, 0);
	assert_int_equal(rig_job(&rig, JOB_RESTART, 2), 0);
	assert_int_equal(pids[0], rig_pid(&rig, 0));
	assert_int_equal(rig_job(&rig, JOB_RESTART, 3), 2);
	rig_release(&rig);
}

static void
a_replacement_that_fails_leaves_the_old_worker(void **state)
{
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_up(&rig, true, three);
	pid = rig_pid(&rig, 0);
	fakes_are("exit1");
	assert_int_equal(rig_job(&rig, JOB_RESTART, -1), 1);
	assert_non_null(strstr(rig.text, "slot 0"));
	assert_int_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig_running(&rig), 3);
	rig_release(&rig);
}

static void
scaling_adds_and_removes_the_highest_slots(void **state)
{
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_up(&rig, true, three);
	pid = rig_pid(&rig, 0);
	assert_int_equal(jobs_scale_target(&rig.jobs, 1), 4);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 5), 0);
	assert_int_equal(rig_running(&rig), 5);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 1), 0);
	assert_int_equal(rig_running(&rig), 1);
	assert_int_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig.supervisor->now->listeners.items[0]->place_count,
	    1);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 1), 0);
	assert_int_equal(rig_job(&rig, JOB_SCALE, 257), 2);
	rig_release(&rig);
}

static void
the_queue_of_jobs_is_bounded_and_folds_equal_ones(void **state)
{
	struct rig rig;
	int rc = 0;

	(void)state;
	fakes_are("good");
	rig_init(&rig, true, three);
	for (int i = 0; i < 100; i++)
		assert_int_equal(jobs_add(&rig.jobs, JOB_RELOAD, 0, NULL), 0);
	assert_int_equal(rig.jobs.count, 1);
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = jobs_add(&rig.jobs, JOB_SCALE, 1 + i % 2, NULL);
	assert_int_equal(rc, -EBUSY);
	assert_int_equal(rig.jobs.count, JOBS_MAX);
	rig_release(&rig);
}

static void
a_reload_sends_what_changes_in_place_and_waits(void **state)
{
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_up(&rig, true, three);
	pid = rig_pid(&rig, 0);
	rig.argv[rig.argc++] = strdup("--max-message=2m");
	rig.jobs.argc = rig.argc;
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_non_null(strstr(rig.text, "max-message"));
	assert_int_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig.page->config_generation, 1);
	rig.argv[rig.argc++] = strdup("--max-message=nonsense");
	rig.jobs.argc = rig.argc;
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 2);
	assert_int_equal(rig.page->config_generation, 1);
	assert_int_equal(rig.page->hub.reloads_failed, 1);
	assert_int_equal(rig.supervisor->now->config->max_message, 2 << 20);
	rig_release(&rig);
}

static void
a_reload_that_rolls_and_fails_keeps_the_old_settings(void **state)
{
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_up(&rig, true, three);
	pid = rig_pid(&rig, 0);
	rig.argv[rig.argc++] = strdup("--max-clients=77");
	rig.jobs.argc = rig.argc;
	fakes_are("exit78");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 1);
	assert_int_equal(rig_pid(&rig, 0), pid);
	assert_int_not_equal(rig.supervisor->now->config->max_clients, 77);
	assert_null(rig.supervisor->next);
	fakes_are("good");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_int_not_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig.supervisor->now->config->max_clients, 77);
	rig_release(&rig);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_slots_run_and_ready_is_said_once),
		cmocka_unit_test(
		    a_killed_worker_is_back_and_its_counters_are_kept),
		cmocka_unit_test(workers_that_never_become_ready_end_the_bus),
		cmocka_unit_test(
		    a_configuration_that_cannot_work_is_not_tried_again),
		cmocka_unit_test(a_worker_that_says_nothing_is_killed_in_time),
		cmocka_unit_test(
		    a_worker_that_hears_nothing_goes_down_the_ladder),
		cmocka_unit_test(a_worker_without_a_heartbeat_is_replaced),
		cmocka_unit_test(a_restart_replaces_each_worker),
		cmocka_unit_test(
		    a_replacement_that_fails_leaves_the_old_worker),
		cmocka_unit_test(scaling_adds_and_removes_the_highest_slots),
		cmocka_unit_test(
		    the_queue_of_jobs_is_bounded_and_folds_equal_ones),
		cmocka_unit_test(
		    a_reload_sends_what_changes_in_place_and_waits),
		cmocka_unit_test(
		    a_reload_that_rolls_and_fails_keeps_the_old_settings),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

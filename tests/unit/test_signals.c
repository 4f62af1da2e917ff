/*
 * test_signals.c - what each signal makes of a primary.
 *
 * Signals are raised in this process.  The bus is not started, so the jobs that
 * they ask for stay in the queue, where they can be looked at.
 */
#include "primary_rig.h"

#include "primary/signals.h"

static const char *const flags[] = { "-n", "3", NULL };

static struct rig rig;
static struct signals signals;
static unsigned stops, fast_stops, reopens;

static void
on_stop(void *arg, bool fast)
{
	assert_ptr_equal(arg, &rig);
	stops++;
	fast_stops += fast;
	supervisor_stop(rig.supervisor, fast ? STOP_FAST : STOP_PACED);
}

static void
on_reopen(void *arg)
{
	assert_ptr_equal(arg, &rig);
	reopens++;
}

static int
set_up(void **state)
{
	(void)state;
	stops = fast_stops = reopens = 0;
	rig_init(&rig, true, flags);
	memset(&signals, 0, sizeof(signals));
	signals.supervisor = rig.supervisor;
	signals.jobs = &rig.jobs;
	signals.reopen = on_reopen;
	signals.stop = on_stop;
	signals.arg = &rig;
	signals_start(&signals, rig.loop);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	signals_stop(&signals, rig.loop);
	rig_release(&rig);
	return 0;
}

/* Raise it, and let the loop take it: at the latest with its next turns. */
static void
get(int number)
{
	assert_int_equal(raise(number), 0);
	rig_turn(&rig);
	rig_turn(&rig);
}

static const struct job *
last_job(void)
{
	assert_false(list_is_empty(&rig.jobs.queue));
	return LIST_ENTRY(rig.jobs.queue.prev, struct job, link);
}

static void
term_stops_and_a_second_one_stops_at_once(void **state)
{
	(void)state;
	get(SIGTERM);
	assert_int_equal(stops, 1);
	assert_int_equal(fast_stops, 0);
	assert_int_equal(rig.supervisor->stopping, STOP_PACED);
	get(SIGTERM);
	assert_int_equal(fast_stops, 1);
	assert_int_equal(rig.supervisor->stopping, STOP_FAST);
}

static void
int_is_the_same_as_term(void **state)
{
	(void)state;
	get(SIGINT);
	assert_int_equal(rig.supervisor->stopping, STOP_PACED);
	get(SIGTERM);
	assert_int_equal(rig.supervisor->stopping, STOP_FAST);
}

static void
quit_stops_at_once_and_a_second_one_kills(void **state)
{
	(void)state;
	get(SIGQUIT);
	assert_int_equal(fast_stops, 1);
	assert_int_equal(rig.supervisor->stopping, STOP_FAST);
	get(SIGQUIT);
	assert_int_equal(stops, 1);
	assert_int_equal(rig.supervisor->stopping, STOP_KILL);
}

static void
quit_hurries_a_stop_that_was_paced(void **state)
{
	(void)state;
	get(SIGTERM);
	get(SIGQUIT);
	assert_int_equal(rig.supervisor->stopping, STOP_FAST);
}

static void
any_number_of_hups_is_one_reload(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		get(SIGHUP);
	assert_int_equal(rig.jobs.count, 1);
	assert_int_equal(last_job()->kind, JOB_RELOAD);
}

static void
ttin_and_ttou_count_from_what_waits_already(void **state)
{
	(void)state;
	get(SIGTTIN);
	assert_int_equal(last_job()->kind, JOB_SCALE);
	assert_int_equal(last_job()->arg, 4);
	get(SIGTTIN);
	assert_int_equal(last_job()->arg, 5);
	get(SIGTTOU);
	assert_int_equal(last_job()->arg, 4);
	assert_int_equal(rig.supervisor->wanted, 3); /* it only waits */
}

static void
the_last_worker_stays_and_there_are_not_more_than_slots(void **state)
{
	(void)state;
	rig.supervisor->wanted = 1;
	get(SIGTTOU);
	assert_int_equal(rig.jobs.count, 0);
	rig.supervisor->wanted = STATS_SLOTS_MAX;
	get(SIGTTIN);
	assert_int_equal(rig.jobs.count, 0);
	rig.supervisor->wanted = 3;
}

static void
a_signal_too_many_is_ignored(void **state)
{
	(void)state;
	for (int i = 0; i < JOBS_MAX; i++)
		assert_int_equal(jobs_add(&rig.jobs, JOB_SCALE, 1 + i % 2,
				     NULL),
		    0);
	get(SIGHUP);
	get(SIGTTIN);
	assert_int_equal(rig.jobs.count, JOBS_MAX);
	assert_int_equal(last_job()->kind, JOB_SCALE);
}

static void
usr1_reopens_and_the_others_do_nothing(void **state)
{
	(void)state;
	get(SIGUSR1);
	assert_int_equal(reopens, 1);
	get(SIGPIPE);
	get(SIGCHLD);
	assert_int_equal(reopens, 1);
	assert_int_equal(stops, 0);
	assert_int_equal(rig.jobs.count, 0);
}

static void
usr2_asks_for_an_upgrade_without_flags(void **state)
{
	(void)state;
	get(SIGUSR2);
	assert_int_equal(rig.jobs.count, 1);
	assert_int_equal(last_job()->kind, JOB_UPGRADE);
	assert_int_equal(last_job()->arg, 0);
	assert_null(last_job()->text);
}

static void
they_alone_keep_no_loop_running_and_go_as_they_came(void **state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct signals own = { .supervisor = rig.supervisor };
	struct sigaction action;

	(void)state;
	/* A signal belongs to one loop at a time. */
	signals_stop(&signals, rig.loop);
	ev_signal_stop(rig.loop, &rig.child);
	own.jobs = &rig.jobs;
	signals_start(&own, loop);
	assert_int_equal(sigaction(SIGHUP, NULL, &action), 0);
	assert_true(action.sa_handler != SIG_DFL);
	assert_false(ev_run(loop, 0));
	signals_stop(&own, loop);
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		assert_int_equal(sigaction(own.watchers[i].signum, NULL,
				     &action),
		    0);
		/* The last words may be for somebody who has gone. */
		assert_true(action.sa_handler ==
		    (own.watchers[i].signum == SIGPIPE ? SIG_IGN : SIG_DFL));
	}
	ev_loop_destroy(loop);
	ev_signal_start(rig.loop, &rig.child);
	signals_start(&signals, rig.loop);
}

#define SIGNAL_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SIGNAL_TEST(term_stops_and_a_second_one_stops_at_once),
		SIGNAL_TEST(int_is_the_same_as_term),
		SIGNAL_TEST(quit_stops_at_once_and_a_second_one_kills),
		SIGNAL_TEST(quit_hurries_a_stop_that_was_paced),
		SIGNAL_TEST(any_number_of_hups_is_one_reload),
		SIGNAL_TEST(ttin_and_ttou_count_from_what_waits_already),
		SIGNAL_TEST(
		    the_last_worker_stays_and_there_are_not_more_than_slots),
		SIGNAL_TEST(a_signal_too_many_is_ignored),
		SIGNAL_TEST(usr1_reopens_and_the_others_do_nothing),
		SIGNAL_TEST(usr2_asks_for_an_upgrade_without_flags),
		SIGNAL_TEST(
		    they_alone_keep_no_loop_running_and_go_as_they_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

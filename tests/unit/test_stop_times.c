/* test_stop_times.c - a stop is fitted into the time of whoever started us. */
#include "fake_worker.h"
#include "primary_rig.h"

#include "primary/stop_times.h"

static struct rig rig;
static struct stop_times times;

static void
begin(const char *const *flags)
{
	memset(&rig, 0, sizeof(rig));
	rig_init(&rig, true, flags);
}

static void
is(enum stop_how stopping, uint64_t window, uint64_t timeout, uint64_t kill)
{
	rig.supervisor->stopping = stopping;
	stop_times_get(rig.supervisor, &times);
	rig.supervisor->stopping = STOP_NOT;
	assert_int_equal(times.window_ms, window);
	assert_int_equal(times.timeout_ms, timeout);
	assert_int_equal(times.kill_ms, kill);
}

static void
without_a_limit_the_settings_hold(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	begin(none);
	stop_times_limit(rig.supervisor, 0);
	is(STOP_NOT, 5000, 15000, 5000);
	is(STOP_PACED, 5000, 15000, 5000);
	rig_release(&rig);
}

static void
a_paced_stop_is_fitted_into_the_limit_and_a_reload_is_not(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	begin(none);
	stop_times_limit(rig.supervisor, 1600);
	is(STOP_PACED, 550, 825, 275);
	is(STOP_NOT, 5000, 15000, 5000);
	stop_times_limit(rig.supervisor, 1);
	is(STOP_PACED, 50, 75, 25);
	/* More time than the defaults take changes nothing. */
	stop_times_limit(rig.supervisor, 60000);
	is(STOP_PACED, 5000, 15000, 5000);
	assert_int_equal(rig.supervisor->stopping, STOP_NOT);
	rig_release(&rig);
}

static void
what_was_set_is_kept(void **state)
{
	static const char *const flags[] = { "--drain-timeout", "16s",
		"--drain-window", "100ms", NULL };

	(void)state;
	begin(flags);
	stop_times_limit(rig.supervisor, 2500);
	is(STOP_PACED, 100, 16000, 500);
	rig_release(&rig);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_the_settings_hold),
		cmocka_unit_test(
		    a_paced_stop_is_fitted_into_the_limit_and_a_reload_is_not),
		cmocka_unit_test(what_was_set_is_kept),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return RIG_RUN_WITH_PIDFD(tests);
}

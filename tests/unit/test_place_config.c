/* test_place_config.c - the first configuration starts it, later ones change it. */
#include "place_rig.h"

static void
the_first_configuration_starts_the_serving(void **state)
{
	struct rlimit before, after;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	welcome();
	said[0] = '\0';
	configure(CONFIG);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_int_equal(after.rlim_cur, 300 + 256);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_said(LIMITS "ws\ndoor 2 100\nready\n");
	assert_true(p.configured && p.worker.ready);
	assert_int_equal(p.worker.stats->ready, 1);
	assert_int_equal(p.worker.config->max_clients, 300);
	assert_int_equal(log_get_level(), LOG_LEVEL_ERROR);
}

static void
a_broken_first_one_can_never_work(void **state)
{
	(void)state;
	welcome();
	said[0] = '\0';
	configure("max-clients many\n");
	assert_said("leave 78\n");
	configure("no-such-key 1\n");
	assert_said("leave 78\n");
	assert_false(p.configured || p.worker.ready);
	assert_null(p.worker.config);
}

static void
a_start_that_fails_says_whether_it_is_worth_another(void **state)
{
	(void)state;
	welcome();
	said[0] = '\0';
	no_ws = hopeless = true;
	configure(CONFIG);
	assert_said(LIMITS "ws\nleave 78\n");
	p.configured = hopeless = false;
	configure(CONFIG);
	assert_said(LIMITS "ws\nleave 1\n");
	p.configured = no_ws = false;
	no_door = true;
	configure(CONFIG);
	assert_said(LIMITS "ws\ndoor 2 100\nleave 1\n");
	assert_false(p.worker.ready);
	assert_int_equal(p.worker.stats->ready, 0);
}

static void
a_later_one_changes_it_in_place(void **state)
{
	(void)state;
	serve();
	configure("log-level warn\nmax-clients 10\nlink-queue 131072\n");
	assert_said("limits 131072 30000\napplied 1 ''\n");
	assert_int_equal(p.worker.config->max_clients, 10);
	assert_int_equal(log_get_level(), LOG_LEVEL_WARN);
}

static void
a_later_one_that_is_broken_leaves_the_old_one(void **state)
{
	const struct config *old;

	(void)state;
	serve();
	old = p.worker.config;
	configure("log-level debug\nmax-clients many\n");
	assert_said("applied 0 'not understood'\n");
	assert_ptr_equal(p.worker.config, old);
	tls_result = -EINVAL;
	configure("log-level debug\nmax-clients 10\n");
	assert_said("applied 0 'the certificate could not be read; the old "
		    "one stays'\n");
	assert_ptr_equal(p.worker.config, old);
	assert_int_equal(p.worker.config->max_clients, 300);
	assert_int_equal(log_get_level(), LOG_LEVEL_ERROR);
}

static void
a_key_that_cannot_be_read_leaves_the_old_ones(void **state)
{
	const struct config *old;

	(void)state;
	serve();
	old = p.worker.config;
	configure(CONFIG "jwt-key /nonexistent/key\n");
	assert_said("applied 0 'key \"/nonexistent/key\": No such file or "
		    "directory'\n");
	assert_ptr_equal(p.worker.config, old);
	assert_null(p.worker.auth->keys);
}

static void
a_first_one_with_a_broken_key_is_hopeless(void **state)
{
	(void)state;
	welcome();
	said[0] = '\0';
	configure(CONFIG "jwt-key /dev/null\n");
	assert_said("leave 78\n");
	assert_false(p.configured);
}

/* Configured anew: 0 when that worked, -1 when the old one stayed. */
static int
reconfigure(void)
{
	const struct config *old = p.worker.config;

	said[0] = '\0';
	configure(CONFIG);
	if (p.worker.config != old) {
		assert_said(LIMITS "applied 1 ''\n");
		return 0;
	}
	assert_said("applied 0 'not understood'\n");
	return -1;
}

static void
without_memory_the_old_one_stays(void **state)
{
	(void)state;
	serve();
	torture_malloc(reconfigure);
}

static void
the_log_file_is_opened_anew_when_there_is_one(void **state)
{
	char text[256];

	(void)state;
	events->on_reopen(&p);
	(void)snprintf(text, sizeof(text), "log-level error\nlog-file %s\n",
	    log_path);
	welcome();
	configure(text);
	assert_int_equal(access(log_path, F_OK), -1);
	capture_begin(); /* it takes standard error */
	events->on_reopen(&p);
	capture_end();
	assert_int_equal(unlink(log_path), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_configuration_starts_the_serving),
		TEST(a_broken_first_one_can_never_work),
		TEST(a_start_that_fails_says_whether_it_is_worth_another),
		TEST(a_later_one_changes_it_in_place),
		TEST(a_later_one_that_is_broken_leaves_the_old_one),
		TEST(a_key_that_cannot_be_read_leaves_the_old_ones),
		TEST(a_first_one_with_a_broken_key_is_hopeless),
		TEST(without_memory_the_old_one_stays),
		TEST(the_log_file_is_opened_anew_when_there_is_one),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

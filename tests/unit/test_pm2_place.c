/* test_pm2_place.c - what PM2 puts into the environment, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ev.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pm2/pm2_channel.h"

static void
ignore(void *arg)
{
	(void)arg;
}

static const struct pm2_events events = { .on_shutdown = ignore,
	.on_gone = ignore,
	.on_tick = ignore };

static int
clear_environment(void **state)
{
	(void)state;
	(void)unsetenv("pm_id");
	(void)unsetenv("kill_timeout");
	(void)unsetenv("NODE_CHANNEL_FD");
	(void)unsetenv("NODE_CHANNEL_SERIALIZATION_MODE");
	return 0;
}

static void
offer(int fd)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", fd);
	assert_int_equal(setenv("NODE_CHANNEL_FD", text, 1), 0);
}

static void
the_channel_is_taken_out_of_the_environment(void **state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
	struct pm2_channel *channel;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	offer(pair[0]);
	assert_int_equal(pm2_channel_claim(), -1); /* another parent's */
	assert_non_null(getenv("NODE_CHANNEL_FD"));
	assert_false(pm2_is_here());
	assert_int_equal(setenv("pm_id", "0", 1), 0);
	assert_true(pm2_is_here());
	assert_int_equal(pm2_channel_claim(), pair[0]);
	assert_null(getenv("NODE_CHANNEL_FD"));
	assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(pair[0], F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(pm2_channel_claim(), -1);
	/* And may be given to the next program in our place. */
	channel = pm2_channel_new(loop, pair[0], &events, NULL);
	assert_non_null(channel);
	pm2_channel_give(channel);
	assert_int_equal(fcntl(pair[0], F_GETFD), 0);
	assert_int_equal(pm2_channel_claim(), pair[0]);
	pm2_channel_free(channel);
	ev_loop_destroy(loop);
	(void)close(pair[1]);
}

static void
what_is_no_channel_is_not_taken(void **state)
{
	static const char *const bad[] = { "", "x", "0", "2", "-1", "3x",
		"99999999999", "1000" };
	int pipe_fds[2], pair[2];

	(void)state;
	assert_int_equal(setenv("pm_id", "3", 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(setenv("NODE_CHANNEL_FD", bad[i], 1), 0);
		assert_int_equal(pm2_channel_claim(), -1);
	}
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	offer(pipe_fds[0]);
	assert_int_equal(pm2_channel_claim(), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	offer(pair[0]);
	assert_int_equal(setenv("NODE_CHANNEL_SERIALIZATION_MODE", "advanced",
			     1),
	    0);
	assert_int_equal(pm2_channel_claim(), -1);
	for (int i = 0; i < 2; i++) {
		(void)close(pipe_fds[i]);
		(void)close(pair[i]);
	}
}

static void
kill_timeout_is_pm2s_only_where_pm2_is(void **state)
{
	(void)state;
	assert_int_equal(setenv("kill_timeout", "1600", 1), 0);
	assert_int_equal(pm2_kill_timeout(), 0);
	assert_int_equal(setenv("pm_id", "0", 1), 0);
	assert_int_equal(pm2_kill_timeout(), 1600);
	assert_int_equal(setenv("kill_timeout", "soon", 1), 0);
	assert_int_equal(pm2_kill_timeout(), 0);
}

#define PLACE_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, clear_environment,               \
	    clear_environment)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(the_channel_is_taken_out_of_the_environment),
		PLACE_TEST(what_is_no_channel_is_not_taken),
		PLACE_TEST(kill_timeout_is_pm2s_only_where_pm2_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_control.c - a line in, lines out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>

#include "base/net.h"
#include "primary/control.h"
#include "primary_rig.h"

static const char *const attach_only[] = { "-n", "2", NULL };

static struct rig rig;
static struct control *control;
static char path[96];
static unsigned stops, fast_stops, reopens;

static void
on_stop(void *arg, bool fast)
{
	(void)arg;
	stops++;
	fast_stops += fast;
}

static void
on_reopen(void *arg)
{
	(void)arg;
	reopens++;
}

static const struct control_calls calls = { on_stop, on_reopen };

static int
set_up(void **state)
{
	int fd;

	(void)state;
	stops = fast_stops = reopens = 0;
	rig_init(&rig, false, attach_only);
	rig_start(&rig);
	(void)snprintf(path, sizeof(path), "%s/control.sock", rig.dir);
	fd = net_listen_unix(path, 0600, 128);
	assert_true(fd >= 0);
	control = control_new(rig.loop, fd, &rig.jobs, &calls, NULL);
	assert_non_null(control);
	rig_until(&rig, rig.ready > 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	control_free(control);
	(void)unlink(path);
	rig_release(&rig);
	return 0;
}

static int
dial(void)
{
	int fd = net_connect_unix(path);

	assert_true(fd >= 0);
	return fd;
}

static void
say(int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* All that comes until the end; fd is closed. */
static void
hear(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n = -1;

	rig_until(&rig,
	    (n = recv(fd, text + len, size - 1 - len, 0)) == 0 ||
		(n > 0 && (len += (size_t)n) == 0));
	text[len] = '\0';
	(void)close(fd);
}

static void
answer_is(const char *line, const char *wanted)
{
	char text[4096];
	int fd = dial();

	say(fd, line, strlen(line));
	hear(fd, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void
commands_are_answered_in_one_final_line(void **state)
{
	(void)state;
	answer_is("ping\n", "ok pong\n");
	answer_is("reopen\n", "ok log files are opened anew\n");
	assert_int_equal(reopens, 1);
	answer_is("reload\n", "ok reloaded, no option has changed\n");
	assert_int_equal(rig.page->config_generation, 1);
	answer_is("scale 2\n", "ok 2 workers, as before\n");
	answer_is("restart 9\n",
	    "error 2 there is no slot 9, they go from 0 to 1\n");
}

static void
nonsense_is_an_error_of_the_asker(void **state)
{
	static const char *const nonsense[] = { "\n", "hello\n", "PING\n",
		"ping now\n", " ping\n", "scale\n", "scale 0\n", "scale -1\n",
		"scale 257\n", "scale 99999999999999999999\n", "scale 3x\n",
		"restart x\n", "restart -1\n", "stop slowly\n", "upgrade x\n",
		"upgrade 4\n", "upgrade 0 busctl\n",
		"upgrade 999999999999999\n", "upgrade  /x\n", "ping\nping\n" };
	char text[4096];
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		fd = dial();
		say(fd, nonsense[i], strlen(nonsense[i]));
		hear(fd, text, sizeof(text));
		assert_memory_equal(text, "error 2 ", 8);
	}
	fd = dial();
	say(fd, "ping\0\n", 6);
	hear(fd, text, sizeof(text));
	assert_memory_equal(text, "error 2 ", 8);
	assert_int_equal(stops, 0);
	assert_int_equal(rig.page->config_generation, 0);
}

static void
a_line_that_is_too_long_is_refused(void **state)
{
	char line[CONTROL_LINE_MAX + 10], text[4096];
	int fd = dial();

	(void)state;
	memset(line, 'x', sizeof(line));
	say(fd, line, sizeof(line));
	hear(fd, text, sizeof(text));
	assert_string_equal(text, "error 2 the line is too long\n");
}

static void
a_line_may_come_byte_by_byte(void **state)
{
	char text[4096];
	int fd = dial();

	(void)state;
	for (const char *p = "ping\n"; *p != '\0'; p++) {
		say(fd, p, 1);
		rig_turn(&rig);
	}
	hear(fd, text, sizeof(text));
	assert_string_equal(text, "ok pong\n");
}

static void
half_a_line_and_gone_is_nothing(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "rel", 3);
	rig_turn(&rig);
	(void)close(fd);
	rig_turn(&rig);
	answer_is("ping\n", "ok pong\n");
	assert_int_equal(rig.page->config_generation, 0);
}

static void
many_wait_for_one_reload_and_leaving_cancels_nothing(void **state)
{
	char text[4096];
	int fds[10];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = dial();
		say(fds[i], "reload\n", 7);
	}
	rig_until(&rig, rig.jobs.count > 0 || rig.page->config_generation > 0);
	(void)close(fds[0]);
	for (size_t i = 1; i < ARRAY_LEN(fds); i++) {
		hear(fds[i], text, sizeof(text));
		assert_string_equal(text,
		    "ok reloaded, no option has changed\n");
	}
	assert_in_range(rig.page->config_generation, 1, ARRAY_LEN(fds));
}

static void
one_that_closes_its_half_still_hears(void **state)
{
	char text[4096];
	int fd = dial();

	(void)state;
	say(fd, "reload\n", 7);
	(void)shutdown(fd, SHUT_WR);
	hear(fd, text, sizeof(text));
	assert_string_equal(text, "ok reloaded, no option has changed\n");
}

static void
stop_is_answered_at_the_end(void **state)
{
	char text[4096];
	int fd = dial(), fast = dial();

	(void)state;
	say(fd, "stop\n", 5);
	rig_until(&rig, stops == 1);
	assert_int_equal(fast_stops, 0);
	say(fast, "stop fast\n", 10);
	rig_until(&rig, stops == 2);
	assert_int_equal(fast_stops, 1);
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	control_stopped(control, 0, "stopped");
	hear(fd, text, sizeof(text));
	assert_string_equal(text, "ok stopped\n");
	hear(fast, text, sizeof(text));
	assert_string_equal(text, "ok stopped\n");
}

static void
a_stop_ends_the_wait_of_all_others(void **state)
{
	char text[4096];
	int fd = dial();

	(void)state;
	/* Nothing is run as long as the start is not over. */
	rig.supervisor->was_ready = false;
	rig.supervisor->spawn = true;
	say(fd, "scale 1\n", 8);
	rig_until(&rig, rig.jobs.count == 1);
	jobs_cancel(&rig.jobs);
	hear(fd, text, sizeof(text));
	assert_string_equal(text, "error 1 the bus is stopping\n");
}

static void
the_33rd_connection_is_told_to_come_later(void **state)
{
	int fds[CONTROL_CONNECTIONS_MAX];
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = dial();
	hear(dial(), text, sizeof(text));
	assert_string_equal(text, "error 75 too many connections\n");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	rig_turn(&rig);
	answer_is("ping\n", "ok pong\n");
}

#define CONTROL_TEST(name)                                                     \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(commands_are_answered_in_one_final_line),
		CONTROL_TEST(nonsense_is_an_error_of_the_asker),
		CONTROL_TEST(a_line_that_is_too_long_is_refused),
		CONTROL_TEST(a_line_may_come_byte_by_byte),
		CONTROL_TEST(half_a_line_and_gone_is_nothing),
		CONTROL_TEST(
		    many_wait_for_one_reload_and_leaving_cancels_nothing),
		CONTROL_TEST(one_that_closes_its_half_still_hears),
		CONTROL_TEST(stop_is_answered_at_the_end),
		CONTROL_TEST(a_stop_ends_the_wait_of_all_others),
		CONTROL_TEST(the_33rd_connection_is_told_to_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_pm2_channel.c - lines to and from PM2; the test is PM2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "pm2/pm2_channel.h"

static struct ev_loop *loop;
static struct pm2_channel *channel;
static int end; /* PM2's */
static char said[4096];
static unsigned ticks;
static double figure;

static void
note(const char *what, const char *words)
{
	size_t len = strlen(said);

	(void)snprintf(said + len, sizeof(said) - len, "%s(%s) ", what, words);
}

static void
run_scale(void *arg, const char *words)
{
	assert_ptr_equal(arg, &figure);
	note("scale", words);
}

static void
run_drain(void *arg, const char *words)
{
	(void)arg;
	note("drain", words);
	pm2_channel_reply(channel, "drain", true, "a \"word\"\n");
}

static void
on_shutdown(void *arg)
{
	(void)arg;
	note("shutdown", "");
}

static void
on_gone(void *arg)
{
	(void)arg;
	note("gone", "");
}

static void
on_tick(void *arg)
{
	(void)arg;
	ticks++;
	pm2_channel_metric(channel, "Cli\"ents", "conn", figure);
	pm2_channel_metric_text(channel, "Workers", "2/3");
	pm2_channel_metric(channel, "Nothing", "%", 1.0 / (figure - figure));
}

static const struct pm2_action actions[] = {
	{ "scale", true, run_scale },
	{ "drain", false, run_drain },
};

static const struct pm2_events events = {
	.actions = actions,
	.action_count = ARRAY_LEN(actions),
	.on_shutdown = on_shutdown,
	.on_gone = on_gone,
	.on_tick = on_tick,
};

static int
set_up(void **state)
{
	int pair[2];

	(void)state;
	said[0] = '\0';
	ticks = 0;
	figure = 42;
	loop = ev_loop_new(EVFLAG_NOENV);
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	end = pair[1];
	channel = pm2_channel_new(loop, pair[0], &events, &figure);
	assert_non_null(channel);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pm2_channel_free(channel);
	ev_loop_destroy(loop);
	if (end != -1)
		(void)close(end);
	return 0;
}

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		ev_run(loop, EVRUN_NOWAIT);
}

static void
say_bytes(const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(end, bytes, len, MSG_NOSIGNAL);
		if (n == -1) {
			assert_int_equal(errno, EAGAIN);
			turn();
			continue;
		}
		bytes += n;
		len -= (size_t)n;
	}
	turn();
}

static void
say(const char *text)
{
	say_bytes(text, strlen(text));
}

/* All that PM2 has got; every line of it is JSON. */
static const char *
heard(void)
{
	static char text[1 << 20];
	size_t len = 0;
	char *line, *next;
	ssize_t n;

	turn();
	while ((n = recv(end, text + len, sizeof(text) - 1 - len, 0)) > 0) {
		len += (size_t)n;
		turn();
	}
	text[len] = '\0';
	for (line = text; *line != '\0'; line = next + 1) {
		next = strchr(line, '\n');
		assert_non_null(next); /* whole lines only */
		assert_true(json_valid(line, (size_t)(next - line)));
	}
	return text;
}

static void
assert_said(const char *wanted)
{
	turn();
	assert_string_equal(said, wanted);
	said[0] = '\0';
}

static void
assert_bad(uint64_t wanted)
{
	uint64_t bad, dropped;

	pm2_channel_counts(channel, &bad, &dropped);
	assert_int_equal(bad, wanted);
	assert_int_equal(dropped, 0);
}

/* ---- from PM2 ---------------------------------------------------------- */

static void
actions_come_with_words_and_without(void **state)
{
	(void)state;
	say("\"drain\"\n\"scale\"\n");
	assert_said("drain() scale() ");
	say("{\"msg\":\"scale\",\"opts\":\"+1\",\"name\":\"bus\"}\n");
	say("{\"id\":0,\"opts\":4,\"msg\":\"scale\"}\n");
	say("{\"msg\":\"scale\",\"opts\":{\"n\":[1,2]}}\n");
	say("{\"msg\":\"scale\",\"opts\":null}\n");
	assert_said("scale(+1) scale(4) scale({\"n\":[1,2]}) scale() ");
	/* One that takes no words is not run with them. */
	(void)heard();
	say("{\"msg\":\"drain\",\"opts\":\"now\"}\n");
	assert_said("");
	assert_non_null(strstr(heard(), "\"ok\":false"));
	say("\"shutdown\"\n");
	assert_said("shutdown() ");
	assert_bad(0);
}

static void
lines_may_come_in_any_pieces(void **state)
{
	static const char text[] =
	    "\"drain\"\n{\"msg\":\"scale\",\"opts\":\"2\"}\n"
	    "nonsense\n\"shutdown\"\n";

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		say_bytes(text + i, 1);
	assert_said("drain() scale(2) shutdown() ");
	assert_bad(1);
	for (size_t i = 1; i < sizeof(text) - 1; i++) {
		say_bytes(text, i);
		say_bytes(text + i, sizeof(text) - 1 - i);
		assert_said("drain() scale(2) shutdown() ");
		(void)heard();
	}
	assert_bad(sizeof(text) - 2);
}

static void
what_is_not_understood_is_counted_and_left_alone(void **state)
{
	static const char *const lines[] = { "", "ready", "drain", "1", "null",
		"[\"drain\"]", "\"drain", "\"unknown\"", "\"drain\" ", "{}",
		"{\"opts\":\"1\"}", "{\"msg\":1}", "{\"msg\":\"\"}",
		"{\"msg\":\"nothing\"}", "{\"msg\":\"drain\"", "\"\xff\"",
		"{\"msg\":\"drain\\u0000\"}", "\"dr\\u0000ain\"",
		"{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\"}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		say(lines[i]);
		say("\n");
		assert_said("");
		assert_bad(1);
	}
	say_bytes("\"dra\0in\"\n", 9);
	assert_bad(1);
	say("\"drain\"\n");
	assert_said("drain() ");
}

static void
a_line_that_is_too_long_is_skipped_to_its_end(void **state)
{
	static char text[3 * PM2_LINE_MAX];

	(void)state;
	/* Of the longest line that may come all is read. */
	(void)snprintf(text, sizeof(text), "{\"msg\":\"drain\",\"x\":\"");
	memset(text + strlen(text), 'y', PM2_LINE_MAX - 3 - strlen(text));
	memcpy(text + PM2_LINE_MAX - 3, "\"}\n", 3);
	say_bytes(text, PM2_LINE_MAX);
	assert_said("drain() ");
	assert_bad(0);
	memset(text, 'x', sizeof(text));
	say_bytes(text, sizeof(text));
	say("\"drain\"\n");
	assert_said(""); /* the end of that line */
	assert_bad(1);
	say("\"drain\"\n");
	assert_said("drain() ");
	assert_bad(0);
	/* Words of an action have a limit of their own. */
	(void)snprintf(text, sizeof(text), "{\"msg\":\"scale\",\"opts\":\"");
	memset(text + strlen(text), 'y', PM2_WORDS_MAX + 1);
	(void)snprintf(text + 24 + PM2_WORDS_MAX, 8, "\"}\n");
	say(text);
	assert_said("");
	assert_bad(1);
}

static void
when_pm2_has_gone_it_is_told_once_and_nothing_is_said_any_more(void **state)
{
	(void)state;
	(void)close(end);
	end = -1;
	assert_said("gone() ");
	pm2_channel_ready(channel);
	pm2_channel_reply(channel, "drain", true, "");
	assert_said("");
}

/* ---- to PM2 ------------------------------------------------------------ */

static void
actions_are_announced_and_answered(void **state)
{
	const char *text = heard();

	(void)state;
	assert_string_equal(text,
	    "{\"type\":\"axm:action\",\"data\":{\"action_name\":\"scale\","
	    "\"action_type\":\"custom\",\"arity\":1}}\n"
	    "{\"type\":\"axm:action\",\"data\":{\"action_name\":\"drain\","
	    "\"action_type\":\"custom\",\"arity\":0}}\n");
	say("\"drain\"\n");
	assert_string_equal(heard(),
	    "{\"type\":\"axm:reply\",\"data\":{\"at\":0,\"action_name\":"
	    "\"drain\",\"return\":{\"ok\":true,\"text\":\"a \\\"word\\\"\\n\"}}}"
	    "\n");
	pm2_channel_reply_json(channel, "scale", "[1]");
	assert_non_null(strstr(heard(), "\"return\":[1]}}"));
	/* Never half a character, however wrong the text. */
	pm2_channel_reply(channel, "drain", false, "\xc3(");
	assert_non_null(strstr(heard(), "\"text\":\"\""));
}

static void
ready_is_said_at_once_and_once_more_a_second_later(void **state)
{
	const char *text;

	(void)state;
	(void)heard();
	pm2_channel_ready(channel);
	pm2_channel_ready(channel);
	assert_string_equal(heard(), "\"ready\"\n");
	while (ticks < 2)
		ev_run(loop, EVRUN_ONCE);
	text = heard();
	assert_non_null(strstr(text, "\"ready\"\n"));
	assert_null(strstr(strstr(text, "\"ready\"\n") + 1, "\"ready\"\n"));
	/* The figures came in the same seconds. */
	assert_non_null(strstr(text,
	    "{\"type\":\"axm:monitor\",\"data\":{\"Cli\\\"ents\":{"));
	assert_non_null(strstr(text, "\"unit\":\"conn\",\"value\":42}"));
	assert_non_null(strstr(text, "\"value\":\"2/3\"}"));
	assert_non_null(strstr(text, "\"unit\":\"%\",\"value\":0}"));
}

static void
a_pm2_that_does_not_read_misses_whole_lines(void **state)
{
	static char json[8000];
	uint64_t bad, dropped;

	(void)state;
	memset(json, '1', sizeof(json) - 1);
	for (int i = 0; i < 500; i++) {
		pm2_channel_reply_json(channel, "drain", json);
		turn();
	}
	pm2_channel_counts(channel, &bad, &dropped);
	assert_int_equal(bad, 0);
	assert_in_range(dropped, 1, 499);
	(void)heard(); /* which looks at every line */
	pm2_channel_reply_json(channel, "drain", "2");
	assert_non_null(strstr(heard(), "\"return\":2}"));
}

#define LINE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LINE_TEST(actions_come_with_words_and_without),
		LINE_TEST(lines_may_come_in_any_pieces),
		LINE_TEST(what_is_not_understood_is_counted_and_left_alone),
		LINE_TEST(a_line_that_is_too_long_is_skipped_to_its_end),
		LINE_TEST(
		    when_pm2_has_gone_it_is_told_once_and_nothing_is_said_any_more),
		LINE_TEST(actions_are_announced_and_answered),
		LINE_TEST(ready_is_said_at_once_and_once_more_a_second_later),
		LINE_TEST(a_pm2_that_does_not_read_misses_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

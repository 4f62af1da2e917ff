/* test_cli_publish.c - publish and subscribe: words, lines, and no bus. */
#include "cli_rig.h"

/* The same with this on standard input. */
static int
publish_lines(const char *lines, const char *const words[WORDS_MAX])
{
	int before = dup(STDIN_FILENO), file = memfd_create("lines", 0), rc;

	assert_true(before != -1 && file != -1);
	assert_int_equal(write(file, lines, strlen(lines)), strlen(lines));
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
	clearerr(stdin);
	rc = run(cli_publish, words);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	(void)close(before);
	(void)close(file);
	return rc;
}

/* ---- publish ----------------------------------------------------------- */

static void
a_message_goes_out_as_it_was_written(void **state)
{
	(void)state;
	assert_int_equal(run(cli_publish,
			     WORDS("publish", "chat", "{\"a\": 1.0}")),
	    CLI_OK);
	assert_string_equal(capture_out(), "");
	assert_string_equal(capture_err(), "");
	assert_heard("chat {\"a\": 1.0}\n");
}

static void
text_becomes_a_json_string(void **state)
{
	(void)state;
	assert_int_equal(run(cli_publish,
			     WORDS("publish", "--text", "chat",
				 "say \"hi\"\n")),
	    CLI_OK);
	assert_heard("chat \"say \\\"hi\\\"\\n\"\n");
	assert_int_equal(run(cli_publish,
			     WORDS("publish", "chat", "\xff", "--text")),
	    CLI_FAILED);
	assert_non_null(strstr(capture_err(), "the message is not JSON"));
	assert_heard("");
}

static void
lines_are_messages_and_bad_ones_are_told_by_number(void **state)
{
	static const char lines[] = "1\n\n{bad\n[2]\n\"last\"";

	(void)state;
	assert_int_equal(publish_lines(lines, WORDS("publish", "chat")),
	    CLI_FAILED);
	assert_string_equal(capture_err(),
	    "busctl: line 3 is not JSON; --text sends it as a string\n");
	assert_heard("chat 1\nchat [2]\nchat \"last\"\n");
	assert_int_equal(publish_lines("3\n", WORDS("publish", "chat", "-")),
	    CLI_OK);
	assert_heard("chat 3\n");
	assert_int_equal(publish_lines("a b\n",
			     WORDS("publish", "chat", "--text")),
	    CLI_OK);
	assert_heard("chat \"a b\"\n");
	assert_int_equal(publish_lines("", WORDS("publish", "chat")), CLI_OK);
	assert_heard("");
}

/* ---- subscribe --------------------------------------------------------- */

/* A child that publishes again and again. */
static pid_t
start_publisher(const char *data, bool binary)
{
	struct cbus_publish_opts opts = { .binary = binary };
	struct cbus *bus;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)alarm(20);
	bus = attach("mouth");
	if (bus == NULL)
		_exit(1);
	do { /* nothing comes: a short rest */
		if (cbus_publish_opts(bus, "news", data, strlen(data), &opts) !=
			0 ||
		    cbus_sync(bus, CLI_NODE_TIMEOUT_MS) != 0)
			break;
	} while (cbus_wait(bus, 5) == -ETIMEDOUT);
	_exit(1);
}

/* What subscribe printed while that was published. */
static void
assert_printed(const char *data, bool binary, const char *const *words,
    const char *begin, const char *end)
{
	pid_t pid = start_publisher(data, binary);
	int rc = run(cli_subscribe, words);
	const char *out = capture_out();

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(rc, CLI_OK);
	assert_memory_equal(out, begin, strlen(begin));
	assert_string_equal(out + strlen(out) - strlen(end), end);
	assert_string_equal(capture_err(), "busctl: subscribed to \"news\"\n");
}

static void
subscribe_prints_a_line_for_each_message(void **state)
{
	(void)state;
	assert_printed("[1,\n2]", false,
	    WORDS("subscribe", "--count", "2", "news"), "[1, 2]\n",
	    "[1, 2]\n[1, 2]\n");
	assert_printed("[1]", false,
	    WORDS("subscribe", "--from", "--count=1", "news"), "0", " [1]\n");
	assert_printed("[1]", false,
	    WORDS("subscribe", "--json", "--count", "1", "news"),
	    "{\"topic\":\"news\",\"data\":[1],\"from\":\"", "\"}\n");
	assert_printed("\xff", true,
	    WORDS("subscribe", "--count", "1", "news", "--json"),
	    "{\"topic\":\"news\",\"data\":\"/w==\",\"binary\":true,", "\"}\n");
}

static void
subscribe_words_are_looked_at_first(void **state)
{
	(void)state;
	assert_int_equal(run(cli_subscribe, WORDS("subscribe")), CLI_USAGE);
	assert_non_null(strstr(capture_err(), "which topic?"));
	assert_int_equal(run(cli_subscribe, WORDS("subscribe", "--json")),
	    CLI_USAGE);
	assert_int_equal(run(cli_subscribe,
			     WORDS("subscribe", "--count", "0", "chat")),
	    CLI_USAGE);
	assert_non_null(strstr(capture_err(), "a number above 0"));
	assert_int_equal(run(cli_subscribe,
			     WORDS("subscribe", "--count", "3x", "chat")),
	    CLI_USAGE);
	assert_int_equal(run(cli_subscribe, WORDS("subscribe", "--count", "3")),
	    CLI_USAGE);
	assert_int_equal(run(cli_subscribe,
			     WORDS("subscribe", "chat", "bad\ntopic")),
	    CLI_USAGE);
	assert_non_null(strstr(capture_err(), "subscribed to \"chat\""));
	assert_non_null(strstr(capture_err(), "a control character"));
	assert_string_equal(capture_out(), "");
}

/* ---- both -------------------------------------------------------------- */

static void
publish_words_are_looked_at_first(void **state)
{
	(void)state;
	assert_int_equal(run(cli_publish, WORDS("publish")), CLI_USAGE);
	assert_non_null(strstr(capture_err(), "which topic?"));
	assert_int_equal(run(cli_publish, WORDS("publish", "a", "1", "2")),
	    CLI_USAGE);
	assert_non_null(strstr(capture_err(), "one topic and one message"));
	assert_int_equal(run(cli_publish, WORDS("publish", "", "1")),
	    CLI_USAGE);
	assert_non_null(strstr(capture_err(), "the topic is empty"));
}

static void
names_become_channels_within_limits(void **state)
{
	char topic[CBUS_NAME_MAX + 2];
	struct channel_name channel = { .len = 99 };

	(void)state;
	memset(topic, 'x', sizeof(topic));
	topic[CBUS_NAME_MAX] = '\0';
	assert_int_equal(cli_channel("c", "topic", 't', topic, &channel),
	    CLI_OK);
	assert_int_equal(channel.len, CBUS_NAME_MAX + 2);
	assert_memory_equal(channel.text, "t:xxx", 5);
	topic[CBUS_NAME_MAX] = 'x';
	topic[CBUS_NAME_MAX + 1] = '\0';
	capture_begin();
	assert_int_equal(cli_channel("c", "topic", 't', topic, &channel),
	    CLI_USAGE);
	assert_int_equal(cli_channel("c", "room", 'r', "\xc3", &channel),
	    CLI_USAGE);
	assert_int_equal(cli_channel("c", "user", 'u', "a\x7f", &channel),
	    CLI_USAGE);
	capture_end();
	assert_int_equal(channel.len, CBUS_NAME_MAX + 2);
	assert_non_null(strstr(capture_err(), "the topic is too long"));
	assert_non_null(strstr(capture_err(), "the room is not valid text"));
	assert_non_null(strstr(capture_err(), "the user has a control"));
	assert_int_equal(cli_channel("c", "topic", 't', "caf\xc3\xa9 x",
			     &channel),
	    CLI_OK);
}

static void
without_a_bus_it_says_where_it_looked(void **state)
{
	static const char nowhere[] = "/tmp/clusterbus-test-no-such-dir";

	(void)state;
	assert_int_equal(run_in(nowhere, cli_publish,
			     WORDS("publish", "chat", "1")),
	    CLI_FAILED);
	assert_non_null(strstr(capture_err(), "no bus runs in"));
	assert_non_null(strstr(capture_err(), nowhere));
	assert_int_equal(run_in(nowhere, cli_subscribe,
			     WORDS("subscribe", "chat")),
	    CLI_FAILED);
	assert_non_null(strstr(capture_err(), "no bus runs in"));
}

static void
who_is_not_wanted_is_told_why(void **state)
{
	struct place place = { .config = NULL };
	struct cbus *bus = NULL;
	int rc;

	(void)state;
	assert_int_equal(rundir_path(&place.rundir, hub_child_dir, "x"), 0);
	capture_begin();
	rc = cli_attach(&place, "unwanted", &bus);
	capture_end();
	assert_int_equal(rc, CLI_FAILED);
	assert_string_equal(capture_err(),
	    "busctl: the bus does not want us: the bus is stopping\n");
	capture_begin();
	rc = cli_attach(&place, "cut off", &bus);
	capture_end();
	assert_int_equal(rc, CLI_FAILED);
	assert_non_null(strstr(capture_err(), "hub.sock\": "));
	assert_null(bus);
}

static int
publish_once(void)
{
	return run(cli_publish,
		   WORDS("publish", "--text", "other", "something")) == CLI_OK ?
	    0 :
	    -1;
}

static void
without_memory_it_fails_and_leaks_nothing(void **state)
{
	(void)state;
	torture_malloc(publish_once);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_message_goes_out_as_it_was_written),
		TEST(text_becomes_a_json_string),
		TEST(lines_are_messages_and_bad_ones_are_told_by_number),
		TEST(subscribe_prints_a_line_for_each_message),
		TEST(subscribe_words_are_looked_at_first),
		TEST(publish_words_are_looked_at_first),
		TEST(names_become_channels_within_limits),
		TEST(without_a_bus_it_says_where_it_looked),
		TEST(who_is_not_wanted_is_told_why),
		cmocka_unit_test(without_memory_it_fails_and_leaks_nothing),
	};
#undef TEST

	return cmocka_run_group_tests(tests, hub_child_start, hub_child_stop);
}

/*
 * test_cli_query.c - emit, kick, why, presence, clients, topics, rooms: words,
 * and a bus without workers.
 */
#include "cli_rig.h"

static void
an_event_goes_out_to_whom_it_is_for(void **state)
{
	(void)state;
	assert_int_equal(run(cli_emit, WORDS("emit", "--all", "news", "[1]")),
	    CLI_OK);
	assert_heard("news [1]\n");
	assert_int_equal(run(cli_emit,
			     WORDS("emit", "--room", "r", "news", "2")),
	    CLI_OK);
	assert_int_equal(run(cli_emit,
			     WORDS("emit", "--user=u", "news", "x", "--text")),
	    CLI_OK);
	assert_int_equal(run(cli_emit,
			     WORDS("emit", "--conn", "00000001-0-1-1", "news",
				 "2")),
	    CLI_OK);
	assert_heard(""); /* listeners hear what goes to all */
}

static void
words_are_looked_at_first(void **state)
{
	static const struct {
		int (*command)(int, char **);
		const char *words[WORDS_MAX];
		const char *says;
	} cases[] = {
		{ cli_emit, { "emit", "news", "1" }, "to whom?" },
		{ cli_emit, { "emit", "--all", "--room=r", "news" },
		    "to whom?" },
		{ cli_emit, { "emit", "--all" }, "which event?" },
		{ cli_emit, { "emit", "--all", "a", "1", "2" }, "one event" },
		{ cli_emit, { "emit", "--all", "a\n", "1" }, "the event has" },
		{ cli_emit, { "emit", "--conn=x", "a", "1" },
		    "'x' is no connection" },
		{ cli_emit, { "emit", "--room", "", "a", "1" },
		    "the room is empty" },
		{ cli_emit, { "emit", "--room" }, "--room needs a value" },
		{ cli_kick, { "kick" }, "whom?" },
		{ cli_kick, { "kick", "--user=u", "--conn=c" }, "whom?" },
		{ cli_kick, { "kick", "--conn=1-2" }, "'1-2' is no conn" },
		{ cli_kick, { "kick", "--user=u", "--code=99" },
		    "'99' is no close code" },
		{ cli_kick, { "kick", "--user=u", "--code=4000x" },
		    "'4000x' is no close code" },
		{ cli_kick, { "kick", "--user=u", "x" }, "one word too many" },
		{ cli_why, { "why" }, "which connection?" },
		{ cli_why, { "why", "x" }, "'x' is no connection" },
		{ cli_presence, { "presence" }, "whose?" },
		{ cli_presence, { "presence", "a", "--room=b" }, "whose?" },
		{ cli_presence, { "presence", "a", "b" }, "one word too" },
		{ cli_presence, { "presence", "--nonsense" }, "no flag" },
		{ cli_clients, { "clients", "--room=a", "--user=b" },
		    "only one of" },
		{ cli_clients, { "clients", "a" }, "one word too many" },
		{ cli_topics, { "topics", "a" }, "one word too many" },
		{ cli_rooms, { "rooms", "a" }, "one word too many" },
		{ cli_publish, { "publish", "--role=a/b", "x", "1" },
		    "'a/b' is no role" },
		{ cli_publish, { "publish", "--exclude-conn=b", "x", "1" },
		    "'b' is no connection" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(run(cases[i].command, cases[i].words),
		    CLI_USAGE);
		if (strstr(capture_err(), cases[i].says) == NULL)
			fail_msg("%zu: %s", i, capture_err());
		assert_string_equal(capture_out(), "");
	}
}

static void
without_workers_the_lists_are_empty_and_nobody_is_kicked(void **state)
{
	(void)state;
	assert_int_equal(run(cli_clients, WORDS("clients", "--json")), CLI_OK);
	assert_string_equal(capture_out(), "");
	assert_int_equal(run(cli_topics, WORDS("topics")), CLI_OK);
	assert_string_equal(capture_out(),
	    "topic  kind  role  clients  listeners\n");
	assert_int_equal(run(cli_rooms, WORDS("rooms", "--json")), CLI_OK);
	assert_int_equal(run(cli_presence, WORDS("presence", "x")), CLI_OK);
	assert_string_equal(capture_err(), "");
	assert_int_equal(run(cli_kick, WORDS("kick", "--user", "u")),
	    CLI_FAILED);
	assert_non_null(strstr(capture_err(), "the user has no connection"));
	assert_int_equal(run(cli_why, WORDS("why", "00000001-0-1-1")),
	    CLI_FAILED);
	assert_non_null(strstr(capture_err(), "there is no such connection"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_event_goes_out_to_whom_it_is_for),
		TEST(words_are_looked_at_first),
		TEST(without_workers_the_lists_are_empty_and_nobody_is_kicked),
	};
#undef TEST

	return cmocka_run_group_tests(tests, hub_child_start, hub_child_stop);
}

/* test_protocol.c - what a client may say, and what it hears when it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "worker/protocol.h"
#include "worker_fixture.h"

#define OK(id) "{\"op\":\"ok\",\"id\":" id "}\n"
#define ERR(id, code, text)                                                    \
	"{\"op\":\"err\",\"id\":" id ",\"code\":\"" code                       \
	"\",\"message\":\"" text "\"}\n"
#define BAD(text)                                                              \
	"{\"op\":\"err\",\"code\":\"BAD_REQUEST\",\"message\":\"" text "\"}\n"
#define FROM ",\"from\":\"0000002a-1-3\"}\n"

/* Say it, let the hub answer, and look at all that comes back. */
static const char *
ask(struct client *client, const char *text)
{
	fixture_say(client, text);
	fake_link_answer_all(client->worker);
	fixture_check(client->worker);
	return fixture_got(client);
}

static void
a_client_subscribes_publishes_and_unsubscribes(void **state)
{
	struct client *client = fixture_client(*state);

	assert_string_equal(ask(client,
				"{\"op\":\"sub\",\"topic\":\"chat\",\"id\":1}"),
	    OK("1"));
	assert_string_equal(
	    ask(client,
		"{\"op\":\"pub\",\"topic\":\"chat\",\"data\":[1e400],"
		"\"id\":\"two\"}"),
	    "{\"op\":\"msg\",\"topic\":\"chat\",\"data\":[1e400]" FROM OK(
		"\"two\""));
	assert_string_equal(
	    ask(client, "{\"op\":\"unsub\",\"topic\":\"chat\",\"id\":3}"),
	    OK("3"));
	assert_string_equal(
	    ask(client, "{\"op\":\"unsub\",\"topic\":\"chat\",\"id\":4}"),
	    ERR("4", "NOT_FOUND", "not subscribed to it"));
}

static void
without_an_id_success_is_silent_for_pub_and_unsub(void **state)
{
	struct client *client = fixture_client(*state);

	assert_string_equal(ask(client, "{\"op\":\"sub\",\"topic\":\"c\"}"),
	    "{\"op\":\"ok\"}\n");
	assert_string_equal(
	    ask(client,
		"{\"op\":\"pub\",\"topic\":\"c\",\"data\":1,\"echo\":false}"),
	    "");
	assert_string_equal(ask(client, "{\"op\":\"unsub\",\"topic\":\"c\"}"),
	    "");
	assert_string_equal(ask(client, "{\"op\":\"ping\"}"),
	    "{\"op\":\"ok\"}\n");
	assert_string_equal(ask(client, "{\"op\":\"ping\",\"id\":-1.5e3}"),
	    OK("-1.5e3"));
}

static void
echo_false_leaves_the_publisher_out(void **state)
{
	struct client *client = fixture_client(*state);
	struct client *other = fixture_client(*state);

	(void)ask(client, "{\"op\":\"sub\",\"topic\":\"c\"}");
	(void)ask(other, "{\"op\":\"sub\",\"topic\":\"c\"}");
	fixture_say(client,
	    "{\"op\":\"pub\",\"topic\":\"c\",\"data\":0,\"echo\":false}");
	assert_string_equal(fixture_got(client), "");
	assert_string_equal(fixture_got(other),
	    "{\"op\":\"msg\",\"topic\":\"c\",\"data\":0" FROM);
	fixture_say(client,
	    "{\"op\":\"pub\",\"topic\":\"c\",\"data\":0,\"echo\":true}");
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"msg\",\"topic\":\"c\",\"data\":0" FROM);
	assert_string_equal(
	    ask(client,
		"{\"op\":\"pub\",\"topic\":\"c\",\"data\":0,\"echo\":0}"),
	    BAD("\\\"echo\\\" must be true or false"));
}

static void
data_stays_as_it_was_written(void **state)
{
	static const char *const data[] = { "1e400", "12345678901234567890",
		"\"\\u00e9\\/\"", "{ \"b\":1, \"a\" :[ ] }", "-0.0", "true",
		"null", "\"\"", "{\"op\":\"sub\",\"op\":1}" };
	struct client *client = fixture_client(*state);
	char text[200], want[200];

	(void)ask(client, "{\"op\":\"sub\",\"topic\":\"c\"}");
	for (size_t i = 0; i < ARRAY_LEN(data); i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"op\":\"pub\" , \"data\" : %s ,\"topic\":\"c\"}",
		    data[i]);
		(void)snprintf(want, sizeof(want),
		    "{\"op\":\"msg\",\"topic\":\"c\",\"data\":%s" FROM,
		    data[i]);
		assert_string_equal(ask(client, text), want);
	}
}

static void
every_mistake_has_its_words(void **state)
{
	static const struct {
		const char *text, *answer;
	} cases[] = {
		{ "", "not a JSON object, at byte 0" },
		{ "[]", "not a JSON object, at byte 0" },
		{ "{\"op\":}", "not a JSON object, at byte 6" },
		{ "{}", "\\\"op\\\" is missing or not a string" },
		{ "{\"op\":1}", "\\\"op\\\" is missing or not a string" },
		{ "{\"op\":\"\"}", "no such \\\"op\\\"" },
		{ "{\"op\":\"SUB\"}", "no such \\\"op\\\"" },
		{ "{\"op\":\"subs\"}", "no such \\\"op\\\"" },
		{ "{\"op\":\"sub\"}", "\\\"topic\\\" is missing" },
		{ "{\"op\":\"unsub\"}", "\\\"topic\\\" is missing" },
		{ "{\"op\":\"pub\",\"data\":1}", "\\\"topic\\\" is missing" },
		{ "{\"op\":\"sub\",\"topic\":5}",
		    "\\\"topic\\\" must be a string" },
		{ "{\"op\":\"sub\",\"topic\":\"\"}", "the topic is empty" },
		{ "{\"op\":\"sub\",\"topic\":\"a\\n\"}",
		    "the topic has a control character" },
		{ "{\"op\":\"sub\",\"topic\":\"a\x7f\"}",
		    "the topic has a control character" },
		{ "{\"op\":\"sub\",\"topic\":\"\\u0000\"}",
		    "the topic is not valid text" },
		{ "{\"op\":\"sub\",\"topic\":\"\\ud800\"}",
		    "the topic is not valid text" },
		{ "{\"op\":\"pub\",\"topic\":\"c\"}",
		    "\\\"data\\\" is missing" },
		{ "{\"op\":\"ping\",\"op\":\"ping\"}",
		    "a member stands there twice" },
		{ "{\"op\":\"ping\",\"id\":1,\"id\":1}",
		    "a member stands there twice" },
		{ "{\"op\":\"ping\",\"id\":null}",
		    "\\\"id\\\" must be a number or a string of at most 128 "
		    "bytes" },
		{ "{\"op\":\"ping\",\"id\":{}}",
		    "\\\"id\\\" must be a number or a string of at most 128 "
		    "bytes" },
		{ "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,"
		  "\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,"
		  "\"o\":1,\"p\":1,\"q\":1}",
		    "too many members, at byte 97" },
	};
	struct client *client = fixture_client(*state);
	struct worker *worker = *state;
	char want[300];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(want, sizeof(want), BAD("%s"), cases[i].answer);
		assert_string_equal(ask(client, cases[i].text), want);
		assert_int_equal(worker->stats->bad_messages, i + 1);
		assert_int_equal(worker->stats->errors_out, i + 1);
	}
	assert_int_equal(client->state, CLIENT_OPEN);
	assert_int_equal(worker->stats->published, 0);
	assert_int_equal(worker->channels.table.count, 0);
}

static void
an_error_has_the_id_of_what_was_wrong(void **state)
{
	struct client *client = fixture_client(*state);

	assert_string_equal(ask(client, "{\"op\":\"sub\",\"id\":\"x\"}"),
	    ERR("\"x\"", "BAD_REQUEST", "\\\"topic\\\" is missing"));
	assert_string_equal(ask(client, "{\"id\":7,\"op\":\"fly\"}"),
	    ERR("7", "BAD_REQUEST", "no such \\\"op\\\""));
}

static void
a_command_without_what_it_is_about_is_refused(void **state)
{
	static const char *const ops[][2] = { { "call", "method" },
		{ "watch", "resource" }, { "unwatch", "resource" },
		{ "auth", "token" }, { "sub", "topic" } };
	struct client *client = fixture_client(*state);
	char text[64], want[160];

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		(void)snprintf(text, sizeof(text), "{\"op\":\"%s\",\"id\":1}",
		    ops[i][0]);
		(void)snprintf(want, sizeof(want),
		    ERR("1", "BAD_REQUEST", "\\\"%s\\\" is missing"),
		    ops[i][1]);
		assert_string_equal(ask(client, text), want);
	}
}

static void
members_of_later_versions_are_ignored(void **state)
{
	struct client *client = fixture_client(*state);

	assert_string_equal(
	    ask(client, "{\"x\":1,\"op\":\"ping\",\"x\":{},\"Op\":1,\"id\":1}"),
	    OK("1"));
}

static void
an_id_of_128_bytes_is_given_back_and_no_longer_one(void **state)
{
	struct client *client = fixture_client(*state);
	char text[300], want[300], id[140];

	memset(id, '7', sizeof(id));
	(void)snprintf(text, sizeof(text), "{\"op\":\"ping\",\"id\":%.128s}",
	    id);
	(void)snprintf(want, sizeof(want), OK("%.128s"), id);
	assert_string_equal(ask(client, text), want);
	(void)snprintf(text, sizeof(text), "{\"op\":\"ping\",\"id\":%.129s}",
	    id);
	assert_non_null(strstr(ask(client, text), "BAD_REQUEST"));
}

static void
the_longest_topic_is_exact(void **state)
{
	struct client *client = fixture_client(*state);
	char text[700], name[600];

	memset(name, 'n', sizeof(name));
	(void)snprintf(text, sizeof(text),
	    "{\"op\":\"sub\",\"id\":1,\"topic\":\"%.255s\"}", name);
	assert_string_equal(ask(client, text), OK("1"));
	for (int len = 256; len < 600; len += 43) {
		(void)snprintf(text, sizeof(text),
		    "{\"op\":\"sub\",\"id\":1,\"topic\":\"%.*s\"}", len, name);
		assert_string_equal(ask(client, text),
		    ERR("1", "BAD_REQUEST", "the topic is too long"));
	}
}

static void
a_topic_is_what_it_means_however_it_was_written(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_string_equal(
	    ask(client,
		"{\"op\":\"sub\",\"id\":1,\"topic\":\"\\u0061\\u00e9\"}"),
	    OK("1"));
	assert_non_null(channel_find(&worker->channels, "t:a\xc3\xa9", 5));
	assert_string_equal(
	    ask(client, "{\"op\":\"pub\",\"data\":0,\"topic\":\"a\xc3\xa9\"}"),
	    "{\"op\":\"msg\",\"topic\":\"a\xc3\xa9\",\"data\":0" FROM);
}

static void
a_limit_on_subscriptions_is_told(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_subscriptions = 1;
	(void)ask(client, "{\"op\":\"sub\",\"topic\":\"a\"}");
	assert_string_equal(ask(client,
				"{\"op\":\"sub\",\"topic\":\"b\",\"id\":1}"),
	    ERR("1", "TOO_LARGE", "no more subscriptions here"));
}

/* Whatever is said, valid or not, uses up the allowance. */
static void
every_kind_of_message_counts_for_the_rate(void **state)
{
	static const char *const kinds[] = { "{\"op\":\"ping\"}", "rubbish",
		"{\"op\":\"ping\",\"op\":\"ping\"}",
		"{\"op\":\"ping\",\"id\":null}", "{\"op\":\"fly\"}" };
	struct worker *worker = *state;

	worker->config->max_rate = 1;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct client *client = fixture_client(worker);

		assert_null(strstr(ask(client, kinds[i]), "RATE_LIMITED"));
		assert_non_null(strstr(ask(client, kinds[i]), "RATE_LIMITED"));
		assert_int_equal(worker->stats->rate_limited, i + 1);
	}
}

static void
a_message_over_the_rate_has_no_effect_and_its_id_back(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_rate = 1;
	(void)ask(client, "{\"op\":\"ping\"}");
	assert_string_equal(ask(client,
				"{\"op\":\"sub\",\"topic\":\"b\",\"id\":1}"),
	    ERR("1", "RATE_LIMITED", "too many messages"));
	assert_int_equal(client->sub_count, 0);
	protocol_binary(client, (const unsigned char *)"\x01\x01t", 3);
	assert_int_equal(worker->stats->published, 0);
	worker->now_ms += 1000;
	(void)fixture_got(client);
	assert_string_equal(ask(client, "{\"op\":\"ping\",\"id\":2}"), OK("2"));
}

/* A closing client gets no answer, and nothing breaks. */
static int
say_everything(void)
{
	static const char *const texts[] = {
		"{\"op\":\"sub\",\"topic\":\"a\",\"id\":1}",
		"{\"op\":\"sub\",\"topic\":\"b\",\"id\":1}",
		"{\"op\":\"pub\",\"topic\":\"a\",\"data\":1,\"id\":1}",
		"{\"op\":\"pub\",\"topic\":\"z\",\"data\":1,\"id\":1}",
		"{\"op\":\"unsub\",\"topic\":\"a\",\"id\":1}",
		"{\"op\":\"ping\"}", "rubbish"
	};
	struct worker *worker = fixture_new();
	struct client *client;
	int rc = -1;

	if (worker == NULL)
		return -1;
	client = fixture_client(worker);
	for (size_t i = 0; client != NULL && i < ARRAY_LEN(texts); i++) {
		fixture_say(client, texts[i]);
		fixture_check(worker);
		if (i == 1)
			fake_link_answer_all(worker);
	}
	if (client != NULL) {
		protocol_binary(client, (const unsigned char *)"\x01\x01t", 3);
		flush_run(worker);
		if (client->state == CLIENT_OPEN &&
		    worker->stats->drop_memory == 0 &&
		    strstr(fake_ws_text(client), "INTERNAL") == NULL)
			rc = 0;
	}
	fixture_free(worker);
	return rc;
}

static void
without_memory_the_client_pays(void **state)
{
	(void)state;
	torture_malloc(say_everything);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_subscribes_publishes_and_unsubscribes),
		TEST(without_an_id_success_is_silent_for_pub_and_unsub),
		TEST(echo_false_leaves_the_publisher_out),
		TEST(data_stays_as_it_was_written),
		TEST(every_mistake_has_its_words),
		TEST(an_error_has_the_id_of_what_was_wrong),
		TEST(a_command_without_what_it_is_about_is_refused),
		TEST(members_of_later_versions_are_ignored),
		TEST(an_id_of_128_bytes_is_given_back_and_no_longer_one),
		TEST(the_longest_topic_is_exact),
		TEST(a_topic_is_what_it_means_however_it_was_written),
		TEST(a_limit_on_subscriptions_is_told),
		TEST(every_kind_of_message_counts_for_the_rate),
		TEST(a_message_over_the_rate_has_no_effect_and_its_id_back),
		cmocka_unit_test(without_memory_the_client_pays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

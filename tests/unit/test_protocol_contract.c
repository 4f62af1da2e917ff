/*
 * test_protocol_contract.c - with a contract, with tokens, with an application:
 * what a client may say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contract/contract.h"
#include "worker/contract_change.h"
#include "worker/identity.h"
#include "worker/membership.h"
#include "worker/protocol.h"
#include "worker_fixture.h"

#define OK(id) "{\"op\":\"ok\",\"id\":" id "}\n"
#define ERR(code, text)                                                        \
	"{\"op\":\"err\",\"id\":1,\"code\":\"" code "\",\"message\":\"" text   \
	"\"}\n"
#define NO_TOPIC ERR("NOT_FOUND", "there is no such topic")

static const char contract[] =
    "{\"shared\":{\"serverToClient\":{"
    "\"news\":{\"subscribe\":true},"
    "\"event\":{},"
    "\"chat:{room}\":{\"subscribe\":true,\"publish\":true,\"payload\":"
    "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}}},"
    "\"free\":{\"subscribe\":true,\"publish\":true}},"
    "\"resources\":{\"doc:{id}\":{}}},"
    "\"roles\":{\"user\":{\"serverToClient\":{"
    "\"feed\":{\"subscribe\":true,\"publish\":true}},"
    "\"resources\":{\"mine\":{}}},"
    "\"agent\":{\"serverToClient\":{\"queue\":{\"subscribe\":true}}}}}";

static struct client *
user(struct worker *worker)
{
	struct client *client = fixture_client(worker);

	if (worker->contract == NULL)
		fixture_contract(worker, contract);
	fixture_identify(client, "ann", "user");
	return client;
}

/* The answer, when the hub has answered. */
static const char *
ask(struct client *client, const char *text)
{
	fixture_say(client, text);
	fake_link_answer_all(client->worker);
	return fixture_got(client);
}

static const char *
sub(struct client *client, const char *topic)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "{\"op\":\"sub\",\"topic\":\"%s\",\"id\":1}", topic);
	return ask(client, text);
}

static const char *
pub(struct client *client, const char *topic, const char *data)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "{\"op\":\"pub\",\"topic\":\"%s\",\"data\":%s,\"id\":1}", topic,
	    data);
	return ask(client, text);
}

/* ---- topics ------------------------------------------------------------ */

static void
declared_topics_are_subscribed_to_by_their_kind(void **state)
{
	struct worker *worker = *state;
	struct client *client = user(worker);

	assert_string_equal(sub(client, "news"), OK("1"));
	assert_string_equal(sub(client, "chat:7"), OK("1"));
	assert_string_equal(sub(client, "feed"), OK("1"));
	assert_string_equal(fake_link_said(worker->link),
	    "join t:news\njoin t:chat:7\njoin f:user/feed\n");
	assert_string_equal(
	    ask(client, "{\"op\":\"unsub\",\"topic\":\"feed\",\"id\":1}"),
	    OK("1"));
	assert_false(fake_link_wants(worker->link, "f:user/feed", 11));
}

static void
another_roles_topics_are_not_found(void **state)
{
	struct worker *worker = *state;
	struct client *client = user(worker), *nobody = fixture_client(worker);

	assert_string_equal(sub(client, "queue"), NO_TOPIC);
	assert_string_equal(sub(nobody, "feed"), NO_TOPIC);
	assert_string_equal(pub(client, "queue", "1"), NO_TOPIC);
	assert_string_equal(
	    ask(client, "{\"op\":\"unsub\",\"topic\":\"queue\",\"id\":1}"),
	    NO_TOPIC);
	assert_int_equal(worker->stats->refused_contract, 4);
	assert_string_equal(fake_link_said(worker->link), "");
}

static void
what_is_not_declared_and_what_is_an_event_is_not_found(void **state)
{
	struct client *client = user(*state);

	assert_string_equal(sub(client, "other"), NO_TOPIC);
	assert_string_equal(sub(client, "event"), NO_TOPIC);
	assert_string_equal(sub(client, "chat:"), NO_TOPIC);
	assert_string_equal(pub(client, "event", "1"), NO_TOPIC);
}

/* ---- publishing -------------------------------------------------------- */

static void
clients_publish_where_the_contract_says_so(void **state)
{
	struct worker *worker = *state;
	struct client *client = user(worker);

	assert_string_equal(pub(client, "news", "1"),
	    ERR("FORBIDDEN", "clients do not publish to this topic"));
	assert_string_equal(pub(client, "free", "1"), OK("1"));
	assert_string_equal(pub(client, "feed", "2"), OK("1"));
	assert_string_equal(pub(client, "chat:x", "{\"n\":1e2}"), OK("1"));
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:free 1 1\npublish f:user/feed 1 2\n"
	    "publish t:chat:x 1 {\"n\":1e2}\n");
}

static void
data_that_does_not_fit_is_refused_with_its_place(void **state)
{
	struct worker *worker = *state;
	struct client *client = user(worker);
	const char *got = pub(client, "chat:x", "{\"n\":\"1\"}");

	assert_non_null(strstr(got, "\"code\":\"VALIDATION\""));
	assert_non_null(strstr(got, "data/n: "));
	assert_non_null(strstr(got, "/properties/n/type"));
	assert_non_null(strstr(pub(client, "chat:x", "1"), "VALIDATION"));
	assert_int_equal(worker->stats->refused_data, 2);
	assert_string_equal(fake_link_said(worker->link), "");
}

static void
bytes_are_for_topics_without_a_schema(void **state)
{
	static const unsigned char chat[] = "\1\6chat:x\xff",
				   free_topic[] = "\1\4free\xff";
	struct worker *worker = *state;
	struct client *client = user(worker);

	protocol_binary(client, chat, sizeof(chat) - 1);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"err\",\"code\":\"VALIDATION\","
	    "\"message\":\"this topic takes JSON, not bytes\"}\n");
	protocol_binary(client, free_topic, sizeof(free_topic) - 1);
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:free 1 <1>\n");
}

/* ---- tokens ------------------------------------------------------------ */

static void
a_token_narrows_what_the_contract_allows(void **state)
{
	struct client *client = user(*state);

	client->identity->topics.given = true;
	client->identity->publish.given = true;
	assert_int_equal(grants_add(&client->identity->topics, "chat:*", 6), 0);
	assert_int_equal(grants_add(&client->identity->publish, "chat:1", 6),
	    0);
	assert_string_equal(sub(client, "chat:2"), OK("1"));
	assert_string_equal(sub(client, "news"),
	    ERR("FORBIDDEN", "your token does not grant this topic"));
	assert_string_equal(sub(client, "other"), NO_TOPIC);
	assert_string_equal(pub(client, "chat:1", "{}"), OK("1"));
	assert_string_equal(pub(client, "chat:2", "{}"),
	    ERR("FORBIDDEN",
		"your token does not grant publishing to this topic"));
}

static void
before_it_is_known_who_it_is_only_auth_and_ping_are_taken(void **state)
{
	static const char *const ops[] = { "sub", "unsub", "pub", "call",
		"watch", "unwatch" };
	static const unsigned char bytes[] = "\1\1ax";
	struct client *client = fixture_client(*state);
	char text[64];

	client->authenticated = false;
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		(void)snprintf(text, sizeof(text), "{\"op\":\"%s\",\"id\":1}",
		    ops[i]);
		assert_string_equal(ask(client, text),
		    ERR("UNAUTHORIZED", "say who you are first: \\\"auth\\\""));
	}
	protocol_binary(client, bytes, sizeof(bytes) - 1);
	assert_non_null(strstr(fixture_got(client), "UNAUTHORIZED"));
	assert_string_equal(ask(client, "{\"op\":\"ping\",\"id\":1}"), OK("1"));
	assert_non_null(
	    strstr(ask(client, "{\"op\":\"auth\",\"id\":1}"), "BAD_REQUEST"));
}

/* ---- resources --------------------------------------------------------- */

static const char *
watch(struct client *client, const char *op, const char *resource)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "{\"op\":\"%s\",\"resource\":\"%s\",\"id\":1}", op, resource);
	return ask(client, text);
}

static void
declared_resources_are_watched(void **state)
{
	struct worker *worker = *state;
	struct client *client = user(worker), *nobody = fixture_client(worker);

	assert_string_equal(watch(client, "watch", "doc:1"), OK("1"));
	assert_string_equal(watch(client, "watch", "mine"), OK("1"));
	assert_string_equal(watch(nobody, "watch", "mine"),
	    ERR("NOT_FOUND", "there is no such resource"));
	assert_string_equal(watch(client, "unwatch", "doc:1"), OK("1"));
	assert_string_equal(watch(client, "unwatch", "doc:1"),
	    ERR("NOT_FOUND", "not watching it"));
	assert_true(fake_link_wants(worker->link, "w:mine", 6));
}

static void
on_an_open_bus_anything_can_be_watched(void **state)
{
	struct client *client = fixture_client(*state);

	assert_string_equal(watch(client, "watch", "x"), OK("1"));
	assert_string_equal(watch(client, "watch", ""),
	    ERR("BAD_REQUEST", "the resource is empty"));
	assert_string_equal(watch(client, "watch", "a\\u0001"),
	    ERR("BAD_REQUEST", "the resource has a control character"));
	assert_string_equal(watch(client, "unwatch", "x"), OK("1"));
}

/* ---- another contract -------------------------------------------------- */

#define ENDED(what, name)                                                      \
	"{\"op\":\"err\",\"code\":\"NOT_FOUND\","                              \
	"\"message\":\"the contract has it no more\",\"" what "\":\"" name     \
	"\"}\n"

static void
a_new_contract_ends_what_it_does_not_have(void **state)
{
	struct worker *worker = *state;
	struct client *client = user(worker), *other = fixture_client(worker);

	(void)sub(client, "news");
	(void)sub(client, "feed");
	(void)sub(client, "chat:1");
	(void)watch(client, "watch", "mine");
	assert_int_equal(membership_put(worker, client, "r:x", 3), 0);
	(void)sub(other, "news");
	fake_link_answer_all(worker);
	fixture_contract(worker,
	    "{\"shared\":{\"serverToClient\":{\"news\":{\"subscribe\":true}}},"
	    "\"roles\":{\"user\":{\"serverToClient\":{"
	    "\"chat:{x}\":{\"subscribe\":true}}}}}");
	contract_changed(worker);
	assert_string_equal(fixture_got(client),
	    ENDED("resource", "mine") ENDED("topic", "chat:1")
		ENDED("topic", "feed"));
	assert_string_equal(fixture_got(other), "");
	assert_int_equal(worker->stats->subscriptions_ended, 3);
	assert_int_equal(client->sub_count, 2); /* news and the room */
	fixture_check(worker);
}

static void
without_a_contract_any_more_role_topics_end(void **state)
{
	struct worker *worker = *state;
	struct client *client = user(worker);

	(void)sub(client, "news");
	(void)sub(client, "feed");
	(void)watch(client, "watch", "mine");
	contract_free(worker->contract);
	worker->contract = NULL;
	contract_changed(worker);
	assert_string_equal(fixture_got(client), ENDED("topic", "feed"));
	assert_int_equal(client->sub_count, 2);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(declared_topics_are_subscribed_to_by_their_kind),
		TEST(another_roles_topics_are_not_found),
		TEST(what_is_not_declared_and_what_is_an_event_is_not_found),
		TEST(clients_publish_where_the_contract_says_so),
		TEST(data_that_does_not_fit_is_refused_with_its_place),
		TEST(bytes_are_for_topics_without_a_schema),
		TEST(a_token_narrows_what_the_contract_allows),
		TEST(before_it_is_known_who_it_is_only_auth_and_ping_are_taken),
		TEST(declared_resources_are_watched),
		TEST(on_an_open_bus_anything_can_be_watched),
		TEST(a_new_contract_ends_what_it_does_not_have),
		TEST(without_a_contract_any_more_role_topics_end),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_check.c - what comes from other nodes: sound, and as declared
 * (api/check.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "api/api.h"

static struct cbus bus;
static struct contract *contract;
static char said[512];

static const struct ipc_node_id worker = { 0x2a, 2, 5 };
static const struct ipc_node_id program = { 0x2a, IPC_PROGRAM_SLOT, 1 };
static const struct ipc_node_id far = { 0x2b, 2, 5 }; /* on another host */

static void
on_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	(void)snprintf(said, sizeof(said), "%s|%s|%s|%d|%s|%s", error->kind,
	    error->name, error->stage, error->code, error->from,
	    error->message);
}

static int
setup(void **state)
{
	static const struct api_ops ops = { .join = NULL };

	(void)state;
	api_init(&bus, &ops, NULL);
	bus.id = (struct ipc_node_id){ 0x2a, 1, 1 };
	cbus_on_error(&bus, on_error, NULL);
	said[0] = '\0';
	contract = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	api_release(&bus);
	contract_free(contract);
	return 0;
}

static void
declare(void)
{
	static const char text[] =
	    "{\"shared\":{\"serverToClient\":{"
	    "\"news\":{\"subscribe\":true,\"payload\":{\"type\":\"number\"}},"
	    "\"free\":{\"subscribe\":true},"
	    "\"e\":{\"payload\":{\"type\":\"string\"}}},"
	    "\"resources\":{\"doc:{id}\":{\"change\":{\"type\":\"array\"}}}},"
	    "\"roles\":{\"user\":{\"serverToClient\":{"
	    "\"feed\":{\"subscribe\":true,\"payload\":{\"type\":\"number\"}},"
	    "\"own\":{\"payload\":{\"type\":\"number\"}}}}}}";
	struct mistakes mistakes;

	mistakes_init(&mistakes, "test");
	contract = contract_new(text, sizeof(text) - 1, &mistakes);
	assert_non_null(contract);
	mistakes_release(&mistakes);
	bus.contract = contract;
}

static struct api_push got;

static int
check(const struct ipc_node_id *from, const char *channel, size_t channel_len,
    const void *payload, size_t len, uint16_t flags)
{
	struct ipc_envelope e = { .head = { .origin = *from, .flags = flags },
		.channel = channel,
		.channel_len = channel_len,
		.payload = payload,
		.payload_len = len };

	said[0] = '\0';
	return api_check(&bus, &e, &got);
}

static int
topic(const struct ipc_node_id *from, const char *channel, const char *data)
{
	return check(from, channel, strlen(channel), data, strlen(data), 0);
}

static int
event(const struct ipc_node_id *from, const char *channel, const char *name,
    const char *data)
{
	static unsigned char payload[1024];
	struct push_head head = { .name_len = (uint16_t)strlen(name),
		.exclude = { worker, 9 } };

	memcpy(payload, &head, sizeof(head));
	memcpy(payload + sizeof(head), name, strlen(name));
	memcpy(payload + sizeof(head) + strlen(name), data, strlen(data));
	return check(from, channel, strlen(channel), payload,
	    sizeof(head) + strlen(name) + strlen(data), IPC_PUBLISH_PUSH);
}

/* ---- soundness --------------------------------------------------------- */

static void
the_parts_are_found_where_they_lie(void **state)
{
	(void)state;
	assert_int_equal(topic(&worker, "t:a", "[1]"), 0);
	assert_memory_equal(got.data, "[1]", 3);
	assert_int_equal(got.name_len, 0);
	assert_int_equal(event(&worker, "r:x", "tick", "[1]"), 0);
	assert_memory_equal(got.name, "tick", got.name_len);
	assert_int_equal(got.len, 3);
	assert_memory_equal(got.data, "[1]", 3);
	assert_int_equal(got.exclude.number, 9);
	assert_string_equal(said, "");
}

static void
workers_are_trusted_with_text_and_programs_are_not(void **state)
{
	static const char *const bad[] = { "", "{", "1 2", "\"\xff\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(topic(&worker, "t:a", bad[i]), 0);
		assert_int_equal(topic(&program, "t:a", bad[i]), -EPROTO);
		assert_string_equal(said,
		    "topic|a|delivery|-71|0000002a-32768-1|it is no JSON");
		assert_int_equal(event(&program, "r:a", "e", bad[i]), -EPROTO);
	}
	assert_int_equal(check(&program, "t:a", 3, "\xff", 1,
			     IPC_PUBLISH_BINARY),
	    0);
	assert_int_equal(topic(&program, "t:\xff", "1"), -EPROTO);
	assert_int_equal(topic(&program, "t:\n", "1"), -EPROTO);
	assert_int_equal(event(&program, "r:a", "\n", "1"), -EPROTO);
}

static void
workers_of_another_host_are_not_trusted(void **state)
{
	(void)state;
	assert_int_equal(topic(&far, "t:a", "[1]"), 0);
	assert_int_equal(topic(&far, "t:a", "{"), -EPROTO);
	assert_string_equal(said,
	    "topic|a|delivery|-71|0000002b-2-5|it is no JSON");
	assert_int_equal(event(&far, "r:a", "tick", "{}"), 0);
	assert_int_equal(event(&far, "r:a", "\n", "{}"), -EPROTO);
	assert_int_equal(event(&far, "p:r:x", "join", "{}"), -EPROTO);
}

static void
a_program_does_not_tell_who_joins(void **state)
{
	(void)state;
	assert_int_equal(event(&worker, "p:r:x", "join", "{}"), 0);
	assert_int_equal(event(&program, "p:r:x", "join", "{}"), -EPROTO);
}

static void
an_event_without_its_name_is_none(void **state)
{
	struct push_head head = { .name_len = 200 };

	(void)state;
	assert_int_equal(topic(&worker, "r:x", "1"), -EPROTO);
	assert_int_equal(topic(&worker, "u:x", "1"), -EPROTO);
	assert_int_equal(event(&worker, "r:x", "", "1"), -EPROTO);
	assert_int_equal(event(&worker, "t:x", "", "1"), 0);
	assert_int_equal(event(&worker, "t:x", "e", "1"), -EPROTO);
	assert_int_equal(check(&worker, "r:x", 3, &head, sizeof(head),
			     IPC_PUBLISH_PUSH),
	    -EPROTO);
	assert_int_equal(check(&worker, "r:x", 3, "1", 1,
			     IPC_PUBLISH_PUSH | IPC_PUBLISH_BINARY),
	    -EPROTO);
}

static void
a_channel_without_a_name_is_refused(void **state)
{
	(void)state;
	assert_int_equal(topic(&worker, "t:", "1"), -EPROTO);
	assert_int_equal(topic(&worker, "t", "1"), -EPROTO);
	assert_int_equal(event(&worker, "a:", "e", "1"), 0);
}

/* ---- the contract ------------------------------------------------------ */

static void
what_does_not_fit_the_contract_is_not_delivered(void **state)
{
	(void)state;
	declare();
	assert_int_equal(topic(&worker, "t:news", "1"), 0);
	assert_int_equal(topic(&worker, "t:news", "\"1\""), -EPROTO);
	assert_non_null(strstr(said, "topic|news|delivery|-71|0000002a-2-5|"));
	assert_int_equal(check(&worker, "t:news", 6, "1", 1,
			     IPC_PUBLISH_BINARY),
	    -EPROTO);
	assert_int_equal(check(&worker, "t:free", 6, "\xff", 1,
			     IPC_PUBLISH_BINARY),
	    0);
	assert_int_equal(event(&worker, "r:x", "e", "\"1\""), 0);
	assert_int_equal(event(&worker, "r:x", "e", "1"), -EPROTO);
	assert_int_equal(event(&worker, "u:x", "e", "1"), -EPROTO);
	assert_int_equal(event(&worker, "w:doc:1", "changed", "[]"), 0);
	assert_int_equal(event(&worker, "w:doc:1", "changed", "1"), -EPROTO);
	assert_non_null(strstr(said, "resource|doc:1|delivery|-71|"));
}

static void
what_is_not_declared_is_not_delivered(void **state)
{
	(void)state;
	declare();
	assert_int_equal(topic(&worker, "t:other", "1"), -EPROTO);
	assert_int_equal(topic(&worker, "t:feed", "1"), -EPROTO);
	assert_int_equal(event(&worker, "r:x", "other", "1"), -EPROTO);
	assert_int_equal(event(&worker, "a:", "other", "1"), -EPROTO);
	assert_int_equal(event(&worker, "u:x", "other", "1"), -EPROTO);
	assert_int_equal(event(&worker, "w:book:1", "changed", "[]"), -EPROTO);
	assert_int_equal(event(&worker, "p:r:x", "join", "{}"), 0);
}

static void
a_roles_topic_is_checked_by_its_role(void **state)
{
	(void)state;
	declare();
	assert_int_equal(topic(&worker, "f:user/feed", "1"), 0);
	assert_int_equal(topic(&worker, "f:user/feed", "[]"), -EPROTO);
	assert_non_null(strstr(said, "topic|feed|"));
	assert_int_equal(topic(&worker, "f:user/free", "1"), -EPROTO);
	assert_int_equal(topic(&worker, "f:guest/feed", "1"), -EPROTO);
	assert_int_equal(topic(&worker, "f:user", "1"), -EPROTO);
}

static void
rooms_and_all_take_shared_events_only(void **state)
{
	(void)state;
	declare();
	assert_int_equal(event(&worker, "u:x", "own", "\"any\""), 0);
	assert_int_equal(event(&worker, "r:x", "own", "1"), -EPROTO);
	assert_int_equal(event(&worker, "a:", "own", "1"), -EPROTO);
	assert_true(api_event_for(&bus, "user", "own", 3));
	assert_false(api_event_for(&bus, NULL, "own", 3));
	assert_true(api_event_for(&bus, NULL, "e", 1));
	bus.contract = NULL;
	assert_true(api_event_for(&bus, NULL, "own", 3));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_parts_are_found_where_they_lie),
		TEST(workers_are_trusted_with_text_and_programs_are_not),
		TEST(workers_of_another_host_are_not_trusted),
		TEST(a_program_does_not_tell_who_joins),
		TEST(an_event_without_its_name_is_none),
		TEST(a_channel_without_a_name_is_refused),
		TEST(what_does_not_fit_the_contract_is_not_delivered),
		TEST(what_is_not_declared_is_not_delivered),
		TEST(a_roles_topic_is_checked_by_its_role),
		TEST(rooms_and_all_take_shared_events_only),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_push.c - what stands in front of a payload, and connections' names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/push.h"

/* An envelope whose payload is head and tail. */
static struct ipc_envelope
envelope_of(unsigned char *room, const struct push_head *head, const char *tail)
{
	struct ipc_envelope envelope = { .head = { .flags = IPC_PUBLISH_PUSH },
		.payload = room };

	memcpy(room, head, sizeof(*head));
	memcpy(room + sizeof(*head), tail, strlen(tail));
	envelope.payload_len = sizeof(*head) + strlen(tail);
	return envelope;
}

static void
a_push_is_taken_apart_where_it_lies(void **state)
{
	struct push_head head = { .target = { { 1, 2, 3 }, 4 },
		.exclude = { { 5, 6, 7 }, 8 },
		.exclude_node = { 9, 10, 11 },
		.name_len = 5 };
	unsigned char room[200];
	struct ipc_envelope envelope =
	    envelope_of(room, &head, "event{\"a\":1}");
	struct push push;

	(void)state;
	assert_int_equal(push_read(&envelope, &push), 0);
	assert_memory_equal(&push.head, &head, sizeof(head));
	assert_int_equal(push.name_len, 5);
	assert_memory_equal(push.name, "event", 5);
	assert_int_equal(push.len, 7);
	assert_memory_equal(push.data, "{\"a\":1}", 7);
	assert_ptr_equal(push.data, room + sizeof(head) + 5);
}

static void
name_and_data_may_be_empty(void **state)
{
	struct push_head head = { .name_len = 0 };
	unsigned char room[200];
	struct ipc_envelope envelope = envelope_of(room, &head, "");
	struct push push;

	(void)state;
	assert_int_equal(push_read(&envelope, &push), 0);
	assert_int_equal(push.name_len, 0);
	assert_int_equal(push.len, 0);
	head.name_len = 2;
	envelope = envelope_of(room, &head, "ev");
	assert_int_equal(push_read(&envelope, &push), 0);
	assert_int_equal(push.name_len, 2);
	assert_int_equal(push.len, 0);
}

static void
lengths_that_contradict_each_other_are_refused(void **state)
{
	struct push_head head = { .name_len = 3 };
	unsigned char room[sizeof(head) + 400];
	struct ipc_envelope envelope = envelope_of(room, &head, "ev");
	struct push push = { .name_len = 77 };
	char name[300];

	(void)state;
	assert_int_equal(push_read(&envelope, &push), -EPROTO);
	for (size_t len = 0; len < sizeof(head); len++) {
		envelope.payload_len = len;
		assert_int_equal(push_read(&envelope, &push), -EPROTO);
	}
	/* The longest name, and one more. */
	memset(name, 'n', sizeof(name));
	name[PUSH_NAME_MAX + 1] = '\0';
	head.name_len = PUSH_NAME_MAX + 1;
	envelope = envelope_of(room, &head, name);
	assert_int_equal(push_read(&envelope, &push), -EPROTO);
	head.name_len = PUSH_NAME_MAX;
	envelope = envelope_of(room, &head, name);
	/* Without the flag it is no push, whatever it looks like. */
	envelope.head.flags = IPC_PUBLISH_BINARY;
	assert_int_equal(push_read(&envelope, &push), -EPROTO);
	assert_int_equal(push.name_len, 77); /* untouched so far */
	envelope.head.flags |= IPC_PUBLISH_PUSH;
	assert_int_equal(push_read(&envelope, &push), 0);
	assert_int_equal(push.name_len, PUSH_NAME_MAX);
	assert_int_equal(push.len, 1);
}

static void
a_connection_id_is_the_same_as_text_and_back(void **state)
{
	static const struct conn_id ids[] = {
		{ { 0, 0, 0 }, 1 },
		{ { 0xdeadbeef, 7, 65535 }, 4711 },
		{ { UINT32_MAX, UINT16_MAX, UINT16_MAX }, UINT64_MAX },
	};
	char text[CONN_ID_TEXT_MAX];
	struct conn_id id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		conn_id_format(&ids[i], text, sizeof(text));
		assert_true(strlen(text) < sizeof(text) - 1);
		assert_int_equal(conn_id_parse(text, &id), 0);
		assert_true(conn_id_equal(&id, &ids[i]));
		assert_false(
		    conn_id_equal(&id, &ids[(i + 1) % ARRAY_LEN(ids)]));
	}
	conn_id_format(&ids[1], text, sizeof(text));
	assert_string_equal(text, "deadbeef-7-65535-4711");
}

static void
what_is_no_connection_id_is_refused(void **state)
{
	static const char *const texts[] = { "", "-", "1", "deadbeef-7-1",
		"deadbeef-7-1-", "deadbeef-7-1-0", "deadbeef-7-1-01",
		"deadbeef-7-1-+1", "deadbeef-7-1-1x", "deadbeef-7-1--1",
		"deadbeef-7-1- 1", "DEADBEEF-7-1-1", "eadbeef-7-1-1",
		"deadbeef-70000-1-1", "deadbeef-7-1-18446744073709551616",
		"deadbeef-7-1-99999999999999999999999999", "deadbeef-7-1-1-1",
		"------------------------------------1",
		"deadbeef-7-1-4711\n" };
	struct conn_id id = { .number = 77 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (conn_id_parse(texts[i], &id) != -EINVAL)
			fail_msg("'%s' was taken", texts[i]);
	}
	assert_int_equal(id.number, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_push_is_taken_apart_where_it_lies),
		cmocka_unit_test(name_and_data_may_be_empty),
		cmocka_unit_test(
		    lengths_that_contradict_each_other_are_refused),
		cmocka_unit_test(a_connection_id_is_the_same_as_text_and_back),
		cmocka_unit_test(what_is_no_connection_id_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

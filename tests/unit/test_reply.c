/* test_reply.c - the frames of clusterbus.v1, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json.h"
#include "torture.h"
#include "worker/reply.h"

/* The frame has exactly this text, is JSON, and is freed. */
static void
expect(struct frame *frame, const char *text)
{
	size_t len;

	assert_non_null(frame);
	len = frame->len - frame->header_len;
	assert_int_equal(frame->op, FRAME_TEXT);
	assert_int_equal(frame->refs, 1);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(frame_payload(frame), text, len);
	assert_true(json_valid(text, len));
	frame_unref(frame);
}

static void
assert_topic(const struct frame *frame, const char *topic)
{
	assert_int_equal(frame->topic_len, strlen(topic));
	assert_memory_equal(frame->bytes + frame->topic_at, topic,
	    strlen(topic));
}

static void
a_welcome_names_connection_node_and_protocol(void **state)
{
	(void)state;
	expect(reply_welcome("0000002a-1-3-7", "0000002a-1-3", ""),
	    "{\"op\":\"welcome\",\"conn\":\"0000002a-1-3-7\","
	    "\"node\":\"0000002a-1-3\",\"protocol\":\"clusterbus.v1\"}");
}

static void
ok_has_the_id_as_it_was_written(void **state)
{
	(void)state;
	expect(reply_ok("1", 1, ""), "{\"op\":\"ok\",\"id\":1}");
	expect(reply_ok("\"\\u0041\"", 8, ""),
	    "{\"op\":\"ok\",\"id\":\"\\u0041\"}");
	expect(reply_ok("1e400,junk", 5, ",\"hub\":\"away\""),
	    "{\"op\":\"ok\",\"id\":1e400,\"hub\":\"away\"}");
	expect(reply_ok(NULL, 0, ""), "{\"op\":\"ok\"}");
	expect(reply_ok("", 0, ",\"hub\":\"away\""),
	    "{\"op\":\"ok\",\"hub\":\"away\"}");
}

static void
every_error_has_its_code_and_its_words(void **state)
{
	static const char *const names[] = {
#define X(code, meaning) #code,
		CLIENT_ERRORS(X)
#undef X
	};
	char text[200];

	(void)state;
	for (int i = 0; i < ERR_COUNT; i++) {
		enum client_error code = (enum client_error)i;

		assert_string_equal(client_error_name(code), names[i]);
		(void)snprintf(text, sizeof(text),
		    "{\"op\":\"err\",\"id\":-5,\"code\":\"%s\","
		    "\"message\":\"so\"}",
		    names[i]);
		expect(reply_err("-5", 2, code, "so"), text);
	}
	expect(reply_err(NULL, 0, ERR_TIMEOUT, "late"),
	    "{\"op\":\"err\",\"code\":\"TIMEOUT\",\"message\":\"late\"}");
	expect(reply_err("1", 1, ERR_BAD_REQUEST, "\"op\" is\tmissing"),
	    "{\"op\":\"err\",\"id\":1,\"code\":\"BAD_REQUEST\","
	    "\"message\":\"\\\"op\\\" is\\tmissing\"}");
}

static void
an_error_with_the_longest_id_fits(void **state)
{
	char id[128], text[400];
	struct frame *frame;

	(void)state;
	memset(id, 'x', sizeof(id));
	id[0] = '"';
	id[127] = '"';
	memset(text, 'w', sizeof(text));
	text[399] = '\0';
	frame = reply_err(id, sizeof(id), ERR_RATE_LIMITED, text);
	assert_non_null(frame);
	assert_true(json_valid((const char *)frame_payload(frame),
	    frame->len - frame->header_len));
	frame_unref(frame);
}

static void
events_and_changes_say_their_names_and_the_data_as_it_was(void **state)
{
	(void)state;
	expect(reply_evt("a\"b", 3, "1e400", 5),
	    "{\"op\":\"evt\",\"event\":\"a\\\"b\",\"data\":1e400}");
	expect(reply_change("doc:\n", 5, "t", 1, "[ ]", 3),
	    "{\"op\":\"change\",\"resource\":\"doc:\\n\",\"type\":\"t\","
	    "\"data\":[ ]}");
}

static void
a_subscription_that_ended_is_named(void **state)
{
	(void)state;
	expect(reply_ended("topic", "a\"", 2, "it has gone"),
	    "{\"op\":\"err\",\"code\":\"NOT_FOUND\","
	    "\"message\":\"it has gone\",\"topic\":\"a\\\"\"}");
}

static void
a_gap_counts(void **state)
{
	(void)state;
	expect(reply_gap("a\\n", 3, 3),
	    "{\"op\":\"gap\",\"topic\":\"a\\n\",\"missed\":3}");
	expect(reply_gap("*", 1, UINT64_MAX),
	    "{\"op\":\"gap\",\"topic\":\"*\",\"missed\":"
	    "18446744073709551615}");
}

static void
a_msg_has_the_data_byte_for_byte(void **state)
{
	static const char *const data[] = { "1e400", "12345678901234567890",
		"\"\\u00e9\"", " [ 1 ,2 ] ", "{\"a\":{}}", "null", "\"\"" };
	char text[200];
	struct frame *frame;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(data); i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"op\":\"msg\",\"topic\":\"chat\",\"data\":%s,"
		    "\"from\":\"n-1\"}",
		    data[i]);
		frame = reply_msg("chat", 4, data[i], strlen(data[i]), "n-1");
		assert_non_null(frame);
		assert_topic(frame, "chat");
		expect(frame, text);
	}
}

static void
a_topic_is_escaped_and_found_again(void **state)
{
	struct frame *frame = reply_msg("a\"\\\x01\xc3\xa9", 6, "0", 1, "n");

	(void)state;
	assert_non_null(frame);
	assert_topic(frame, "a\\\"\\\\\\u0001\xc3\xa9");
	expect(frame,
	    "{\"op\":\"msg\",\"topic\":\"a\\\"\\\\\\u0001\xc3\xa9\","
	    "\"data\":0,\"from\":\"n\"}");
}

static void
bytes_are_base64_for_those_who_want_text(void **state)
{
	(void)state;
	expect(reply_msg_base64("t", 1, "\x00\xff\x10", 3, "n"),
	    "{\"op\":\"msg\",\"topic\":\"t\",\"data\":\"AP8Q\","
	    "\"binary\":true,\"from\":\"n\"}");
	expect(reply_msg_base64("t", 1, "a", 1, "n"),
	    "{\"op\":\"msg\",\"topic\":\"t\",\"data\":\"YQ==\","
	    "\"binary\":true,\"from\":\"n\"}");
	expect(reply_msg_base64("t", 1, "", 0, "n"),
	    "{\"op\":\"msg\",\"topic\":\"t\",\"data\":\"\","
	    "\"binary\":true,\"from\":\"n\"}");
}

static void
bytes_are_bytes_for_those_who_can(void **state)
{
	unsigned char all[256], topic[255];
	struct frame *frame;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	memset(topic, 'T', sizeof(topic));
	frame = reply_msg_binary("ab", 2, all, sizeof(all));
	assert_non_null(frame);
	assert_int_equal(frame->op, FRAME_BINARY);
	assert_int_equal(frame->len - frame->header_len, 4 + sizeof(all));
	assert_memory_equal(frame_payload(frame),
	    "\x02\x02"
	    "ab",
	    4);
	assert_memory_equal(frame_payload(frame) + 4, all, sizeof(all));
	assert_topic(frame, "ab");
	frame_unref(frame);
	frame = reply_msg_binary((char *)topic, sizeof(topic), NULL, 0);
	assert_non_null(frame);
	assert_int_equal(frame->len - frame->header_len, 257);
	assert_int_equal(frame_payload(frame)[1], 255);
	frame_unref(frame);
}

/* Around each length where the header changes its form. */
static void
messages_of_every_length_are_whole(void **state)
{
	static char data[70000];
	struct frame *frame;
	size_t len, size;
	char back[70000 + 3];

	(void)state;
	memset(data, '7', sizeof(data));
	for (size_t n = 1; n < sizeof(data); n += n < 300 ? 1 : 997) {
		frame = reply_msg("chat", 4, data, n, "node");
		assert_non_null(frame);
		len = frame->len - frame->header_len;
		assert_int_equal(len,
		    n +
			strlen("{'op':'msg','topic':'chat','data':,"
			       "'from':'node'}"));
		assert_topic(frame, "chat");
		assert_true(json_valid((char *)frame_payload(frame), len));
		frame_unref(frame);
		frame = reply_msg_base64("chat", 4, data, n, "node");
		assert_non_null(frame);
		size = base64_encoded_len(n);
		len = strlen("{'op':'msg','topic':'chat','data':'");
		assert_int_equal(base64_decode((char *)frame_payload(frame) +
					 len,
				     size, back, sizeof(back)),
		    n);
		assert_memory_equal(back, data, n);
		frame_unref(frame);
	}
}

static int
all_of_them(void)
{
	struct frame *frames[] = {
		reply_welcome("c", "n", ""),
		reply_ok("1", 1, ""),
		reply_err("1", 1, ERR_INTERNAL, "w"),
		reply_gap("t", 1, 1),
		reply_msg("t", 1, "0", 1, "n"),
		reply_msg_base64("t", 1, "0", 1, "n"),
		reply_msg_binary("t", 1, "0", 1),
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		if (frames[i] == NULL)
			rc = -1;
		frame_unref(frames[i]);
	}
	return rc;
}

static void
running_out_of_memory_is_reported(void **state)
{
	(void)state;
	torture_malloc(all_of_them);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_welcome_names_connection_node_and_protocol),
		cmocka_unit_test(ok_has_the_id_as_it_was_written),
		cmocka_unit_test(every_error_has_its_code_and_its_words),
		cmocka_unit_test(an_error_with_the_longest_id_fits),
		cmocka_unit_test(
		    events_and_changes_say_their_names_and_the_data_as_it_was),
		cmocka_unit_test(a_subscription_that_ended_is_named),
		cmocka_unit_test(a_gap_counts),
		cmocka_unit_test(a_msg_has_the_data_byte_for_byte),
		cmocka_unit_test(a_topic_is_escaped_and_found_again),
		cmocka_unit_test(bytes_are_base64_for_those_who_want_text),
		cmocka_unit_test(bytes_are_bytes_for_those_who_can),
		cmocka_unit_test(messages_of_every_length_are_whole),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

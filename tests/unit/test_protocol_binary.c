/* test_protocol_binary.c - opcode, topic length, topic, bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "worker/protocol.h"
#include "worker_fixture.h"

enum {
	LARGE = 1 << 20
};

/* A member of topic "t" that reads binary frames, and one that reads text. */
static struct client *
member(struct worker *worker, bool wants_binary)
{
	struct client *client = fixture_client(worker);

	client->wants_binary = wants_binary;
	assert_int_equal(fixture_join(client, "t:t", ""), 0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	return client;
}

static const char *
ask(struct client *client, const void *data, size_t len)
{
	protocol_binary(client, data, len);
	fixture_check(client->worker);
	return fixture_got(client);
}

static void
every_byte_value_passes(void **state)
{
	struct worker *worker = *state;
	struct client *binary = member(worker, true);
	struct client *text = member(worker, false);
	unsigned char message[3 + 256] = { 1, 1, 't' };
	char encoded[400];
	const char *at;

	for (size_t i = 0; i < 256; i++)
		message[3 + i] = (unsigned char)i;
	protocol_binary(text, message, sizeof(message));
	flush_run(worker);
	message[0] = 2;
	assert_int_equal(fake_ws_wire(binary)->len, 4 + sizeof(message));
	assert_memory_equal(fake_ws_wire(binary)->bytes + 4, message,
	    sizeof(message));
	assert_true(
	    base64_encode(message + 3, 256, encoded, sizeof(encoded)) > 0);
	at = strstr(fixture_got(text), "\"data\":\"");
	assert_non_null(at);
	assert_memory_equal(at + 8, encoded, strlen(encoded));
	assert_memory_equal(at + 8 + strlen(encoded), "\",\"binary\":true", 15);
}

/* Each opcode but 1, and each length that does not fit. */
static void
every_first_and_second_byte_is_judged(void **state)
{
	struct worker *worker = *state;
	struct client *client = member(worker, true);
	unsigned char message[12];
	const char *answer;

	memset(message, 't', sizeof(message));
	for (unsigned op = 0; op < 256; op++) {
		for (unsigned len = 0; len < 256; len += op == 1 ? 1 : 85) {
			message[0] = (unsigned char)op;
			message[1] = (unsigned char)len;
			answer = ask(client, message, sizeof(message));
			if (op == 1 && len == 1)
				assert_string_equal(answer, "<binary 12>\n");
			else if (op == 1 && len > 1 && len <= 10)
				assert_string_equal(answer, "");
			else
				assert_non_null(strstr(answer, "BAD_REQUEST"));
		}
	}
	assert_int_equal(worker->stats->published, 10);
	assert_int_equal(client->state, CLIENT_OPEN);
}

static void
a_message_cut_anywhere_is_refused(void **state)
{
	static const unsigned char message[] = "\x01\x05topicdata";
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	for (size_t len = 0; len < sizeof(message); len++) {
		/* Exactly as long, so that a byte too many would be seen. */
		unsigned char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy + 1, message, len);
		if (len < 7)
			assert_non_null(strstr(ask(client, copy + 1, len),
			    "a binary message is opcode 1, topic length"));
		else
			assert_string_equal(ask(client, copy + 1, len), "");
		free(copy);
	}
	assert_non_null(strstr(ask(client, NULL, 0), "BAD_REQUEST"));
}

static void
an_empty_payload_is_a_message(void **state)
{
	struct worker *worker = *state;
	struct client *binary = member(worker, true);
	struct client *text = member(worker, false);

	assert_string_equal(ask(binary, "\x01\x01t", 3), "<binary 3>\n");
	assert_non_null(strstr(fixture_got(text), "\"data\":\"\",\"binary\""));
}

static void
a_topic_that_is_no_text_is_refused(void **state)
{
	static const char *const bad[] = { "\x01\x01\xff", "\x01\x02\xc3(",
		"\x01\x01\x1f", "\x01\x01\x7f" };
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_non_null(
		    strstr(ask(client, bad[i], strlen(bad[i])), "BAD_REQUEST"));
	assert_non_null(strstr(ask(client, "\x01\x00", 2), "is empty"));
	assert_non_null(strstr(ask(client, "\x01\x01", 3), "control"));
	worker->config->max_topic = 2;
	assert_non_null(strstr(ask(client, "\x01\x03ttt", 5), "too long"));
	assert_string_equal(ask(client, "\x01\x02tt", 4), "");
	assert_int_equal(worker->stats->published, 1);
}

static void
a_megabyte_passes(void **state)
{
	struct worker *worker = *state;
	struct client *client = member(worker, true);
	unsigned char *message = malloc(LARGE);

	assert_non_null(message);
	worker->config->outbox_soft = 4 * LARGE;
	worker->config->outbox_hard = 4 * LARGE;
	memset(message, 0xee, LARGE);
	memcpy(message, "\x01\x01t", 3);
	protocol_binary(client, message, LARGE);
	flush_run(worker);
	message[0] = 2;
	assert_int_equal(fake_ws_wire(client)->len, 10 + LARGE);
	assert_memory_equal(fake_ws_wire(client)->bytes + 10, message, LARGE);
	free(message);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_byte_value_passes),
		TEST(every_first_and_second_byte_is_judged),
		TEST(a_message_cut_anywhere_is_refused),
		TEST(an_empty_payload_is_a_message),
		TEST(a_topic_that_is_no_text_is_refused),
		TEST(a_megabyte_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

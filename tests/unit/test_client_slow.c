/*
 * test_client_slow.c - a client that does not read: limits and policies.
 *
 * The fixture's limits: 4096 bytes for a second, 16384 at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "worker/reply.h"
#include "worker_fixture.h"

enum {
	FRAME_BYTES = 1024,
	SOFT = 4096,
	HARD = 16384,
};

/* A client that will not read. */
static struct client *
blocked(struct worker *worker, enum config_outbox_policy policy)
{
	struct client *client = fixture_client(worker);

	assert_non_null(client);
	worker->config->outbox_policy = (int)policy;
	client->partial = true;
	return client;
}

/* Publish number n on topic "t": a frame of FRAME_BYTES in all. */
static void
push(struct client *client, unsigned n)
{
	char data[FRAME_BYTES];
	struct frame *frame;
	size_t len = FRAME_BYTES - 4 -
	    strlen("{'op':'msg','topic':'t','data':,'from':'n'}");

	memset(data, 'x', sizeof(data));
	data[0] = '"';
	(void)snprintf(data + 1, 6, "%05u", n);
	data[6] = 'x';
	data[len - 1] = '"';
	frame = reply_msg("t", 1, data, len, "n");
	assert_non_null(frame);
	assert_int_equal(frame->len, FRAME_BYTES);
	client_push(client, frame);
	frame_unref(frame);
	fixture_check(client->worker);
}

/* Numbers that came, a blank between; "gN" is a gap of N. */
static const char *
read_all(struct client *client)
{
	static char out[4096];
	size_t len = 0;
	const char *text;

	out[0] = '\0';
	if (client->partial)
		fake_ws_room(client);
	text = fixture_got(client);
	for (; *text != '\0'; text = strchr(text, '\n') + 1) {
		const char *data = strstr(text, "\"data\":\"");
		const char *missed = strstr(text, "\"missed\":");
		const char *end = strchr(text, '\n');

		if (data != NULL && data < end)
			len += (size_t)snprintf(out + len, sizeof(out) - len,
			    "%lu ", strtoul(data + 8, NULL, 10));
		else if (missed != NULL && missed < end)
			len += (size_t)snprintf(out + len, sizeof(out) - len,
			    "g%lu ", strtoul(missed + 9, NULL, 10));
		else
			len += (size_t)snprintf(out + len, sizeof(out) - len,
			    "%.*s ", (int)(end - text), text);
	}
	return out;
}

static void
the_hard_limit_closes_and_is_exact(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_CLOSE);

	for (unsigned i = 0; i < HARD / FRAME_BYTES; i++)
		push(client, i);
	assert_int_equal(client->outbox.bytes, HARD);
	assert_int_equal(client->state, CLIENT_OPEN);
	push(client, 99);
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_int_equal(client->outbox.bytes, 0);
	assert_int_equal(worker->stats->closed_slow, 1);
	assert_int_equal(worker->stats->drop_outbox, HARD / FRAME_BYTES + 1);
	assert_string_equal(read_all(client), "<close 4408 too slow> ");
}

/* At any time of the clock, odd or even, 0 or near the end. */
static void
the_soft_limit_counts_from_when_it_was_passed(void **state)
{
	static const uint64_t times[] = { 1000000, 1000001, 0, 1,
		(1ull << 32) - 1, (1ull << 32) - 2, 1ull << 32,
		(1ull << 32) - 500 };
	struct worker *worker = *state;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct client *client;

		worker->now_ms = times[i];
		client = blocked(worker, OUTBOX_CLOSE);
		for (unsigned k = 0; k < 8; k++)
			push(client, k);
		assert_int_equal(client->state, CLIENT_OPEN);
		worker->now_ms += 997;
		clients_sweep(worker, 1);
		push(client, 8);
		assert_int_equal(client->state, CLIENT_OPEN);
		worker->now_ms += 4;
		clients_sweep(worker, 1);
		assert_int_equal(client->state, CLIENT_CLOSING);
		assert_int_equal(worker->stats->closed_slow, i + 1);
		fixture_gone(client);
	}
}

static void
above_the_soft_limit_too_long_a_push_closes_too(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_CLOSE);

	for (unsigned k = 0; k < 6; k++)
		push(client, k);
	worker->now_ms += 1002;
	push(client, 7);
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_int_equal(worker->stats->closed_slow, 1);
}

static void
a_client_that_catches_up_in_time_stays(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_CLOSE);

	for (unsigned round = 0; round < 20; round++) {
		for (unsigned k = 0; k < 8; k++)
			push(client, k);
		worker->now_ms += 900;
		clients_sweep(worker, 1);
		assert_string_equal(read_all(client), "0 1 2 3 4 5 6 7 ");
		clients_sweep(worker, 1);
		client_seen(client);
		client->partial = true;
	}
	assert_int_equal(client->state, CLIENT_OPEN);
}

static void
the_newest_are_dropped_and_told_as_one_gap(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_DROP_NEWEST);

	for (unsigned i = 0; i < HARD / FRAME_BYTES + 5; i++)
		push(client, i);
	assert_int_equal(client->outbox.bytes, HARD);
	assert_int_equal(worker->stats->drop_outbox, 5);
	assert_int_equal(worker->stats->deliveries, HARD / FRAME_BYTES);
	assert_string_equal(read_all(client),
	    "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 g5 ");
	assert_string_equal(read_all(client), "");
	push(client, 30);
	assert_string_equal(read_all(client), "30 ");
	assert_int_equal(client->state, CLIENT_OPEN);
}

static void
the_oldest_are_dropped_and_answers_kept(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_DROP_OLDEST);

	client_push_own(client, reply_ok("1", 1, ""));
	for (unsigned i = 0; i < HARD / FRAME_BYTES + 5; i++)
		push(client, i);
	assert_true(client->outbox.bytes <= HARD);
	assert_int_equal(worker->stats->drop_outbox, 6);
	assert_string_equal(read_all(client),
	    "{\"op\":\"ok\",\"id\":1} "
	    "6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 g6 ");
	assert_string_equal(read_all(client), "");
}

/* After outbox-time the soft limit is the limit. */
static void
dropping_goes_down_to_the_soft_limit_in_time(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_DROP_OLDEST);

	for (unsigned i = 0; i < 10; i++)
		push(client, i);
	worker->now_ms += 1002;
	push(client, 10);
	assert_int_equal(client->outbox.bytes, SOFT);
	assert_string_equal(read_all(client), "7 8 9 10 g7 ");
	worker->config->outbox_policy = OUTBOX_DROP_NEWEST;
	client->partial = true;
	for (unsigned i = 0; i < 10; i++)
		push(client, i);
	worker->now_ms += 1002;
	push(client, 10);
	assert_string_equal(read_all(client), "0 1 2 3 4 5 6 7 8 9 g1 ");
}

static void
a_frame_larger_than_the_limit_drops_nothing_else(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_DROP_OLDEST);
	char *data = malloc(HARD);
	struct frame *frame;

	assert_non_null(data);
	memset(data, '7', HARD);
	frame = reply_msg("big", 3, data, HARD, "n");
	assert_non_null(frame);
	push(client, 1);
	push(client, 2);
	client_push(client, frame);
	fixture_check(worker);
	assert_int_equal(worker->stats->drop_outbox, 1);
	assert_string_equal(read_all(client), "1 2 g1 ");
	frame_unref(frame);
	free(data);
}

static void
a_client_that_only_asks_is_slow_too(void **state)
{
	struct worker *worker = *state;
	struct client *client = blocked(worker, OUTBOX_DROP_NEWEST);
	unsigned n = 0;

	for (; client->state == CLIENT_OPEN && n < 10000; n++)
		client_push_own(client, reply_ok("1", 1, ""));
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_true(n > HARD / 30 && n < HARD / 10);
	assert_int_equal(worker->stats->closed_slow, 1);
	fixture_check(worker);
}

static void
the_others_do_not_notice(void **state)
{
	struct worker *worker = *state;
	struct client *slow = blocked(worker, OUTBOX_CLOSE);
	struct client *fast = fixture_client(worker);
	char want[16];

	for (unsigned i = 0; i < 50; i++) {
		push(slow, i);
		push(fast, i);
		(void)snprintf(want, sizeof(want), "%u ", i);
		assert_string_equal(read_all(fast), want);
	}
	assert_int_equal(slow->state, CLIENT_CLOSING);
	assert_int_equal(fast->state, CLIENT_OPEN);
}

/*
 * With either way of dropping: what comes is in order, and what came plus what
 * was told missing is what was sent.
 */
static void
whatever_is_dropped_is_told(void **state)
{
	struct worker *worker = *state;

	for (int policy = OUTBOX_DROP_NEWEST; policy <= OUTBOX_DROP_OLDEST;
	     policy++) {
		struct client *client =
		    blocked(worker, (enum config_outbox_policy)policy);
		unsigned long sent = 0, got = 0, missed = 0, last = 0, n;
		char *at, *end;

		for (int i = 0; i < 500; i++) {
			for (uint32_t k = random_below(30); k > 0; k--)
				push(client, (unsigned)++sent);
			worker->now_ms += random_below(800);
			client_seen(client);
			clients_sweep(worker, 1);
			at = strdup(read_all(client));
			assert_non_null(at);
			for (char *p = at; *p != '\0'; p = end + 1) {
				bool gap = *p == 'g';

				n = strtoul(p + gap, &end, 10);
				if (gap) {
					missed += n;
					continue;
				}
				assert_true(n > last);
				last = n;
				got++;
			}
			free(at);
			assert_int_equal(got + missed, sent);
			client->partial = random_below(3) != 0;
		}
		assert_true(missed > 0 && got > 0);
		assert_int_equal(client->state, CLIENT_OPEN);
	}
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_hard_limit_closes_and_is_exact),
		TEST(the_soft_limit_counts_from_when_it_was_passed),
		TEST(above_the_soft_limit_too_long_a_push_closes_too),
		TEST(a_client_that_catches_up_in_time_stays),
		TEST(the_newest_are_dropped_and_told_as_one_gap),
		TEST(the_oldest_are_dropped_and_answers_kept),
		TEST(dropping_goes_down_to_the_soft_limit_in_time),
		TEST(a_frame_larger_than_the_limit_drops_nothing_else),
		TEST(a_client_that_only_asks_is_slow_too),
		TEST(the_others_do_not_notice),
		TEST(whatever_is_dropped_is_told),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

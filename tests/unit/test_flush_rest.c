/* test_flush_rest.c - a client that takes a part, nothing, or has gone. */
#include <errno.h>
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

/* A fixture whose clients may have anything queued. */
static int
setup(void **state)
{
	struct worker *worker = fixture_new();

	assert_non_null(worker);
	worker->config->outbox_soft = 1 << 30;
	worker->config->outbox_hard = 1 << 30;
	*state = worker;
	return 0;
}

/* A frame of len bytes in all, filled with a letter. */
static struct frame *
frame_of(size_t len, char letter)
{
	size_t head = len <= 127 ? 2 : len <= 65535 + 4 ? 4 : 10;
	struct frame *frame = frame_new(FRAME_TEXT, len - head);

	assert_non_null(frame);
	assert_int_equal(frame->len, len);
	memset(frame_payload(frame), letter, len - head);
	return frame;
}

static void
push_to(struct frame *frame, struct client **clients, size_t n)
{
	for (size_t i = 0; i < n; i++)
		client_push(clients[i], frame);
	frame_unref(frame);
}

static void
a_rest_that_waits_stops_this_client_only(void **state)
{
	struct worker *worker = *state;
	struct client *one = fixture_client(worker);
	struct client *two = fixture_client(worker);

	fake_ws_wire(one)->next = FAKE_WS_PARTIAL;
	for (int i = 0; i < 3; i++) {
		struct frame *frame = frame_of(FLUSH_DIRECT_BYTES + 9, 'z');

		client_push(one, frame);
		client_push(two, frame);
		frame_unref(frame);
	}
	flush_run(worker);
	assert_int_equal(one->outbox.count, 2);
	assert_int_equal(two->outbox.count, 0);
	flush_run(worker);
	client_push_own(one, reply_ok("1", 1, ""));
	flush_run(worker);
	assert_int_equal(one->outbox.count, 3);
	fake_ws_room(one);
	flush_run(worker);
	assert_int_equal(one->outbox.count, 0);
	fixture_check(worker);
}

static void
a_broken_connection_gets_nothing_more(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	fake_ws_wire(client)->next = FAKE_WS_FAIL;
	push_to(frame_of(3, 'a'), &client, 1);
	push_to(frame_of(3, 'b'), &client, 1);
	assert_string_equal(fixture_got(client), "<kill>\n");
	assert_int_equal(client->state, CLIENT_DEAD);
	push_to(frame_of(3, 'c'), &client, 1);
	client_close(client, CLOSE_POLICY, NULL, true);
	assert_string_equal(fixture_got(client), "<kill>\n");
	fixture_check(worker);
	fixture_gone(client);
	assert_int_equal(worker->stats->outbox_bytes, 0);
}

static void
a_gap_is_told_when_all_before_it_is_out(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct frame *frame = reply_msg("t", 1, "0", 1, "n");

	assert_non_null(frame);
	worker->config->outbox_policy = OUTBOX_DROP_NEWEST;
	client->partial = true;
	client_push(client, frame);
	worker->config->outbox_soft = 1;
	worker->config->outbox_hard = 1;
	client_push(client, frame);
	client_push(client, frame);
	frame_unref(frame);
	assert_string_equal(fixture_got(client), "");
	fake_ws_room(client);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"msg\",\"topic\":\"t\",\"data\":0,\"from\":\"n\"}\n"
	    "{\"op\":\"gap\",\"topic\":\"t\",\"missed\":2}\n");
	assert_string_equal(fixture_got(client), "");
	fixture_check(worker);
}

static void
a_close_waits_for_the_rest(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	fake_ws_wire(client)->next = FAKE_WS_PARTIAL;
	push_to(frame_of(3, 'a'), &client, 1);
	client_close(client, CLOSE_GOING_AWAY, "later", false);
	assert_string_equal(fixture_got(client), "a\n");
	fake_ws_room(client);
	assert_string_equal(fixture_got(client), "<close 1001 later>\n");
}

/* The numbers in the frames that a client got only grow; how many there are. */
static unsigned
count_in_order(const struct wire *wire)
{
	unsigned long last = 0, n;
	const unsigned char *frame;
	unsigned count = 0;

	for (size_t at = 0; at < wire->len; count++) {
		size_t head = 2, len;

		frame = wire->bytes + at;
		len = frame[1];
		if (len == 126) {
			head = 4;
			len = (size_t)frame[2] << 8 | frame[3];
		}
		n = strtoul((const char *)frame + head, NULL, 10);
		assert_true(n > last);
		last = n;
		at += head + len;
		assert_true(at <= wire->len);
	}
	return count;
}

/* Everybody gets what was pushed, in order, however it is cut. */
static void
random_traffic_arrives_whole_and_in_order(void **state)
{
	struct worker *worker = *state;
	unsigned sent[6] = { 0 };
	struct client *c[6];

	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		c[i] = fixture_client(worker);
	for (unsigned round = 1; round < 4000; round++) {
		unsigned who = random_below(6);
		bool all = random_below(2) == 0;
		size_t size = random_below(50) == 0 ? 30000 : 20;
		struct frame *frame = frame_of(size, 'x');
		char number[8];

		(void)snprintf(number, sizeof(number), "%06u", round);
		memcpy(frame_payload(frame), number, 6);
		for (unsigned i = 0; i < 6; i++) {
			if (!all && i != who)
				continue;
			client_push(c[i], frame);
			sent[i]++;
		}
		frame_unref(frame);
		if (random_below(4) == 0)
			fake_ws_wire(c[who])->next = FAKE_WS_PARTIAL;
		if (random_below(3) != 0)
			flush_run(worker);
		who = random_below(6);
		if (c[who]->partial)
			fake_ws_room(c[who]);
		if (round % 50 == 0)
			fixture_check(worker);
	}
	for (unsigned i = 0; i < 6; i++) {
		flush_run(worker);
		while (c[i]->partial) {
			fake_ws_room(c[i]);
			flush_run(worker);
		}
		assert_int_equal(count_in_order(fake_ws_wire(c[i])), sent[i]);
	}
	fixture_check(worker);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rest_that_waits_stops_this_client_only),
		TEST(a_broken_connection_gets_nothing_more),
		TEST(a_gap_is_told_when_all_before_it_is_out),
		TEST(a_close_waits_for_the_rest),
		TEST(random_traffic_arrives_whole_and_in_order),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_client.c - a connection's life: welcome, limits, pings, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "worker/reply.h"
#include "worker_fixture.h"

static struct frame *
frame_of(size_t len)
{
	struct frame *frame = frame_new(FRAME_TEXT, len);

	assert_non_null(frame);
	memset(frame_payload(frame), 'x', len);
	return frame;
}

/* A second passes and every client is looked at. */
static void
pass(struct worker *worker, uint64_t ms)
{
	worker->now_ms += ms;
	clients_sweep(worker, 1);
	fixture_check(worker);
}

static void
a_client_is_welcomed_with_its_connections_name(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_accept(worker);

	assert_int_equal(worker->stats->handshakes, 1);
	assert_int_equal(worker->stats->clients, 0);
	client_opened(client);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"welcome\",\"conn\":\"0000002a-1-3-1\","
	    "\"node\":\"0000002a-1-3\",\"protocol\":\"clusterbus.v1\"}\n");
	assert_int_equal(worker->stats->handshakes, 0);
	assert_int_equal(worker->stats->clients, 1);
	assert_int_equal(worker->stats->clients_opened, 1);
	assert_int_equal(fake_door.opened, 1);
	client = fixture_accept(worker);
	client_opened(client);
	assert_non_null(strstr(fixture_got(client), "0000002a-1-3-2"));
	fixture_check(worker);
}

static void
a_connection_that_never_was_a_client_is_counted_as_such(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_accept(worker);

	fixture_gone(client);
	assert_int_equal(worker->stats->handshake_errors, 1);
	client = fixture_accept(worker);
	client->answered = true; /* as HTTP */
	fixture_gone(client);
	assert_int_equal(worker->stats->handshake_errors, 1);
	assert_int_equal(worker->stats->clients_closed, 0);
	assert_int_equal(worker->stats->handshakes, 0);
	assert_int_equal(fake_door.left, 2);
}

static void
closed_may_be_said_twice_and_counts_once(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	client_push_own(client, frame_of(10));
	client_closed(client);
	fixture_check(worker);
	client_closed(client);
	assert_int_equal(client->state, CLIENT_DEAD);
	assert_int_equal(worker->stats->clients_closed, 1);
	assert_int_equal(worker->stats->outbox_bytes, 0);
	client_push_own(client, frame_of(10)); /* freed, not queued */
	client_push_own(client, NULL);
	client_close(client, CLOSE_POLICY, "x", true);
	assert_int_equal(client->outbox.count, 0);
	assert_int_equal(client->state, CLIENT_DEAD);
	fixture_gone(client);
}

static void
any_client_can_go_from_the_middle(void **state)
{
	struct worker *worker = *state;
	struct client *clients[200];

	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		clients[i] = fixture_client(worker);
		assert_int_equal(fixture_join(clients[i], "t:a", "1"), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		fixture_gone(clients[i * 77 % ARRAY_LEN(clients)]);
		fixture_check(worker);
	}
	assert_int_equal(worker->clients.count, 0);
}

static void
a_close_comes_after_what_is_queued(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	client_push_own(client, reply_ok("1", 1, ""));
	client_close(client, CLOSE_POLICY, "so", false);
	client_push_own(client, reply_ok("2", 1, ""));
	client_close(client, CLOSE_SLOW, "again", true);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"ok\",\"id\":1}\n<close 1008 so>\n");
	assert_int_equal(fake_ws_wire(client)->closes, 1);
	fixture_check(worker);
}

static void
a_close_that_cannot_wait_drops_what_is_queued(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	client_push_own(client, reply_ok("1", 1, ""));
	client_close(client, CLOSE_INTERNAL, NULL, true);
	fixture_check(worker);
	assert_string_equal(fixture_got(client), "<close 1011 >\n");
}

/* ---- pings ------------------------------------------------------------- */

static void
a_silent_client_is_pinged_once_and_then_closed(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	pass(worker, 24999);
	assert_string_equal(fixture_got(client), "");
	pass(worker, 1);
	assert_string_equal(fixture_got(client), "<ping bus>\n");
	pass(worker, 9999);
	assert_string_equal(fixture_got(client), "");
	pass(worker, 1);
	assert_string_equal(fixture_got(client),
	    "<close 1008 no answer to a ping>\n");
	assert_int_equal(worker->stats->closed_idle, 1);
}

static void
a_client_that_answers_its_pings_stays(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	for (int i = 0; i < 100; i++) {
		pass(worker, 25000);
		assert_string_equal(fixture_got(client), "<ping bus>\n");
		worker->now_ms += 9999;
		client_seen(client);
		pass(worker, 1);
		assert_string_equal(fixture_got(client), "");
	}
	assert_int_equal(client->state, CLIENT_OPEN);
}

/* 2^32 ms: the clock's low half begins anew. */
static void
time_may_wrap(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	worker->now_ms = UINT32_MAX - 10;
	client = fixture_client(worker);
	pass(worker, 20000);
	assert_string_equal(fixture_got(client), "");
	pass(worker, 5000);
	assert_string_equal(fixture_got(client), "<ping bus>\n");
	client_seen(client);
	pass(worker, 1);
	assert_string_equal(fixture_got(client), "");
}

static void
a_ping_passes_a_full_queue(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct frame *frame = frame_of(3000);

	client_push(client, frame);
	frame_unref(frame);
	pass(worker, 25000);
	assert_int_equal(outbox_at(&client->outbox, 0)->op, FRAME_PING);
	assert_int_equal(client->outbox.count, 2);
}

static void
a_close_that_is_not_answered_ends_the_connection(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	client_close(client, CLOSE_GOING_AWAY, NULL, false);
	flush_run(worker);
	client_seen(client); /* it talks, but that is no answer */
	pass(worker, 5000);
	assert_int_equal(fake_ws_wire(client)->kills, 0);
	client_seen(client);
	pass(worker, 1);
	assert_true(fake_ws_wire(client)->kills > 0);
}

static void
a_sweep_in_portions_looks_at_everybody(void **state)
{
	struct worker *worker = *state;

	for (int i = 0; i < 95; i++)
		(void)fixture_client(worker);
	worker->now_ms += 25000;
	for (int i = 0; i < 10; i++)
		clients_sweep(worker, 10);
	for (uint32_t i = 0; i < worker->clients.count; i++)
		assert_true(worker->clients.all[i]->pinged);
	fixture_gone(worker->clients.all[94]);
	clients_sweep(worker, 10);
}

/* ---- rate -------------------------------------------------------------- */

static unsigned
messages_that_pass(struct client *client, unsigned tries)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += client_may_send(client);
	return n;
}

static void
a_client_may_send_its_rate_and_as_many_in_a_burst(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_rate = 10;
	assert_int_equal(messages_that_pass(client, 100), 10);
	worker->now_ms += 99;
	assert_int_equal(messages_that_pass(client, 100), 0);
	worker->now_ms += 1;
	assert_int_equal(messages_that_pass(client, 100), 1);
	worker->now_ms += 500;
	assert_int_equal(messages_that_pass(client, 100), 5);
	worker->now_ms += 3600000; /* an hour saves up one burst, no more */
	assert_int_equal(messages_that_pass(client, 100), 10);
}

static void
steps_smaller_than_a_message_add_up(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	unsigned n = 0;

	worker->config->max_rate = 7;
	(void)messages_that_pass(client, 100);
	for (int i = 0; i < 10000; i++) {
		worker->now_ms++;
		n += messages_that_pass(client, 3);
	}
	assert_int_equal(n, 70);
}

static void
a_rate_of_nothing_is_any_rate_and_the_largest_one_works(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_rate = 0;
	assert_int_equal(messages_that_pass(client, 10000), 10000);
	worker->config->max_rate = 1000000000;
	worker->now_ms += 100000;
	assert_int_equal(messages_that_pass(client, 10000), 10000);
}

/* ---- no memory --------------------------------------------------------- */

static int
live(void)
{
	struct worker *worker = fixture_new();
	struct client *client;
	int rc = -1;

	if (worker == NULL)
		return -1;
	client = fixture_client(worker);
	if (client != NULL) {
		struct frame *frame = frame_new(FRAME_TEXT, 10);

		if (frame != NULL)
			client_push(client, frame);
		frame_unref(frame);
		client_push_own(client, frame_new(FRAME_TEXT, 10));
		pass(worker, 25000);
		client_close(client, CLOSE_POLICY, "reason", false);
		flush_run(worker);
		fixture_check(worker);
		assert_int_equal(fake_ws_wire(client)->closes, 1);
		if (client->close_code == CLOSE_POLICY &&
		    client->close_reason != NULL && frame != NULL)
			rc = 0;
	}
	fixture_free(worker);
	return rc;
}

static void
without_memory_the_client_is_closed(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	client_push_own(client, NULL);
	assert_string_equal(fixture_got(client),
	    "<close 1011 out of memory>\n");
	assert_int_equal(worker->stats->drop_memory, 1);
	torture_malloc(live);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_is_welcomed_with_its_connections_name),
		TEST(a_connection_that_never_was_a_client_is_counted_as_such),
		TEST(closed_may_be_said_twice_and_counts_once),
		TEST(any_client_can_go_from_the_middle),
		TEST(a_close_comes_after_what_is_queued),
		TEST(a_close_that_cannot_wait_drops_what_is_queued),
		TEST(a_silent_client_is_pinged_once_and_then_closed),
		TEST(a_client_that_answers_its_pings_stays),
		TEST(time_may_wrap),
		TEST(a_ping_passes_a_full_queue),
		TEST(a_close_that_is_not_answered_ends_the_connection),
		TEST(a_sweep_in_portions_looks_at_everybody),
		TEST(a_client_may_send_its_rate_and_as_many_in_a_burst),
		TEST(steps_smaller_than_a_message_add_up),
		TEST(a_rate_of_nothing_is_any_rate_and_the_largest_one_works),
		TEST(without_memory_the_client_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

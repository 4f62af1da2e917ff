/* test_client_end.c - what goes with a client, and one that will not go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker_fixture.h"

static void
what_a_close_or_a_departure_drops_is_counted(void **state)
{
	struct worker *worker = *state;
	struct client *one = fixture_client(worker);
	struct client *two = fixture_client(worker);
	struct frame *frame = frame_new(FRAME_TEXT, 10);

	assert_non_null(frame);
	memset(frame_payload(frame), 'x', 10);
	for (int i = 0; i < 3; i++) {
		client_push(one, frame);
		client_push(two, frame);
	}
	frame_unref(frame);
	client_close(one, CLOSE_POLICY, NULL, true);
	assert_int_equal(worker->stats->drop_outbox, 3);
	client_closed(two);
	assert_int_equal(worker->stats->drop_gone, 3);
	assert_int_equal(worker->stats->outbox_bytes, 0);
}

/* Its close frame came, ours cannot leave: it does not read. */
static void
a_client_whose_end_gets_stuck_is_cut_off(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->now_ms += 60000;
	client_closed(client);
	clients_sweep(worker, 1);
	assert_int_equal(fake_ws_wire(client)->kills, 0);
	worker->now_ms += 5001;
	clients_sweep(worker, 1);
	assert_true(fake_ws_wire(client)->kills > 0);
}

static void
a_large_frame_alone_closes_nobody(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	size_t len = worker->config->outbox_hard + 1;
	struct frame *frame = frame_new(FRAME_TEXT, len);

	assert_non_null(frame);
	memset(frame_payload(frame), 'x', len);
	client_push(client, frame);
	frame_unref(frame);
	assert_int_equal(client->state, CLIENT_OPEN);
	assert_int_equal(client->outbox.count, 1);
	assert_int_equal(worker->stats->drop_outbox, 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_close_or_a_departure_drops_is_counted),
		TEST(a_client_whose_end_gets_stuck_is_cut_off),
		TEST(a_large_frame_alone_closes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_link_queue.c - what waits for a hub that does not read. */
#include "worker/link.c"
#include "worker/link_hear.c"
#include "worker/link_messages.c"
#include "worker/link_move.c"
#include "worker/link_say.c"

#include "link_fixture.h"
#include "torture.h"

/* Publish until one is dropped; the number of those that were not. */
static uint64_t
fill_queue(struct link_fixture *f)
{
	static char payload[1000];
	uint64_t seq = 0;

	while (f->stats.drop_link_full == 0) {
		assert_true(seq < 100000);
		link_says(f, ++seq, payload, sizeof(payload));
		link_flush(f->link);
	}
	return seq - 1;
}

static void
a_full_queue_drops_and_counts_and_keeps_the_rest_in_order(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_message message;
	struct ipc_envelope e;
	uint64_t accepted, seq = 0;

	link_is_up(f);
	accepted = fill_queue(f);
	assert_true(f->stats.link_bytes <= LINK_QUEUE + 100);
	assert_true(f->stats.link_bytes > LINK_QUEUE - 2000);
	link_says(f, 0, "1", 1);
	assert_int_equal(f->stats.relayed_out, accepted + 1);
	/* What is no envelope still has room. */
	assert_true(link_join(f->link, 1, "t:chat", 6));
	while (seq < accepted) {
		message = hub_expects(f, IPC_PUBLISH);
		assert_int_equal(ipc_read_envelope(&message, &e), 0);
		assert_true(e.head.seq == ++seq);
		assert_int_equal(e.payload_len, 1000);
	}
	(void)hub_expects(f, IPC_PUBLISH);
	(void)hub_expects(f, IPC_JOIN);
	assert_int_equal(f->stats.link_bytes, 0);
	assert_int_equal(f->stats.drop_link_full, 1);
	link_says(f, 1, "1", 1);
	(void)hub_expects(f, IPC_PUBLISH);
}

static void
a_hub_that_reads_nothing_at_all_is_given_up(void **state)
{
	struct link_fixture *f = *state;
	uint64_t accepted;
	unsigned joins = 0;

	link_is_up(f);
	accepted = fill_queue(f);
	while (link_join(f->link, 1, "t:chat", 6)) {
		link_flush(f->link);
		joins++;
	}
	assert_true(joins > 1000);
	/* A join can wait for room; a leave cannot, or interest would stay. */
	assert_false(link_has_room(f->link));
	assert_string_equal(f->log, "W");
	while (!f->link->overflow) {
		link_leave(f->link, "t:chat", 6);
		assert_true(f->link->out.len <= LINK_QUEUE + LINK_COMMAND_ROOM);
	}
	/* Not in the middle of the caller's lists: at the end of the turn. */
	assert_int_equal(link_state(f->link), LINK_UP);
	link_flush(f->link);
	assert_string_equal(f->log, "WA");
	assert_string_equal(f->text, "it does not read");
	assert_int_equal(link_state(f->link), LINK_AWAY);
	assert_int_equal(f->stats.hub_connected, 0);
	assert_int_equal(f->stats.link_bytes, 0);
	/* Those that had not left are counted; joins are no envelopes. */
	assert_true(f->stats.drop_hub_away > 50);
	assert_true(f->stats.drop_hub_away < accepted);
}

/* Every envelope was read by the hub, is in its socket, or was counted. */
static void
envelopes_lost_with_the_hub_are_counted(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_message message;
	uint64_t accepted, got = 0;
	int copy;

	link_is_up(f);
	accepted = fill_queue(f);
	for (int i = 0; i < 30; i++) {
		(void)hub_expects(f, IPC_PUBLISH);
		got++;
	}
	copy = dup(f->hub); /* the bytes in the socket stay readable */
	assert_int_equal(shutdown(f->hub, SHUT_WR), 0);
	link_turns(f, 2);
	assert_string_equal(f->log, "WA");
	assert_string_equal(f->text, "closed");
	while (hub_hears(f, &message))
		got++;
	assert_true(f->stats.drop_hub_away > 0);
	assert_int_equal(got + f->stats.drop_hub_away, accepted);
	(void)close(copy);
}

static void
last_words_are_written_as_long_as_there_is_time(void **state)
{
	static char payload[20000];
	struct link_fixture *f = *state;
	uint64_t start = clock_now_ms();

	link_is_up(f);
	link_says(f, 1, "1", 1);
	link_flush_all(f->link, LINK_DEADLINE_MS);
	assert_int_equal(f->stats.link_bytes, 0);
	assert_true(clock_now_ms() - start < LINK_DEADLINE_MS);
	while (f->link->out.len == 0) {
		link_says(f, 1, payload, sizeof(payload));
		link_flush(f->link);
	}
	start = clock_now_ms();
	link_flush_all(f->link, 60);
	assert_true(clock_now_ms() - start >= 60);
	hub_closes(f);
	link_flush_all(f->link, LINK_DEADLINE_MS);
	assert_string_equal(f->log, "WA");
}

static void
without_memory_an_envelope_is_dropped_and_counted(void **state)
{
	struct link_fixture *f = *state;

	link_is_up(f);
	torture_fail_after(0);
	link_says(f, 1, "1", 1);
	torture_off();
	assert_int_equal(f->stats.drop_link_full, 1);
	assert_int_equal(link_state(f->link), LINK_UP);
	link_says(f, 2, "1", 1);
	(void)hub_expects(f, IPC_PUBLISH);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, link_setup, link_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_queue_drops_and_counts_and_keeps_the_rest_in_order),
		TEST(a_hub_that_reads_nothing_at_all_is_given_up),
		TEST(envelopes_lost_with_the_hub_are_counted),
		TEST(last_words_are_written_as_long_as_there_is_time),
		TEST(without_memory_an_envelope_is_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

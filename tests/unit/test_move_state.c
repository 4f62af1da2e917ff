/*
 * test_move_state.c - a connection's state as bytes, and back.
 *
 * Giver and taker are the same worker here; the taker's clock is another.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "base/net.h"
#include "state_rig.h"

enum {
	LATER_MS = 500000, /* how far the taker's clock is ahead */
	WHO_HEAD = 4 + 2 + 8 + 8,
};

static void
expect_same_grants(const struct grants *a, const struct grants *b)
{
	assert_int_equal(a->given, b->given);
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_string_equal(a->patterns[i], b->patterns[i]);
}

static void
who_it_is_arrives_as_it_was(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker), *taken;
	struct names names = { .text = "" };
	struct buf who;

	write_who(client, &who);
	worker->now_ms += LATER_MS;
	client->opened_ms += LATER_MS; /* the same age on both clocks */
	taken = new_taken(worker);
	assert_int_equal(move_who_read(buf_data(&who), who.len, taken,
			     note_name, &names),
	    0);
	assert_true(node_id_equal(&taken->home, &client->home));
	assert_int_equal(taken->number, client->number);
	assert_true(taken->wants_binary && taken->authenticated);
	assert_true(taken->connected);
	assert_int_equal(taken->opened_ms, client->opened_ms);
	assert_string_equal(taken->identity->user, "ann");
	assert_string_equal(taken->identity->role, "editor");
	assert_int_equal(taken->identity->expires_s, 1234567890123);
	assert_true(taken->identity->api);
	expect_same_grants(&taken->identity->topics, &client->identity->topics);
	expect_same_grants(&taken->identity->publish,
	    &client->identity->publish);
	assert_string_equal(names.text, "t:news w:doc r:lobby u:ann ");
	client_moved_away(taken);
	buf_release(&who);
}

static void
who_is_nobody_in_particular_arrives_as_such(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker),
		      *taken = new_taken(worker);
	struct names names = { .text = "" };
	struct buf who;

	write_who(client, &who);
	assert_int_equal(move_who_read(buf_data(&who), who.len, taken,
			     note_name, &names),
	    0);
	assert_null(taken->identity);
	assert_false(taken->wants_binary);
	assert_string_equal(names.text, "");
	client_moved_away(taken);
	buf_release(&who);
}

/* Both ends of a TCP connection on this host. */
static int
connected_fd(const char *at, int *ret_other)
{
	struct net_address address;
	int listening, fd = -1;

	assert_int_equal(net_parse(at, &address), 0);
	listening = net_listen(&address, 1);
	assert_true(listening >= 0);
	assert_int_equal(net_local(listening, &address), 0);
	*ret_other = socket(address.sa.ss_family, SOCK_STREAM, 0);
	assert_int_equal(connect(*ret_other,
			     (const struct sockaddr *)&address.sa, address.len),
	    0);
	fd = accept(listening, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(close(listening), 0);
	return fd;
}

static void
the_address_of_the_other_end_arrives(void **state)
{
	static const char *const at[] = { "127.0.0.1:0", "[::1]:0" };
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct net_address address, real;
	char got[NET_ADDRESS_MAX], expected[NET_ADDRESS_MAX];
	struct buf who;
	int other;

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		client->fd = connected_fd(at[i], &other);
		write_who(client, &who);
		assert_int_equal(move_who_address(buf_data(&who), who.len,
				     &address),
		    0);
		assert_int_equal(net_local(other, &real), 0);
		assert_int_equal(address.len, real.len);
		net_format(&address, got, sizeof(got));
		net_format(&real, expected, sizeof(expected));
		assert_string_equal(got, expected);
		buf_release(&who);
		assert_int_equal(close(client->fd) | close(other), 0);
		client->fd = -1;
	}
	write_who(client, &who); /* nobody knows */
	assert_int_equal(move_who_address(buf_data(&who), who.len, &address),
	    0);
	assert_int_equal(address.len, 0);

	who.mem[who.off + WHO_HEAD] = 5;
	assert_int_equal(move_who_address(buf_data(&who), who.len, &address),
	    -EPROTO);
	buf_release(&who);
}

static void
expect_same_outbox(const struct outbox *a, const struct outbox *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->bytes, b->bytes);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct frame *f = outbox_at(a, i), *g = outbox_at(b, i);

		assert_int_equal(f->len, g->len);
		assert_int_equal(f->op, g->op);
		assert_int_equal(f->header_len, g->header_len);
		assert_int_equal(f->topic_at, g->topic_at);
		assert_int_equal(f->topic_len, g->topic_len);
		assert_memory_equal(f->bytes, g->bytes, f->len);
	}
	assert_int_equal(a->gap_count, b->gap_count);
	for (uint32_t i = 0; i < a->gap_count; i++) {
		assert_int_equal(a->gaps[i].len, b->gaps[i].len);
		assert_memory_equal(a->gaps[i].topic, b->gaps[i].topic,
		    a->gaps[i].len);
		assert_int_equal(a->gaps[i].missed, b->gaps[i].missed);
	}
}

static void
the_rest_arrives_as_it_was(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker), *taken;
	struct ws_moved moved;
	const void *app;
	size_t app_len;
	struct buf rest;

	write_rest(client, &rest);
	worker->now_ms += LATER_MS;
	taken = taken_like(worker, client);
	assert_int_equal(move_state_read(buf_data(&rest), rest.len, taken,
			     &moved, &app, &app_len),
	    0);
	expect_same_outbox(&taken->outbox, &client->outbox);
	assert_int_equal(taken->in->len, 6);
	assert_memory_equal(buf_data(taken->in), "{\"op\":", 6);
	assert_true(taken->in_binary && taken->pinged);
	assert_int_equal(taken->seen_ms, client->seen_ms + LATER_MS);
	assert_int_equal(taken->soft_since_ms | 1,
	    (client->soft_since_ms - 1 + LATER_MS) | 1);
	assert_true(client_now(worker) >= taken->soft_since_ms);
	assert_int_equal(taken->refused, 2);
	assert_int_equal(taken->tries, 3);
	assert_int_equal(taken->tries_ms, client->tries_ms + LATER_MS);
	assert_int_equal(taken->rate_tokens, 4500);
	assert_int_equal(taken->rate_ms, client->rate_ms + LATER_MS);
	assert_int_equal(taken->dropped, 5);
	assert_int_equal(taken->gaps, 6);
	assert_int_equal(moved.shadow.phase, WS_SHADOW_HEADER);
	assert_int_equal(moved.shadow.payload, 4711);
	assert_string_equal((char *)moved.tail, "rest of a frame");
	assert_int_equal(app_len, 3);
	assert_memory_equal(app, "app", 3);
	free(moved.tail);
	client_moved_away(taken);
	buf_release(&rest);
}

static void
what_came_in_the_meantime_stays_behind_it(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker),
		      *taken = taken_like(worker, client);
	struct frame *first = outbox_at(&client->outbox, 0), *lost;
	struct ws_moved moved;
	const void *app;
	size_t app_len;
	struct buf rest;

	write_rest(client, &rest);
	push(taken, reply_msg("news", 4, "\"new\"", 5, "n"));
	lost = reply_msg("lost", 4, "1", 1, "n");
	outbox_note_gap(&taken->outbox, lost);
	frame_unref(lost);
	taken->dropped = 1;
	assert_int_equal(move_state_read(buf_data(&rest), rest.len, taken,
			     &moved, &app, &app_len),
	    0);
	free(moved.tail);
	assert_int_equal(taken->outbox.count, client->outbox.count + 1);
	assert_memory_equal(outbox_at(&taken->outbox, 0)->bytes, first->bytes,
	    first->len);
	assert_non_null(
	    memmem(outbox_at(&taken->outbox, taken->outbox.count - 1)->bytes,
		first->len, "\"new\"", 5));
	assert_int_equal(taken->outbox.gap_count, 1);
	assert_int_equal(taken->outbox.gaps[0].missed, 3);
	assert_int_equal(taken->dropped, 6);
	fixture_check(worker);
	client_moved_away(taken);
	buf_release(&rest);
}

/* What is dropped at the taker is told as the giver would have. */
static void
a_frame_that_has_moved_is_dropped_with_its_gap(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker),
		      *taken = taken_like(worker, client);
	const struct ws_moved nothing = some_moved(NULL, 0);
	struct ws_moved moved;
	const void *app;
	size_t app_len;
	struct buf rest;

	push(client, reply_msg("a\"b", 3, "1", 1, "n"));
	push(client, reply_msg_binary("c\"d", 3, "1", 1));
	buf_init(&rest, MOVE_STATE_MAX);
	assert_int_equal(move_state_write(client, &nothing, NULL, 0, &rest), 0);
	assert_int_equal(move_state_read(buf_data(&rest), rest.len, taken,
			     &moved, &app, &app_len),
	    0);
	assert_null(moved.tail);
	assert_int_equal(app_len, 0);
	stats_set(&worker->stats->outbox_bytes,
	    worker->stats->outbox_bytes - taken->outbox.bytes);
	assert_true(outbox_drop_oldest(&taken->outbox));
	assert_true(outbox_drop_oldest(&taken->outbox));
	assert_int_equal(taken->outbox.gap_count, 2);
	assert_memory_equal(taken->outbox.gaps[0].topic, "a\\\"b", 4);
	assert_memory_equal(taken->outbox.gaps[1].topic, "c\\\"d", 4);
	client_moved_away(taken);
	buf_release(&rest);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_it_is_arrives_as_it_was),
		TEST(who_is_nobody_in_particular_arrives_as_such),
		TEST(the_address_of_the_other_end_arrives),
		TEST(the_rest_arrives_as_it_was),
		TEST(what_came_in_the_meantime_stays_behind_it),
		TEST(a_frame_that_has_moved_is_dropped_with_its_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

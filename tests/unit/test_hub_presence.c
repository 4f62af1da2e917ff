/* test_hub_presence.c - what is WANTED, and who has GONE. */
#include "hub_query_rig.h"

static void
expect_wanted(struct hub_fixture *f, struct peer *worker, bool is_wanted,
    const char *channel)
{
	struct ipc_message message = peer_next(f, worker);
	struct ipc_wanted wanted;

	assert_string_equal(ipc_type_name(message.type), "WANTED");
	memcpy(&wanted, message.body, sizeof(wanted));
	assert_int_equal(wanted.wanted, is_wanted);
	assert_int_equal(message.len, sizeof(wanted) + strlen(channel));
	assert_memory_equal(message.body + sizeof(wanted), channel,
	    strlen(channel));
}

static void
leave(struct hub_fixture *f, struct peer *peer, const char *channel)
{
	peer_say(f, peer, IPC_LEAVE, NULL, 0, channel, strlen(channel));
	hub_turns(f, 2);
}

static void
the_first_who_joins_makes_a_presence_channel_wanted(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *ready = peer_new_ready(f), *starting = peer_new(f);
	struct peer *a = peer_new_program(f), *b = peer_new_program(f);

	peer_join(f, a, "p:r:room");
	expect_wanted(f, ready, true, "p:r:room");
	expect_wanted(f, starting, true, "p:r:room");
	peer_join(f, b, "p:r:room");
	peer_join(f, a, "p:r:room"); /* counts once */
	peer_expect_nothing(f, ready);
	peer_expect_nothing(f, a);
	assert_int_equal(f->stats.wanted, 1);
	leave(f, a, "p:r:room");
	leave(f, a, "p:r:room");
	peer_expect_nothing(f, ready);
	leave(f, b, "p:r:room");
	expect_wanted(f, ready, false, "p:r:room");
	expect_wanted(f, starting, false, "p:r:room");
	assert_int_equal(f->stats.wanted, 0);
	/* And again. */
	peer_join(f, b, "p:r:room");
	expect_wanted(f, ready, true, "p:r:room");
}

static void
a_worker_that_wants_one_hears_of_it_before_joined(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f);
	struct ipc_join join = { .token = 5 };

	peer_say(f, worker, IPC_JOIN, &join, sizeof(join), "p:t:x", 5);
	expect_wanted(f, worker, true, "p:t:x");
	peer_expect(f, worker, IPC_JOINED, NULL, 0);
}

static void
other_channels_are_nobodys_business(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *a = peer_new_program(f);

	peer_join(f, a, "t:p:x");
	peer_join(f, a, "p");
	peer_join(f, a, "px:y");
	leave(f, a, "p:never-joined");
	peer_expect_nothing(f, worker);
	assert_int_equal(f->stats.wanted, 0);
	assert_int_equal(a->node->presence, 0);
}

static void
what_only_the_dead_wanted_is_wanted_no_longer(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f);
	struct peer *a = peer_new_program(f), *b = peer_new_program(f);

	peer_join(f, a, "p:r:one");
	peer_join(f, a, "p:r:both");
	peer_join(f, a, "t:p");
	peer_join(f, b, "p:r:both");
	expect_wanted(f, worker, true, "p:r:one");
	expect_wanted(f, worker, true, "p:r:both");
	assert_int_equal(shutdown(a->fd, SHUT_RDWR), 0);
	expect_wanted(f, worker, false, "p:r:one");
	peer_expect_nothing(f, worker);
	assert_int_equal(f->stats.wanted, 1);
	assert_int_equal(shutdown(b->fd, SHUT_RDWR), 0);
	expect_wanted(f, worker, false, "p:r:both");
	assert_int_equal(f->stats.wanted, 0);
}

static void
a_worker_that_comes_later_hears_all_that_is_wanted(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_program(f), *program, *worker;

	for (int i = 0; i < 20; i++)
		peer_join(f, a, &"t:other"[i % 5]);
	peer_join(f, a, "p:u:alice");
	worker = peer_new(f); /* WELCOME comes first */
	expect_wanted(f, worker, true, "p:u:alice");
	peer_expect_nothing(f, worker);
	program = peer_new_program(f);
	peer_expect_nothing(f, program);
}

static void
who_wants_any_hears_of_each_worker_that_has_gone(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *other = peer_new_ready(f);
	struct peer *a = peer_new_program(f), *b = peer_new_program(f);
	struct ipc_gone gone;

	peer_join(f, a, "p:r:room");
	peer_join(f, b, "r:room");
	expect_wanted(f, other, true, "p:r:room");
	assert_int_equal(shutdown(worker->fd, SHUT_RDWR), 0);
	peer_expect(f, a, IPC_GONE, &gone, sizeof(gone));
	assert_int_equal(gone.node.host, PEER_HOST);
	assert_int_equal(gone.node.slot, 0);
	assert_int_equal(gone.node.generation, 1);
	peer_expect_nothing(f, b);
	peer_expect_nothing(f, other);
	/* Programs have no members; nor has who was never welcome. */
	assert_int_equal(shutdown(b->fd, SHUT_RDWR), 0);
	assert_int_equal(shutdown(peer_stranger(f)->fd, SHUT_RDWR), 0);
	peer_expect_nothing(f, a);
	/* Who wants none any more hears nothing. */
	leave(f, a, "p:r:room");
	assert_int_equal(shutdown(other->fd, SHUT_RDWR), 0);
	peer_expect_nothing(f, a);
	assert_null(other->node);
}

/*
 * The worker writes more than one read takes, never reads what the hub has for
 * it, and is gone: all it wrote is relayed, and only then GONE is said.
 */
static void
gone_comes_after_the_last_envelope(void **state)
{
	enum {
		COUNT = 6,
		BYTES = 33 << 10,
	};
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *a = peer_new_program(f);
	static char payload[BYTES];
	struct ipc_envelope envelope;
	struct buf out;

	peer_join(f, a, "p:r:room");
	expect_wanted(f, worker, true, "p:r:room");
	peer_join(f, worker, "t:back");
	buf_init(&out, SIZE_MAX);
	for (uint64_t i = 1; i <= COUNT; i++)
		peer_append_publish(&out, "p:r:room", i, payload, BYTES);
	assert_int_equal(write(worker->fd, buf_data(&out), out.len), out.len);
	buf_release(&out);
	peer_publish(f, a, "t:back", 1, payload, 10);
	(void)close(worker->fd);
	worker->fd = -1;
	peer_publish(f, a, "t:back", 2, payload, 10);
	for (uint64_t i = 1; i <= COUNT; i++) {
		envelope = peer_expect_envelope(f, a);
		assert_int_equal(envelope.head.seq, i);
		assert_int_equal(envelope.payload_len, BYTES);
	}
	peer_expect(f, a, IPC_GONE, NULL, 0);
	assert_int_equal(f->stats.queue_bytes, 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_who_joins_makes_a_presence_channel_wanted),
		TEST(a_worker_that_wants_one_hears_of_it_before_joined),
		TEST(other_channels_are_nobodys_business),
		TEST(what_only_the_dead_wanted_is_wanted_no_longer),
		TEST(a_worker_that_comes_later_hears_all_that_is_wanted),
		TEST(who_wants_any_hears_of_each_worker_that_has_gone),
		TEST(gone_comes_after_the_last_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

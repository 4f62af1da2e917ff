/*
 * test_handover_hub.c - a hub's nodes go over into another hub, whose sockets
 * are the same ones; the nodes notice nothing.
 */
#include "hub_query_rig.h"

#include <fcntl.h>

#include "primary/handover_parts.h"

/* A record of the primary and all else that a state must have. */
static void
put_rest(struct handover_out *out, struct handover_primary *primary)
{
	struct handover_job job = { .kind = JOB_UPGRADE };
	uint32_t none = 0;

	primary->lock_fd = 900;
	primary->hub_fd = 901;
	primary->control_fd = 902;
	primary->door_fd = primary->door_tcp_fd = HANDOVER_NONE;
	primary->wanted = 1;
	handover_put(out, HANDOVER_PRIMARY, primary, "1", 1, NULL, 0);
	handover_put(out, HANDOVER_CONFIG, &none, NULL, 0, NULL, 0);
	handover_put(out, HANDOVER_CONTRACT, &none, NULL, 0, NULL, 0);
	handover_put(out, HANDOVER_JOB, &job, NULL, 0, NULL, 0);
}

/* The old hub goes, as it would in an exec: its descriptors stay open. */
static void
replace_hub(struct hub_fixture *f, const struct handover_out *out)
{
	const struct hub_events *events = f->hub->events;
	int saved[PEERS_MAX];

	for (size_t i = 0; i < out->fd_count; i++)
		saved[i] = fcntl(out->fds[i], F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		/* Nothing is to be written any more by this one. */
		if (f->hub->nodes[i] != NULL)
			buf_consume(&f->hub->nodes[i]->backlog,
			    f->hub->nodes[i]->backlog.len);
	}
	hub_free(f->hub);
	memset(&f->stats, 0, sizeof(f->stats));
	for (size_t i = 0; i < out->fd_count; i++) {
		assert_int_equal(dup3(saved[i], out->fds[i], O_CLOEXEC),
		    out->fds[i]);
		(void)close(saved[i]);
	}
	f->hub = hub_new(f->loop, &f->stats, events, f);
	assert_non_null(f->hub);
}

/* Over into a new hub, by the bytes of a state. */
static void
hand_over(struct hub_fixture *f)
{
	struct handover_out *out = handover_out_new();
	struct handover_primary primary;
	struct handover_state state;
	uint32_t index[PEERS_MAX];
	const char *why;

	memset(&primary, 0, sizeof(primary));
	handover_rest_hub(f->hub);
	for (size_t i = 0; i < f->peer_count; i++)
		index[i] = handover_node_index(f->peers[i].node);
	handover_put_hub(out, f->hub, &primary);
	put_rest(out, &primary);
	handover_put_nodes(out, f->hub);
	assert_int_equal(handover_finish(out), 0);
	if (handover_check(buf_data(&out->buf), out->buf.len, NULL, &state,
		&why) != 0)
		fail_msg("%s", why);
	replace_hub(f, out);
	assert_int_equal(handover_take_hub(&state, f->hub), 0);
	handover_wake_hub(f->hub);
	for (size_t i = 0; i < f->peer_count; i++)
		f->peers[i].node =
		    index[i] != HUB_NODES_MAX ? f->hub->nodes[index[i]] : NULL;
	handover_out_free(out);
}

/* ---- envelopes --------------------------------------------------------- */

static void
publish(struct hub_fixture *f, struct peer *peer, const char *channel,
    uint64_t seq)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	peer_append_publish(&out, channel, seq, "data", 4);
	peer_write(f, peer, buf_data(&out), out.len);
	buf_release(&out);
}

static void
who_had_joined_hears_on_and_who_had_not_does_not(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f), *c = peer_new(f);
	struct ipc_envelope envelope;

	peer_join(f, b, "t:x");
	peer_join(f, c, "t:y");
	hand_over(f);
	assert_int_equal(f->stats.nodes, 3);
	assert_int_equal(f->stats.interests, 2);
	assert_int_equal(f->stats.channels, 2);
	publish(f, a, "t:x", 1);
	envelope = peer_expect_envelope(f, b);
	assert_int_equal(envelope.head.seq, 1);
	assert_int_equal(envelope.head.origin.slot, 0);
	peer_expect_nothing(f, c);
	assert_int_equal(f->gones, 0);
}

static void
what_was_said_and_not_read_is_relayed_afterwards(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct buf out;

	peer_join(f, b, "t:x");
	buf_init(&out, SIZE_MAX);
	for (uint64_t i = 1; i <= 50; i++)
		peer_append_publish(&out, "t:x", i, "data", 4);
	/* In the kernel only: the hub's loop does not run. */
	assert_int_equal(write(a->fd, buf_data(&out), out.len), out.len);
	buf_release(&out);
	hand_over(f);
	for (uint64_t i = 1; i <= 50; i++)
		assert_int_equal(peer_expect_envelope(f, b).head.seq, i);
}

static void
half_a_message_is_made_whole_by_the_new_hub(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct buf out;

	peer_join(f, b, "t:x");
	buf_init(&out, SIZE_MAX);
	peer_append_publish(&out, "t:x", 1, "data", 4);
	peer_append_publish(&out, "t:x", 2, "data", 4);
	for (size_t cut = 1; cut < out.len; cut++) {
		peer_write(f, a, buf_data(&out), cut);
		hub_turns(f, 2);
		hand_over(f);
		peer_write(f, a, buf_data(&out) + cut, out.len - cut);
		assert_int_equal(peer_expect_envelope(f, b).head.seq, 1);
		assert_int_equal(peer_expect_envelope(f, b).head.seq, 2);
	}
	assert_int_equal(f->stats.violations, 0);
	buf_release(&out);
}

static void
what_waits_for_a_node_that_stands_still_arrives_in_order(void **state)
{
	enum {
		COUNT = 300
	};

	static char data[32 * 1024];
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct ipc_envelope envelope;
	struct buf out;
	size_t queued;

	peer_join(f, b, "t:x");
	buf_init(&out, SIZE_MAX);
	for (uint64_t i = 1; i <= COUNT; i++) {
		buf_clear(&out);
		peer_append_publish(&out, "t:x", i, data, sizeof(data));
		peer_write(f, a, buf_data(&out), out.len);
	}
	buf_release(&out);
	hub_turns(f, 5);
	queued = hub_node_queued(b->node);
	assert_true(queued > 1 << 20);
	hand_over(f);
	assert_int_equal(hub_node_queued(b->node), queued);
	assert_int_equal(f->stats.queue_bytes, queued);
	for (uint64_t i = 1; i <= COUNT; i++) {
		envelope = peer_expect_envelope(f, b);
		assert_int_equal(envelope.head.seq, i);
		assert_int_equal(envelope.payload_len, sizeof(data));
	}
	assert_int_equal(hub_node_queued(b->node), 0);
	hub_turns(f, 2);
	assert_int_equal(f->stats.queue_bytes, 0);
}

/* ---- the rest ---------------------------------------------------------- */

static void
a_node_that_has_not_introduced_itself_may_still_do_so(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *stranger = peer_stranger(f);
	struct ipc_welcome welcome;

	hand_over(f);
	assert_int_equal(f->hub->anonymous, 1);
	peer_say_hello(f, stranger);
	peer_expect(f, stranger, IPC_WELCOME, &welcome, sizeof(welcome));
	assert_int_equal(f->hub->anonymous, 0);
}

static void
a_question_is_over_and_its_late_answer_meets_no_other(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *asker = peer_new_program(f);
	uint32_t first, second;

	ask(f, asker);
	first = expect_query(f, worker);
	hand_over(f);
	expect_queried(f, asker, 1, 0, 0, 1);
	ask(f, asker);
	second = expect_query(f, worker);
	assert_int_not_equal(first, second);
	answer(f, worker, first, true, "late");
	peer_expect_nothing(f, asker);
	assert_int_equal(f->stats.answers_late, 1);
	answer(f, worker, second, true, "x");
	expect_answer(f, asker, 0, true, "x");
	expect_queried(f, asker, 1, 1, 0, 0);
}

static void
who_wants_presence_is_known_and_nobody_is_told_twice(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *follower;
	struct ipc_wanted wanted;

	follower = peer_new_program(f);
	peer_join(f, follower, "p:t:x");
	peer_expect(f, worker, IPC_WANTED, &wanted, sizeof(wanted));
	hand_over(f);
	peer_expect_nothing(f, worker);
	assert_int_equal(f->stats.wanted, 1);
	peer_say(f, follower, IPC_LEAVE, NULL, 0, "p:t:x", 5);
	peer_expect(f, worker, IPC_WANTED, &wanted, sizeof(wanted));
	assert_int_equal(wanted.wanted, 0);
	assert_int_equal(f->stats.wanted, 0);
}

static void
a_node_that_goes_afterwards_is_forgotten_whole(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);

	peer_join(f, a, "t:x");
	peer_join(f, b, "t:x");
	hand_over(f);
	(void)close(a->fd);
	a->fd = -1;
	hub_turns(f, 3);
	assert_int_equal(f->gones, 1);
	assert_int_equal(f->stats.nodes, 1);
	assert_int_equal(f->stats.interests, 1);
	publish(f, b, "t:x", 1);
	hub_turns(f, 3);
	assert_non_null(b->node);
}

static void
it_can_be_done_again_and_again(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);

	peer_join(f, b, "t:x");
	for (uint64_t i = 1; i <= 30; i++) {
		publish(f, a, "t:x", i);
		hand_over(f);
		assert_int_equal(peer_expect_envelope(f, b).head.seq, i);
	}
	peer_expect_nothing(f, b);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_had_joined_hears_on_and_who_had_not_does_not),
		TEST(what_was_said_and_not_read_is_relayed_afterwards),
		TEST(half_a_message_is_made_whole_by_the_new_hub),
		TEST(what_waits_for_a_node_that_stands_still_arrives_in_order),
		TEST(a_node_that_has_not_introduced_itself_may_still_do_so),
		TEST(a_question_is_over_and_its_late_answer_meets_no_other),
		TEST(who_wants_presence_is_known_and_nobody_is_told_twice),
		TEST(a_node_that_goes_afterwards_is_forgotten_whole),
		TEST(it_can_be_done_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_hub_move_cut.c - the place where the hub cuts the streams of giver and
 * taker, and sockets that wait in its hands.
 *
 * What each of them hears, and in which order, is all that counts.  SEED=n
 * repeats a run.
 */
#include "hub_move_rig.h"

#include "random.h"

enum {
	ROUNDS = 60,
	ENVELOPES = 400,
	FLOOD = 300,
};

/* ---- the cut ----------------------------------------------------------- */

/* What one side has heard of the third node's envelopes. */
struct heard {
	uint64_t before, after; /* the last one before the step, and after */
	bool step;
};

static void
hear(struct peer *peer, unsigned kind, struct heard *heard)
{
	struct ipc_message message;
	struct ipc_envelope e;
	struct ipc_step step;
	size_t count;

	do {
		while (peer_peek(peer, &message)) {
			if (message.type == IPC_STEP) {
				memcpy(&step, message.body, sizeof(step));
				assert_int_equal(step.kind, kind);
				assert_false(heard->step);
				heard->step = true;
				heard->after = heard->before;
				continue;
			}
			assert_int_equal(ipc_read_envelope(&message, &e), 0);
			if (heard->step)
				assert_int_equal(e.head.seq, ++heard->after);
			else
				assert_int_equal(e.head.seq, ++heard->before);
		}
	} while (ipc_in_read(&peer->in, peer->fd, NULL, 0, &count) > 0);
}

static void
play_cut(struct hub_fixture *f, struct peer *giver, struct peer *taker,
    struct peer *third)
{
	static unsigned char payload[70000];
	struct heard at_giver = { 0 }, at_taker = { 0 };
	struct ipc_node_id from = giver->node->id;
	uint32_t when = random_below(ENVELOPES), said = 0;
	struct ipc_step step = { .peer = from,
		.token = TOKEN,
		.kind = IPC_STEP_ACCEPT };
	struct buf out;

	while (at_taker.after < ENVELOPES || at_giver.after < ENVELOPES ||
	    !at_taker.step || !at_giver.step) {
		buf_init(&out, SIZE_MAX);
		for (uint32_t n = random_below(40); n > 0 && said < ENVELOPES;
		     n--)
			peer_append_publish(&out, "t:x", ++said, payload,
			    random_below(30) == 0 ?
				random_below(sizeof(payload)) :
				random_below(100));
		peer_write(f, third, buf_data(&out), out.len);
		buf_release(&out);
		if (said >= when && when != UINT32_MAX) {
			when = UINT32_MAX;
			peer_say(f, taker, IPC_STEP, &step, sizeof(step), NULL,
			    0);
		}
		hub_turns(f, (int)random_below(3));
		if (random_below(3) != 0)
			hear(giver, IPC_STEP_ACCEPT, &at_giver);
		if (random_below(3) != 0)
			hear(taker, IPC_STEP_CUT, &at_taker);
	}
	/* Before there, after here: each envelope is the client's once. */
	assert_true(at_giver.before == at_taker.before);
	assert_int_equal(f->stats.drop_slow, 0);
}

static void
what_was_relayed_before_the_cut_is_the_givers_the_rest_the_takers(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *nodes[3] = { new_worker(f), new_worker(f), new_worker(f) };
	uint32_t g, t, third;

	random_seed();
	for (int i = 0; i < 3; i++)
		peer_join(f, nodes[i], "t:x");
	for (int i = 0; i < ROUNDS; i++) {
		/* The order in which the hub reads them counts, too. */
		g = random_below(3);
		t = (g + 1 + random_below(2)) % 3;
		third = 3 - g - t;
		play_cut(f, nodes[g], nodes[t], nodes[third]);
	}
}

/* ---- a taker that does not read ---------------------------------------- */

static void
a_taker_that_does_not_read_costs_a_bounded_number_of_sockets(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *giver = new_worker(f), *taker = new_worker(f);
	struct ipc_node_id from = giver->node->id, to = taker->node->id;
	int small = 1, fds[IPC_FDS_MAX];
	size_t before = open_fds(), noes = 0, gives = 0;
	struct ipc_message message;
	struct ipc_step step;
	size_t count;

	(void)setsockopt(taker->node->fd, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small));
	for (int i = 0; i < FLOOD; i++)
		say_give(f, giver, &to, 1, 1);
	assert_non_null(taker->node);
	assert_false(hub_moves_idle(f->hub));
	assert_true(open_fds() - before <= IPC_FDS_WAITING);
	/* Those for which there was no room stay with the giver. */
	do {
		while (peer_peek(giver, &message)) {
			assert_int_equal(message.type, IPC_STEP);
			memcpy(&step, message.body, sizeof(step));
			assert_int_equal(step.kind, IPC_STEP_NO);
			assert_true(node_id_equal(&step.peer, &to));
			assert_int_equal(step.giver, 0);
			noes++;
		}
	} while (ipc_in_read(&giver->in, giver->fd, NULL, 0, &count) > 0);
	/* And the taker hears of each, one way or the other. */
	for (int i = 0; i < 4 * FLOOD; i++) {
		hub_turns(f, 1);
		count = 0;
		if (ipc_in_read(&taker->in, taker->fd, fds, IPC_FDS_MAX,
			&count) < 0)
			continue;
		hub_close_fds(fds, count);
		while (peer_peek(taker, &message)) {
			if (message.type == IPC_GIVE) {
				gives++;
				continue;
			}
			memcpy(&step, message.body, sizeof(step));
			assert_int_equal(step.kind, IPC_STEP_NO);
			assert_int_equal(step.giver, 1);
			assert_true(node_id_equal(&step.peer, &from));
		}
	}
	assert_int_equal(gives + noes, FLOOD);
	assert_true(noes != 0 && gives != 0);
	assert_true(hub_moves_idle(f->hub));
	assert_int_equal(open_fds(), before);
}

static void
sockets_under_way_end_with_their_taker(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *giver = new_worker(f), *taker = new_worker(f);
	struct ipc_node_id to = taker->node->id;
	size_t before = open_fds();
	int small = 1;

	(void)setsockopt(taker->node->fd, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small));
	for (int i = 0; i < FLOOD / 10; i++)
		say_give(f, giver, &to, 1 + (uint32_t)i % 2, 1 + (size_t)i % 2);
	assert_false(hub_moves_idle(f->hub));
	(void)close(taker->fd);
	taker->fd = -1;
	hub_turns(f, 3);
	assert_null(taker->node);
	assert_true(hub_moves_idle(f->hub));
	assert_int_equal(open_fds(), before - 2);
	expect_step(f, giver, &to, IPC_STEP_GONE, false);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    what_was_relayed_before_the_cut_is_the_givers_the_rest_the_takers),
		TEST(
		    a_taker_that_does_not_read_costs_a_bounded_number_of_sockets),
		TEST(sockets_under_way_end_with_their_taker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

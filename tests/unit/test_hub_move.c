/*
 * test_hub_move.c - the hub passes the steps of a move on, and its ends.
 */
#include "hub_move_rig.h"

#include "fd_limit.h"

static uint64_t violations; /* that there were in this test */

static void
steps_go_to_the_peer_with_the_sayers_name(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *giver = new_worker(f), *taker = new_worker(f);
	struct ipc_node_id from = giver->node->id, to = taker->node->id;
	struct ipc_message message;
	struct ipc_offer offer;

	say_offer(f, giver, &to);
	message = peer_next(f, taker);
	assert_int_equal(message.type, IPC_OFFER);
	memcpy(&offer, message.body, sizeof(offer));
	assert_true(node_id_equal(&offer.peer, &from));
	assert_int_equal(offer.token, TOKEN);
	assert_int_equal(message.len, sizeof(offer) + 3);
	assert_memory_equal(message.body + sizeof(offer), "who", 3);
	assert_int_equal(f->stats.moves, 1);
	say_step(f, taker, &from, IPC_STEP_ACCEPT, false);
	expect_step(f, giver, &to, IPC_STEP_ACCEPT, false);
	expect_step(f, taker, &from, IPC_STEP_CUT, true);
	say_step(f, taker, &from, IPC_STEP_TAKEN, false);
	expect_step(f, giver, &to, IPC_STEP_TAKEN, false);
	say_step(f, giver, &to, IPC_STEP_GO, true);
	expect_step(f, taker, &from, IPC_STEP_GO, true);
	say_step(f, giver, &to, IPC_STEP_NO, true);
	expect_step(f, taker, &from, IPC_STEP_NO, true);
	peer_expect_nothing(f, giver);
	peer_expect_nothing(f, taker);
	assert_int_equal(f->stats.violations, 0);
}

/* Offers are large, and a worker whose queue runs over is cut. */
static void
one_that_does_not_read_is_offered_no_more_than_fits(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *giver = new_worker(f), *taker = new_worker(f);
	struct ipc_node_id to = taker->node->id;
	struct ipc_offer offer = { .peer = to, .token = TOKEN };
	static char who[IPC_OFFER_MAX / 8];
	struct ipc_message message;
	struct ipc_step step;
	unsigned offers = 0;
	size_t fd_count;

	hub_set_queue_max(f->hub, 65536);
	while (!peer_peek(giver, &message)) {
		assert_true(++offers < 30);
		peer_say(f, giver, IPC_OFFER, &offer, sizeof(offer), who,
		    sizeof(who));
		hub_turns(f, 2);
		(void)!ipc_in_read(&giver->in, giver->fd, NULL, 0, &fd_count);
	}
	assert_int_equal(message.type, IPC_STEP);
	memcpy(&step, message.body, sizeof(step));
	assert_int_equal(step.kind, IPC_STEP_NO);
	assert_int_equal(taker->node->state, NODE_WELCOME);
	hub_set_queue_max(f->hub, 32 << 20);
}

/* Read once; how many descriptors came. */
static size_t
read_once(struct peer *peer, int *fds)
{
	size_t count = 0;
	ssize_t n = ipc_in_read(&peer->in, peer->fd, fds, IPC_FDS_MAX, &count);

	assert_true(n > 0);
	return count;
}

static void
a_connection_arrives_with_its_socket(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *giver = new_worker(f), *taker = new_worker(f);
	struct ipc_node_id from = giver->node->id, to = taker->node->id;
	struct ipc_message message;
	struct ipc_give give;
	size_t before = open_fds();
	int fds[IPC_FDS_MAX];

	for (uint32_t n = 1; n <= IPC_FDS_TOGETHER; n++) {
		say_give(f, giver, &to, n, n);
		assert_true(hub_moves_idle(f->hub));
		assert_int_equal(read_once(taker, fds), n);
		assert_true(peer_peek(taker, &message));
		assert_int_equal(message.type, IPC_GIVE);
		memcpy(&give, message.body, sizeof(give));
		assert_true(node_id_equal(&give.peer, &from));
		assert_int_equal(give.fd_count, n);
		assert_memory_equal(message.body + sizeof(give), "state", 5);
		hub_close_fds(fds, n);
		assert_int_equal(open_fds(), before);
	}
}

static void
one_that_is_not_there_says_no(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *giver = new_worker(f), *program = new_program(f);
	struct peer *unready = peer_new(f);
	struct ipc_node_id self = giver->node->id, other = program->node->id;
	size_t before = open_fds();

	say_offer(f, giver, &nobody);
	expect_step(f, giver, &nobody, IPC_STEP_NO, false);
	say_offer(f, giver, &other);
	expect_step(f, giver, &other, IPC_STEP_NO, false);
	say_offer(f, giver, &unready->node->id);
	expect_step(f, giver, &unready->node->id, IPC_STEP_NO, false);
	say_offer(f, giver, &self);
	expect_step(f, giver, &self, IPC_STEP_NO, false);
	say_give(f, giver, &nobody, 1, 1);
	expect_step(f, giver, &nobody, IPC_STEP_NO, false);
	say_step(f, giver, &nobody, IPC_STEP_GO, true);
	expect_step(f, giver, &nobody, IPC_STEP_NO, false);
	say_step(f, giver, &nobody, IPC_STEP_ACCEPT, false);
	expect_step(f, giver, &nobody, IPC_STEP_NO, true);
	/* A no needs no answer. */
	say_step(f, giver, &nobody, IPC_STEP_NO, true);
	peer_expect_nothing(f, giver);
	peer_expect_nothing(f, unready);
	assert_int_equal(f->stats.moves, 0);
	assert_int_equal(open_fds(), before);
}

/* ---- ends -------------------------------------------------------------- */

static void
all_workers_hear_of_one_that_has_gone_after_its_last_words(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = new_worker(f), *b = new_worker(f), *c = new_worker(f);
	struct peer *program = new_program(f);
	struct ipc_node_id gone = a->node->id, to = b->node->id;

	peer_join(f, b, "t:x");
	peer_join(f, program, "t:x");
	peer_publish(f, a, "t:x", 1, "1", 1);
	say_step(f, a, &to, IPC_STEP_GO, true);
	(void)close(a->fd);
	a->fd = -1;
	hub_turns(f, 3);
	assert_null(a->node);
	assert_int_equal(peer_expect_envelope(f, b).head.seq, 1);
	expect_step(f, b, &gone, IPC_STEP_GO, true);
	expect_step(f, b, &gone, IPC_STEP_GONE, false);
	expect_step(f, c, &gone, IPC_STEP_GONE, false);
	(void)peer_expect_envelope(f, program);
	program->steps = true;
	peer_expect_nothing(f, program);
	peer_expect_nothing(f, b);
}

static void
nobody_hears_of_a_program_that_has_gone(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = new_worker(f), *program = new_program(f);

	hub_close(program->node, "bye");
	hub_turns(f, 2);
	assert_null(program->node);
	peer_expect_nothing(f, a);
}

static void
cut_off(struct hub_fixture *f, struct peer *bad, const char *why)
{
	hub_turns(f, 3);
	assert_null(bad->node);
	assert_string_equal(bad->gone_why, why);
	assert_int_equal(f->stats.violations, ++violations);
}

static void
a_program_that_moves_connections_is_cut_off(void **state)
{
	static const char why[] = "moves connections and is no worker";
	struct hub_fixture *f = *state;
	struct peer *worker = new_worker(f), *p = new_program(f);
	struct ipc_node_id to = worker->node->id;
	size_t before = open_fds();

	say_offer(f, p, &to);
	cut_off(f, p, why);
	p = new_program(f);
	say_step(f, p, &to, IPC_STEP_GO, true);
	cut_off(f, p, why);
	p = new_program(f);
	say_give(f, p, &to, 1, 0);
	cut_off(f, p, why);
	p = new_program(f);
	say_give(f, p, &to, 1, 1);
	cut_off(f, p, why);
	/* Of the four only our ends are still open. */
	assert_int_equal(open_fds(), before + 3 - 1);
	peer_expect_nothing(f, worker);
}

static void
a_connection_without_its_socket_ends_who_gave_it(void **state)
{
	static const char why[] = "gave a connection without a socket";
	struct hub_fixture *f = *state;
	struct peer *taker = new_worker(f), *bad;
	struct ipc_node_id to = taker->node->id;

	static const struct {
		uint32_t claimed;
		size_t sent;
	} cases[] = { { 1, 0 }, { 2, 1 }, { 0, 0 }, { 0, 1 }, { 3, 3 },
		{ UINT32_MAX, 2 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t before = open_fds();

		bad = new_worker(f);
		say_give(f, bad, &to, cases[i].claimed, cases[i].sent);
		cut_off(f, bad, why);
		(void)close(bad->fd);
		bad->fd = -1;
		assert_int_equal(open_fds(), before);
		expect_step(f, taker,
		    &(struct ipc_node_id){ PEER_HOST, (uint16_t)(i + 1), 1 },
		    IPC_STEP_GONE, false);
	}
	peer_expect_nothing(f, taker);
}

static void
without_a_descriptor_for_it_the_hub_says_no_to_both(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *giver = new_worker(f), *taker = new_worker(f);
	const struct ipc_node_id a = giver->node->id, b = taker->node->id;
	struct ipc_give give = { .peer = b, .token = TOKEN, .fd_count = 1 };
	struct rlimit old;
	struct buf out;

	if (fd_limit_is_kept_elsewhere())
		return;
	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append(&out, IPC_GIVE, &give, sizeof(give),
			     "state", 5, NULL, 0),
	    0);
	assert_int_equal(net_send_fds(giver->fd, buf_data(&out), out.len,
			     &giver->fd, 1),
	    out.len);
	buf_release(&out);
	assert_true(fd_limit_begin(0, &old));
	hub_turns(f, 2);
	fd_limit_end(&old);
	expect_step(f, giver, &b, IPC_STEP_NO, false);
	expect_step(f, taker, &a, IPC_STEP_NO, true);
	say_give(f, giver, &b, 1, 1); /* and the next one finds its way */
	peer_expect(f, taker, IPC_GIVE, NULL, 0);
	assert_int_equal(f->stats.violations, 0);
	assert_int_equal(f->gones, 0);
}

static void
descriptors_that_nobody_takes_are_bounded(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *bad = new_worker(f);
	struct ipc_header head = { .type = IPC_READY };
	size_t before = open_fds();
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), i = 0;

	while (bad->node != NULL && i++ <= IPC_FDS_WAITING) {
		assert_int_equal(net_send_fds(bad->fd, &head, sizeof(head), &fd,
				     1),
		    sizeof(head));
		hub_turns(f, 2);
		assert_true(bad->node == NULL || !hub_moves_idle(f->hub));
	}
	assert_int_equal(i, IPC_FDS_WAITING + 1);
	(void)close(fd);
	cut_off(f, bad, "too many descriptors");
	assert_true(hub_moves_idle(f->hub));
	assert_int_equal(open_fds(), before - 1);
}

static void
steps_that_only_the_hub_takes_end_who_says_them(void **state)
{
	static const unsigned kinds[] = { 0, IPC_STEP_CUT, IPC_STEP_GONE,
		IPC_STEP_GONE + 1, UINT16_MAX };
	struct hub_fixture *f = *state;
	struct peer *other = peer_new(f), *bad;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		bad = new_worker(f);
		say_step(f, bad, &other->node->id, kinds[i], i % 2 != 0);
		cut_off(f, bad, "a step that only the hub takes");
	}
	peer_expect_nothing(f, other);
}

static void
an_order_names_those_that_are_on_the_bus(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = new_worker(f), *b = new_worker(f);
	struct peer *stranger = peer_stranger(f);
	struct hub_node *targets[4] = { b->node, stranger->node, NULL,
		a->node };
	struct ipc_node_id ids[2];
	struct ipc_message message;
	struct ipc_move move;

	hub_send_move(a->node, 5, 6, targets, 4);
	message = peer_next(f, a);
	assert_int_equal(message.type, IPC_MOVE);
	assert_int_equal(message.len, sizeof(move) + sizeof(ids));
	memcpy(&move, message.body, sizeof(move));
	memcpy(ids, message.body + sizeof(move), sizeof(ids));
	assert_int_equal(move.count, 5);
	assert_int_equal(move.rate, 6);
	assert_true(node_id_equal(&ids[0], &b->node->id));
	assert_true(node_id_equal(&ids[1], &a->node->id));
	hub_send_move(a->node, 0, 0, NULL, 0);
	peer_expect(f, a, IPC_MOVE, &move, sizeof(move));
	assert_int_equal(move.count, 0);
	peer_say(f, a, IPC_LEAVING, NULL, 0, NULL, 0);
	hub_turns(f, 1);
	assert_int_equal(f->leavings, 1);
}

static int
setup(void **state)
{
	violations = 0;
	return hub_fixture_setup(state);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(steps_go_to_the_peer_with_the_sayers_name),
		TEST(a_connection_arrives_with_its_socket),
		TEST(one_that_does_not_read_is_offered_no_more_than_fits),
		TEST(one_that_is_not_there_says_no),
		TEST(
		    all_workers_hear_of_one_that_has_gone_after_its_last_words),
		TEST(nobody_hears_of_a_program_that_has_gone),
		TEST(a_program_that_moves_connections_is_cut_off),
		TEST(a_connection_without_its_socket_ends_who_gave_it),
		TEST(without_a_descriptor_for_it_the_hub_says_no_to_both),
		TEST(descriptors_that_nobody_takes_are_bounded),
		TEST(steps_that_only_the_hub_takes_end_who_says_them),
		TEST(an_order_names_those_that_are_on_the_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

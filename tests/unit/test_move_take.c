/*
 * test_move_take.c - the taker's side of a move: every stage, and every thing
 * that may happen in it; and whose envelopes are for the client in each.
 */
#include "take_rig.h"

#include <errno.h>

#include "worker/drain.h"

static const enum move_stage stages[] = { MOVE_JOINING, MOVE_ACCEPTED,
	MOVE_TAKEN };

#define FOR_EACH_STAGE(state, p, i)                                            \
	for (size_t i = 0; i < ARRAY_LEN(stages); i++,                         \
		    assert_int_equal(pair_teardown(state), 0),                 \
		    assert_int_equal(pair_setup(state), 0), (p) = *(state))

static void
a_no_leaves_nothing_behind_in_any_stage(void **state)
{
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		(void)client_in(p, stages[i]);
		hear_step(p->b, &p->a->id, TOKEN + 1, IPC_STEP_NO, true);
		hear_step(p->b, &pair_third, TOKEN, IPC_STEP_NO, true);
		hear_step(p->b, &p->a->id, TOKEN, IPC_STEP_NO, false);
		assert_int_equal(p->b->clients.count, 1); /* all others' */
		hear_kind(p, IPC_STEP_NO);
		/* The giver has it, so it was not let fall. */
		assert_int_equal(p->b->stats->moves_dropped, 0);
		check_nothing(p);
	}
}

static void
a_giver_or_a_hub_that_goes_leaves_nothing_behind(void **state)
{
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		(void)client_in(p, stages[i]);
		hear_step(p->b, &pair_third, 0, IPC_STEP_GONE, false);
		assert_int_equal(p->b->clients.count, 1);
		hear_step(p->b, &p->a->id, 0, IPC_STEP_GONE, false);
		assert_int_equal(p->b->stats->moves_dropped,
		    stages[i] == MOVE_TAKEN);
		check_nothing(p);
	}
	FOR_EACH_STAGE(state, p, i)
	{
		(void)client_in(p, stages[i]);
		if (stages[i] != MOVE_JOINING)
			fake_link_go_away(p->b);
		move_on_away(p->b);
		assert_int_equal(p->b->stats->moves_dropped,
		    stages[i] == MOVE_TAKEN);
		check_nothing(p);
	}
}

static void
a_giver_that_says_nothing_is_not_waited_for_forever(void **state)
{
	struct pair *p = *state;

	(void)client_in(p, MOVE_ACCEPTED);
	(void)fake_link_said(p->b->link);
	pair_later(p, MOVE_STEP_MS * 2 - 1);
	move_turn(p->b);
	assert_int_equal(p->b->clients.count, 1);
	pair_later(p, 1);
	fake_link_answer_all(p->b);
	move_turn(p->b);
	assert_non_null(strstr(fake_link_said(p->b->link), "step no 1 1\n"));
	check_nothing(p);
}

/* It may have heard TAKEN, and then it has no connection any more. */
static void
a_giver_that_may_have_said_go_is_waited_for(void **state)
{
	struct pair *p = *state;

	(void)client_in(p, MOVE_TAKEN);
	(void)fake_link_said(p->b->link);
	pair_later(p, MOVE_STEP_MS * 100);
	fake_link_answer_all(p->b);
	move_turn(p->b);
	assert_int_equal(p->b->clients.count, 1);
	assert_null(strstr(fake_link_said(p->b->link), "step no"));
	hear_kind(p, IPC_STEP_NO);
	check_nothing(p);
}

static void
steps_out_of_their_order_do_no_harm(void **state)
{
	static const unsigned kinds[] = { IPC_STEP_ACCEPT, IPC_STEP_TAKEN, 99 };
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);

		for (size_t n = 0; n < ARRAY_LEN(kinds); n++)
			hear_kind(p, kinds[n]);
		if (stages[i] != MOVE_TAKEN)
			hear_kind(p, IPC_STEP_GO);
		if (stages[i] != MOVE_ACCEPTED)
			hear_give(p);
		assert_ptr_equal(p->b->clients.all[0], client);
		assert_int_equal(client->move->stage, stages[i]);
		assert_int_equal(client->state, CLIENT_MOVING);
		assert_int_equal(fake_ws_move.ins, 0);
		hear_kind(p, IPC_STEP_NO);
		check_nothing(p);
	}
}

static void
one_that_is_not_known_is_answered_by_no_and_its_socket_closed(void **state)
{
	struct pair *p = *state;

	prepare(p);
	hear_give(p);
	assert_string_equal(fake_link_said(p->b->link), "step no 1 1\n");
	hear_kind(p, IPC_STEP_GO);
	assert_string_equal(fake_link_said(p->b->link), "step no 1 1\n");
	hear_kind(p, IPC_STEP_NO);
	hear_kind(p, IPC_STEP_CUT);
	assert_string_equal(fake_link_said(p->b->link), "");
	check_nothing(p);
}

static void
who_cannot_take_refuses_and_counts(void **state)
{
	struct pair *p = *state;
	uint64_t refused = 0;

	prepare(p);
	for (int i = 0; i < 8; i++) {
		struct worker *b = p->b;
		struct ws *ws = b->ws;

		b->ready = i != 0;
		b->drain.active = i == 1;
		b->config->move_clients = i != 2;
		b->ws = i == 3 ? NULL : ws;
		fake_ws_move.works = i != 4;
		b->mover.wanted = i == 5;
		b->config->max_clients = i == 6 ? 0 : 1000;
		b->mover.in_count = i == 7 ? MOVES_IN_MAX : 0;
		hear_offer(p);
		assert_string_equal(fake_link_said(b->link), "step no 1 1\n");
		assert_int_equal(b->stats->moves_refused, ++refused);
		assert_int_equal(b->clients.count, 0);
		b->ws = ws;
		b->mover.in_count = 0;
		b->drain.active = false;
	}
	fake_ws_move.works = true;
	/* Bytes that say nothing. */
	for (size_t len = 0; len < offer.len; len++) {
		struct ipc_offer head = { .peer = p->a->id, .token = TOKEN };

		move_on_offer(p->b, &head, offer.bytes, len);
		assert_int_equal(p->b->stats->moves_refused, ++refused);
		assert_non_null(
		    strstr(fake_link_said(p->b->link), "step no 1 1\n"));
		fake_link_answer_all(p->b);
	}
	check_nothing(p);
}

static void
a_state_that_says_nothing_is_refused_and_its_socket_closed(void **state)
{
	struct pair *p = *state;
	size_t whole;

	(void)client_in(p, MOVE_ACCEPTED);
	whole = give.len;
	for (give.len = 0; give.len < whole; give.len++) {
		fake_link_answer_all(p->b);
		(void)fake_link_said(p->b->link);
		hear_give(p);
		assert_non_null(
		    strstr(fake_link_said(p->b->link), "step no 1 1\n"));
		assert_int_equal(p->b->clients.count, 0);
		assert_int_equal(p->b->stats->moves_dropped, 0);
		hear_offer(p);
		hear_kind(p, IPC_STEP_CUT);
	}
	hear_kind(p, IPC_STEP_NO);
	check_nothing(p);
}

static void
a_file_that_lies_about_its_size_is_refused(void **state)
{
	static const uint64_t lens[] = { 0, 1, 4097, UINT64_MAX };
	struct pair *p = *state;

	prepare(p);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		struct ipc_give head = give.give;
		int fds[2] = { fcntl(give.fds[0], F_DUPFD_CLOEXEC, 0),
			open("/dev/null", O_RDONLY | O_CLOEXEC) };

		hear_offer(p);
		hear_kind(p, IPC_STEP_CUT);
		head.peer = p->a->id;
		head.fd_count = 2;
		head.state_len = lens[i];
		move_on_give(p->b, &head, NULL, 0, fds);
		assert_int_equal(p->b->clients.count, 0);
		fake_link_answer_all(p->b);
	}
	check_nothing(p);
}

/* It would never be readable, or always. */
static void
what_is_no_connection_is_refused(void **state)
{
	struct pair *p = *state;
	struct ipc_give head;
	int fds[2], strange[4];

	prepare(p);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	(void)close(fds[1]);
	strange[0] = fds[0];
	strange[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	strange[2] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strange[3] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(listen(strange[3], 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
		hear_offer(p);
		hear_kind(p, IPC_STEP_CUT);
		head = give.give;
		head.peer = p->a->id;
		head.fd_count = 1;
		(void)fake_link_said(p->b->link);
		move_on_give(p->b, &head, give.bytes, give.len, &strange[i]);
		assert_non_null(
		    strstr(fake_link_said(p->b->link), "step no 1 1\n"));
		assert_int_equal(p->b->clients.count, 0);
		fake_link_answer_all(p->b);
	}
	check_nothing(p);
}

static void
one_that_cannot_be_served_is_told_to_come_back_and_counted(void **state)
{
	struct pair *p = *state;
	unsigned char bytes[8];
	int fd[2];

	for (int tail = 0; tail < 2; tail++) {
		fake_ws_move.tail_len = tail != 0 ? 5 : 0;
		(void)client_in(p, MOVE_TAKEN);
		assert_int_equal(socketpair(AF_UNIX,
				     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				     0, fd),
		    0);
		assert_int_not_equal(dup3(fd[0], p->b->clients.all[0]->fd,
					 O_CLOEXEC),
		    -1);
		(void)close(fd[0]);
		fake_ws_move.in_rc = -ENOMEM;
		hear_kind(p, IPC_STEP_GO);
		/* Not in the middle of a frame. */
		assert_int_equal(read(fd[1], bytes, sizeof(bytes)),
		    tail != 0 ? 0 : 4);
		if (tail == 0)
			assert_memory_equal(bytes, "\x88\x02\x03\xe9", 4);
		(void)close(fd[1]);
		assert_int_equal(p->b->stats->moves_lost, 1);
		check_nothing(p);
		assert_int_equal(pair_teardown(state), 0);
		assert_int_equal(pair_setup(state), 0);
		p = *state;
	}
}

static void
one_that_is_closed_on_its_way_closes_when_it_is_here(void **state)
{
	struct pair *p = *state;
	struct client *client = client_in(p, MOVE_TAKEN);

	client_close(client, CLOSE_POLICY, "out", false);
	assert_int_equal(client->state, CLIENT_MOVING);
	hear_kind(p, IPC_STEP_GO);
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_non_null(strstr(fixture_got(client), "<close 1008 out>"));
	assert_int_equal(p->b->stats->moved_in, 1);
	fake_said_release(&offer);
	fake_said_release(&give);
}

static void
a_worker_that_drains_by_then_asks_it_to_go(void **state)
{
	struct pair *p = *state;
	struct client *client = client_in(p, MOVE_TAKEN);

	p->b->drain.active = true;
	p->b->drain.window_ms = 1000;
	hear_kind(p, IPC_STEP_GO);
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_int_equal(client->close_code, CLOSE_GOING_AWAY);
	p->b->drain.active = false;
	fake_said_release(&offer);
	fake_said_release(&give);
}

/* What it takes: from here, from a third, from the giver. */
static void
expect_takes(struct pair *p, const struct client *client, const char *whose)
{
	char got[4] = "---";

	if (move_takes(client, NULL))
		got[0] = 'h';
	if (move_takes(client, &pair_third))
		got[1] = 'o';
	if (move_takes(client, &p->a->id))
		got[2] = 'g';
	assert_string_equal(got, whose);
}

static void
whose_envelopes_are_for_it_follows_from_the_steps(void **state)
{
	struct pair *p = *state;
	struct client *client = client_in(p, MOVE_JOINING);

	expect_takes(p, client, "---");
	fake_link_room = FAKE_LINK_ROOM;
	fake_link_come_back(p->b);
	move_turn(p->b);
	assert_int_equal(client->move->stage, MOVE_ACCEPTED);
	expect_takes(p, client, "h--");
	hear_kind(p, IPC_STEP_CUT);
	expect_takes(p, client, "ho-");
	assert_int_equal(p->b->stats->clients, 1);
	hear_give(p);
	expect_takes(p, client, "hog");
	hear_kind(p, IPC_STEP_GO);
	assert_null(client->move);
	fake_said_release(&offer);
	fake_said_release(&give);
	/* The giver keeps it whole until it has gone. */
	client->settle_ms = client_now(p->b);
	move_on_order(p->b, &(struct ipc_move){ .count = 1 }, &p->a->id, 1);
	move_turn(p->b);
	expect_takes(p, client, "hog");
	hear_step(p->b, &p->a->id, p->b->mover.token, IPC_STEP_ACCEPT, false);
	assert_int_equal(client->state, CLIENT_MOVING);
	expect_takes(p, client, "hog");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(a_no_leaves_nothing_behind_in_any_stage),
		PAIR_TEST(a_giver_or_a_hub_that_goes_leaves_nothing_behind),
		PAIR_TEST(a_giver_that_says_nothing_is_not_waited_for_forever),
		PAIR_TEST(a_giver_that_may_have_said_go_is_waited_for),
		PAIR_TEST(steps_out_of_their_order_do_no_harm),
		PAIR_TEST(
		    one_that_is_not_known_is_answered_by_no_and_its_socket_closed),
		PAIR_TEST(who_cannot_take_refuses_and_counts),
		PAIR_TEST(
		    a_state_that_says_nothing_is_refused_and_its_socket_closed),
		PAIR_TEST(a_file_that_lies_about_its_size_is_refused),
		PAIR_TEST(what_is_no_connection_is_refused),
		PAIR_TEST(
		    one_that_cannot_be_served_is_told_to_come_back_and_counted),
		PAIR_TEST(one_that_is_closed_on_its_way_closes_when_it_is_here),
		PAIR_TEST(a_worker_that_drains_by_then_asks_it_to_go),
		PAIR_TEST(whose_envelopes_are_for_it_follows_from_the_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

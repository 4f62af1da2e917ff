/*
 * test_move_give.c - the giver's side of a move: every stage, and every thing
 * that may happen in it; and the order that starts moves.
 *
 * Worker a is under test; what worker b would say is said by the test.
 */
#include "pair_rig.h"

#include <errno.h>

#include "worker/membership.h"
#include "worker/move_internal.h"
#include "worker/reply.h"

enum {
	TOKEN = 1
};

/* Bring a's client to this stage of a move to b. */
static struct client *
client_in(struct pair *p, enum move_stage stage)
{
	struct client *client = pair_client(p->a);

	if (stage == MOVE_QUIETING)
		fake_ws_move.fit = WS_FIT_SOON;
	pair_order(p, 1, 0);
	client->move_tries = stage == MOVE_QUIETING; /* the second time */
	move_turn(p->a);
	assert_non_null(client->move);
	if (stage == MOVE_GIVEN)
		hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_ACCEPT, false);
	assert_int_equal(client->move->stage, stage);
	assert_int_equal(client->paused, stage == MOVE_QUIETING);
	assert_int_equal(client->state,
	    stage == MOVE_GIVEN ? CLIENT_MOVING : CLIENT_OPEN);
	(void)fake_link_said(p->a->link);
	return client;
}

/* It is a's as before, was counted once, and nobody was told GO. */
static void
check_stays(struct pair *p, const struct client *client, enum move_stage stage)
{
	const struct stats_worker *stats = p->a->stats;

	assert_null(strstr(fake_link_said(p->a->link), "step go"));
	assert_ptr_equal(p->a->clients.all[0], client);
	assert_int_equal(stats->moves_refused, 1);
	assert_int_equal(stats->moves_back, stage == MOVE_GIVEN);
	assert_int_equal(stats->moved_out, 0);
	assert_int_equal(stats->moves_lost, 0);
	assert_int_equal(stats->clients, 1);
	assert_int_equal(client->move_tries, stage == MOVE_QUIETING ? 2 : 1);
	pair_check_rest(p->a);
}

static const enum move_stage stages[] = { MOVE_QUIETING, MOVE_OFFERED,
	MOVE_GIVEN };

/* For each stage anew. */
#define FOR_EACH_STAGE(state, p, i)                                            \
	for (size_t i = 0; i < ARRAY_LEN(stages); i++,                         \
		    assert_int_equal(pair_teardown(state), 0),                 \
		    assert_int_equal(pair_setup(state), 0), (p) = *(state))

static void
a_client_moves_and_nothing_of_it_stays(void **state)
{
	struct pair *p = *state;
	struct client *client = pair_client(p->a);
	struct client *came;

	pair_order(p, 1, 0);
	move_turn(p->a);
	assert_int_equal(client->move->stage, MOVE_OFFERED);
	assert_int_equal(p->a->stats->moving, 1);
	assert_int_equal(pair_pass(p), 100 + IPC_OFFER);
	assert_string_equal(fake_link_said(p->b->link),
	    "join t:x\njoin n:0000002a-1-3\nstep accept 1 1\n");
	assert_int_equal(pair_pass(p), IPC_STEP_ACCEPT);
	assert_int_equal(client->state, CLIENT_MOVING);
	assert_int_equal(p->a->stats->clients, 0);
	assert_int_equal(pair_pass(p), 100 + IPC_GIVE);
	assert_int_equal(pair_pass(p), IPC_STEP_TAKEN);
	assert_int_equal(p->a->clients.count, 0);
	assert_string_equal(fake_link_said(p->a->link),
	    "offer 2 1\ngive 2 1 fds 1\nstep go 2 1 by giver\nleave t:x\n");
	assert_int_equal(fake_ws_move.ins, 0); /* until GO */
	assert_int_equal(pair_pass(p), IPC_STEP_GO);
	assert_int_equal(pair_pass(p), 0);
	came = p->b->clients.all[0];
	assert_int_equal(came->state, CLIENT_OPEN);
	assert_int_equal(p->b->stats->clients, 1);
	assert_int_equal(p->a->stats->moved_out, 1);
	assert_int_equal(p->a->moved_away, 1);
	assert_int_equal(p->b->stats->moved_in, 1);
	assert_int_equal(open_fds(), p->fds_before + 1);
	pair_check_rest(p->a);
	pair_check_rest(p->b);
}

static void
a_no_leaves_it_where_it_is(void **state)
{
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);

		hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_NO, false);
		check_stays(p, client, stages[i]);
		/* What comes after it is answered by no. */
		hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_TAKEN, false);
		assert_string_equal(fake_link_said(p->a->link),
		    "step no 2 1 by giver\n");
		assert_int_equal(client->state, CLIENT_OPEN);
	}
}

static void
a_taker_or_a_hub_that_goes_leaves_it_where_it_is(void **state)
{
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);

		hear_step(p->a, &pair_third, 0, IPC_STEP_GONE, false);
		assert_non_null(client->move); /* somebody else */
		hear_step(p->a, &p->b->id, 0, IPC_STEP_GONE, false);
		check_stays(p, client, stages[i]);
		assert_int_equal(p->a->mover.target_count, 0);
		assert_int_equal(p->a->mover.wanted, 0);
	}
	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);

		fake_link_go_away(p->a);
		move_on_away(p->a);
		check_stays(p, client, stages[i]);
		fake_link_come_back(p->a);
	}
}

static void
a_step_that_takes_too_long_is_called_off(void **state)
{
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);
		uint64_t limit =
		    stages[i] == MOVE_QUIETING ? MOVE_QUIET_MS : MOVE_STEP_MS;

		pair_later(p, limit - 1);
		move_turn(p->a);
		assert_non_null(client->move);
		pair_later(p, 1);
		p->a->mover.wanted = 0; /* not again at once */
		move_give_look(client->move);
		if (stages[i] != MOVE_QUIETING)
			assert_string_equal(fake_link_said(p->a->link),
			    "step no 2 1 by giver\n");
		check_stays(p, client, stages[i]);
	}
}

static void
one_that_changes_or_is_closed_meanwhile_is_not_given_away(void **state)
{
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);

		if (stages[i] == MOVE_QUIETING)
			continue; /* nothing has been said of it */
		assert_int_equal(membership_put(p->a, client, "r:y", 3), 0);
		hear_step(p->a, &p->b->id, TOKEN,
		    stages[i] == MOVE_GIVEN ? IPC_STEP_TAKEN : IPC_STEP_ACCEPT,
		    false);
		assert_non_null(strstr(fake_link_said(p->a->link),
		    "step no 2 1 by giver\n"));
		check_stays(p, client, stages[i]);
	}
	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);

		client_close(client, CLOSE_POLICY, "out", false);
		if (stages[i] == MOVE_QUIETING) {
			pair_later(p, MOVE_QUIET_MS);
			move_turn(p->a);
		} else {
			hear_step(p->a, &p->b->id, TOKEN,
			    stages[i] == MOVE_GIVEN ? IPC_STEP_TAKEN :
						      IPC_STEP_ACCEPT,
			    false);
		}
		assert_int_equal(client->state, CLIENT_CLOSING);
		check_stays(p, client, stages[i]);
		assert_non_null(
		    strstr(fixture_got(client), "<close 1008 out>"));
	}
}

static void
one_that_closes_ends_its_move(void **state)
{
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		if (stages[i] == MOVE_GIVEN)
			continue; /* nobody would see it */
		pair_gone(client_in(p, stages[i]));
		assert_non_null(strstr(fake_link_said(p->a->link),
		    "step no 2 1 by giver\n"));
		assert_int_equal(p->a->clients.count, 0);
		pair_check_rest(p->a);
		hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_ACCEPT, false);
		assert_non_null(strstr(fake_link_said(p->a->link),
		    "step no 2 1 by giver\n"));
	}
}

static void
steps_out_of_their_order_do_no_harm(void **state)
{
	static const unsigned kinds[] = { IPC_STEP_TAKEN, IPC_STEP_GO,
		IPC_STEP_CUT, 99 };
	struct pair *p = *state;

	FOR_EACH_STAGE(state, p, i)
	{
		struct client *client = client_in(p, stages[i]);
		uint8_t was = client->state;

		for (size_t n = 0; n < ARRAY_LEN(kinds); n++) {
			if (stages[i] == MOVE_GIVEN &&
			    kinds[n] == IPC_STEP_TAKEN)
				continue; /* in its order */
			hear_step(p->a, &p->b->id, TOKEN, kinds[n], false);
			hear_step(p->a, &p->b->id, TOKEN + 1, kinds[n], true);
		}
		assert_non_null(client->move);
		assert_int_equal(client->state, was);
		assert_null(strstr(fake_link_said(p->a->link), "step go"));
		/* ACCEPT twice gives it once. */
		hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_ACCEPT, false);
		assert_int_equal(fake_ws_move.outs, stages[i] != MOVE_QUIETING);
		assert_int_equal(p->a->stats->moved_out, 0);
	}
}

static void
what_cannot_be_sent_is_taken_back(void **state)
{
	static const enum fake_link_room rooms[] = { FAKE_LINK_NO_GIVE,
		FAKE_LINK_FULL, FAKE_LINK_STUCK };
	struct pair *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		struct client *client = client_in(p, MOVE_OFFERED);

		fake_link_room = rooms[i];
		hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_ACCEPT, false);
		check_stays(p, client, MOVE_GIVEN);
		assert_int_equal(pair_teardown(state), 0);
		assert_int_equal(pair_setup(state), 0);
		p = *state;
	}
	/* GO cannot be said: then it is not the taker's. */
	{
		struct client *client = client_in(p, MOVE_GIVEN);

		fake_link_room = FAKE_LINK_STUCK;
		hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_TAKEN, false);
		check_stays(p, client, MOVE_GIVEN);
	}
}

static void
one_that_cannot_be_taken_out_stays(void **state)
{
	struct pair *p = *state;
	struct client *client = client_in(p, MOVE_OFFERED);

	fake_ws_move.out_rc = -ENOMEM;
	hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_ACCEPT, false);
	assert_int_equal(fake_ws_move.outs, 0);
	assert_int_equal(client->state, CLIENT_OPEN);
	assert_string_equal(fake_link_said(p->a->link),
	    "step no 2 1 by giver\n");
	check_stays(p, client, MOVE_OFFERED);
}

static void
one_that_cannot_be_taken_back_is_closed_and_counted(void **state)
{
	struct pair *p = *state;

	(void)client_in(p, MOVE_GIVEN);
	fake_ws_move.in_rc = -ENOMEM;
	hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_NO, false);
	assert_int_equal(p->a->clients.count, 0);
	assert_int_equal(p->a->stats->moves_lost, 1);
	fake_link_moves_reset(NULL);
	assert_int_equal(open_fds(), p->fds_before);
	pair_check_rest(p->a);
	/* The same at the moment when it cannot be sent. */
	fake_ws_move.in_rc = 0;
	(void)pair_client(p->a);
	pair_order(p, 1, 0);
	move_turn(p->a);
	fake_link_room = FAKE_LINK_NO_GIVE;
	fake_ws_move.in_rc = -ENOMEM;
	hear_step(p->a, &p->b->id, TOKEN + 1, IPC_STEP_ACCEPT, false);
	assert_int_equal(p->a->stats->moves_lost, 2);
	assert_int_equal(p->a->clients.count, 0);
	fake_link_moves_reset(NULL);
	assert_int_equal(open_fds(), p->fds_before);
}

static void
a_large_state_goes_as_a_file(void **state)
{
	struct pair *p = *state;
	struct client *client = client_in(p, MOVE_OFFERED);
	struct client *came;

	for (int i = 0; i < 50; i++) {
		fake_ws_wire(client)->next = FAKE_WS_PARTIAL;
		client_push_own(client,
		    reply_evt("large", 5, (char[1001]){ "\"" }, 1000));
	}
	assert_true(client->outbox.bytes > IPC_GIVE_MAX);
	pair_pass_all(p);
	assert_non_null(strstr(fake_link_said(p->a->link), "give 2 1 fds 2\n"));
	assert_int_equal(p->a->clients.count, 0);
	came = p->b->clients.all[0];
	assert_int_equal(came->outbox.count, 50);
	assert_int_equal(open_fds(), p->fds_before + 1);
}

/* Answers are always due to it: each time they have longer to come. */
static void
one_that_has_to_leave_is_left_unread_for_longer_each_time(void **state)
{
	struct pair *p = *state;
	struct client *client = client_in(p, MOVE_QUIETING);

	p->a->mover.wanted = UINT32_MAX;
	for (unsigned wait = MOVE_QUIET_MS; wait <= 4 * MOVE_QUIET_MS;
	     wait *= 2) {
		pair_later(p, wait - 1);
		move_give_look(client->move);
		assert_true(client->paused);
		pair_later(p, 1);
		move_give_look(client->move);
		assert_false(client->paused);
		move_give_begin(client, &p->b->id);
		assert_int_equal(client->move->stage, MOVE_QUIETING);
	}
	/* But not for longer than the worker tries to move it at all. */
	p->a->mover.began_ms = p->a->now_ms - p->a->config->move_timeout;
	move_give_look(client->move);
	assert_null(client->move);
	assert_false(client->paused);
	p->a->mover.wanted = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(a_client_moves_and_nothing_of_it_stays),
		PAIR_TEST(a_no_leaves_it_where_it_is),
		PAIR_TEST(a_taker_or_a_hub_that_goes_leaves_it_where_it_is),
		PAIR_TEST(a_step_that_takes_too_long_is_called_off),
		PAIR_TEST(
		    one_that_changes_or_is_closed_meanwhile_is_not_given_away),
		PAIR_TEST(one_that_closes_ends_its_move),
		PAIR_TEST(steps_out_of_their_order_do_no_harm),
		PAIR_TEST(what_cannot_be_sent_is_taken_back),
		PAIR_TEST(one_that_cannot_be_taken_out_stays),
		PAIR_TEST(one_that_cannot_be_taken_back_is_closed_and_counted),
		PAIR_TEST(a_large_state_goes_as_a_file),
		PAIR_TEST(
		    one_that_has_to_leave_is_left_unread_for_longer_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

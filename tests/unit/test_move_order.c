/*
 * test_move_order.c - what a worker does about the order to move clients.
 */
#include "pair_rig.h"

enum {
	CLIENTS = 100
};

static void
accept_clients(struct worker *worker, unsigned count)
{
	while (count-- > 0)
		(void)pair_client(worker);
}

/* How many offers a has made to this worker since the last call. */
static unsigned
offers(struct pair *p, const struct ipc_node_id *to)
{
	struct fake_said said;
	unsigned n = 0;

	while (fake_link_take(p->a->link, &said)) {
		n += said.type == IPC_OFFER &&
		    node_id_equal(&said.offer.peer, to);
		fake_said_release(&said);
	}
	return n;
}

/* Until nothing is on its way any more. */
static void
run(struct pair *p)
{
	for (int i = 0; i < 50; i++) {
		pair_turns(p);
		pair_pass_all(p);
		pair_later(p, MOVE_TICK_MS);
	}
	pair_check_rest(p->a);
	pair_check_rest(p->b);
}

static void
so_many_go_as_were_ordered(void **state)
{
	struct pair *p = *state;

	accept_clients(p->a, CLIENTS);
	pair_order(p, 40, 0);
	move_turn(p->a);
	assert_int_equal(p->a->mover.out_count, MOVES_OUT_MAX);
	assert_int_equal(p->a->mover.wanted, 40 - MOVES_OUT_MAX);
	assert_true(ev_is_active(&p->a->mover.tick));
	run(p);
	assert_int_equal(p->a->stats->moved_out, 40);
	assert_int_equal(p->b->stats->moved_in, 40);
	assert_int_equal(p->a->clients.count, CLIENTS - 40);
	assert_false(ev_is_active(&p->a->mover.tick));
	pair_order(p, UINT32_MAX, 0);
	run(p);
	assert_int_equal(p->a->clients.count, 0);
	assert_int_equal(p->b->clients.count, CLIENTS);
}

static void
an_order_for_more_than_there_are_ends(void **state)
{
	struct pair *p = *state;
	struct client *stuck;

	accept_clients(p->a, 3);
	stuck = pair_client(p->a);
	stuck->tls = true;
	pair_order(p, 10, 0);
	run(p);
	assert_int_equal(p->a->stats->moved_out, 3);
	assert_ptr_equal(p->a->clients.all[0], stuck);
	assert_int_equal(p->a->mover.wanted, 0);
	assert_false(ev_is_active(&p->a->mover.tick));
}

static void
not_more_a_second_go_than_the_rate_allows(void **state)
{
	struct pair *p = *state;

	accept_clients(p->a, CLIENTS);
	pair_order(p, CLIENTS, 20);
	for (int ms = 0; ms < 2000; ms++) {
		pair_turns(p);
		pair_pass_all(p);
		pair_later(p, 1);
		assert_true(
		    p->a->stats->moved_out <= (uint64_t)ms * 20 / 1000 + 1);
	}
	assert_in_range(p->a->stats->moved_out, 38, 41);
}

static void
targets_take_turns_and_one_that_goes_is_left_out(void **state)
{
	struct pair *p = *state;
	struct ipc_node_id targets[] = { p->b->id, pair_third, p->a->id };
	struct ipc_move move = { .count = 60 };

	accept_clients(p->a, CLIENTS);
	move_on_order(p->a, &move, targets, ARRAY_LEN(targets));
	assert_int_equal(p->a->mover.target_count, 2); /* not itself */
	move_turn(p->a);
	assert_int_equal(offers(p, &p->b->id), MOVES_OUT_MAX / 2);
	hear_step(p->a, &pair_third, 0, IPC_STEP_GONE, false);
	assert_int_equal(p->a->mover.target_count, 1);
	assert_int_equal(p->a->mover.out_count, MOVES_OUT_MAX / 2);
	/* Others go in the place of those that came back. */
	assert_int_equal(p->a->mover.wanted, 60 - MOVES_OUT_MAX / 2);
	pair_later(p, MOVE_STEP_MS);
	move_turn(p->a);
	assert_int_equal(offers(p, &pair_third), 0);
	hear_step(p->a, &p->b->id, 0, IPC_STEP_GONE, false);
	assert_int_equal(p->a->mover.target_count, 0);
	assert_int_equal(p->a->mover.wanted, 0);
	pair_check_rest(p->a);
}

static void
one_that_leaves_asks_where_to_and_asks_anew_when_that_one_goes(void **state)
{
	struct pair *p = *state;
	struct client *client = pair_client(p->a);

	assert_false(move_wants(client));
	move_ask(p->a);
	assert_string_equal(fake_link_said(p->a->link), "leaving\n");
	assert_true(move_wants(client)); /* it is being found out */
	move_ask(p->a);
	assert_string_equal(fake_link_said(p->a->link), "");
	pair_order(p, UINT32_MAX, 0);
	assert_true(move_wants(client));
	move_turn(p->a);
	assert_string_equal(fake_link_said(p->a->link), "offer 2 1\n");
	hear_step(p->a, &p->b->id, 0, IPC_STEP_GONE, false);
	assert_string_equal(fake_link_said(p->a->link), "leaving\n");
	assert_true(move_wants(client));
	/* Nobody is there: it is asked to go. */
	move_on_order(p->a, &(struct ipc_move){ .count = 0 }, NULL, 0);
	assert_false(move_wants(client));
}

static void
a_drain_does_not_wait_for_what_will_not_move(void **state)
{
	struct pair *p = *state;
	struct client *client = pair_client(p->a);

	pair_order(p, UINT32_MAX, 0);
	assert_true(move_wants(client));
	client->tls = true;
	assert_false(move_wants(client));
	client->tls = false;
	client->move_tries = MOVE_NEVER;
	assert_false(move_wants(client));
	client->move_tries = 0;
	fake_ws_move.fit = WS_FIT_NEVER;
	assert_false(move_wants(client));
	fake_ws_move.fit = WS_FIT_SOON;
	assert_true(move_wants(client));
	pair_later(p, p->a->config->move_timeout - 1);
	assert_true(move_wants(client));
	pair_later(p, 1);
	assert_false(move_wants(client));
	fake_ws_move.fit = WS_FIT_NOW;
	pair_order(p, UINT32_MAX, 0);
	assert_true(move_wants(client));
	move_cancel(p->a);
	assert_false(move_wants(client));
	/* A part of all: a drain goes on with the others. */
	pair_order(p, 1, 0);
	assert_false(move_wants(client));
	move_turn(p->a);
	assert_true(move_wants(client)); /* on its way */
	p->a->config->move_clients = false;
	pair_order(p, UINT32_MAX, 0);
	assert_int_equal(p->a->mover.wanted, 0);
	move_ask(p->a);
	assert_null(strstr(fake_link_said(p->a->link), "leaving"));
}

static void
without_a_hub_an_order_ends_and_one_that_leaves_waits_for_the_next(void **state)
{
	struct pair *p = *state;
	struct client *client = pair_client(p->a);

	pair_order(p, 5, 0);
	fake_link_go_away(p->a);
	move_on_away(p->a);
	assert_int_equal(p->a->mover.wanted, 0);
	move_turn(p->a);
	assert_int_equal(p->a->mover.out_count, 0);
	assert_false(move_wants(client));
	move_ask(p->a); /* nobody to ask: clients are asked to go */
	assert_false(move_wants(client));
	fake_link_come_back(p->a);
	move_on_back(p->a);
	assert_null(strstr(fake_link_said(p->a->link), "leaving"));
	pair_order(p, UINT32_MAX, 0);
	fake_link_go_away(p->a);
	move_on_away(p->a);
	assert_true(move_wants(client));
	move_turn(p->a);
	assert_int_equal(p->a->mover.out_count, 0);
	pair_later(p, p->a->config->move_timeout);
	assert_false(move_wants(client));
	fake_link_come_back(p->a);
	move_on_back(p->a);
	assert_non_null(strstr(fake_link_said(p->a->link), "leaving"));
}

static void
one_that_has_just_come_is_not_sent_on_at_any_time(void **state)
{
	struct pair *p = *state;
	struct client *client = pair_client(p->a);

	/* The clock has gone round twice, and is in its upper half. */
	pair_later(p, (3ull << 32) - 1000000 + 3000000000u);
	client->settle_ms = client_now(p->a) + MOVE_SETTLE_MS;
	pair_order(p, 1, 0);
	move_turn(p->a);
	assert_null(client->move);
	pair_later(p, MOVE_SETTLE_MS - 1);
	pair_order(p, 1, 0);
	move_turn(p->a);
	assert_null(client->move);
	pair_later(p, 1);
	pair_order(p, 1, 0);
	move_turn(p->a);
	assert_non_null(client->move);
	hear_step(p->a, &p->b->id, p->a->mover.token, IPC_STEP_NO, false);
	/* And one that came a month ago is. */
	client->settle_ms = client_now(p->a) - 2592000000u;
	pair_order(p, 1, 0);
	move_turn(p->a);
	assert_non_null(client->move);
}

static void
a_full_link_waits_and_loses_nobody(void **state)
{
	struct pair *p = *state;

	accept_clients(p->a, 5);
	pair_order(p, 5, 0);
	fake_link_room = FAKE_LINK_FULL;
	move_turn(p->a);
	assert_int_equal(p->a->mover.out_count, 0);
	assert_int_equal(p->a->mover.wanted, 5);
	fake_link_room = FAKE_LINK_ROOM;
	run(p);
	assert_int_equal(p->a->clients.count, 0);
	assert_int_equal(p->a->stats->moves_refused, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(so_many_go_as_were_ordered),
		PAIR_TEST(an_order_for_more_than_there_are_ends),
		PAIR_TEST(not_more_a_second_go_than_the_rate_allows),
		PAIR_TEST(targets_take_turns_and_one_that_goes_is_left_out),
		PAIR_TEST(
		    one_that_leaves_asks_where_to_and_asks_anew_when_that_one_goes),
		PAIR_TEST(a_drain_does_not_wait_for_what_will_not_move),
		PAIR_TEST(
		    without_a_hub_an_order_ends_and_one_that_leaves_waits_for_the_next),
		PAIR_TEST(one_that_has_just_come_is_not_sent_on_at_any_time),
		PAIR_TEST(a_full_link_waits_and_loses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_move_pair.c - many clients, two workers, and everything that can happen
 * to a move; every client gets every message once and in order.
 *
 * Messages wait in a queue for each direction, so a worker acts on what it
 * knows and not on what is.  A third node publishes, too.  SEED=n repeats a
 * run.
 */
#include "pair_hub.h"

enum {
	STEPS = 12000,
	RUNS = 10,
};

static uint64_t moves; /* in all runs */

/* ---- what happens ------------------------------------------------------ */

static void
order(int from, uint32_t count)
{
	struct ipc_move move = { .count = count };

	move_on_order(worker_at(from), &move, &worker_at(1 - from)->id, 1);
}

static struct client *
some_client(int at)
{
	struct clients *clients = &worker_at(at)->clients;

	return clients->count == 0 ? NULL :
				     clients->all[random_below(clients->count)];
}

/* It changes what it is a member of. */
static void
put_into_room(struct client *client)
{
	int rc = membership_put(client->worker, client, "r:y", 3);

	assert_true(rc == 0 || rc == -EEXIST);
}

static void
trouble(int at)
{
	struct worker *worker = worker_at(at);
	struct client *client = some_client(at);

	switch (random_below(lossy ? 12 : 8)) {
	case 0:
		fake_ws_move.fit =
		    random_below(4) == 0 ? WS_FIT_SOON : WS_FIT_NOW;
		break;
	case 1:
		fake_link_room = random_below(3) != 0 ?
		    FAKE_LINK_ROOM :
		    (enum fake_link_room)random_below(3);
		break;
	case 2:
		fake_ws_move.out_rc = random_below(4) != 0 ? 0 : -EAGAIN;
		break;
	case 3:
		if (client != NULL && client_takes(client) &&
		    random_below(4) == 0)
			put_into_room(client);
		break;
	case 4:
		if (client != NULL && random_below(8) == 0)
			client_close(client, CLOSE_POLICY, NULL, false);
		break;
	case 5:
		if (client != NULL && client->wsi != NULL &&
		    random_below(8) == 0) {
			flush_run(worker);
			collect(client);
			person_of(client)->gone = true;
			person_of(client)->owners--;
			pair_gone(client);
		}
		break;
	case 6:
		pair_later(pair, random_below(700));
		break;
	case 7:
		fake_ws_move.tail_len = random_below(2) * 10;
		order(at, random_below(4) == 0 ? 0 : random_below(10));
		break;
	case 8:
		hub_dead = true;
		break;
	case 9:
		if (hub_dead && !knows[at])
			sees_hub_gone(at);
		break;
	case 10:
		fake_ws_move.in_rc = random_below(6) == 0 ? -ENOMEM : 0;
		break;
	default:
		fake_link_room = FAKE_LINK_STUCK; /* until the next trouble */
		break;
	}
}

static void
turn(int at)
{
	struct worker *worker = worker_at(at);

	flush_run(worker);
	fake_link_answer_all(worker);
	membership_rejoin(worker);
	move_turn(worker);
	for (uint32_t i = 0; i < worker->clients.count; i++) {
		if (worker->clients.all[i]->wsi != NULL)
			collect(worker->clients.all[i]);
	}
}

static void
something_happens(void)
{
	int at = (int)random_below(2);

	switch (random_below(10)) {
	case 0:
		third_publishes();
		break;
	case 1:
		publishes(at);
		break;
	case 2:
	case 3:
	case 4:
		relay_one(at);
		break;
	case 5:
	case 6:
	case 7:
		hear_one(at);
		break;
	case 8:
		turn(at);
		break;
	default:
		if (random_below(4) == 0)
			trouble(at);
		else
			pair_later(pair, 1);
		break;
	}
}

static bool
is_busy(void)
{
	return hub_dead || waiting[0] + waiting[1] != 0 ||
	    pair->a->mover.out_count != 0 || pair->a->mover.in_count != 0 ||
	    pair->b->mover.out_count != 0 || pair->b->mover.in_count != 0;
}

/* Trouble ends, and so do all moves. */
static void
calm_down(void)
{
	unsigned rounds = 0;

	fake_ws_move.fit = WS_FIT_NOW;
	fake_ws_move.out_rc = fake_ws_move.in_rc = 0;
	fake_link_room = FAKE_LINK_ROOM;
	order(0, 0);
	order(1, 0);
	do {
		assert_true(rounds++ < 5000);
		for (int at = 0; at < 2; at++) {
			turn(at);
			for (int i = 0; i < 50; i++) {
				relay_one(at);
				hear_one(at);
			}
		}
		pair_later(pair, 10);
	} while (rounds < 10 || is_busy());
}

static void
check_people(const struct worker *worker)
{
	for (uint32_t i = 0; i < worker->clients.count; i++) {
		struct client *client = worker->clients.all[i];
		struct person *person = person_of(client);

		assert_int_equal(person->owners, 1);
		if (client->state != CLIENT_OPEN || lossy)
			continue;
		for (int origin = 0; origin < ORIGINS; origin++) {
			if (person->last[origin] != published[origin])
				fail_msg("client %u.%u has %u of %u of node %d",
				    client->home.slot, (unsigned)client->number,
				    (unsigned)person->last[origin],
				    (unsigned)published[origin], origin + 1);
		}
	}
}

static void
new_person(const struct client *client)
{
	struct person *person = person_of(client);

	assert_false(person->was);
	person->was = true;
	person->owners = 1;
}

static void
run(void)
{
	uint64_t moved, lost;
	size_t live = 0, gone = 0;

	memset(people, 0, sizeof(people));
	memset(published, 0, sizeof(published));
	fake_ws_move.on_out = on_out;
	fake_ws_move.on_in = on_in;
	for (int i = 0; i < CLIENTS; i++)
		new_person(pair_client(i % 3 == 0 ? pair->b : pair->a));
	for (int i = 0; i < STEPS; i++)
		something_happens();
	calm_down();
	pair_check_rest(pair->a);
	pair_check_rest(pair->b);
	check_people(pair->a);
	check_people(pair->b);
	moved = pair->a->stats->moved_out + pair->b->stats->moved_out;
	lost = pair->a->stats->moves_lost + pair->b->stats->moves_lost;
	if (lossy)
		lost += pair->a->stats->moves_dropped +
		    pair->b->stats->moves_dropped;
	assert_true(moved <=
	    lost + pair->a->stats->moved_in + pair->b->stats->moved_in);
	moves += moved;
	/* Who is not here has gone, or was let fall and counted. */
	for (int home = 0; home < 2; home++) {
		for (int n = 1; n <= CLIENTS; n++)
			live += people[home][n].owners;
		for (int n = 1; n <= CLIENTS; n++)
			gone += people[home][n].was &&
			    people[home][n].owners == 0 &&
			    !people[home][n].gone;
	}
	assert_true(gone <= lost && (lossy || lost == 0));
	assert_int_equal(live, pair->a->clients.count + pair->b->clients.count);
	assert_int_equal(open_fds(), pair->fds_before + live);
	fake_ws_move.on_out = fake_ws_move.on_in = NULL;
}

static void
play(void **state)
{
	random_seed();
	moves = 0;
	pair = *state;
	run();
	for (int i = 1; i < RUNS; i++) {
		assert_int_equal(pair_teardown(state), 0);
		assert_int_equal(pair_setup(state), 0);
		pair = *state;
		run();
	}
	print_message("# %u moves\n", (unsigned)moves);
	assert_true(moves > RUNS);
}

static void
every_client_gets_every_message_once_and_in_order(void **state)
{
	lossy = false;
	play(state);
}

static void
whatever_fails_nobody_has_two_owners_and_nothing_comes_twice(void **state)
{
	lossy = true;
	play(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(every_client_gets_every_message_once_and_in_order),
		PAIR_TEST(
		    whatever_fails_nobody_has_two_owners_and_nothing_comes_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_moved_id.c - a connection keeps its id when it goes to another worker,
 * and is reached by it.
 */
#include "push_rig.h"
#include "random.h"
#include "wire/channel_name.h"
#include "wire/query.h"
#include "worker/conn.h"
#include "worker/move.h"
#include "worker/query_rows.h"

enum {
	MANY = 400,
	ROUNDS = 4000,
	HOMES = 3
};

static const struct ipc_node_id elsewhere = { 0x2a, 7, 1 };

/* A client that was born elsewhere and has come here. */
static struct client *
foreign(struct worker *worker, const struct ipc_node_id *home, uint64_t number)
{
	struct client *client = fixture_client(worker);
	struct channel_name name;

	assert_non_null(client);
	clients_unindex(&worker->clients, client);
	client->home = *home;
	client->number = number;
	assert_int_equal(client_named(client), 0);
	channel_name_node(&name, home);
	assert_int_equal(membership_put(worker, client, name.text, name.len),
	    0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	(void)fake_link_said(worker->link);
	return client;
}

static struct api_push
to_conn(struct channel_name *name, const struct ipc_node_id *home,
    uint64_t number)
{
	struct api_push push;

	channel_name_node(name, home);
	push = event(name->text, "1");
	push.target = (struct conn_id){ *home, number };
	return push;
}

/* ---- finding ----------------------------------------------------------- */

static void
the_same_number_from_two_homes_is_two_connections(void **state)
{
	struct worker *worker = *state;
	struct client *own = fixture_client(worker),
		      *other = foreign(worker, &elsewhere, own->number);
	struct conn_id id = fixture_conn(own);

	assert_ptr_equal(client_find(worker, &id), own);
	id.node = elsewhere;
	assert_ptr_equal(client_find(worker, &id), other);
	id.node = there;
	assert_null(client_find(worker, &id));
	assert_int_equal(client_named(other), -EEXIST);
	fixture_gone(own);
	id.node = elsewhere;
	assert_ptr_equal(client_find(worker, &id), other);
}

static void
many_of_several_homes_come_and_go_and_all_are_found(void **state)
{
	static struct client *all[HOMES][MANY];
	struct worker *worker = *state;
	struct ipc_node_id home = elsewhere;
	struct conn_id id;
	struct client **at;

	random_seed();
	memset(all, 0, sizeof(all));
	for (int round = 0; round < ROUNDS; round++) {
		home.slot = (uint16_t)random_below(HOMES);
		id.node = home;
		id.number = random_below(MANY) + 1;
		at = &all[home.slot][id.number - 1];
		if (*at != NULL)
			fixture_gone(*at);
		*at = *at != NULL ? NULL : foreign(worker, &home, id.number);
	}
	for (uint16_t slot = 0; slot < HOMES; slot++) {
		for (uint64_t n = 1; n <= MANY; n++) {
			id.node.slot = slot;
			id.number = n;
			assert_ptr_equal(client_find(worker, &id),
			    all[slot][n - 1]);
		}
	}
}

/* ---- reaching ---------------------------------------------------------- */

static void
one_that_has_come_gets_what_is_pushed_here_and_nobody_else_hears(void **state)
{
	struct worker *worker = *state;
	struct client *own = fixture_client(worker),
		      *other = foreign(worker, &elsewhere, own->number);
	struct channel_name name;

	push(worker, to_conn(&name, &elsewhere, own->number));
	assert_string_equal(fixture_got(other), EVT("1"));
	assert_string_equal(fixture_got(own), "");
	assert_string_equal(fake_link_said(worker->link), "");
}

static void
one_that_has_come_gets_what_is_pushed_on_the_channel_of_its_home(void **state)
{
	struct worker *worker = *state;
	struct client *own = fixture_client(worker),
		      *other = foreign(worker, &elsewhere, 9);
	struct channel_name name;
	struct api_push what = to_conn(&name, &elsewhere, 9);

	relay(worker, &what);
	assert_string_equal(fixture_got(other), EVT("1"));
	what.target.number = own->number; /* another one of that home */
	relay(worker, &what);
	assert_string_equal(fixture_got(own), "");
	assert_string_equal(fixture_got(other), "");
	assert_int_equal(worker->stats->drop_gone, 0); /* not for us */
}

static void
one_that_was_given_away_is_looked_for_over_the_hub(void **state)
{
	struct worker *worker = *state;
	struct channel_name name;
	struct api_push what = to_conn(&name, &worker->id, 99);

	push(worker, what); /* nobody was given away: it has gone */
	assert_int_equal(worker->stats->drop_gone, 1);
	assert_string_equal(fake_link_said(worker->link), "");
	assert_int_equal(membership_placed(worker), 0);
	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
	relay(worker, &what);
	assert_int_equal(worker->stats->drop_gone, 2);
	worker->moved_away = 1;
	relay(worker, &what); /* whoever has it gets it, too */
	assert_int_equal(worker->stats->drop_gone, 2);
	push(worker, what);
	assert_string_equal(fake_link_said(worker->link),
	    "publish n:0000002a-1-3 1 e 1\n");
	assert_int_equal(worker->stats->drop_gone, 2);
}

static void
one_that_is_on_its_way_is_looked_for_at_both_ends(void **state)
{
	struct worker *worker = *state;
	struct client *other = foreign(worker, &elsewhere, 9);
	struct move move = { .giver = true, .takes = MOVE_FROM_ALL };
	struct channel_name name;

	other->move = &move;
	push(worker, to_conn(&name, &elsewhere, 9));
	assert_string_equal(fixture_got(other), EVT("1"));
	assert_string_equal(fake_link_said(worker->link),
	    "publish n:0000002a-7-1 1 e 1\n");
	other->move = NULL;
}

static void
the_one_excluded_is_known_by_home_and_number(void **state)
{
	struct worker *worker = *state;
	struct client *own = in(worker, "r:x"),
		      *other = foreign(worker, &elsewhere, own->number);
	struct api_push what = event("r:x", "1");

	assert_int_equal(membership_put(worker, other, "r:x", 3), 0);
	what.exclude = fixture_conn(other);
	push(worker, what);
	assert_string_equal(fixture_got(own), EVT("1"));
	assert_string_equal(fixture_got(other), "");
	relay(worker, &what);
	assert_string_equal(fixture_got(own), EVT("1"));
	assert_string_equal(fixture_got(other), "");
}

/* What the name of the topic does not say stands in front of the payload. */
static void
who_is_excluded_is_told_to_others_only_if_it_may_be_there(void **state)
{
	struct worker *worker = *state;
	struct client *own = in(worker, "t:a"),
		      *other = foreign(worker, &elsewhere, 9);
	struct move move = { .takes = MOVE_FROM_ALL };
	struct api_push what = event("t:a", "1");

	what.name_len = 0;
	what.exclude = fixture_conn(other);
	push(worker, what);
	what.exclude = fixture_conn(own);
	push(worker, what);
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:a 1 1\npublish t:a 2 1\n");
	assert_int_equal(fake_link_flags & IPC_PUBLISH_PUSH, 0);
	own->move = &move;
	push(worker, what);
	assert_int_equal(fake_link_flags & IPC_PUBLISH_PUSH, IPC_PUBLISH_PUSH);
	own->move = NULL;
	what.exclude.number = 99; /* it was given away, perhaps */
	push(worker, what);
	assert_int_equal(fake_link_flags & IPC_PUBLISH_PUSH, 0);
	worker->moved_away = 1;
	push(worker, what);
	assert_int_equal(fake_link_flags & IPC_PUBLISH_PUSH, IPC_PUBLISH_PUSH);
}

static void
who_is_here_when_the_worker_gets_another_id_keeps_its_own(void **state)
{
	struct worker *worker = *state;
	struct ipc_node_id old = worker->id;
	struct client *client, *early;
	struct channel_name name;
	struct api_push what;
	struct conn_id id;

	assert_int_equal(membership_placed(worker), 0);
	client = in(worker, NULL);
	early = fixture_accept(worker);
	worker->id.generation++;
	node_id_format(&worker->id, worker->node, sizeof(worker->node));
	assert_int_equal(membership_placed(worker), 0);
	assert_string_equal(fake_link_said(worker->link),
	    "join n:0000002a-1-4\n"); /* the other is wanted still */
	fake_link_answer_all(worker);
	what = to_conn(&name, &old, 1);
	relay(worker, &what);
	assert_string_equal(fixture_got(client), EVT("1"));
	client_opened(early);
	assert_non_null(strstr(fixture_got(early), "\"0000002a-1-4-2\""));
	id = fixture_conn(early);
	assert_true(node_id_equal(&id.node, &worker->id));
	assert_ptr_equal(client_find(worker, &id), early);
	fixture_gone(client);
	assert_string_equal(fake_link_said(worker->link),
	    "leave n:0000002a-1-3\n");
}

/* ---- counting ---------------------------------------------------------- */

static void
who_does_not_count_is_in_no_answer(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, "r:x"), *two = in(worker, "r:x");
	struct move move = { .giver = true, .takes = MOVE_FROM_ALL };
	struct channel *channel = channel_find(&worker->channels, "r:x", 3);

	worker->mover.out_count = 1;
	two->move = &move;
	client_count(two, false);
	assert_int_equal(query_members(worker, channel), 1);
	client_count(one, false);
	assert_int_equal(query_members(worker, channel), 0);
	client_count(one, true);
	client_count(two, true);
	assert_int_equal(query_members(worker, channel), 2);
	worker->mover.out_count = 0;
	two->move = NULL;
}

static void
a_deed_is_done_at_both_ends_and_counts_at_one(void **state)
{
	struct worker *worker = *state;
	struct client *client = foreign(worker, &elsewhere, 9);
	struct query_args args = { .channel = "r:x",
		.channel_len = 3,
		.conn = "0000002a-7-1-9",
		.conn_len = 14 };
	struct move move = { .giver = true, .takes = MOVE_FROM_ALL };

	client->move = &move;
	client_count(client, false);
	assert_int_equal(conn_act(worker, QUERY_ROOM_ADD, &args), 0);
	assert_true(channel_member(channel_find(&worker->channels, "r:x", 3),
			client) >= 0);
	client_count(client, true);
	assert_int_equal(conn_act(worker, QUERY_ROOM_REMOVE, &args), 1);
	client_count(client, false);
	assert_int_equal(conn_act(worker, QUERY_KICK, &args), 0);
	assert_int_equal(client->close_code, CLOSE_POLICY);
	assert_int_equal(worker->stats->closed_kicked, 0);
	client_count(client, true);
	client->move = NULL;
	fake_link_answer_all(worker);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_number_from_two_homes_is_two_connections),
		TEST(many_of_several_homes_come_and_go_and_all_are_found),
		TEST(
		    one_that_has_come_gets_what_is_pushed_here_and_nobody_else_hears),
		TEST(
		    one_that_has_come_gets_what_is_pushed_on_the_channel_of_its_home),
		TEST(one_that_was_given_away_is_looked_for_over_the_hub),
		TEST(one_that_is_on_its_way_is_looked_for_at_both_ends),
		TEST(the_one_excluded_is_known_by_home_and_number),
		TEST(who_is_excluded_is_told_to_others_only_if_it_may_be_there),
		TEST(who_is_here_when_the_worker_gets_another_id_keeps_its_own),
		TEST(who_does_not_count_is_in_no_answer),
		TEST(a_deed_is_done_at_both_ends_and_counts_at_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

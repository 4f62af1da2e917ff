/*
 * test_bus_push.c - events, changes and what is for some only: who gets which
 * frame, and what the hub hears.
 */
#include "push_rig.h"

/* ---- who gets it ------------------------------------------------------- */

static void
members_of_a_room_get_the_event_and_then_the_hub(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, "r:x"), *other = in(worker, NULL);

	push(worker, event("r:x", "{\"a\": 1e400}"));
	assert_string_equal(fixture_got(one), EVT("{\"a\": 1e400}"));
	assert_string_equal(fixture_got(other), "");
	assert_string_equal(fake_link_said(worker->link),
	    "publish r:x 1 e {\"a\": 1e400}\n");
	assert_int_equal(worker->stats->deliveries, 1);
}

static void
who_watches_a_resource_gets_the_change(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, "w:doc:1");
	struct api_push what = event("w:doc:1", "[1]");

	what.local_only = true;
	push(worker, what);
	assert_string_equal(fixture_got(one), CHANGE("[1]"));
	assert_string_equal(fake_link_said(worker->link), "");
}

static void
all_clients_get_what_is_for_all_but_the_one_excluded(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, NULL), *two = in(worker, NULL);
	struct api_push what = event("a:", "1");

	what.exclude = fixture_conn(two);
	push(worker, what);
	assert_string_equal(fixture_got(one), EVT("1"));
	assert_string_equal(fixture_got(two), "");
	assert_string_equal(fake_link_said(worker->link), "publish a: 1 e 1\n");
}

static void
who_has_not_said_who_it_is_gets_nothing_that_is_for_all(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, NULL);

	one->connected = false; /* it is asked for a token */
	push(worker, event("a:", "1"));
	assert_string_equal(fixture_got(one), "");
}

static void
an_excluded_node_gets_nothing_and_the_others_do(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, NULL);
	struct api_push what = event("a:", "1");

	assert_int_equal(membership_placed(worker), 0);
	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
	what.exclude_node = worker->id;
	push(worker, what);
	assert_string_equal(fixture_got(one), "");
	assert_string_equal(fake_link_said(worker->link), "publish a: 1 e 1\n");
	relay(worker, &what);
	assert_string_equal(fixture_got(one), "");
	what.exclude_node = there;
	push(worker, what);
	assert_string_equal(fixture_got(one), EVT("1"));
}

/* ---- one connection ---------------------------------------------------- */

static void
a_push_to_a_connection_of_this_node_does_not_leave_it(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, NULL), *two = in(worker, NULL);
	struct api_push what = event("n:0000002a-1-3", "1");

	what.target = fixture_conn(one);
	push(worker, what);
	assert_string_equal(fixture_got(one), EVT("1"));
	assert_string_equal(fixture_got(two), "");
	assert_string_equal(fake_link_said(worker->link), "");
}

static void
a_push_to_another_node_goes_to_the_hub_only(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, NULL);
	struct api_push what = event("n:0000002a-2-5", "1");

	what.target = (struct conn_id){ there, one->number };
	push(worker, what);
	assert_string_equal(fixture_got(one), "");
	assert_string_equal(fake_link_said(worker->link),
	    "publish n:0000002a-2-5 1 e 1\n");
}

static void
a_push_from_another_node_reaches_the_one_connection(void **state)
{
	struct worker *worker = *state;
	struct client *one, *two;
	struct api_push what = event("n:0000002a-1-3", "1");

	assert_int_equal(membership_placed(worker), 0);
	one = in(worker, NULL);
	two = in(worker, NULL);
	what.target = fixture_conn(two);
	relay(worker, &what);
	assert_string_equal(fixture_got(one), "");
	assert_string_equal(fixture_got(two), EVT("1"));
	what.target.number = 999; /* has gone */
	relay(worker, &what);
	assert_int_equal(worker->stats->drop_gone, 1);
	assert_string_equal(fixture_got(two), "");
}

static void
what_is_for_a_connection_that_closes_is_counted(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, NULL);
	struct api_push what = event("n:0000002a-1-3", "1");

	what.target = fixture_conn(one);
	client_close(one, CLOSE_POLICY, NULL, true);
	push(worker, what);
	assert_int_equal(worker->stats->drop_gone, 1);
}

/* ---- exclusion on topics ----------------------------------------------- */

static void
a_client_of_another_node_is_excluded_over_the_hub(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, "t:a"), *two = in(worker, "t:a");
	struct api_push what = event("t:a", "7");

	what.name_len = 0;
	what.exclude = (struct conn_id){ there, one->number };
	push(worker, what); /* a client of there with the same number */
	assert_non_null(strstr(fixture_got(one), "\"data\":7"));
	assert_string_equal(fake_link_said(worker->link), "publish t:a 1 7\n");
	what.exclude = fixture_conn(one);
	relay(worker, &what);
	assert_string_equal(fixture_got(one), "");
	assert_non_null(strstr(fixture_got(two), "\"data\":7"));
}

static void
local_only_takes_no_number_and_does_not_leave(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, "t:a");
	struct api_push what = event("t:a", "7");

	what.name_len = 0;
	what.local_only = true;
	push(worker, what);
	assert_non_null(strstr(fixture_got(one), "\"data\":7"));
	what.local_only = false;
	push(worker, what);
	assert_string_equal(fake_link_said(worker->link), "publish t:a 1 7\n");
}

/* ---- what a room and its error function see ------------------------------ */

static void
a_member_gets_what_is_for_all_workers_before_joined(void **state)
{
	struct worker *worker = *state;
	struct client *one = fixture_client(worker);
	struct api_push what = event("r:x", "1");

	assert_int_equal(membership_put(worker, one, "r:x", 3), 0);
	relay(worker, &what);
	assert_string_equal(fixture_got(one), "");
	relay_with(worker, &what, IPC_PUBLISH_WORKERS);
	assert_string_equal(fixture_got(one), EVT("1"));
	assert_int_equal(worker->stats->relayed_in_unwanted, 1);
	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
}

static char heard[8];

static int
note(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)arg;
	(void)info;
	(void)strncat(heard, data, len);
	return 0;
}

static void
publish_again(void *arg, const struct cbus_error *error)
{
	assert_string_equal(error->stage, "publish");
	assert_int_equal(cbus_publish(arg, "a", "2", 1), 0);
}

static void
listeners_hear_it_before_it_is_told_that_it_could_not_leave(void **state)
{
	struct worker *worker = *state;
	struct cbus_sub *sub;

	heard[0] = '\0';
	assert_int_equal(cbus_subscribe(worker->bus, "a", note, NULL, &sub), 0);
	fake_link_go_away(worker);
	cbus_on_error(worker->bus, publish_again, worker->bus);
	assert_int_equal(cbus_publish(worker->bus, "a", "1", 1), 0);
	assert_string_equal(heard, "12");
	cbus_on_error(worker->bus, NULL, NULL);
	(void)fake_link_said(worker->link);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(members_of_a_room_get_the_event_and_then_the_hub),
		TEST(who_watches_a_resource_gets_the_change),
		TEST(all_clients_get_what_is_for_all_but_the_one_excluded),
		TEST(who_has_not_said_who_it_is_gets_nothing_that_is_for_all),
		TEST(an_excluded_node_gets_nothing_and_the_others_do),
		TEST(a_push_to_a_connection_of_this_node_does_not_leave_it),
		TEST(a_push_to_another_node_goes_to_the_hub_only),
		TEST(a_push_from_another_node_reaches_the_one_connection),
		TEST(what_is_for_a_connection_that_closes_is_counted),
		TEST(a_client_of_another_node_is_excluded_over_the_hub),
		TEST(local_only_takes_no_number_and_does_not_leave),
		TEST(a_member_gets_what_is_for_all_workers_before_joined),
		TEST(
		    listeners_hear_it_before_it_is_told_that_it_could_not_leave),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

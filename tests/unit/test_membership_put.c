/*
 * test_membership_put.c - rooms, users and pins: what joins without asking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "api/api.h"
#include "torture.h"
#include "worker/identity.h"
#include "worker/membership.h"
#include "worker_fixture.h"

static int
put(struct client *client, const char *channel)
{
	return membership_put(client->worker, client, channel, strlen(channel));
}

static int
take(struct client *client, const char *channel)
{
	return membership_take(client->worker, client, channel,
	    strlen(channel));
}

static void
who_is_put_into_a_room_is_told_nothing_and_the_hub_knows(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(put(client, "r:x"), 0);
	assert_string_equal(fake_link_said(worker->link), "join r:x\n");
	fake_link_answer_all(worker);
	assert_string_equal(fixture_got(client), "");
	fixture_check(worker);
}

static void
a_second_time_counts_once_and_taking_out_twice_is_not_found(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(put(client, "r:x"), 0);
	assert_int_equal(put(client, "r:x"), -EEXIST);
	assert_int_equal(worker->stats->subscriptions, 1);
	fake_link_answer_all(worker);
	assert_int_equal(take(client, "r:x"), 0);
	assert_int_equal(take(client, "r:x"), -ENOENT);
	assert_string_equal(fake_link_said(worker->link),
	    "join r:x\nleave r:x\n");
	fixture_check(worker);
}

static void
rooms_do_not_count_against_a_clients_subscriptions(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_subscriptions = 1;
	assert_int_equal(put(client, "r:x"), 0);
	assert_int_equal(put(client, "u:ann"), 0);
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(client, "t:b", "1"), -ENOSPC);
	assert_int_equal(put(client, "r:y"), 0);
	assert_int_equal(take(client, "r:x"), 0);
	assert_int_equal(fixture_join(client, "t:b", "1"), -ENOSPC);
	fake_link_answer_all(worker);
	fixture_check(worker);
}

static void
rooms_count_against_max_channels(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_channels = 2;
	assert_int_equal(membership_placed(worker), 0); /* these do not */
	assert_int_equal(put(client, "r:x"), 0);
	assert_int_equal(put(client, "r:y"), 0);
	assert_int_equal(put(client, "r:z"), -ENOSPC);
	assert_int_equal(membership_pin(worker, "t:a", 3), -ENOSPC);
	assert_int_equal(put(client, "r:x"), -EEXIST);
	fake_link_answer_all(worker);
	fixture_check(worker);
}

static void
membership_ends_with_the_connection(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(put(client, "r:x"), 0);
	assert_int_equal(put(client, "u:ann"), 0);
	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
	fixture_gone(client);
	assert_int_equal(fake_link_wanted(worker->link), 0);
	assert_int_equal(worker->channels.table.count, 0);
}

static void
who_is_closing_is_put_into_nothing(void **state)
{
	struct client *client = fixture_client(*state);

	client_close(client, CLOSE_POLICY, NULL, true);
	assert_int_equal(put(client, "r:x"), -ENOTCONN);
}

/* ---- pins -------------------------------------------------------------- */

static void
a_pin_wants_the_channel_without_a_member(void **state)
{
	struct worker *worker = *state;

	assert_int_equal(membership_pin(worker, "t:a", 3), 0);
	assert_int_equal(membership_pin(worker, "t:a", 3), 0);
	assert_string_equal(fake_link_said(worker->link), "join t:a\n");
	fake_link_answer_all(worker);
	fixture_check(worker);
	membership_unpin(worker, "t:a", 3);
	assert_string_equal(fake_link_said(worker->link), "");
	membership_unpin(worker, "t:a", 3);
	assert_string_equal(fake_link_said(worker->link), "leave t:a\n");
	assert_int_equal(worker->channels.table.count, 0);
}

static void
a_pin_and_a_member_want_it_together(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(membership_pin(worker, "t:a", 3), 0);
	fake_link_answer_all(worker);
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_string_equal(fixture_got(client), "{\"op\":\"ok\",\"id\":1}\n");
	membership_unpin(worker, "t:a", 3);
	fixture_check(worker);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_string_equal(fake_link_said(worker->link),
	    "join t:a\nleave t:a\n");
}

static void
a_pin_that_ends_before_the_hub_has_answered_is_left_after_it(void **state)
{
	struct worker *worker = *state;

	assert_int_equal(membership_pin(worker, "t:a", 3), 0);
	membership_unpin(worker, "t:a", 3);
	assert_string_equal(fake_link_said(worker->link), "join t:a\n");
	fake_link_answer_all(worker);
	assert_string_equal(fake_link_said(worker->link), "leave t:a\n");
	fixture_check(worker);
}

static void
what_is_wanted_is_joined_again_when_the_hub_is_back(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(membership_placed(worker), 0);
	assert_int_equal(membership_pin(worker, "t:a", 3), 0);
	fake_link_answer_all(worker);
	fake_link_go_away(worker);
	assert_int_equal(put(client, "r:x"), 0);
	fixture_check(worker);
	fake_link_come_back(worker);
	assert_int_equal(fake_link_wanted(worker->link), 4);
	fake_link_answer_all(worker);
	fixture_check(worker);
	membership_unpin(worker, "t:a", 3);
}

static void
what_nobody_wants_any_more_is_not_joined_again(void **state)
{
	struct worker *worker = *state;

	assert_int_equal(membership_pin(worker, "t:a", 3), 0);
	fake_link_answer_all(worker);
	fake_link_go_away(worker);
	membership_unpin(worker, "t:a", 3);
	assert_int_equal(worker->channels.table.count, 0);
	fake_link_come_back(worker);
	assert_int_equal(fake_link_wanted(worker->link), 0);
	fixture_check(worker);
}

static void
every_worker_has_the_channel_of_all_and_its_own(void **state)
{
	struct worker *worker = *state;

	assert_int_equal(membership_placed(worker), 0);
	assert_int_equal(membership_placed(worker), 0); /* the same id */
	assert_string_equal(fake_link_said(worker->link),
	    "join a:\njoin n:0000002a-1-3\n");
	fake_link_answer_all(worker);
	assert_int_equal(worker->stats->channels, 0);
	worker->id.generation = 9;
	assert_int_equal(membership_placed(worker), 0);
	assert_string_equal(fake_link_said(worker->link),
	    "join n:0000002a-1-9\nleave n:0000002a-1-3\n");
	fake_link_answer_all(worker);
	fixture_check(worker);
}

/* ---- users ------------------------------------------------------------- */

static void
a_client_is_in_the_channel_of_its_user(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	client->connected = false; /* it had to say first who it is */
	fixture_identify(client, "ann", "");
	client_authenticated(client);
	client_authenticated(client); /* it was already */
	fake_link_answer_all(worker);
	assert_int_equal(client->sub_count, 1);
	assert_true(fake_link_wants(worker->link, "u:ann", 5));
	(void)fixture_got(client);
}

static void
a_client_whose_user_has_no_room_is_closed(void **state)
{
	struct worker *worker = *state;
	struct client *first = fixture_client(worker), *client;

	worker->config->max_channels = 1;
	assert_int_equal(put(first, "r:x"), 0);
	client = fixture_client(worker);
	client->connected = false;
	fixture_identify(client, "ann", "");
	client_authenticated(client);
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_false(client->connected);
	assert_int_equal(worker->stats->closed_protocol, 1);
	fake_link_answer_all(worker);
}

/* ---- memory ------------------------------------------------------------ */

static struct client *member;

static int
put_and_take(void)
{
	int rc = put(member, "r:m");

	if (rc == 0)
		rc = membership_pin(member->worker, "t:m", 3);
	if (rc == 0)
		membership_unpin(member->worker, "t:m", 3);
	fake_link_answer_all(member->worker);
	(void)!take(member, "r:m");
	assert_int_equal(member->worker->channels.table.count, 0);
	return rc;
}

static void
without_memory_nothing_is_half_joined(void **state)
{
	struct worker *worker = *state;

	member = fixture_client(worker);
	torture_malloc(put_and_take);
	fixture_check(worker);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(who_is_put_into_a_room_is_told_nothing_and_the_hub_knows),
		TEST(
		    a_second_time_counts_once_and_taking_out_twice_is_not_found),
		TEST(rooms_do_not_count_against_a_clients_subscriptions),
		TEST(rooms_count_against_max_channels),
		TEST(membership_ends_with_the_connection),
		TEST(who_is_closing_is_put_into_nothing),
		TEST(a_pin_wants_the_channel_without_a_member),
		TEST(a_pin_and_a_member_want_it_together),
		TEST(
		    a_pin_that_ends_before_the_hub_has_answered_is_left_after_it),
		TEST(what_is_wanted_is_joined_again_when_the_hub_is_back),
		TEST(what_nobody_wants_any_more_is_not_joined_again),
		TEST(every_worker_has_the_channel_of_all_and_its_own),
		TEST(a_client_is_in_the_channel_of_its_user),
		TEST(a_client_whose_user_has_no_room_is_closed),
		TEST(without_memory_nothing_is_half_joined),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

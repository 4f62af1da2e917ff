/* test_membership.c - joining and leaving, and when it is acknowledged. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/bus.h"
#include "worker/membership.h"
#include "worker_fixture.h"

#define OK(id)      "{\"op\":\"ok\",\"id\":" id "}\n"
#define OK_AWAY(id) "{\"op\":\"ok\",\"id\":" id ",\"hub\":\"away\"}\n"

static void
publish(struct worker *worker, const char *channel)
{
	bus_push(worker,
	    &(struct api_push){ .channel = channel,
		.channel_len = strlen(channel),
		.data = "0",
		.len = 1 });
}

static void
ok_comes_when_the_hub_knows(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	fixture_check(worker);
	assert_string_equal(fake_link_said(worker->link), "join t:a\n");
	assert_string_equal(fixture_got(client), "");
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(client), OK("1"));
	fixture_check(worker);
}

static void
only_the_first_member_asks_the_hub(void **state)
{
	struct worker *worker = *state;
	struct client *first = fixture_client(worker);
	struct client *second = fixture_client(worker);
	struct client *third = fixture_client(worker);

	assert_int_equal(fixture_join(first, "t:a", "1"), 0);
	assert_int_equal(fixture_join(second, "t:a", "2"), 0);
	assert_string_equal(fixture_got(second), "");
	assert_true(fake_link_answer(worker));
	assert_false(fake_link_answer(worker));
	assert_string_equal(fixture_got(first), OK("1"));
	assert_string_equal(fixture_got(second), OK("2"));
	assert_int_equal(fixture_join(third, "t:a", "3"), 0);
	assert_string_equal(fixture_got(third), OK("3"));
	assert_string_equal(fake_link_said(worker->link), "join t:a\n");
	fixture_check(worker);
}

static void
only_the_last_member_tells_the_hub_that_it_left(void **state)
{
	struct worker *worker = *state;
	struct client *first = fixture_client(worker);
	struct client *second = fixture_client(worker);

	assert_int_equal(fixture_join(first, "t:a", "1"), 0);
	assert_int_equal(fixture_join(second, "t:a", "2"), 0);
	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
	assert_int_equal(fixture_leave(first, "t:a"), 0);
	assert_string_equal(fake_link_said(worker->link), "");
	fixture_check(worker);
	assert_int_equal(fixture_leave(second, "t:a"), 0);
	assert_string_equal(fake_link_said(worker->link), "leave t:a\n");
	assert_int_equal(worker->channels.table.count, 0);
	fixture_check(worker);
}

static void
joining_twice_is_one_membership_and_two_answers(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(client, "t:a", "2"), 0);
	assert_int_equal(client->sub_count, 1);
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(client), OK("1") OK("2"));
	assert_int_equal(fixture_join(client, "t:a", "3"), 0);
	assert_string_equal(fixture_got(client), OK("3"));
	assert_int_equal(worker->stats->subscriptions, 1);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_int_equal(fixture_leave(client, "t:a"), -ENOENT);
	fixture_check(worker);
}

static void
leaving_what_was_not_joined_is_told(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct client *other = fixture_client(worker);

	assert_int_equal(fixture_leave(client, "t:a"), -ENOENT);
	assert_int_equal(fixture_join(other, "t:a", "1"), 0);
	assert_int_equal(fixture_leave(client, "t:a"), -ENOENT);
	assert_int_equal(worker->channels.table.count, 1);
	fixture_check(worker);
}

static void
without_a_hub_ok_comes_at_once_and_says_so(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	fake_link_go_away(worker);
	assert_int_equal(fixture_join(client, "t:a", "\"x\""), 0);
	assert_string_equal(fixture_got(client), OK_AWAY("\"x\""));
	assert_string_equal(fake_link_said(worker->link), "");
	assert_int_equal(fixture_join(client, "t:a", ""), 0);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"ok\",\"hub\":\"away\"}\n");
	fixture_check(worker);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_string_equal(fake_link_said(worker->link), "");
	assert_int_equal(worker->channels.table.count, 0);
	fixture_check(worker);
}

static void
the_limit_of_subscriptions_is_exact(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_subscriptions = 2;
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(client, "t:b", "2"), 0);
	assert_int_equal(fixture_join(client, "t:c", "3"), -ENOSPC);
	assert_int_equal(fixture_join(client, "t:b", "4"), 0); /* has it */
	fixture_check(worker);
	assert_null(channel_find(&worker->channels, "t:c", 3));
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_int_equal(fixture_join(client, "t:c", "5"), 0);
	fixture_check(worker);
}

static void
the_limit_of_channels_is_exact(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct client *other = fixture_client(worker);

	worker->config->max_channels = 2;
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(client, "t:b", "2"), 0);
	assert_int_equal(fixture_join(client, "t:c", "3"), -ENOSPC);
	assert_int_equal(fixture_join(other, "t:b", "4"), 0); /* is there */
	fixture_check(worker);
}

static void
an_idle_channel_counts_when_it_is_joined(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	worker->config->max_channels = 1;
	publish(worker, "t:idle");
	assert_int_equal(worker->channels.idle_count, 1);
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(client, "t:idle", "2"), -ENOSPC);
	fixture_check(worker);
	assert_int_equal(worker->channels.idle_count, 1);
	fake_link_answer_all(worker);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_int_equal(fixture_join(client, "t:idle", "3"), 0);
	fixture_check(worker);
}

static void
a_client_that_goes_leaves_everything(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct client *other = fixture_client(worker);
	char name[16];

	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "t:%d", i);
		assert_int_equal(fixture_join(client, name, "1"), 0);
		if (i % 2 == 0)
			assert_int_equal(fixture_join(other, name, "2"), 0);
		if (i == 30)
			fake_link_answer_all(worker);
	}
	fixture_check(worker);
	fixture_gone(client);
	fixture_check(worker);
	fake_link_answer_all(worker);
	fixture_check(worker);
	assert_int_equal(fake_link_wanted(worker->link), 25);
	fixture_gone(other);
	fixture_check(worker);
	assert_int_equal(fake_link_wanted(worker->link), 0);
	assert_int_equal(worker->channels.table.count, 0);
}

static void
an_answer_that_nobody_waits_for_is_ignored(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	membership_on_joined(worker, 12345);
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	fake_link_answer_all(worker);
	membership_on_joined(worker, 12345);
	assert_string_equal(fixture_got(client), OK("1"));
	fixture_check(worker);
}

static void
an_id_is_given_back_byte_for_byte(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	char id[] = "\"\\u0041\"";

	assert_int_equal(fixture_join(client, "t:a", id), 0);
	memset(id, 'x', sizeof(id) - 1); /* it was copied */
	assert_int_equal(fixture_join(client, "t:b", ""), 0);
	fake_link_answer_all(worker);
	assert_string_equal(fixture_got(client),
	    OK("\"\\u0041\"") "{\"op\":\"ok\"}\n");
}

static void
acknowledgements_that_wait_are_bounded(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	unsigned accepted = 0;

	worker->config->max_subscriptions = 3;
	while (fixture_join(client, "t:a", "1") == 0) {
		accepted++;
		assert_true(accepted < 1000);
	}
	assert_int_equal(fixture_join(client, "t:a", "1"), -ENOSPC);
	assert_int_equal(client->waiter_count, accepted);
	assert_int_equal(client->sub_count, 1);
	fake_link_answer_all(worker);
	assert_int_equal(client->waiter_count, 0);
	assert_int_equal(client->outbox.count, accepted);
	fixture_check(worker);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(acknowledgements_that_wait_are_bounded),
		TEST(ok_comes_when_the_hub_knows),
		TEST(only_the_first_member_asks_the_hub),
		TEST(only_the_last_member_tells_the_hub_that_it_left),
		TEST(joining_twice_is_one_membership_and_two_answers),
		TEST(leaving_what_was_not_joined_is_told),
		TEST(without_a_hub_ok_comes_at_once_and_says_so),
		TEST(the_limit_of_subscriptions_is_exact),
		TEST(the_limit_of_channels_is_exact),
		TEST(an_idle_channel_counts_when_it_is_joined),
		TEST(a_client_that_goes_leaves_everything),
		TEST(an_answer_that_nobody_waits_for_is_ignored),
		TEST(an_id_is_given_back_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_worker_presence.c - joins and leaves are told to who asked, and to
 * nobody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "worker/membership.h"
#include "worker/presence.h"
#include "worker_fixture.h"

#define ROW(number, user, role)                                                \
	"{\"conn\":\"0000002a-1-3-" number "\",\"user\":\"" user               \
	"\",\"role\":\"" role "\"}"

static void
put(struct client *client, const char *channel)
{
	assert_int_equal(membership_put(client->worker, client, channel,
			     strlen(channel)),
	    0);
}

static void
want(struct worker *worker, const char *channel, bool wanted)
{
	presence_wanted(worker, channel, strlen(channel), wanted);
}

static void
nothing_is_said_when_nobody_asked(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	want(worker, "p:r:other", true);
	put(client, "r:x");
	fake_link_answer_all(worker);
	fixture_gone(client);
	assert_string_equal(fake_link_said(worker->link),
	    "join r:x\nleave r:x\n");
}

static void
joins_and_leaves_are_said_while_they_are_wanted(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	want(worker, "p:r:x", true);
	want(worker, "p:r:x", true); /* again: the same */
	put(client, "r:x");
	assert_string_equal(fake_link_said(worker->link),
	    "join r:x\npublish p:r:x 1 join " ROW("1", "", "") "\n");
	fake_link_answer_all(worker);
	assert_int_equal(membership_take(worker, client, "r:x", 3), 0);
	assert_string_equal(fake_link_said(worker->link),
	    "publish p:r:x 2 leave " ROW("1", "", "") "\nleave r:x\n");
	want(worker, "p:r:x", false);
	want(worker, "p:r:x", false);
	put(client, "r:x");
	assert_string_equal(fake_link_said(worker->link), "join r:x\n");
	fake_link_answer_all(worker);
}

static void
a_subscription_is_presence_in_its_topic(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	want(worker, "p:t:a", true);
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(client, "t:a", "2"), 0); /* is in it */
	fake_link_answer_all(worker);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_string_equal(fake_link_said(worker->link),
	    "join t:a\npublish p:t:a 1 join " ROW("1", "",
		"") "\npublish p:t:a 2 leave " ROW("1", "",
		"") "\nleave t:a\n");
}

static void
the_end_of_a_connection_says_leave_with_who_it_was(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	fixture_identify(client, "an\"n", "user");
	put(client, "r:x");
	fake_link_answer_all(worker);
	want(worker, "p:r:x", true); /* there are members: ask for them */
	assert_string_equal(fake_link_said(worker->link),
	    "join r:x\npublish p:r:x 1 here {}\n");
	fixture_gone(client);
	assert_string_equal(fake_link_said(worker->link),
	    "publish p:r:x 2 leave " ROW("1", "an\\\"n",
		"user") "\nleave r:x\n");
}

static void
what_was_wanted_is_forgotten_with_the_hub(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	want(worker, "p:r:x", true);
	assert_true(presence_any(worker));
	presence_forget(worker);
	assert_false(presence_any(worker));
	put(client, "r:x");
	assert_string_equal(fake_link_said(worker->link), "join r:x\n");
	fake_link_answer_all(worker);
}

/* ---- a listener of the same worker ------------------------------------- */

static char heard[512];
static struct worker *busy;

static int
hear(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	size_t at = strlen(heard);

	(void)arg;
	(void)snprintf(heard + at, sizeof(heard) - at, "%s %.*s\n", info->name,
	    (int)len, (const char *)data);
	return 0;
}

static void
a_listener_of_this_worker_hears_without_the_hub(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct cbus_sub *sub;

	heard[0] = '\0';
	fake_link_go_away(worker);
	assert_int_equal(api_listen(worker->bus, "p:r:x", 5, NULL, hear, NULL,
			     &sub),
	    0);
	put(client, "r:x");
	put(client, "r:other");
	assert_int_equal(membership_take(worker, client, "r:x", 3), 0);
	assert_string_equal(heard,
	    "join " ROW("1", "", "") "\nleave " ROW("1", "", "") "\n");
	assert_string_equal(fake_link_said(worker->link), "");
	cbus_unsubscribe(sub);
}

/* Takes everybody out of the room, and puts one in again: at each event. */
static int
interfere(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	static unsigned depth;

	(void)arg;
	(void)data;
	(void)len;
	(void)info;
	if (++depth < 4) {
		for (uint32_t i = 0; i < busy->clients.count; i++)
			(void)!membership_take(busy, busy->clients.all[i],
			    "r:x", 3);
		(void)!membership_put(busy, busy->clients.all[0], "r:x", 3);
	}
	depth--;
	return 0;
}

static void
a_listener_may_change_the_room_while_it_is_told(void **state)
{
	struct worker *worker = *state;
	struct client *clients[3];
	struct cbus_sub *sub;

	busy = worker;
	for (int i = 0; i < 3; i++)
		clients[i] = fixture_client(worker);
	assert_int_equal(api_listen(worker->bus, "p:r:x", 5, NULL, interfere,
			     NULL, &sub),
	    0);
	for (int i = 0; i < 3; i++) {
		(void)!membership_put(worker, clients[i], "r:x", 3);
		fake_link_answer_all(worker);
		fixture_check(worker);
	}
	fixture_gone(clients[0]);
	fake_link_answer_all(worker);
	fixture_check(worker);
	fixture_gone(clients[1]);
	fake_link_answer_all(worker);
	fixture_check(worker);
	cbus_unsubscribe(sub);
}

static void
one_that_has_moved_is_told_to_who_follows(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	client->home.slot = 7;
	client->number = 70;
	presence_moved(worker, client); /* nobody follows anything */
	put(client, "r:x");
	put(client, "r:y");
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	fake_link_answer_all(worker);
	want(worker, "p:r:y", true);
	want(worker, "p:t:a", true);
	(void)fake_link_said(worker->link);
	presence_moved(worker, client);
	assert_string_equal(fake_link_said(worker->link),
	    "publish p:r:y 2 join "
	    "{\"conn\":\"0000002a-7-3-70\",\"user\":\"\",\"role\":\"\"}\n"
	    "publish p:t:a 2 join "
	    "{\"conn\":\"0000002a-7-3-70\",\"user\":\"\",\"role\":\"\"}\n");
	client->home = worker->id;
	client->number = 1;
}

static void
who_follows_is_to_ask_about_one_that_did_not_come(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	put(client, "r:x");
	put(client, "r:y");
	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
	presence_unsure(worker, client); /* nobody follows */
	assert_string_equal(fake_link_said(worker->link), "");
	want(worker, "p:r:x", true);
	(void)fake_link_said(worker->link);
	presence_unsure(worker, client);
	assert_string_equal(fake_link_said(worker->link),
	    "publish p:r:x 2 here {}\n");
	want(worker, "p:r:x", false);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_said_when_nobody_asked),
		TEST(joins_and_leaves_are_said_while_they_are_wanted),
		TEST(who_follows_is_to_ask_about_one_that_did_not_come),
		TEST(a_subscription_is_presence_in_its_topic),
		TEST(the_end_of_a_connection_says_leave_with_who_it_was),
		TEST(what_was_wanted_is_forgotten_with_the_hub),
		TEST(a_listener_of_this_worker_hears_without_the_hub),
		TEST(a_listener_may_change_the_room_while_it_is_told),
		TEST(one_that_has_moved_is_told_to_who_follows),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

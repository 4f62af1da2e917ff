/* test_membership_hold.c - what a client gets when the hub knows, not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/client.h"
#include "worker/identity.h"
#include "worker/membership.h"
#include "worker/reply.h"
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

/* ---- answers that wait for the hub -------------------------------------- */

static struct frame *
answer_of(const char *id)
{
	return reply_ok(id, strlen(id), "");
}

static void
an_answer_waits_for_the_joins_before_it(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(put(client, "r:a"), 0);
	assert_int_equal(put(client, "r:b"), 0);
	membership_answer(worker, client, answer_of("1"));
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(client), "");
	/* A room that comes later is not waited for. */
	assert_int_equal(put(client, "r:c"), 0);
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(client), "{\"op\":\"ok\",\"id\":1}\n");
	fake_link_answer_all(worker);
	membership_answer(worker, client, answer_of("2"));
	assert_string_equal(fixture_got(client), "{\"op\":\"ok\",\"id\":2}\n");
	fixture_check(worker);
}

static void
an_answer_comes_at_once_when_the_hub_goes_and_never_to_who_has_gone(
    void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct client *gone = fixture_client(worker);

	assert_int_equal(put(client, "r:a"), 0);
	membership_answer(worker, gone, answer_of("7"));
	membership_answer(worker, client, answer_of("1"));
	fixture_gone(gone);
	assert_int_equal(take(client, "r:a"), 0);
	assert_string_equal(fixture_got(client), "");
	fake_link_go_away(worker);
	assert_string_equal(fixture_got(client), "{\"op\":\"ok\",\"id\":1}\n");
	assert_int_equal(client->waiter_count, 0);
	fixture_check(worker);
}

static struct client *
come(struct worker *worker)
{
	struct client *client = fixture_accept(worker);

	client_opened(client);
	client->identity = identity_new("ann", "");
	client_authenticated(client); /* in the same turn as the welcome */
	return client;
}

static void
a_users_welcome_comes_when_the_hub_knows_of_him(void **state)
{
	struct worker *worker = *state;
	struct client *client = come(worker);

	assert_string_equal(fixture_got(client), "");
	fake_link_answer_all(worker);
	assert_non_null(strstr(fixture_got(client), "\"op\":\"welcome\""));
	/* The second one finds the channel joined. */
	assert_non_null(
	    strstr(fixture_got(come(worker)), "\"op\":\"welcome\""));
	fixture_check(worker);
}

static void
a_hub_that_hangs_or_goes_holds_nobody_for_long(void **state)
{
	struct worker *worker = *state;
	struct client *client = come(worker);

	for (int i = 0; i < HELD_SWEEPS_MAX; i++)
		clients_sweep(worker, 10);
	assert_string_equal(fixture_got(client), "");
	clients_sweep(worker, 10);
	assert_non_null(strstr(fixture_got(client), "\"op\":\"welcome\""));
	fixture_gone(client);
	fake_link_answer_all(worker);
	client = come(worker);
	assert_string_equal(fixture_got(client), "");
	fake_link_go_away(worker);
	assert_non_null(strstr(fixture_got(client), "\"op\":\"welcome\""));
	fixture_check(worker);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_waits_for_the_joins_before_it),
		TEST(
		    an_answer_comes_at_once_when_the_hub_goes_and_never_to_who_has_gone),
		TEST(a_users_welcome_comes_when_the_hub_knows_of_him),
		TEST(a_hub_that_hangs_or_goes_holds_nobody_for_long),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_membership_race.c - members that come and go while the hub is asked,
 * a hub that comes and goes meanwhile, and no memory.
 *
 * The fake hub aborts when JOIN and LEAVE of a channel overtake each other.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "torture.h"
#include "worker/bus.h"
#include "worker/membership.h"
#include "worker_fixture.h"

enum {
	CLIENTS = 8,
	NAMES = 6,
	ROUNDS = 20000,
};

#define OK(id)      "{\"op\":\"ok\",\"id\":" id "}\n"
#define OK_AWAY(id) "{\"op\":\"ok\",\"id\":" id ",\"hub\":\"away\"}\n"
#define UNDONE(id)                                                             \
	"{\"op\":\"err\",\"id\":" id ",\"code\":\"BAD_REQUEST\","              \
	"\"message\":\"unsubscribed before the subscription was "              \
	"complete\"}\n"

static void
the_last_member_leaves_while_the_hub_is_asked(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	fixture_check(worker);
	assert_string_equal(fixture_got(client), UNDONE("1"));
	assert_string_equal(fake_link_said(worker->link), "join t:a\n");
	assert_true(fake_link_answer(worker));
	assert_string_equal(fake_link_said(worker->link), "leave t:a\n");
	assert_string_equal(fixture_got(client), "");
	assert_int_equal(worker->channels.table.count, 0);
	fixture_check(worker);
}

static void
it_comes_back_before_the_hub_has_answered(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_int_equal(fixture_join(client, "t:a", "2"), 0);
	fixture_check(worker);
	assert_string_equal(fake_link_said(worker->link), "join t:a\n");
	assert_true(fake_link_answer(worker));
	assert_false(fake_link_answer(worker));
	assert_string_equal(fake_link_said(worker->link), "");
	assert_string_equal(fixture_got(client), UNDONE("1") OK("2"));
	fixture_check(worker);
}

static void
the_client_goes_while_the_hub_is_asked(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct client *other = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(other, "t:b", "2"), 0);
	fixture_gone(client);
	fixture_check(worker);
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(other), "");
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(other), OK("2"));
	assert_string_equal(fake_link_said(worker->link),
	    "join t:a\njoin t:b\nleave t:a\n");
	fixture_check(worker);
}

static void
answers_belong_to_their_joins_in_order(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(client, "t:b", "2"), 0);
	assert_int_equal(fixture_join(client, "t:a", "3"), 0);
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(client), OK("1") OK("3"));
	assert_true(fake_link_answer(worker));
	assert_string_equal(fixture_got(client), OK("2"));
}

static void
the_hub_goes_while_it_is_asked(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct client *left = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_join(left, "t:b", "2"), 0);
	assert_int_equal(fixture_leave(left, "t:b"), 0);
	(void)fixture_got(left);
	fake_link_go_away(worker);
	fixture_check(worker);
	assert_string_equal(fixture_got(client), OK_AWAY("1"));
	assert_string_equal(fixture_got(left), "");
	assert_null(channel_find(&worker->channels, "t:b", 3));
	(void)fake_link_said(worker->link);
	fake_link_come_back(worker);
	assert_string_equal(fake_link_said(worker->link), "join t:a\n");
	fixture_check(worker);
	fake_link_answer_all(worker);
	assert_string_equal(fixture_got(client), ""); /* was told ok */
	fixture_check(worker);
}

static void
a_hub_that_is_back_hears_what_has_members(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:before", "1"), 0);
	assert_int_equal(fixture_join(client, "t:left", "2"), 0);
	fake_link_answer_all(worker);
	bus_push(worker,
	    &(struct api_push){ .channel = "t:idle",
		.channel_len = 6,
		.data = "0",
		.len = 1 });
	fake_link_go_away(worker);
	assert_int_equal(fixture_leave(client, "t:left"), 0);
	assert_int_equal(fixture_join(client, "t:meanwhile", "3"), 0);
	fixture_check(worker);
	fake_link_come_back(worker);
	fixture_check(worker);
	assert_int_equal(fake_link_wanted(worker->link), 2);
	assert_true(fake_link_wants(worker->link, "t:before", 8));
	assert_true(fake_link_wants(worker->link, "t:meanwhile", 11));
	assert_int_equal(fixture_join(client, "t:before", "4"), 0);
	(void)fixture_got(client);
	fake_link_go_away(worker); /* again, before it has answered */
	assert_string_equal(fixture_got(client), OK_AWAY("4"));
	fake_link_come_back(worker);
	fake_link_answer_all(worker);
	fixture_check(worker);
}

/* Answers owed to each client; every join has its own number as id. */
struct owed {
	struct client *client;
	uint32_t asked, told;
};

static void
collect(struct owed *owed)
{
	const char *text = fixture_got(owed->client);

	for (; *text != '\0'; text = strchr(text, '\n') + 1) {
		if (strncmp(text, "{\"op\":\"msg\"", 11) == 0)
			continue;
		assert_true(strncmp(text, "{\"op\":\"ok\",\"id\":", 16) == 0 ||
		    strncmp(text, "{\"op\":\"err\",\"id\":", 17) == 0);
		owed->told++;
	}
	assert_true(owed->told <= owed->asked);
}

static void
renew(struct worker *worker, struct owed *owed)
{
	if (owed->client != NULL)
		fixture_gone(owed->client);
	*owed = (struct owed){ .client = fixture_client(worker) };
	assert_non_null(owed->client);
}

static void
one_step(struct worker *worker, struct owed *owed, bool *up)
{
	char name[8];

	(void)snprintf(name, sizeof(name), "t:%u", random_below(NAMES));
	switch (random_below(16)) {
	case 0:
		renew(worker, owed);
		break;
	case 1:
		if (random_below(4) != 0)
			break;
		if (*up)
			fake_link_go_away(worker);
		else
			fake_link_come_back(worker);
		*up = !*up;
		break;
	case 2:
	case 3:
		if (*up)
			(void)fake_link_answer(worker); /* if any */
		break;
	case 4:
		bus_push(worker,
		    &(struct api_push){ .channel = name,
			.channel_len = strlen(name),
			.data = "0",
			.len = 1,
			.exclude = fixture_conn(owed->client) });
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		(void)fixture_leave(owed->client, name); /* -ENOENT: fine */
		break;
	default:
		assert_int_equal(fixture_join(owed->client, name, "1"), 0);
		owed->asked++;
		break;
	}
}

static void
whatever_happens_everybody_is_answered_once(void **state)
{
	struct worker *worker = *state;
	struct owed owed[CLIENTS] = { { 0 } };
	bool up = true;

	for (int i = 0; i < CLIENTS; i++)
		renew(worker, &owed[i]);
	for (int i = 0; i < ROUNDS; i++) {
		one_step(worker, &owed[random_below(CLIENTS)], &up);
		fixture_check(worker);
		for (int k = 0; k < CLIENTS; k++)
			collect(&owed[k]);
	}
	if (!up)
		fake_link_come_back(worker);
	fake_link_answer_all(worker);
	for (int k = 0; k < CLIENTS; k++) {
		collect(&owed[k]);
		assert_int_equal(owed[k].told, owed[k].asked);
	}
	fixture_check(worker);
}

/* A client that was told of a failure is no member; nobody leaks. */
static int
join_and_leave(void)
{
	struct worker *worker = fixture_new();
	struct client *clients[3];
	int failures = 0, rc;
	char name[8];

	if (worker == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		clients[i] = fixture_client(worker);
	for (unsigned i = 0; i < 18; i++) {
		struct client *client = clients[i % 3];
		struct channel *channel;

		if (client == NULL || client->state != CLIENT_OPEN) {
			failures++;
			continue;
		}
		(void)snprintf(name, sizeof(name), "t:%u", i / 3);
		rc = fixture_join(client, name, "1");
		fixture_check(worker);
		channel = channel_find(&worker->channels, name, strlen(name));
		if (rc != 0) {
			assert_int_equal(rc, -ENOMEM);
			failures++;
			assert_true(channel == NULL ||
			    channel_member(channel, client) < 0);
		}
		if (i == 9)
			fake_link_answer_all(worker);
		if (i == 12)
			fake_link_go_away(worker);
	}
	fake_link_come_back(worker);
	fake_link_answer_all(worker);
	flush_run(worker);
	failures += worker->stats->drop_memory != 0;
	fixture_free(worker);
	return failures == 0 ? 0 : -1;
}

static void
without_memory_a_client_is_no_member_and_hears_it(void **state)
{
	(void)state;
	torture_malloc(join_and_leave);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_last_member_leaves_while_the_hub_is_asked),
		TEST(it_comes_back_before_the_hub_has_answered),
		TEST(the_client_goes_while_the_hub_is_asked),
		TEST(answers_belong_to_their_joins_in_order),
		TEST(the_hub_goes_while_it_is_asked),
		TEST(a_hub_that_is_back_hears_what_has_members),
		TEST(whatever_happens_everybody_is_answered_once),
		cmocka_unit_test(
		    without_memory_a_client_is_no_member_and_hears_it),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

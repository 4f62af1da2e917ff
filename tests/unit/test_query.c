/* test_query.c - a worker answers questions about its clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "wire/query.h"
#include "worker/identity.h"
#include "worker/membership.h"
#include "worker/query.h"
#include "worker_fixture.h"

static int
setup(void **state)
{
	struct worker *worker = fixture_new();

	assert_non_null(worker);
	worker->config->max_rows = 1000;
	*state = worker;
	return 0;
}

/* The first client. */
static const struct query_args first = {
	.conn = "0000002a-1-3-1",
	.conn_len = 14,
};

/* Ask; what the link was given. */
static const char *
ask(struct worker *worker, enum query_kind kind, const struct query_args *args)
{
	static const struct query_args none;
	struct ipc_query query = { .token = 7, .kind = (uint16_t)kind };
	struct buf text;

	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
	buf_init(&text, IPC_QUERY_MAX);
	assert_int_equal(query_append(&text, args != NULL ? args : &none), 0);
	query_answer(worker, &query, buf_data(&text), text.len);
	buf_release(&text);
	return fake_link_said(worker->link);
}

static const char *
ask_channel(struct worker *worker, enum query_kind kind, const char *channel)
{
	return ask(worker, kind,
	    &(struct query_args){ .channel = channel,
		.channel_len = strlen(channel) });
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%.1000s", part, text);
}

static size_t
count_of(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		n++;
	}
	return n;
}

/* A client who is this user, in the user's channel. */
static struct client *
somebody(struct worker *worker, const char *user)
{
	struct client *client = fixture_client(worker);
	char channel[64];

	assert_non_null(client);
	client->identity = identity_new(user, "agent");
	assert_non_null(client->identity);
	(void)snprintf(channel, sizeof(channel), "u:%s", user);
	assert_int_equal(membership_put(worker, client, channel,
			     strlen(channel)),
	    0);
	return client;
}

static void
clients_are_listed_with_who_they_are_and_what_waits(void **state)
{
	struct worker *worker = *state;
	struct client *client = somebody(worker, "a\"\n");
	const char *said;

	assert_int_equal(fixture_join(client, "t:x", ""), 0);
	fake_link_answer_all(worker);
	assert_string_equal(fixture_got(client), "{\"op\":\"ok\"}\n");
	worker->now_ms += 1234;
	said = ask(worker, QUERY_CLIENTS, NULL);
	assert_string_equal(said,
	    "answer 7 last\n"
	    "{\"conn\":\"0000002a-1-3-1\",\"user\":\"a\\\"\\n\","
	    "\"role\":\"agent\",\"address\":\"\",\"age_ms\":1234,"
	    "\"subscriptions\":1,\"queued_bytes\":0}\n");
	assert_int_equal(worker->stats->queries, 1);
}

static void
only_open_clients_are_listed(void **state)
{
	struct worker *worker = *state;

	assert_non_null(fixture_accept(worker));
	assert_string_equal(ask(worker, QUERY_CLIENTS, NULL),
	    "answer 7 last\n");
}

static void
a_channels_members_are_listed_alone(void **state)
{
	struct worker *worker = *state;
	struct client *a = fixture_client(worker), *b = fixture_client(worker);
	const char *said;

	assert_int_equal(fixture_join(a, "t:x", ""), 0);
	assert_int_equal(fixture_join(b, "t:y", ""), 0);
	said = ask_channel(worker, QUERY_CLIENTS, "t:x");
	assert_int_equal(count_of(said, "\"conn\""), 1);
	assert_has(said, "\"conn\":\"0000002a-1-3-1\"");
	said = ask_channel(worker, QUERY_MEMBERS, "t:y");
	assert_string_equal(said,
	    "answer 7 last\n"
	    "{\"conn\":\"0000002a-1-3-2\",\"user\":\"\",\"role\":\"\"}\n");
	assert_string_equal(ask_channel(worker, QUERY_MEMBERS, "t:z"),
	    "answer 7 last\n");
	assert_has(ask_channel(worker, QUERY_COUNT, "t:x"),
	    "{\"count\":1,\"listeners\":0}\n");
	assert_has(ask_channel(worker, QUERY_COUNT, "t:z"),
	    "{\"count\":0,\"listeners\":0}\n");
}

static int
hear(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)arg;
	(void)data;
	(void)len;
	(void)info;
	return 0;
}

static void
topics_rooms_and_users_are_told_apart(void **state)
{
	struct worker *worker = *state;
	struct client *client = somebody(worker, "ann");
	struct cbus_sub *sub;
	const char *said;

	assert_int_equal(fixture_join(client, "t:x", ""), 0);
	assert_int_equal(fixture_join(client, "f:agent/y/z", ""), 0);
	assert_int_equal(fixture_join(client, "w:doc", ""), 0);
	assert_int_equal(membership_put(worker, client, "r:den", 5), 0);
	assert_int_equal(cbus_subscribe(worker->bus, "heard", hear, NULL, &sub),
	    0);
	said = ask(worker, QUERY_TOPICS, NULL);
	assert_int_equal(count_of(said, "\"name\""), 3);
	assert_has(said,
	    "{\"name\":\"x\",\"kind\":\"shared\",\"role\":\"\","
	    "\"clients\":1,\"listeners\":0}\n");
	assert_has(said,
	    "{\"name\":\"y/z\",\"kind\":\"role\",\"role\":\"agent\","
	    "\"clients\":1,\"listeners\":0}\n");
	assert_has(said,
	    "{\"name\":\"heard\",\"kind\":\"shared\",\"role\":\"\","
	    "\"clients\":0,\"listeners\":1}\n");
	assert_string_equal(ask(worker, QUERY_ROOMS, NULL),
	    "answer 7 last\n{\"name\":\"den\",\"clients\":1}\n");
	assert_string_equal(ask(worker, QUERY_USERS, NULL),
	    "answer 7 last\n{\"user\":\"ann\",\"connections\":1}\n");
	cbus_unsubscribe(sub);
}

static void
why_tells_all_about_one_connection(void **state)
{
	struct worker *worker = *state;
	struct client *client = somebody(worker, "ann");
	const struct query_args other = {
		.conn = "0000002a-1-3-2",
		.conn_len = 14,
	};
	const char *said;

	assert_int_equal(fixture_join(client, "t:x", ""), 0);
	assert_int_equal(membership_put(worker, client, "r:den", 5), 0);
	client->dropped = 3;
	client->gaps = 2;
	worker->now_ms += 10;
	said = ask(worker, QUERY_WHY, &first);
	assert_has(said, "\"conn\":\"0000002a-1-3-1\"");
	assert_has(said, "\"state\":\"open\"");
	assert_has(said, "\"dropped\":3,\"gaps\":2,\"seen_ms\":10,");
	assert_has(said, "\"limit_bytes\":16384");
	assert_has(said,
	    "\"rooms\":[\"den\"],\"watches\":[],\"topics\":[\"x\"]}\n");
	assert_null(strstr(said, "expires_s"));
	assert_string_equal(ask(worker, QUERY_WHY, &other), "answer 7 last\n");
}

static void
why_tells_what_a_slow_client_has_missed(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	char data[5002];

	worker->config->outbox_policy = OUTBOX_DROP_NEWEST;
	assert_int_equal(fixture_join(client, "t:x", ""), 0);
	memset(data, '"', sizeof(data));
	memset(data + 1, 'x', sizeof(data) - 2);
	for (int i = 0; i < 5; i++)
		assert_int_equal(cbus_publish(worker->bus, "x", data,
				     sizeof(data)),
		    0);
	assert_has(ask(worker, QUERY_WHY, &first), "\"dropped\":2,\"gaps\":0,");
	(void)fixture_got(client); /* it reads, and is told */
	(void)fixture_got(client);
	assert_has(ask(worker, QUERY_WHY, &first), "\"dropped\":2,\"gaps\":1,");
}

static void
more_names_than_fit_are_left_out_and_counted(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	char channel[256];
	const char *said;

	worker->config->max_subscriptions = 1000;
	memset(channel, 'n', sizeof(channel));
	for (int i = 0; i < 400; i++) {
		(void)snprintf(channel, 16, "t:%d-", i);
		channel[strlen(channel)] = 'n';
		channel[sizeof(channel) - 1] = '\0';
		assert_int_equal(fixture_join(client, channel, ""), 0);
	}
	said = ask(worker, QUERY_WHY, &first);
	assert_has(said, "],\"names_cut\":1");
	assert_int_equal(count_of(said, "\"conn\""), 1);
}

static void
a_connection_or_a_user_is_kicked(void **state)
{
	struct worker *worker = *state;
	struct client *a = somebody(worker, "ann"),
		      *b = somebody(worker, "ann");
	struct client *c = somebody(worker, "bob");
	const struct query_args user = { .user = "ann",
		.user_len = 3,
		.code = 4000,
		.text = "bye",
		.text_len = 3 };
	const struct query_args conn = { .conn = "0000002a-1-3-3",
		.conn_len = 14 };

	assert_string_equal(ask(worker, QUERY_KICK, &user),
	    "answer 7 last\n{\"kicked\":2}\n");
	assert_int_equal(a->close_code, 4000);
	assert_string_equal(b->close_reason, "bye");
	assert_int_equal(c->state, CLIENT_OPEN);
	assert_string_equal(ask(worker, QUERY_KICK, &user),
	    "answer 7 last\n{\"kicked\":0}\n");
	assert_string_equal(ask(worker, QUERY_KICK, &conn),
	    "answer 7 last\n{\"kicked\":1}\n");
	assert_int_equal(c->close_code, CLOSE_POLICY);
	assert_int_equal(worker->stats->closed_kicked, 3);
}

static void
connections_are_put_into_rooms_and_taken_out(void **state)
{
	struct worker *worker = *state;
	struct query_args args = { .user = "ann",
		.user_len = 3,
		.channel = "r:den",
		.channel_len = 5 };

	(void)somebody(worker, "ann");
	(void)somebody(worker, "ann");
	assert_has(ask(worker, QUERY_ROOM_ADD, &args), "{\"changed\":2}\n");
	assert_has(ask(worker, QUERY_ROOM_ADD, &args), "{\"changed\":0}\n");
	assert_has(ask_channel(worker, QUERY_COUNT, "r:den"), "\"count\":2");
	assert_has(ask(worker, QUERY_ROOM_REMOVE, &args), "{\"changed\":2}\n");
	args.channel = "t:den"; /* only into rooms */
	assert_has(ask(worker, QUERY_ROOM_ADD, &args), "{\"changed\":0}\n");
}

static void
rows_beyond_the_limit_are_cut(void **state)
{
	struct worker *worker = *state;
	const struct query_args two = { .limit = 2 };
	const char *said;

	for (int i = 0; i < 5; i++)
		assert_non_null(fixture_client(worker));
	worker->config->max_rows = 3;
	said = ask(worker, QUERY_CLIENTS, NULL);
	assert_int_equal(count_of(said, "\"conn\""), 3);
	assert_has(said, "}\n{\"cut\":2}\n");
	assert_int_equal(worker->stats->rows_cut, 2);
	said = ask(worker, QUERY_CLIENTS, &two);
	assert_int_equal(count_of(said, "\"conn\""), 2);
	assert_has(said, "{\"cut\":3}\n");
}

static void
a_long_answer_goes_out_in_parts_of_whole_lines(void **state)
{
	struct worker *worker = *state;
	const char *said;
	size_t parts;

	for (int i = 0; i < 900; i++)
		assert_non_null(fixture_client(worker));
	said = ask(worker, QUERY_CLIENTS, NULL);
	assert_int_equal(count_of(said, "\"queued_bytes\":0}\n"), 900);
	parts = count_of(said, "answer 7\n");
	assert_true(parts >= 1 && parts <= 3);
	assert_int_equal(count_of(said, "\nanswer 7 last\n{"), 1);
	assert_int_equal(count_of(said, "}\nanswer 7"), parts);
}

static void
what_nobody_understands_is_answered_with_nothing(void **state)
{
	struct worker *worker = *state;
	struct ipc_query query = { .token = 9, .kind = 999 };

	query_answer(worker, &query, "", 0);
	assert_string_equal(fake_link_said(worker->link), "answer 9 last\n");
	query.kind = QUERY_CLIENTS;
	query_answer(worker, &query, "short", 5);
	assert_string_equal(fake_link_said(worker->link), "answer 9 last\n");
}

static void
without_a_hub_an_answer_is_forgotten(void **state)
{
	struct worker *worker = *state;
	struct ipc_query query = { .token = 9, .kind = QUERY_CLIENTS };
	struct buf text;

	assert_non_null(fixture_client(worker));
	fake_link_forget(worker->link, false);
	buf_init(&text, IPC_QUERY_MAX);
	assert_int_equal(query_append(&text, &(struct query_args){ .code = 0 }),
	    0);
	query_answer(worker, &query, buf_data(&text), text.len);
	buf_release(&text);
	assert_string_equal(fake_link_said(worker->link), "");
	fake_link_forget(worker->link, true);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clients_are_listed_with_who_they_are_and_what_waits),
		TEST(only_open_clients_are_listed),
		TEST(a_channels_members_are_listed_alone),
		TEST(topics_rooms_and_users_are_told_apart),
		TEST(why_tells_all_about_one_connection),
		TEST(why_tells_what_a_slow_client_has_missed),
		TEST(more_names_than_fit_are_left_out_and_counted),
		TEST(a_connection_or_a_user_is_kicked),
		TEST(connections_are_put_into_rooms_and_taken_out),
		TEST(rows_beyond_the_limit_are_cut),
		TEST(a_long_answer_goes_out_in_parts_of_whole_lines),
		TEST(what_nobody_understands_is_answered_with_nothing),
		TEST(without_a_hub_an_answer_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

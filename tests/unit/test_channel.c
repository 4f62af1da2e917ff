/* test_channel.c - names with members, both sides of every membership. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "torture.h"
#include "worker/channel.h"
#include "worker/client.h"

enum {
	CLIENTS = 20,
	CHANNELS = 30,
	ROUNDS = 50000,
};

static const struct ipc_node_id node_a = { 1, 2, 3 };
static const struct ipc_node_id node_b = { 1, 2, 4 }; /* a's successor */

static struct channel *
get(struct channels *channels, const char *name)
{
	struct channel *channel = channel_get(channels, name, strlen(name));

	assert_non_null(channel);
	return channel;
}

/* Every member knows its client's place and the other way round. */
static void
check(const struct channels *channels, const struct client *clients, size_t n)
{
	const struct table_entry *entry = NULL;
	size_t members = 0, subs = 0, idle = 0;

	while ((entry = table_next(&channels->table, entry)) != NULL) {
		const struct channel *c =
		    channel_find(channels, entry->key, entry->key_len);

		assert_non_null(c);
		members += c->count;
		idle += !list_is_empty(&c->idle);
		for (uint32_t i = 0; i < c->count; i++) {
			const struct member *m = &c->members[i];

			assert_ptr_equal(m->client->subs[m->sub].channel, c);
			assert_int_equal(m->client->subs[m->sub].member, i);
			assert_int_equal(channel_member(c, m->client), m->sub);
		}
	}
	for (size_t i = 0; i < n; i++)
		subs += clients[i].sub_count;
	assert_int_equal(members, subs);
	assert_int_equal(channels->idle_count, idle);
}

static void
leave_all(struct channels *channels, struct client *client)
{
	struct channel *channel;

	while (client->sub_count != 0) {
		channel = client->subs[0].channel;
		if (channel_remove(channels, client, 0))
			channel_settle(channels, channel);
	}
	free(client->subs);
	client->subs = NULL;
}

static void
a_channel_is_made_once_and_found_by_its_bytes(void **state)
{
	struct channels channels;
	struct channel *channel;

	(void)state;
	channels_init(&channels);
	assert_null(channel_find(&channels, "t:a", 3));
	channel = get(&channels, "t:a");
	assert_ptr_equal(get(&channels, "t:a"), channel);
	assert_ptr_equal(channel_find(&channels, "t:a", 3), channel);
	assert_null(channel_find(&channels, "t:a", 2));
	assert_null(channel_find(&channels, "t:A", 3));
	assert_int_equal(channels.table.count, 1);
	channel_settle(&channels, channel);
	assert_null(channel_find(&channels, "t:a", 3));
	channels_release(&channels);
}

static void
a_member_joins_and_leaves(void **state)
{
	struct client client = { 0 }, other = { 0 };
	struct channels channels;
	struct channel *channel;

	(void)state;
	channels_init(&channels);
	channel = get(&channels, "t:a");
	assert_int_equal(channel_member(channel, &client), -1);
	assert_int_equal(channel_add(&channels, channel, &client), 0);
	assert_int_equal(channel_add(&channels, channel, &other), 0);
	assert_int_equal(channel_member(channel, &client), 0);
	assert_false(channel_remove(&channels, &client, 0));
	assert_int_equal(channel_member(channel, &client), -1);
	assert_int_equal(channel_member(channel, &other), 0);
	assert_true(channel_remove(&channels, &other, 0));
	channel_settle(&channels, channel);
	assert_int_equal(channels.table.count, 0);
	free(client.subs);
	free(other.subs);
	channels_release(&channels);
}

static void
a_channel_that_was_published_to_keeps_its_number_when_idle(void **state)
{
	struct client client = { 0 };
	struct channels channels;
	struct channel *channel;

	(void)state;
	channels_init(&channels);
	channel = get(&channels, "t:a");
	channel->seq = 7;
	assert_int_equal(channel_add(&channels, channel, &client), 0);
	channel_settle(&channels, channel); /* has a member: nothing */
	assert_int_equal(channels.idle_count, 0);
	assert_true(channel_remove(&channels, &client, 0));
	channel_settle(&channels, channel);
	channel_settle(&channels, channel); /* again: nothing */
	assert_int_equal(channels.idle_count, 1);
	assert_ptr_equal(channel_find(&channels, "t:a", 3), channel);
	assert_int_equal(channel->seq, 7);
	assert_null(channel->members);
	assert_int_equal(channel_add(&channels, channel, &client), 0);
	assert_int_equal(channels.idle_count, 0);
	leave_all(&channels, &client);
	channels_release(&channels);
}

static void
a_channel_whose_join_is_under_way_stays(void **state)
{
	struct channels channels;
	struct channel *channel;

	(void)state;
	channels_init(&channels);
	channel = get(&channels, "t:a");
	channel->interest = INTEREST_JOINING;
	channel_settle(&channels, channel);
	assert_ptr_equal(channel_find(&channels, "t:a", 3), channel);
	channel->interest = INTEREST_NONE;
	channel_settle(&channels, channel);
	assert_null(channel_find(&channels, "t:a", 3));
	channels_release(&channels);
}

static void
the_longest_idle_channel_goes_first(void **state)
{
	struct channels channels;
	struct channel *channel;
	char name[16];

	(void)state;
	channels_init(&channels);
	for (int i = 0; i < CHANNEL_IDLE_MAX + 3; i++) {
		(void)snprintf(name, sizeof(name), "t:%d", i);
		channel = get(&channels, name);
		channel->seq = 1;
		channel_settle(&channels, channel);
	}
	channels_trim(&channels);
	assert_int_equal(channels.idle_count, CHANNEL_IDLE_MAX);
	assert_int_equal(channels.table.count, CHANNEL_IDLE_MAX);
	assert_null(channel_find(&channels, "t:0", 3));
	assert_null(channel_find(&channels, "t:2", 3));
	assert_non_null(channel_find(&channels, "t:3", 3));
	assert_non_null(channel_find(&channels, name, strlen(name)));
	/* At once, too: in a quadratic time this test would be slow. */
	channels_release(&channels);
}

static void
numbers_that_are_missed_are_counted(void **state)
{
	struct channels channels;
	struct channel *c;

	(void)state;
	channels_init(&channels);
	c = get(&channels, "t:a");
	assert_int_equal(channel_note_seq(c, &node_a, 100), 0); /* the first */
	assert_int_equal(channel_note_seq(c, &node_a, 101), 0);
	assert_int_equal(channel_note_seq(c, &node_a, 105), 3);
	assert_int_equal(channel_note_seq(c, &node_b, 9), 0); /* its own */
	assert_int_equal(channel_note_seq(c, &node_b, 11), 1);
	assert_int_equal(channel_note_seq(c, &node_a, 106), 0);
	assert_int_equal(channel_note_seq(c, &node_a, 106), 0); /* anew */
	assert_int_equal(channel_note_seq(c, &node_a, 1), 0);   /* anew */
	assert_int_equal(channel_note_seq(c, &node_a, 3), 1);
	assert_int_equal(channel_note_seq(c, &node_a, UINT64_MAX),
	    UINT64_MAX - 4);
	channel_forget_seqs(c);
	assert_int_equal(channel_note_seq(c, &node_a, 50), 0);
	channels_release(&channels);
}

static void
the_nodes_that_are_followed_are_bounded(void **state)
{
	struct ipc_node_id id = { 1, 2, 0 };
	struct channels channels;
	struct channel *c;

	(void)state;
	channels_init(&channels);
	c = get(&channels, "t:a");
	for (int round = 0; round < 3; round++) {
		for (uint16_t i = 0; i < CHANNEL_ORIGINS_MAX + 50; i++) {
			id.generation = i;
			(void)channel_note_seq(c, &id, 1 + (uint64_t)round);
			assert_true(c->origin_count <= CHANNEL_ORIGINS_MAX);
		}
	}
	channels_release(&channels);
}

/* With either side the longer one: both searches. */
static void
membership_is_found_from_both_sides(void **state)
{
	static struct client clients[CLIENTS];
	struct channels channels;
	char name[16];

	(void)state;
	channels_init(&channels);
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(channel_add(&channels, get(&channels, "t:0"),
				     &clients[i]),
		    0);
	for (int i = 1; i < CHANNELS; i++) {
		(void)snprintf(name, sizeof(name), "t:%d", i);
		assert_int_equal(channel_add(&channels, get(&channels, name),
				     &clients[0]),
		    0);
	}
	check(&channels, clients, CLIENTS);
	assert_int_equal(channel_member(get(&channels, "t:29"), &clients[1]),
	    -1);
	assert_int_equal(channel_member(get(&channels, "t:29"), &clients[0]),
	    29);
	for (int i = 0; i < CLIENTS; i++) {
		leave_all(&channels, &clients[i]);
		check(&channels, clients, CLIENTS);
	}
	assert_int_equal(channels.table.count, 0);
	channels_release(&channels);
}

static void
random_comings_and_goings_keep_both_sides_true(void **state)
{
	static struct client clients[CLIENTS];
	bool model[CLIENTS][CHANNELS] = { { false } };
	struct channels channels;
	struct channel *channel;
	char name[16];
	int64_t sub;

	(void)state;
	channels_init(&channels);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t who = random_below(CLIENTS);
		uint32_t what = random_below(CHANNELS);

		(void)snprintf(name, sizeof(name), "t:%u", what);
		channel = get(&channels, name);
		sub = channel_member(channel, &clients[who]);
		assert_int_equal(sub >= 0, model[who][what]);
		model[who][what] = !model[who][what];
		if (sub < 0)
			assert_int_equal(channel_add(&channels, channel,
					     &clients[who]),
			    0);
		else if (channel_remove(&channels, &clients[who],
			     (uint32_t)sub))
			channel_settle(&channels, channel);
		if (i % 16 == 0)
			check(&channels, clients, CLIENTS);
	}
	check(&channels, clients, CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		leave_all(&channels, &clients[i]);
	assert_int_equal(channels.table.count, 0);
	channels_release(&channels);
}

static int
join_many(void)
{
	struct client clients[6] = { { 0 } };
	struct channels channels;
	int failures = 0, rc;
	char name[16];

	channels_init(&channels);
	for (int i = 0; i < 36; i++) {
		struct channel *channel;

		(void)snprintf(name, sizeof(name), "t:%d", i / 6);
		channel = channel_get(&channels, name, strlen(name));
		rc = channel == NULL ?
		    -ENOMEM :
		    channel_add(&channels, channel, &clients[i % 6]);
		assert_true(rc == 0 || rc == -ENOMEM);
		failures += rc != 0;
		if (channel == NULL)
			continue;
		(void)channel_note_seq(channel, &node_a, (uint64_t)i + 1);
		(void)channel_note_seq(channel, &node_b, (uint64_t)i + 1);
		channel_settle(&channels, channel);
	}
	check(&channels, clients, ARRAY_LEN(clients));
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		leave_all(&channels, &clients[i]);
	assert_int_equal(channels.table.count, 0);
	channels_release(&channels);
	return failures == 0 ? 0 : -ENOMEM;
}

static void
running_out_of_memory_leaves_both_sides_true(void **state)
{
	(void)state;
	torture_malloc(join_many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_is_made_once_and_found_by_its_bytes),
		cmocka_unit_test(a_member_joins_and_leaves),
		cmocka_unit_test(
		    a_channel_that_was_published_to_keeps_its_number_when_idle),
		cmocka_unit_test(a_channel_whose_join_is_under_way_stays),
		cmocka_unit_test(the_longest_idle_channel_goes_first),
		cmocka_unit_test(numbers_that_are_missed_are_counted),
		cmocka_unit_test(the_nodes_that_are_followed_are_bounded),
		cmocka_unit_test(membership_is_found_from_both_sides),
		cmocka_unit_test(
		    random_comings_and_goings_keep_both_sides_true),
		cmocka_unit_test(running_out_of_memory_leaves_both_sides_true),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_hub_sink.c - nodes inside the primary, taps, faults. */
#include "hub_fixture.h"

#include "primary/hub_sink.h"
#include "torture.h"

/* What a sink or tap was called with. */
struct ear {
	struct hub_fixture *f;
	unsigned count;
	struct ipc_publish head;
	char channel[64];
	char payload[64];
	/* Done inside the call. */
	struct hub_sink *closes;
	struct hub_sink *answers; /* once, on channel "t:answer" */
};

static const struct ipc_node_id SINK_ID = { 7, 0xfffd, 3 };

static struct ipc_envelope
envelope_of(const char *channel, const char *payload)
{
	return (struct ipc_envelope){ .channel = channel,
		.channel_len = strlen(channel),
		.payload = (const unsigned char *)payload,
		.payload_len = strlen(payload) };
}

static int
inject(struct hub_fixture *f, struct hub_sink *from, const char *channel,
    const char *payload)
{
	struct ipc_envelope envelope = envelope_of(channel, payload);

	return hub_inject(f->hub, from, &envelope);
}

static void
on_envelope(void *arg, const struct ipc_envelope *envelope)
{
	struct ear *ear = arg;
	struct hub_sink *answers = ear->answers;

	ear->count++;
	ear->head = envelope->head;
	(void)snprintf(ear->channel, sizeof(ear->channel), "%.*s",
	    (int)envelope->channel_len, envelope->channel);
	(void)snprintf(ear->payload, sizeof(ear->payload), "%.*s",
	    (int)envelope->payload_len, (const char *)envelope->payload);
	hub_sink_close(ear->closes);
	ear->closes = NULL;
	ear->answers = NULL;
	if (answers != NULL)
		assert_true(inject(ear->f, answers, "t:answer", "2") >= 0);
}

static struct hub_sink *
sink_new(struct hub_fixture *f, struct ear *ear, const char *channel)
{
	struct hub_sink *sink;

	*ear = (struct ear){ .f = f };
	sink = hub_sink_new(f->hub, &SINK_ID, on_envelope, ear);
	assert_non_null(sink);
	if (channel != NULL)
		assert_int_equal(hub_sink_join(sink, channel, strlen(channel)),
		    1);
	return sink;
}

static void
assert_heard(const struct ear *ear, unsigned count, const char *payload)
{
	assert_int_equal(ear->count, count);
	assert_string_equal(ear->payload, payload);
}

static void
assert_comes(struct hub_fixture *f, struct peer *peer, const char *payload,
    const struct ipc_node_id *origin)
{
	struct ipc_envelope envelope = peer_expect_envelope(f, peer);

	assert_int_equal(envelope.payload_len, strlen(payload));
	assert_memory_equal(envelope.payload, payload, strlen(payload));
	assert_memory_equal(&envelope.head.origin, origin, sizeof(*origin));
}

/* ---- sinks ------------------------------------------------------------- */

static void
a_sink_gets_the_envelopes_of_its_channels(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	struct hub_sink *sink;
	struct ear ear;

	sink = sink_new(f, &ear, "t:a");
	peer_publish(f, peer, "t:a", 5, "1", 1);
	peer_publish(f, peer, "t:b", 6, "2", 1);
	hub_turns(f, 2);
	assert_heard(&ear, 1, "1");
	assert_string_equal(ear.channel, "t:a");
	assert_int_equal(ear.head.seq, 5);
	/* Who published is the hub's word here, too. */
	assert_int_equal(ear.head.origin.host, PEER_HOST);
	assert_int_equal(hub_sink_join(sink, "t:a", 3), 0);
	assert_int_equal(hub_sink_leave(sink, "t:a", 3), 1);
	assert_int_equal(hub_sink_leave(sink, "t:a", 3), 0);
	peer_publish(f, peer, "t:a", 7, "3", 1);
	hub_turns(f, 2);
	assert_int_equal(ear.count, 1);
	hub_sink_close(sink);
}

static void
what_a_sink_publishes_reaches_nodes_and_other_sinks(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	struct hub_sink *one, *two;
	struct ear ears[2];
	const struct ipc_node_id other = { 9, 1, 1 };
	struct ipc_envelope envelope = envelope_of("t:a", "2");

	one = sink_new(f, &ears[0], "t:a");
	two = sink_new(f, &ears[1], "t:a");
	peer_join(f, peer, "t:a");
	assert_int_equal(inject(f, one, "t:a", "1"), 2);
	assert_int_equal(ears[0].count, 0); /* not to itself */
	assert_heard(&ears[1], 1, "1");
	assert_comes(f, peer, "1", &SINK_ID);
	envelope.head.origin = other;
	assert_int_equal(hub_inject(f->hub, NULL, &envelope), 3);
	assert_heard(&ears[0], 1, "2");
	assert_comes(f, peer, "2", &other);
	assert_int_equal(inject(f, one, "t:nobody", "1"), 0);
	hub_sink_close(one);
	hub_sink_close(two);
}

static void
many_are_injected_in_one_turn_and_arrive_in_order(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	static char payload[1000];
	struct hub_sink *sink;
	struct ear ear;

	sink = sink_new(f, &ear, NULL);
	peer_join(f, peer, "t:a");
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(payload, sizeof(payload), "%999u", i);
		assert_int_equal(inject(f, sink, "t:a", payload), 1);
	}
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(payload, sizeof(payload), "%999u", i);
		assert_comes(f, peer, payload, &SINK_ID);
	}
	peer_expect_nothing(f, peer);
	hub_sink_close(sink);
}

static void
what_is_too_large_is_not_taken(void **state)
{
	struct hub_fixture *f = *state;
	static char name[IPC_CHANNEL_MAX + 2];
	struct ipc_envelope envelope = envelope_of("t:a", "");

	memset(name, 'x', IPC_CHANNEL_MAX + 1);
	assert_int_equal(inject(f, NULL, "", "1"), -EMSGSIZE);
	assert_int_equal(inject(f, NULL, name, "1"), -EMSGSIZE);
	name[IPC_CHANNEL_MAX] = '\0';
	assert_int_equal(inject(f, NULL, name, "1"), 0);
	envelope.payload_len = IPC_PAYLOAD_MAX + 1;
	assert_int_equal(hub_inject(f->hub, NULL, &envelope), -EMSGSIZE);
}

static void
a_sink_may_be_closed_and_publish_inside_a_call(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	struct hub_sink *sinks[3];
	struct ear ears[3];

	for (size_t i = 0; i < 3; i++)
		sinks[i] = sink_new(f, &ears[i], "t:a");
	assert_int_equal(hub_sink_join(sinks[2], "t:answer", 8), 1);
	ears[0].closes = sinks[0]; /* itself */
	ears[1].answers = sinks[1];
	peer_publish(f, peer, "t:a", 1, "1", 1);
	hub_turns(f, 2);
	assert_int_equal(ears[0].count, 1);
	assert_int_equal(ears[1].count, 1);
	assert_int_equal(ears[2].count, 2);
	assert_string_equal(ears[2].payload, "1"); /* the answer came first */
	peer_publish(f, peer, "t:a", 2, "3", 1);
	hub_turns(f, 2);
	assert_int_equal(ears[0].count, 1);
	assert_int_equal(ears[1].count, 2);
	assert_int_equal(stats_get(&f->stats.interests), 3);
	hub_sink_close(sinks[1]);
	hub_sink_close(sinks[2]);
	assert_int_equal(stats_get(&f->stats.interests), 0);
	hub_sink_close(NULL);
}

static void
there_are_only_so_many_sinks_and_places_are_used_again(void **state)
{
	struct hub_fixture *f = *state;
	static struct hub_sink *sinks[HUB_SINKS_MAX];
	struct ear ear;

	for (size_t i = 0; i < HUB_SINKS_MAX; i++)
		sinks[i] = sink_new(f, &ear, NULL);
	assert_null(hub_sink_new(f->hub, &SINK_ID, on_envelope, &ear));
	hub_sink_close(sinks[17]);
	sinks[17] = sink_new(f, &ear, "t:a");
	assert_int_equal(inject(f, NULL, "t:a", "1"), 1);
	assert_int_equal(ear.count, 1);
}

static void
those_who_joined_are_counted(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	struct ear ear;
	uint32_t sinks = 9;

	assert_int_equal(hub_interested(f->hub, "t:a", 3, &sinks), 0);
	assert_int_equal(sinks, 0);
	(void)sink_new(f, &ear, "t:a");
	peer_join(f, peer, "t:a");
	assert_int_equal(hub_interested(f->hub, "t:a", 3, &sinks), 2);
	assert_int_equal(sinks, 1);
}

static void
questions_and_presence_pass_sinks_by(void **state)
{
	struct hub_fixture *f = *state;
	struct ipc_query query = { .token = 3, .slot = IPC_SLOT_NONE };
	struct ipc_queried queried;
	struct peer *peer = peer_new(f);
	struct ear ear;

	(void)sink_new(f, &ear, "t:a");
	peer_say(f, peer, IPC_QUERY, &query, sizeof(query), NULL, 0);
	peer_expect(f, peer, IPC_QUERIED, &queried, sizeof(queried));
	assert_int_equal(queried.asked, 0);
	assert_int_equal(ear.count, 0);
	assert_int_equal(stats_get(&f->stats.nodes), 1);
}

/* ---- taps -------------------------------------------------------------- */

static void
a_tap_sees_every_envelope_but_those_of_its_own_sink(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	struct ear tap = { .f = f }, own_ear, ear;
	struct hub_sink *own = sink_new(f, &own_ear, NULL);
	struct hub_sink *sink = sink_new(f, &ear, NULL);

	assert_int_equal(hub_add_tap(f->hub, on_envelope, &tap, own), 0);
	peer_publish(f, peer, "t:nobody", 4, "1", 1);
	hub_turns(f, 2);
	assert_heard(&tap, 1, "1");
	assert_int_equal(tap.head.origin.host, PEER_HOST);
	assert_int_equal(inject(f, sink, "r:x", "2"), 0);
	assert_heard(&tap, 2, "2");
	assert_memory_equal(&tap.head.origin, &SINK_ID, sizeof(SINK_ID));
	assert_int_equal(tap.head.channel_len, 3);
	assert_int_equal(inject(f, own, "r:x", "3"), 0);
	assert_int_equal(tap.count, 2);
	hub_remove_tap(f->hub, on_envelope, &tap);
	assert_int_equal(inject(f, sink, "r:x", "4"), 0);
	assert_int_equal(tap.count, 2);
}

static void
a_tap_comes_after_the_nodes_of_this_host(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f), *other = peer_new(f);
	struct ear tap = { .f = f }, ear;
	struct hub_sink *sink = sink_new(f, &ear, NULL);

	peer_join(f, other, "t:a");
	peer_join(f, other, "t:answer");
	tap.answers = sink;
	assert_int_equal(hub_add_tap(f->hub, on_envelope, &tap, sink), 0);
	peer_publish(f, peer, "t:a", 4, "1", 1);
	assert_comes(f, other, "1", &(struct ipc_node_id){ PEER_HOST, 0, 1 });
	assert_comes(f, other, "2", &SINK_ID);
	assert_int_equal(tap.count, 1);
	hub_remove_tap(f->hub, on_envelope, &tap);
}

static void
there_are_only_so_many_taps(void **state)
{
	struct hub_fixture *f = *state;
	struct ear taps[HUB_TAPS_MAX + 1];

	memset(taps, 0, sizeof(taps));
	for (size_t i = 0; i < HUB_TAPS_MAX; i++)
		assert_int_equal(hub_add_tap(f->hub, on_envelope, &taps[i],
				     NULL),
		    0);
	assert_int_equal(hub_add_tap(f->hub, on_envelope, &taps[HUB_TAPS_MAX],
			     NULL),
	    -ENOBUFS);
	hub_remove_tap(f->hub, on_envelope, &taps[1]);
	assert_int_equal(inject(f, NULL, "t:a", "1"), 0);
	for (size_t i = 0; i < HUB_TAPS_MAX; i++)
		assert_int_equal(taps[i].count, i == 1 ? 0 : 1);
}

/* ---- memory ------------------------------------------------------------ */

static struct hub_fixture *tortured;

static int
a_sink_lives(void)
{
	struct ear ear = { .f = tortured };
	struct hub_sink *sink;
	int rc;

	sink = hub_sink_new(tortured->hub, &SINK_ID, on_envelope, &ear);
	if (sink == NULL)
		return -ENOMEM;
	rc = hub_sink_join(sink, "t:new", 5);
	if (rc == 1)
		rc = inject(tortured, sink, "t:a", "1");
	hub_sink_close(sink);
	hub_turns(tortured, 1);
	assert_true(rc == 1 || rc == -ENOMEM);
	return rc == 1 ? 0 : rc;
}

static void
out_of_memory_costs_only_the_one_who_publishes(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);

	tortured = f;
	peer_join(f, peer, "t:a");
	torture_malloc(a_sink_lives);
	(void)peer_expect_envelope(f, peer);
	assert_int_equal(stats_get(&f->stats.interests), 1);
}

#define HUB_TEST(name)                                                         \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HUB_TEST(a_sink_gets_the_envelopes_of_its_channels),
		HUB_TEST(what_a_sink_publishes_reaches_nodes_and_other_sinks),
		HUB_TEST(many_are_injected_in_one_turn_and_arrive_in_order),
		HUB_TEST(what_is_too_large_is_not_taken),
		HUB_TEST(a_sink_may_be_closed_and_publish_inside_a_call),
		HUB_TEST(
		    there_are_only_so_many_sinks_and_places_are_used_again),
		HUB_TEST(those_who_joined_are_counted),
		HUB_TEST(questions_and_presence_pass_sinks_by),
		HUB_TEST(a_tap_sees_every_envelope_but_those_of_its_own_sink),
		HUB_TEST(a_tap_comes_after_the_nodes_of_this_host),
		HUB_TEST(there_are_only_so_many_taps),
		HUB_TEST(out_of_memory_costs_only_the_one_who_publishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sync_in.c - the bridge: what comes in. */
#include "sync_rig.h"

#include "torture.h"

#define FOREIGN "0a1b2c3d-5d0a-4c0e-9a53-0d9a5d9b0001"

/* The next envelope that a peer gets is this. */
static struct ipc_publish
assert_comes(struct peer *peer, const char *channel, uint16_t flags,
    const void *payload, size_t len)
{
	struct ipc_envelope envelope = peer_expect_envelope(rig.f, peer);

	assert_int_equal(envelope.channel_len, strlen(channel));
	assert_memory_equal(envelope.channel, channel, strlen(channel));
	assert_int_equal(envelope.head.flags, flags);
	assert_int_equal(envelope.payload_len, len);
	assert_memory_equal(envelope.payload, payload, len);
	assert_int_equal(envelope.head.seq, 0);
	return envelope.head;
}

static struct peer *
listener(const char *channel)
{
	struct peer *peer = peer_new(rig.f);

	peer_join(rig.f, peer, channel);
	return peer;
}

static void
text_and_bytes_become_envelopes_of_a_foreign_node(void **state)
{
	struct ipc_publish head;
	struct peer *peer;

	(void)state;
	rig_start("");
	peer = listener("t:chat");
	rig_delivers(FOREIGN, "/any", "chat", false, " {\"a\":1e400} ", 13);
	head = assert_comes(peer, "t:chat", 0, " {\"a\":1e400} ", 13);
	assert_int_equal(head.origin.host, 0x0a1b2c3d);
	assert_int_equal(head.origin.slot, SYNC_SLOT);
	assert_int_equal(head.origin.generation, 1);
	rig_delivers(FOREIGN, "", "chat", false, "a \"b\"\n\0", 7);
	(void)assert_comes(peer, "t:chat", IPC_PUBLISH_TEXT,
	    "\"a \\\"b\\\"\\n\\u0000\"", 17);
	rig_delivers(FOREIGN, "", "chat", false, "", 0);
	(void)assert_comes(peer, "t:chat", IPC_PUBLISH_TEXT, "\"\"", 2);
	rig_delivers(FOREIGN, "", "chat", true, "\xff\0", 2);
	(void)assert_comes(peer, "t:chat", IPC_PUBLISH_BINARY, "\xff\0", 2);
	assert_int_equal(rig.f->stats.sync_in, 4);
	assert_int_equal(rig.f->stats.sync_bytes_in, 13 + 7 + 0 + 2);
	assert_int_equal(rig.count, 0); /* it does not go out again */
}

static void
an_id_of_another_form_is_a_host_too_but_never_ours(void **state)
{
	struct ipc_publish one, two;
	struct peer *peer;
	char own_host[40];

	(void)state;
	rig_start("");
	peer = listener("t:a");
	rig_delivers("server one", "", "a", false, "1", 1);
	one = assert_comes(peer, "t:a", 0, "1", 1);
	rig_delivers("server two", "", "a", false, "1", 1);
	two = assert_comes(peer, "t:a", 0, "1", 1);
	assert_int_not_equal(one.origin.host, two.origin.host);
	assert_int_not_equal(one.origin.host, 0);
	rig_delivers("", "", "a", false, "1", 1);
	one = assert_comes(peer, "t:a", 0, "1", 1);
	assert_int_not_equal(one.origin.host, 0);
	rig_delivers("00000000-x", "", "a", false, "1", 1);
	one = assert_comes(peer, "t:a", 0, "1", 1);
	assert_int_equal(one.origin.host, 1);
	(void)snprintf(own_host, sizeof(own_host), "%08x-5d0a",
	    (unsigned)PEER_HOST);
	rig_delivers(own_host, "", "a", false, "1", 1);
	one = assert_comes(peer, "t:a", 0, "1", 1);
	assert_int_not_equal(one.origin.host, PEER_HOST);
}

static void
our_own_echo_is_dropped(void **state)
{
	struct peer *peer;

	(void)state;
	rig_start("");
	peer = listener("t:a");
	rig_delivers(rig.id, "", "a", false, "1", 1);
	peer_expect_nothing(rig.f, peer);
	assert_int_equal(rig.f->stats.sync_in, 0);
}

static void
another_namespace_is_not_ours_and_an_empty_one_is_everybodys(void **state)
{
	struct peer *peer;

	(void)state;
	rig_start("/_ws");
	peer = listener("t:a");
	rig_delivers(FOREIGN, "/other", "a", false, "1", 1);
	rig_delivers(FOREIGN, "/_w", "a", false, "2", 1);
	peer_expect_nothing(rig.f, peer);
	assert_int_equal(rig.f->stats.sync_in, 0);
	rig_delivers(FOREIGN, "/_ws", "a", false, "3", 1);
	(void)assert_comes(peer, "t:a", 0, "3", 1);
	rig_delivers(FOREIGN, "", "a", false, "4", 1);
	(void)assert_comes(peer, "t:a", 0, "4", 1);
}

static void
names_and_text_that_cannot_be_are_counted(void **state)
{
	struct peer *peer;

	(void)state;
	rig_start("");
	peer = listener("t:a");
	rig_delivers(FOREIGN, "", "", false, "1", 1);
	rig_delivers(FOREIGN, "", "123456789012345678901", false, "1", 1);
	rig_delivers(FOREIGN, "", "a\tb", false, "1", 1);
	rig_delivers(FOREIGN, "", "\xff", false, "1", 1);
	assert_int_equal(rig.f->stats.sync_bad, 4);
	rig_delivers(FOREIGN, "", "12345678901234567890", false, "1", 1);
	assert_int_equal(rig.f->stats.sync_bad, 4);
	sync_set_topic_max(rig.sync, 19);
	rig_delivers(FOREIGN, "", "12345678901234567890", false, "1", 1);
	rig_delivers(FOREIGN, "", "a", false, "\xff", 1);
	assert_int_equal(rig.f->stats.sync_bad, 6);
	assert_int_equal(peer_next(rig.f, peer).type, IPC_FAULT);
}

/* ---- from hosts of our kind -------------------------------------------- */

static void
deliver_frame(const char *channel, uint16_t flags, uint32_t host,
    const char *payload)
{
	const struct ipc_node_id origin = { host, 2, 3 };
	unsigned char frame[100];
	size_t len = strlen(payload);

	sync_frame_write(frame, flags, &origin);
	memcpy(frame + SYNC_FRAME_HEAD, payload, len);
	rig_delivers(FOREIGN, "clusterbus", channel, true, frame,
	    SYNC_FRAME_HEAD + len);
}

static void
channels_of_other_hosts_are_published_here_with_their_origin(void **state)
{
	static const char *const channels[] = { "r:red", "u:ann", "f:user/x",
		"a:", "w:doc" };
	struct ipc_publish head;
	struct peer *peer;

	(void)state;
	rig_start("/_ws"); /* which does not matter here */
	for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
		peer = listener(channels[i]);
		deliver_frame(channels[i], IPC_PUBLISH_PUSH, 77, "body");
		head = assert_comes(peer, channels[i], IPC_PUBLISH_PUSH, "body",
		    4);
		assert_int_equal(head.origin.host, 77);
		assert_int_equal(head.origin.slot, 2);
		assert_int_equal(head.origin.generation, 3);
	}
	assert_int_equal(rig.count, 0);
}

static void
one_node_of_ours_is_reached_and_those_of_a_third_host_are_not(void **state)
{
	struct peer *peer, *third;
	char own[40];

	(void)state;
	rig_start("");
	(void)snprintf(own, sizeof(own), "n:%08x-3-1", (unsigned)PEER_HOST);
	peer = listener(own);
	third = listener("n:00000009-1-1");
	deliver_frame(own, IPC_PUBLISH_PUSH, 77, "body");
	(void)assert_comes(peer, own, IPC_PUBLISH_PUSH, "body", 4);
	deliver_frame("n:00000009-1-1", IPC_PUBLISH_PUSH, 77, "body");
	peer_expect_nothing(rig.f, third);
	assert_int_equal(rig.f->stats.sync_bad, 0);
}

static void
frames_that_cannot_be_are_counted(void **state)
{
	static const char *const channels[] = { "p:t:a", "t:a", "x:y", "r:", "",
		"r", "nonsense" };
	unsigned char frame[SYNC_FRAME_HEAD] = { sync_frame_order() };

	(void)state;
	rig_start("");
	for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
		deliver_frame(channels[i], 0, 77, "body");
		assert_int_equal(rig.f->stats.sync_bad, i + 1);
	}
	rig.f->stats.sync_bad = 0;
	deliver_frame("r:x", 0, PEER_HOST, "body"); /* two hosts, one number */
	deliver_frame("r:x", 0, 0, "body");
	rig_delivers(FOREIGN, "clusterbus", "r:x", false, "text", 4);
	rig_delivers(FOREIGN, "clusterbus", "r:x", true, frame, 8);
	frame[0] ^= SYNC_FRAME_BIG_ENDIAN;
	rig_delivers(FOREIGN, "clusterbus", "r:x", true, frame, 9);
	frame[0] ^= SYNC_FRAME_BIG_ENDIAN | 0x40; /* a flag of the future */
	rig_delivers(FOREIGN, "clusterbus", "r:x", true, frame, 9);
	assert_int_equal(rig.f->stats.sync_bad, 6);
}

/* ---- memory ------------------------------------------------------------ */

static int
deliver_plain(void)
{
	uint64_t bad = rig.f->stats.sync_bad;

	rig_delivers(FOREIGN, "", "a", false, "plain", 5);
	hub_turns(rig.f, 1);
	return rig.f->stats.sync_bad == bad ? 0 : -ENOMEM;
}

static void
out_of_memory_costs_one_message(void **state)
{
	(void)state;
	rig_start("");
	(void)listener("t:a");
	torture_malloc(deliver_plain);
	assert_int_equal(deliver_plain(), 0);
}

#define SYNC_TEST(name)                                                        \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SYNC_TEST(text_and_bytes_become_envelopes_of_a_foreign_node),
		SYNC_TEST(an_id_of_another_form_is_a_host_too_but_never_ours),
		SYNC_TEST(our_own_echo_is_dropped),
		SYNC_TEST(
		    another_namespace_is_not_ours_and_an_empty_one_is_everybodys),
		SYNC_TEST(names_and_text_that_cannot_be_are_counted),
		SYNC_TEST(
		    channels_of_other_hosts_are_published_here_with_their_origin),
		SYNC_TEST(
		    one_node_of_ours_is_reached_and_those_of_a_third_host_are_not),
		SYNC_TEST(frames_that_cannot_be_are_counted),
		SYNC_TEST(out_of_memory_costs_one_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sync.c - the bridge: what goes out, what goes wrong. */
#include "sync_rig.h"

#include "primary/hub_sink.h"
#include "primary/sync/redis_door.h"
#include "torture.h"
#include "wire/push.h"

static void
assert_sent(size_t i, const char *namespace_, const char *topic, bool binary,
    const void *data, size_t len)
{
	const struct rig_sent *sent = &rig.sent[i];

	assert_true(i < rig.count);
	assert_string_equal(sent->namespace_, namespace_);
	assert_string_equal(sent->topic, topic);
	assert_int_equal(sent->binary, binary);
	assert_int_equal(sent->len, len);
	assert_memory_equal(sent->data, data, len);
}

/* ---- life -------------------------------------------------------------- */

static void
the_driver_gets_what_was_configured_and_a_uuid(void **state)
{
	char first[CBUS_SYNC_ID_LEN + 1];

	(void)state;
	rig_start("");
	assert_string_equal(rig.url, "rig://there");
	assert_string_equal(rig.channel, "mine");
	assert_int_equal(rig.params.queue_max, 4711);
	assert_ptr_equal(rig.params.loop, rig.f->loop);
	assert_true(rig.params.backoff_min_ms < rig.params.backoff_max_ms);
	assert_int_equal(strlen(rig.id), 36);
	for (size_t i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			assert_int_equal(rig.id[i], '-');
		else
			assert_non_null(
			    memchr("0123456789abcdef", rig.id[i], 16));
	}
	assert_int_equal(rig.id[14], '4');
	assert_non_null(memchr("89ab", rig.id[19], 4));
	memcpy(first, rig.id, sizeof(first));
	sync_close(rig.sync, 0);
	rig_start("");
	assert_string_not_equal(rig.id, first);
}

static void
closing_it_closes_the_driver_and_nothing_goes_out_any_more(void **state)
{
	struct peer *peer = peer_new(*state);

	rig_start("");
	rig.params.events->on_state(rig.params.arg, true);
	sync_close(rig.sync, 321);
	rig.sync = NULL;
	assert_int_equal(rig.closed, 1);
	assert_int_equal(rig.closed_ms, 321);
	assert_int_equal(rig.f->stats.sync_connected, 0);
	rig_says(peer, "t:a", 0, "1", 1);
	assert_int_equal(rig.count, 0);
	sync_close(NULL, 0);
}

static void
a_driver_that_cannot_open_leaves_nothing_behind(void **state)
{
	struct peer *peer = peer_new(*state);
	char why[100] = "";

	rig.open_answer = -EINVAL;
	assert_null(rig_try("", why, sizeof(why)));
	assert_string_equal(why, "it does not like it");
	assert_int_equal(rig.closed, 0);
	rig_says(peer, "t:a", 0, "1", 1);
	assert_int_equal(rig.count, 0);
}

/* ---- out --------------------------------------------------------------- */

static void
topics_go_out_as_crossws_has_them(void **state)
{
	struct peer *peer = peer_new(*state);

	rig_start("/_ws");
	rig_says(peer, "t:chat", 0, "{\"a\": 1e400}", 12);
	assert_sent(0, "/_ws", "chat", false, "{\"a\": 1e400}", 12);
	rig_says(peer, "t:chat", IPC_PUBLISH_TEXT, "\"a\\u0000\\n\"", 11);
	assert_sent(1, "/_ws", "chat", false, "a\0\n", 3);
	rig_says(peer, "t:chat", 0, "\"a\"", 3);
	assert_sent(2, "/_ws", "chat", false, "\"a\"", 3);
	rig_says(peer, "t:chat", IPC_PUBLISH_BINARY, "\xff\0", 2);
	assert_sent(3, "/_ws", "chat", true, "\xff\0", 2);
	rig_says(peer, "t:chat", 0, "", 0);
	assert_sent(4, "/_ws", "chat", false, "", 0);
	/* It says that it is a string, and is none: as it is. */
	rig_says(peer, "t:chat", IPC_PUBLISH_TEXT, "{}", 2);
	assert_sent(5, "/_ws", "chat", false, "{}", 2);
	assert_int_equal(rig.f->stats.sync_out, 6);
	assert_int_equal(rig.f->stats.sync_bytes_out, 12 + 3 + 3 + 2 + 0 + 2);
}

static void
who_is_excluded_from_a_topic_does_not_go_out(void **state)
{
	struct peer *peer = peer_new(*state);

	struct {
		struct push_head head;
		char data[2];
	} payload = { { .exclude.number = 7 }, "{}" };

	rig_start("");
	rig_says(peer, "t:chat", IPC_PUBLISH_PUSH, &payload,
	    sizeof(payload.head) + 2);
	assert_sent(0, "", "chat", false, "{}", 2);
	payload.head.name_len = 99; /* a lie */
	rig_says(peer, "t:chat", IPC_PUBLISH_PUSH, &payload,
	    sizeof(payload.head) + 2);
	assert_int_equal(rig.count, 1);
	assert_int_equal(rig.f->stats.sync_bad, 1);
}

static void
other_channels_go_to_hosts_of_our_kind(void **state)
{
	static const char *const channels[] = { "r:red", "u:ann", "f:user/x",
		"a:", "w:doc", "n:00000009-1-1" };
	struct peer *peer = peer_new(*state);
	struct ipc_node_id origin;

	rig_start("/_ws");
	for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
		rig_says(peer, channels[i], IPC_PUBLISH_PUSH, "body", 4);
		assert_string_equal(rig.sent[i].namespace_, "clusterbus");
		assert_string_equal(rig.sent[i].topic, channels[i]);
		assert_true(rig.sent[i].binary);
		assert_int_equal(rig.sent[i].len, SYNC_FRAME_HEAD + 4);
		assert_int_equal(rig.sent[i].data[0],
		    IPC_PUBLISH_PUSH | sync_frame_order());
		sync_frame_read(rig.sent[i].data, &origin);
		assert_int_equal(origin.host, PEER_HOST);
		assert_int_equal(origin.generation, 1);
		assert_memory_equal(rig.sent[i].data + SYNC_FRAME_HEAD, "body",
		    4);
	}
}

static void
presence_and_our_own_nodes_stay_here(void **state)
{
	struct peer *peer = peer_new(*state);
	char own[40];

	rig_start("");
	(void)snprintf(own, sizeof(own), "n:%08x-3-1", (unsigned)PEER_HOST);
	rig_says(peer, own, IPC_PUBLISH_PUSH, "body", 4);
	rig_says(peer, "p:t:chat", IPC_PUBLISH_PUSH, "body", 4);
	rig_says(peer, "x:what", 0, "body", 4);
	rig_says(peer, "t", 0, "body", 4);
	assert_int_equal(rig.count, 0);
	assert_int_equal(rig.f->stats.sync_bad, 0);
}

/* ---- troubles ---------------------------------------------------------- */

static void
what_does_not_go_out_is_counted_by_its_cause_and_told(void **state)
{
	static const struct {
		int rc;
		size_t counter;
	} rows[] = {
		{ -ENOTCONN, offsetof(struct stats_hub, drop_sync_away) },
		{ -ENOBUFS, offsetof(struct stats_hub, drop_sync_full) },
		{ -EMSGSIZE, offsetof(struct stats_hub, drop_sync_large) },
		{ -EINVAL, offsetof(struct stats_hub, sync_bad) },
	};
	struct peer *peer = peer_new(*state), *near = peer_new(*state);
	struct ipc_fault fault;
	const uint64_t *counter;

	rig_start("");
	peer_join(rig.f, near, "t:a");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rig.answer = rows[i].rc;
		rig_says(peer, "t:a", 0, "1", 1);
		counter = (const uint64_t *)(const void
			*)((const char *)&rig.f->stats + rows[i].counter);
		assert_int_equal(stats_get(counter), 1);
		/* Who is here has it, before anything is told. */
		(void)peer_expect_envelope(rig.f, near);
		peer_expect(rig.f, near, IPC_FAULT, &fault, sizeof(fault));
		assert_int_equal(fault.code, rows[i].rc);
		rig.f->hub->faults[1].told_ms = 0; /* as if it was long ago */
	}
	assert_int_equal(rig.f->stats.sync_out, 0);
	rig.answer = -ENOMEM;
	rig_says(peer, "t:a", 0, "1", 1);
	assert_int_equal(rig.f->stats.drop_sync_full, 2);
}

static void
what_the_driver_tells_is_told_to_nodes_with_its_stage(void **state)
{
	struct peer *peer = peer_new(*state);
	struct ipc_message message;
	struct ipc_fault_parts fault;

	rig_start("");
	rig.params.events->on_error(rig.params.arg, CBUS_SYNC_SUBSCRIBE,
	    -EACCES, "wrong password");
	message = peer_next(rig.f, peer);
	assert_int_equal(message.type, IPC_FAULT);
	assert_int_equal(ipc_read_fault(&message, &fault), 0);
	assert_int_equal(fault.code, -EACCES);
	assert_memory_equal(fault.stage, "subscribe", fault.stage_len);
	assert_memory_equal(fault.name, "rig", fault.name_len);
	assert_memory_equal(fault.text, "wrong password", fault.text_len);
	rig.params.events->on_error(rig.params.arg, CBUS_SYNC_DELIVERY, -EPROTO,
	    "odd");
	assert_int_equal(rig.f->stats.sync_bad, 1);
}

static void
its_state_is_in_the_statistics(void **state)
{
	(void)state;
	rig_start("");
	assert_int_equal(rig.f->stats.sync_connected, 0);
	rig.params.events->on_state(rig.params.arg, false); /* no news */
	rig.params.events->on_state(rig.params.arg, true);
	assert_int_equal(rig.f->stats.sync_connected, 1);
	assert_int_equal(rig.f->stats.sync_reconnects, 0);
	rig.params.events->on_state(rig.params.arg, false);
	assert_int_equal(rig.f->stats.sync_connected, 0);
	rig.params.events->on_state(rig.params.arg, true);
	rig.params.events->on_state(rig.params.arg, true);
	assert_int_equal(rig.f->stats.sync_reconnects, 1);
}

/* ---- memory ------------------------------------------------------------ */

static int
open_and_close(void)
{
	char why[100];

	rig.sync = rig_try("", why, sizeof(why));
	if (rig.sync == NULL) {
		assert_string_equal(why, "out of memory");
		return -ENOMEM;
	}
	sync_close(rig.sync, 0);
	rig.sync = NULL;
	return 0;
}

static void
out_of_memory_is_a_reason_not_to_open(void **state)
{
	(void)state;
	torture_malloc(open_and_close);
}

#define SYNC_TEST(name)                                                        \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/* ---- the Redis door -------------------------------------------------------- */

static void
what_another_bus_brings_to_the_redis_door_is_not_carried_on(void **state)
{
	struct ipc_envelope envelope = {
		.head.origin = { PEER_HOST, DOOR_BRIDGE_SLOT, 1 },
		.channel = "t:x",
		.channel_len = 3,
		.payload = (const unsigned char *)"1",
		.payload_len = 1,
	};

	(void)state;
	rig_start("");
	assert_int_equal(hub_inject(rig.f->hub, NULL, &envelope), 0);
	assert_int_equal(rig.count, 0);
	envelope.head.origin.slot = DOOR_SLOT;
	assert_int_equal(hub_inject(rig.f->hub, NULL, &envelope), 0);
	assert_sent(0, "", "x", false, "1", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SYNC_TEST(the_driver_gets_what_was_configured_and_a_uuid),
		SYNC_TEST(
		    closing_it_closes_the_driver_and_nothing_goes_out_any_more),
		SYNC_TEST(a_driver_that_cannot_open_leaves_nothing_behind),
		SYNC_TEST(topics_go_out_as_crossws_has_them),
		SYNC_TEST(who_is_excluded_from_a_topic_does_not_go_out),
		SYNC_TEST(other_channels_go_to_hosts_of_our_kind),
		SYNC_TEST(presence_and_our_own_nodes_stay_here),
		SYNC_TEST(
		    what_does_not_go_out_is_counted_by_its_cause_and_told),
		SYNC_TEST(
		    what_the_driver_tells_is_told_to_nodes_with_its_stage),
		SYNC_TEST(its_state_is_in_the_statistics),
		SYNC_TEST(out_of_memory_is_a_reason_not_to_open),
		SYNC_TEST(
		    what_another_bus_brings_to_the_redis_door_is_not_carried_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_hub.c - envelopes are relayed, questions answered, nodes come and go. */
#include "hub_fixture.h"
#include "wire/node_id.h"

static void
an_envelope_goes_to_those_that_joined_and_never_back(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f), *c = peer_new(f);
	struct peer *d = peer_new(f);
	struct ipc_envelope e;

	peer_join(f, a, "t:chat");
	peer_join(f, b, "t:chat");
	peer_join(f, c, "t:chat");
	peer_join(f, d, "t:chatter");
	peer_publish(f, a, "t:chat", 7, "{\"a\": 1e400}", 12);
	e = peer_expect_envelope(f, b);
	assert_int_equal(e.channel_len, 6);
	assert_memory_equal(e.channel, "t:chat", 6);
	assert_int_equal(e.payload_len, 12);
	assert_memory_equal(e.payload, "{\"a\": 1e400}", 12);
	assert_true(e.head.seq == 7);
	e = peer_expect_envelope(f, c);
	assert_true(e.head.seq == 7);
	peer_expect_nothing(f, a);
	peer_expect_nothing(f, b);
	peer_expect_nothing(f, c);
	peer_expect_nothing(f, d);
	assert_int_equal(f->stats.envelopes_in, 1);
	assert_int_equal(f->stats.envelopes_out, 2);
}

static void
the_origin_is_stamped_whatever_was_claimed(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct ipc_node_id first = { PEER_HOST, 0, 1 };
	struct ipc_publish head = { .origin = { PEER_HOST, 1, 1 },
		.seq = 3,
		.flags = 0xffff,
		.channel_len = 3,
		.reserved = 9 };
	struct ipc_envelope e;

	peer_join(f, b, "t:x");
	peer_say(f, a, IPC_PUBLISH, &head, sizeof(head), "t:x[]", 5);
	e = peer_expect_envelope(f, b);
	assert_true(node_id_equal(&e.head.origin, &first));
	assert_true(e.head.seq == 3);
	assert_int_equal(e.head.flags, 0xffff);
	assert_int_equal(e.head.reserved, 9);
}

static void
what_is_for_all_workers_goes_to_those_that_have_not_joined(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f), *c = peer_new(f);
	struct ipc_publish head = { .seq = 1,
		.flags = IPC_PUBLISH_WORKERS,
		.channel_len = 3 };
	struct peer *program;
	struct ipc_envelope e;

	f->programs = true;
	program = peer_new(f);
	peer_join(f, c, "r:x");
	peer_say(f, a, IPC_PUBLISH, &head, sizeof(head), "r:x[]", 5);
	e = peer_expect_envelope(f, b);
	assert_int_equal(e.head.origin.slot, 0);
	(void)peer_expect_envelope(f, c);
	peer_expect_nothing(f, a);
	peer_expect_nothing(f, c);
	peer_expect_nothing(f, program);
}

static void
envelopes_arrive_in_the_order_sent(void **state)
{
	enum {
		COUNT = 5000
	};
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f), *c = peer_new(f);
	struct ipc_envelope e;
	struct buf out;

	peer_join(f, b, "t:x");
	peer_join(f, c, "t:x");
	peer_join(f, c, "t:y");
	buf_init(&out, SIZE_MAX);
	for (uint64_t i = 1; i <= COUNT; i++)
		peer_append_publish(&out, i % 3 == 0 ? "t:y" : "t:x", i, &i,
		    sizeof(i));
	peer_write(f, a, buf_data(&out), out.len);
	buf_release(&out);
	for (uint64_t i = 1; i <= COUNT; i++) {
		e = peer_expect_envelope(f, c);
		assert_true(e.head.seq == i);
		assert_memory_equal(e.payload, &i, sizeof(i));
		if (i % 3 != 0) {
			e = peer_expect_envelope(f, b);
			assert_true(e.head.seq == i);
		}
	}
	assert_int_equal(f->stats.drop_slow, 0);
	assert_int_equal(f->stats.queue_bytes, 0);
}

/* Wanted and unwanted by turns: nothing can be joined into one part. */
static void
more_parts_than_fit_into_one_write_keep_their_order(void **state)
{
	enum {
		COUNT = 3 * HUB_PARTS_MAX
	};
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct ipc_envelope e;
	struct buf out;

	peer_join(f, b, "t:x");
	buf_init(&out, SIZE_MAX);
	for (uint64_t i = 1; i <= COUNT; i++) {
		peer_append_publish(&out, "t:x", i, "1", 1);
		peer_append_publish(&out, "t:n", i, "2", 1);
	}
	assert_true(out.len < IPC_READ_BYTES); /* one read, one turn */
	peer_write(f, a, buf_data(&out), out.len);
	buf_release(&out);
	for (uint64_t i = 1; i <= COUNT; i++) {
		e = peer_expect_envelope(f, b);
		assert_true(e.head.seq == i);
		assert_memory_equal(e.payload, "1", 1);
	}
	peer_expect_nothing(f, b);
	assert_int_equal(f->stats.envelopes_out, COUNT);
}

static void
an_envelope_larger_than_the_read_buffer_passes_unchanged(void **state)
{
	enum {
		LEN = 3 << 20
	};
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	unsigned char *payload = malloc(LEN);
	struct ipc_envelope e;

	assert_non_null(payload);
	for (size_t i = 0; i < LEN; i++)
		payload[i] = (unsigned char)(i * 31 + (i >> 9));
	peer_join(f, b, "t:x");
	peer_publish(f, a, "t:x", 1, payload, LEN);
	peer_publish(f, a, "t:x", 2, NULL, 0);
	e = peer_expect_envelope(f, b);
	assert_int_equal(e.payload_len, LEN);
	assert_memory_equal(e.payload, payload, LEN);
	e = peer_expect_envelope(f, b);
	assert_int_equal(e.payload_len, 0);
	free(payload);
}

static void
a_join_is_answered_and_holds_from_then_on(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct ipc_join quiet = { .token = 0 };

	peer_publish(f, a, "t:x", 1, "1", 1);
	peer_join(f, b, "t:x");
	peer_publish(f, a, "t:x", 2, "2", 1);
	assert_true(peer_expect_envelope(f, b).head.seq == 2);
	assert_int_equal(f->stats.channels, 1);
	assert_int_equal(f->stats.interests, 1);
	peer_say(f, a, IPC_JOIN, &quiet, sizeof(quiet), "t:x", 3);
	peer_expect_nothing(f, a);
	assert_int_equal(f->stats.interests, 2);
	/* Joined twice is joined once: one LEAVE ends it. */
	peer_join(f, b, "t:x");
	peer_say(f, b, IPC_LEAVE, NULL, 0, "t:x", 3);
	peer_say(f, b, IPC_LEAVE, NULL, 0, "t:never", 7);
	hub_turns(f, 2);
	peer_publish(f, a, "t:x", 3, "3", 1);
	peer_expect_nothing(f, b);
	assert_int_equal(f->stats.interests, 1);
}

static void
a_pong_comes_behind_everything_that_came_before_its_ping(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct ipc_ping ping = { .token = 0xfeedbeef }, pong;

	peer_join(f, a, "t:x");
	peer_join(f, b, "t:x");
	peer_publish(f, a, "t:x", 1, "1", 1);
	hub_turns(f, 1);
	peer_say(f, b, IPC_PING, &ping, sizeof(ping), NULL, 0);
	assert_true(peer_expect_envelope(f, b).head.seq == 1);
	peer_expect(f, b, IPC_PONG, &pong, sizeof(pong));
	assert_int_equal(pong.token, ping.token);
}

static void
hello_brings_name_pid_and_claims_to_the_supervisor(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);
	struct ipc_hello hello = { .version = 99,
		.kind = 5,
		.pid = 1,
		.id = { 1, 2, 3 },
		.section = 17 };
	char name[200];

	memset(name, 'n', sizeof(name));
	peer_say(f, a, IPC_HELLO, &hello, sizeof(hello), name, sizeof(name));
	hub_turns(f, 2);
	assert_int_equal(f->hellos, 1);
	assert_memory_equal(&f->hello, &hello, sizeof(hello));
	assert_int_equal(f->pid, PEER_PID);
	assert_int_equal(strlen(f->name), sizeof(f->name) - 1);
}

static void
ready_and_applied_reach_the_supervisor(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f);
	struct ipc_applied applied = { .ok = 0 };
	char why[1000];

	memset(why, 'w', sizeof(why));
	peer_say(f, a, IPC_READY, NULL, 0, NULL, 0);
	peer_say(f, a, IPC_APPLIED, &applied, sizeof(applied), "line 3", 6);
	hub_turns(f, 2);
	assert_int_equal(f->readies, 1);
	assert_int_equal(f->applies, 1);
	assert_false(f->applied_ok);
	assert_string_equal(f->applied_why, "line 3");
	applied.ok = 1;
	peer_say(f, a, IPC_APPLIED, &applied, sizeof(applied), why,
	    sizeof(why));
	hub_turns(f, 2);
	assert_true(f->applied_ok);
	assert_int_equal(strlen(f->applied_why), 255);
}

static void
commands_arrive_as_they_were_given(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f);
	char *text = malloc(IPC_CONFIG_MAX);
	struct ipc_message message;
	struct ipc_drain drain;

	assert_non_null(text);
	memset(text, '#', IPC_CONFIG_MAX);
	hub_send_config(a->node, "", 0);
	hub_send_config(a->node, text, IPC_CONFIG_MAX);
	hub_send_drain(a->node, 1234, true);
	hub_send_reopen(a->node);
	message = peer_next(f, a);
	assert_int_equal(message.type, IPC_CONFIG);
	assert_int_equal(message.len, 0);
	message = peer_next(f, a);
	assert_int_equal(message.type, IPC_CONFIG);
	assert_int_equal(message.len, IPC_CONFIG_MAX);
	assert_memory_equal(message.body, text, IPC_CONFIG_MAX);
	peer_expect(f, a, IPC_DRAIN, &drain, sizeof(drain));
	assert_int_equal(drain.window_ms, 1234);
	assert_int_equal(drain.leave, 1);
	peer_expect(f, a, IPC_REOPEN, NULL, 0);
	free(text);
}

static void
a_node_that_goes_takes_its_interests_along(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f), *c = peer_new(f);

	peer_join(f, a, "t:x");
	peer_join(f, a, "t:y");
	peer_join(f, b, "t:x");
	assert_int_equal(f->stats.interests, 3);
	assert_int_equal(f->stats.nodes, 3);
	(void)close(a->fd);
	a->fd = -1;
	hub_turns(f, 3);
	assert_int_equal(f->gones, 1);
	assert_null(a->node);
	assert_string_equal(a->gone_why, "closed");
	assert_int_equal(f->stats.interests, 1);
	assert_int_equal(f->stats.channels, 1);
	assert_int_equal(f->stats.nodes, 2);
	peer_publish(f, c, "t:x", 1, "1", 1);
	assert_true(peer_expect_envelope(f, b).head.seq == 1);
	/* Its place is given to the next one. */
	assert_int_equal(peer_new(f)->node->index, 0);
}

static void
what_it_said_before_it_went_still_counts(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);

	peer_join(f, b, "t:x");
	peer_publish(f, a, "t:x", 1, "1", 1);
	(void)close(a->fd);
	a->fd = -1;
	assert_true(peer_expect_envelope(f, b).head.seq == 1);
	hub_turns(f, 2);
	assert_null(a->node);
}

static void
pid_uid_and_the_supervisors_pointer_belong_to_the_node(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);
	int mine;

	assert_int_equal(hub_node_pid(a->node), PEER_PID);
	assert_int_equal(hub_node_uid(a->node), geteuid());
	assert_null(hub_node_data(a->node));
	hub_node_set_pid(a->node, 11);
	hub_node_set_data(a->node, &mine);
	assert_int_equal(hub_node_pid(a->node), 11);
	assert_ptr_equal(hub_node_data(a->node), &mine);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_envelope_goes_to_those_that_joined_and_never_back),
		TEST(the_origin_is_stamped_whatever_was_claimed),
		TEST(
		    what_is_for_all_workers_goes_to_those_that_have_not_joined),
		TEST(envelopes_arrive_in_the_order_sent),
		TEST(more_parts_than_fit_into_one_write_keep_their_order),
		TEST(an_envelope_larger_than_the_read_buffer_passes_unchanged),
		TEST(a_join_is_answered_and_holds_from_then_on),
		TEST(a_pong_comes_behind_everything_that_came_before_its_ping),
		TEST(hello_brings_name_pid_and_claims_to_the_supervisor),
		TEST(ready_and_applied_reach_the_supervisor),
		TEST(commands_arrive_as_they_were_given),
		TEST(a_node_that_goes_takes_its_interests_along),
		TEST(what_it_said_before_it_went_still_counts),
		TEST(pid_uid_and_the_supervisors_pointer_belong_to_the_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_hub_fault.c - what the backplane does to the hub: FAULT, and `local`. */
#include "hub_fixture.h"

#include "primary/hub_sink.h"

static void
on_envelope(void *arg, const struct ipc_envelope *envelope)
{
	unsigned *calls = arg;

	(void)envelope;
	++*calls;
}

/* ---- workers each for themselves --------------------------------------- */

static void
workers_of_a_local_hub_do_not_hear_each_other_but_sinks_do(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *one = peer_new(f), *two = peer_new(f), *program;
	const struct ipc_node_id id = { 7, 0xfffd, 3 };
	unsigned calls = 0;
	struct hub_sink *sink;

	f->programs = true;
	program = peer_new(f);
	hub_set_local(f->hub, true);
	sink = hub_sink_new(f->hub, &id, on_envelope, &calls);
	assert_non_null(sink);
	assert_int_equal(hub_sink_join(sink, "t:a", 3), 1);
	peer_join(f, one, "t:a");
	peer_join(f, two, "t:a");
	peer_join(f, program, "t:a");
	peer_publish(f, one, "t:a", 1, "1", 1);
	(void)peer_expect_envelope(f, program);
	assert_int_equal(calls, 1);
	peer_publish(f, program, "t:a", 1, "2", 1);
	assert_memory_equal(peer_expect_envelope(f, two).payload, "2", 1);
	assert_memory_equal(peer_expect_envelope(f, one).payload, "2", 1);
	hub_set_local(f->hub, false);
	peer_publish(f, one, "t:a", 2, "3", 1);
	assert_memory_equal(peer_expect_envelope(f, two).payload, "3", 1);
}

/* ---- faults ------------------------------------------------------------ */

static void
assert_fault(struct hub_fixture *f, struct peer *peer, const char *stage,
    int code, const char *text)
{
	struct ipc_message message = peer_next(f, peer);
	struct ipc_fault_parts fault;

	assert_string_equal(ipc_type_name(message.type), "FAULT");
	assert_int_equal(ipc_read_fault(&message, &fault), 0);
	assert_int_equal(fault.code, code);
	assert_int_equal(fault.stage_len, strlen(stage));
	assert_memory_equal(fault.stage, stage, strlen(stage));
	assert_int_equal(fault.name_len, 5);
	assert_memory_equal(fault.name, "redis", 5);
	assert_int_equal(fault.text_len, strlen(text));
	assert_memory_equal(fault.text, text, strlen(text));
}

static void
a_fault_is_told_to_all_nodes_and_not_too_often(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *one = peer_new(f), *two = peer_new(f);
	struct peer *stranger = peer_stranger(f);

	hub_fault(f->hub, "publish", -ENOBUFS, "redis", "full");
	for (int i = 0; i < 5; i++)
		hub_fault(f->hub, "publish", -ENOBUFS, "redis", "full");
	hub_fault(f->hub, "delivery", -EPROTO, "redis", "odd");
	assert_fault(f, one, "publish", -ENOBUFS, "full");
	assert_fault(f, one, "delivery", -EPROTO, "odd");
	assert_fault(f, two, "publish", -ENOBUFS, "full");
	assert_fault(f, two, "delivery", -EPROTO, "odd");
	peer_expect_nothing(f, one);
	peer_expect_nothing(f, stranger);
	/* As if a second had passed. */
	f->hub->faults[1].told_ms -= 1000;
	hub_fault(f->hub, "publish", -ENOTCONN, "redis", "away");
	assert_fault(f, one, "publish", -ENOTCONN, "away (and 5 more)");
}

static void
a_fault_whose_lengths_contradict_each_other_is_not_read(void **state)
{
	struct ipc_fault fault = { .stage_len = 3, .name_len = 3 };
	unsigned char body[sizeof(fault) + 6] = { 0 };
	struct ipc_message message = { IPC_FAULT, body, sizeof(body) };
	struct ipc_fault_parts parts;

	(void)state;
	memcpy(body, &fault, sizeof(fault));
	assert_int_equal(ipc_read_fault(&message, &parts), 0);
	assert_int_equal(parts.text_len, 0);
	message.len--;
	assert_int_equal(ipc_read_fault(&message, &parts), -EPROTO);
}

#define HUB_TEST(name)                                                         \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HUB_TEST(
		    workers_of_a_local_hub_do_not_hear_each_other_but_sinks_do),
		HUB_TEST(a_fault_is_told_to_all_nodes_and_not_too_often),
		cmocka_unit_test(
		    a_fault_whose_lengths_contradict_each_other_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

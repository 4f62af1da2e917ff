/* test_hub_violations.c - who breaks the protocol is cut off, and only he. */
#include "hub_fixture.h"

#include <fcntl.h>

#include "torture.h"

/* A message that need not be one that the table allows. */
static void
say_anything(struct hub_fixture *f, struct peer *peer, uint16_t type,
    uint32_t said, size_t len)
{
	struct ipc_header head = { .len = said, .type = type };
	unsigned char bytes[sizeof(head) + 8192] = { 0 };

	assert_true(len <= sizeof(bytes) - sizeof(head));
	memcpy(bytes, &head, sizeof(head));
	peer_write(f, peer, bytes, sizeof(head) + len);
}

static void
assert_cut_off(struct hub_fixture *f, struct peer *bad, const char *why)
{
	uint64_t before = f->stats.violations;
	unsigned gones = f->gones;

	hub_turns(f, 3);
	assert_null(bad->node);
	assert_string_equal(bad->gone_why, why);
	assert_int_equal(f->gones, gones + 1);
	assert_int_equal(f->stats.violations, before + 1);
	assert_true(peer_has_ended(f, bad));
}

/* Two others who must not notice. */
struct witnesses {
	struct peer *a, *b;
	uint64_t seq;
};

static struct witnesses
call_witnesses(struct hub_fixture *f)
{
	struct witnesses w = { peer_new(f), peer_new(f), 0 };

	peer_join(f, w.b, "t:x");
	return w;
}

static void
assert_undisturbed(struct hub_fixture *f, struct witnesses *w)
{
	peer_publish(f, w->a, "t:x", ++w->seq, "1", 1);
	assert_true(peer_expect_envelope(f, w->b).head.seq == w->seq);
}

static void
a_broken_header_ends_its_node_and_no_other(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t len;
		const char *why;
	} bad[] = {
		{ IPC_TYPE_COUNT, 4, "unknown message type" },
		{ 0xffff, 0, "unknown message type" },
		{ IPC_WELCOME, sizeof(struct ipc_welcome),
		    "message from the wrong side" },
		{ IPC_CONFIG, 0, "message from the wrong side" },
		{ IPC_JOINED, 4, "message from the wrong side" },
		{ IPC_DRAIN, 8, "message from the wrong side" },
		{ IPC_PONG, 4, "message from the wrong side" },
		{ IPC_REOPEN, 0, "message from the wrong side" },
		{ IPC_REFUSED, 4, "message from the wrong side" },
		{ IPC_READY, 1, "message of impossible size" },
		{ IPC_PING, 3, "message of impossible size" },
		{ IPC_JOIN, 4, "message of impossible size" },
		{ IPC_JOIN, 4 + IPC_CHANNEL_MAX + 1,
		    "message of impossible size" },
		{ IPC_LEAVE, 0, "message of impossible size" },
		{ IPC_PUBLISH, UINT32_MAX, "message of impossible size" },
	};
	struct hub_fixture *f = *state;
	struct witnesses w = call_witnesses(f);
	struct peer *peer;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		peer = peer_new(f);
		peer_join(f, peer, "t:mine");
		say_anything(f, peer, bad[i].type, bad[i].len, 0);
		assert_cut_off(f, peer, bad[i].why);
		assert_undisturbed(f, &w);
		assert_int_equal(f->stats.interests, 1);
	}
}

static void
an_envelope_whose_lengths_contradict_ends_its_node(void **state)
{
	static const uint16_t said[] = { 0, 3, IPC_CHANNEL_MAX + 1, 0xffff };
	struct hub_fixture *f = *state;
	struct witnesses w = call_witnesses(f);
	struct ipc_publish head = { .seq = 1 };
	struct peer *peer;

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		peer = peer_new(f);
		head.channel_len = said[i];
		peer_say(f, peer, IPC_PUBLISH, &head, sizeof(head), "t:", 2);
		assert_cut_off(f, peer,
		    "envelope whose lengths contradict each other");
		assert_undisturbed(f, &w);
	}
}

static void
what_stands_behind_a_violation_is_not_handled(void **state)
{
	struct hub_fixture *f = *state;
	struct witnesses w = call_witnesses(f);
	struct peer *bad = peer_new(f);
	struct ipc_header head = { .type = 0xffff };
	struct buf out;

	buf_init(&out, SIZE_MAX);
	peer_append_publish(&out, "t:x", 1, "before", 6);
	assert_int_equal(buf_append(&out, &head, sizeof(head)), 0);
	peer_append_publish(&out, "t:x", 2, "behind", 6);
	peer_write(f, bad, buf_data(&out), out.len);
	buf_release(&out);
	assert_cut_off(f, bad, "unknown message type");
	assert_memory_equal(peer_expect_envelope(f, w.b).payload, "before", 6);
	assert_undisturbed(f, &w);
}

static void
a_stranger_must_say_hello_first(void **state)
{
	struct hub_fixture *f = *state;
	struct witnesses w = call_witnesses(f);
	struct peer *a = peer_stranger(f), *b = peer_stranger(f);

	peer_publish(f, a, "t:x", 1, "1", 1);
	assert_cut_off(f, a, "spoke before it was welcome");
	say_anything(f, b, IPC_READY, 0, 0);
	assert_cut_off(f, b, "spoke before it was welcome");
	peer_expect_nothing(f, w.b);
	assert_undisturbed(f, &w);
	assert_int_equal(f->hub->anonymous, 0);
}

static void
nothing_may_follow_hello_before_the_answer(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);

	f->answer = ANSWER_LATER;
	peer_say_hello(f, a);
	hub_turns(f, 2);
	assert_non_null(a->node);
	say_anything(f, a, IPC_READY, 0, 0);
	assert_cut_off(f, a, "spoke before it was welcome");
	assert_int_equal(f->hub->anonymous, 0);
}

static void
hello_is_said_once(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f);

	peer_say_hello(f, a);
	assert_cut_off(f, a, "said HELLO twice");
	assert_int_equal(f->hellos, 1);
}

/* Send bytes with one end of a pipe; at its other end the close is seen. */
static int
send_with_descriptor(struct peer *peer, const void *data, size_t len)
{
	int pipe_fd[2];

	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(net_send_fds(peer->fd, data, len, &pipe_fd[1], 1),
	    len);
	(void)close(pipe_fd[1]);
	return pipe_fd[0];
}

static void
assert_closed(int pipe_fd)
{
	char c;

	assert_int_equal(read(pipe_fd, &c, 1), 0);
	(void)close(pipe_fd);
}

static void
descriptors_without_hello_are_closed(void **state)
{
	struct hub_fixture *f = *state;
	struct witnesses w = call_witnesses(f);
	struct ipc_header ready = { .type = IPC_READY };
	struct peer *a, *b;
	int fd;

	f->programs = true; /* a worker may have a connection to give */
	a = peer_new(f);
	b = peer_stranger(f);
	fd = send_with_descriptor(a, &ready, sizeof(ready));
	assert_cut_off(f, a, "descriptors without HELLO");
	assert_closed(fd);
	/* Two mistakes at a time are one violation. */
	fd = send_with_descriptor(b, &ready, sizeof(ready));
	assert_cut_off(f, b, "spoke before it was welcome");
	assert_closed(fd);
	assert_undisturbed(f, &w);
}

static void
descriptors_with_half_a_hello_are_closed(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);
	struct ipc_header hello = { .type = IPC_HELLO,
		.len = sizeof(struct ipc_hello) };
	int fd = send_with_descriptor(a, &hello, sizeof(hello));

	assert_cut_off(f, a, "descriptors without HELLO");
	assert_closed(fd);
	assert_int_equal(f->hellos, 0);
}

static void
descriptors_with_hello_are_the_supervisors(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);

	struct {
		struct ipc_header head;
		struct ipc_hello hello;
	} say = { { .type = IPC_HELLO, .len = sizeof(say.hello) },
		{ .version = IPC_VERSION } };

	int fd = send_with_descriptor(a, &say, sizeof(say));

	peer_expect(f, a, IPC_WELCOME, NULL, 0);
	assert_int_equal(f->fd_count, 1);
	assert_closed(fd); /* by the supervisor's part in the fixture */
}

/* The hub sees a stream; how it is cut does not matter. */
static void
a_hello_byte_by_byte_is_a_hello(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);
	struct ipc_hello hello = { .version = IPC_VERSION };
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(ipc_append(&out, IPC_HELLO, &hello, sizeof(hello),
			     "slow", 4, NULL, 0),
	    0);
	for (size_t i = 0; i < out.len; i++) {
		assert_int_equal(f->hellos, 0);
		peer_write(f, a, buf_data(&out) + i, 1);
		hub_turns(f, 2);
	}
	buf_release(&out);
	assert_int_equal(f->hellos, 1);
	assert_string_equal(f->name, "slow");
}

static void
a_node_whose_channels_find_no_memory_is_closed(void **state)
{
	struct hub_fixture *f = *state;
	struct witnesses w = call_witnesses(f);
	struct peer *a = peer_new(f);
	struct ipc_join join = { .token = 1 };

	peer_say(f, a, IPC_JOIN, &join, sizeof(join), "t:a", 3);
	torture_fail_one();
	hub_turns(f, 3);
	torture_off();
	assert_null(a->node);
	assert_string_equal(a->gone_why, "no memory for its channels");
	assert_int_equal(f->stats.violations, 0);
	assert_undisturbed(f, &w);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_broken_header_ends_its_node_and_no_other),
		TEST(an_envelope_whose_lengths_contradict_ends_its_node),
		TEST(what_stands_behind_a_violation_is_not_handled),
		TEST(a_stranger_must_say_hello_first),
		TEST(nothing_may_follow_hello_before_the_answer),
		TEST(hello_is_said_once),
		TEST(descriptors_without_hello_are_closed),
		TEST(descriptors_with_half_a_hello_are_closed),
		TEST(descriptors_with_hello_are_the_supervisors),
		TEST(a_hello_byte_by_byte_is_a_hello),
		TEST(a_node_whose_channels_find_no_memory_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

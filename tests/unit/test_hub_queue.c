/* test_hub_queue.c - a node that does not read, and those beside it. */
#include "hub_fixture.h"

#include "torture.h"

enum {
	QUEUE = 64 * 1024,
	LEN = 1000,
	WHOLE =
	    sizeof(struct ipc_header) + sizeof(struct ipc_publish) + 3 + LEN,
};

static unsigned char payload[LEN];

/* `slow` joined and does not read; what `a` publishes piles up for it. */
struct scene {
	struct peer *a, *slow, *quick;
	uint64_t seq; /* of the last envelope */
};

static struct scene
open_scene(struct hub_fixture *f)
{
	struct scene s = { peer_new(f), peer_new(f), peer_new(f), 0 };
	int small = 4096;

	hub_set_queue_max(f->hub, QUEUE);
	(void)setsockopt(s.slow->node->fd, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small));
	peer_join(f, s.slow, "t:x");
	peer_join(f, s.quick, "t:x");
	return s;
}

/* One more envelope; `quick` has it at once, whatever `slow` does. */
static void
publish(struct hub_fixture *f, struct scene *s)
{
	struct ipc_envelope e;
	size_t fd_count;
	struct ipc_message message;

	s->seq++;
	memcpy(payload, &s->seq, sizeof(s->seq));
	peer_publish(f, s->a, "t:x", s->seq, payload, LEN);
	hub_turns(f, 2);
	if (!peer_peek(s->quick, &message)) {
		assert_true(ipc_in_read(&s->quick->in, s->quick->fd, NULL, 0,
				&fd_count) > 0);
		assert_true(peer_peek(s->quick, &message));
	}
	assert_int_equal(ipc_read_envelope(&message, &e), 0);
	assert_true(e.head.seq == s->seq);
}

static void
publish_until_dropped(struct hub_fixture *f, struct scene *s)
{
	uint64_t before = f->stats.drop_slow;

	while (f->stats.drop_slow == before) {
		assert_true(s->seq < 100000);
		publish(f, s);
	}
}

/* What `slow` finds when it reads at last: count, all in order and whole. */
static uint64_t
read_all(struct hub_fixture *f, struct peer *slow)
{
	struct ipc_message message;
	struct ipc_envelope e;
	uint64_t count = 0, last = 0;
	size_t fd_count;

	for (;;) {
		while (!peer_peek(slow, &message)) {
			hub_turns(f, 2);
			if (ipc_in_read(&slow->in, slow->fd, NULL, 0,
				&fd_count) == -EAGAIN)
				return count;
		}
		assert_int_equal(message.type, IPC_PUBLISH);
		assert_int_equal(ipc_read_envelope(&message, &e), 0);
		assert_true(e.head.seq > last);
		last = e.head.seq;
		assert_int_equal(e.payload_len, LEN);
		assert_memory_equal(e.payload, &last, sizeof(last));
		count++;
	}
}

static void
a_queue_stays_within_its_maximum_and_drops_are_counted(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);

	publish_until_dropped(f, &s);
	for (int i = 0; i < 500; i++)
		publish(f, &s);
	assert_int_equal(f->stats.drop_slow, 501);
	assert_true(f->stats.queue_bytes <= QUEUE);
	assert_true(f->stats.queue_bytes > QUEUE - WHOLE);
	assert_true(f->stats.queue_bytes_max <= QUEUE);
	assert_true(s.slow->node->backlog.cap <= 4 * QUEUE);
	/* Nothing else was lost: what was not dropped arrives in order. */
	assert_true(read_all(f, s.slow) == s.seq - 501);
	assert_int_equal(f->stats.queue_bytes, 0);
	assert_int_equal(f->stats.envelopes_out, 2 * s.seq - 501);
	assert_int_equal(f->gones, 0);
}

static void
dropping_ends_when_half_of_the_queue_is_free(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);
	uint64_t queued, drops;
	unsigned refused = 0;
	char some[3000];

	publish_until_dropped(f, &s);
	for (;;) {
		assert_true(read(s.slow->fd, some, sizeof(some)) > 0);
		hub_turns(f, 2);
		queued = f->stats.queue_bytes;
		drops = f->stats.drop_slow;
		publish(f, &s);
		if (f->stats.drop_slow == drops)
			break;
		refused++;
		assert_true(queued > QUEUE / 2);
	}
	assert_true(queued <= QUEUE / 2);
	assert_true(refused > 3); /* there was room, and it stayed unused */
	/* From now on it is filled up to the maximum again. */
	drops = f->stats.drop_slow;
	publish(f, &s);
	publish(f, &s);
	assert_int_equal(f->stats.drop_slow, drops);
	publish_until_dropped(f, &s);
	assert_true(f->stats.queue_bytes > QUEUE - WHOLE);
}

static void
an_envelope_larger_than_the_whole_queue_passes_when_nothing_waits(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);
	unsigned char *large = calloc(1, QUEUE);

	assert_non_null(large);
	peer_publish(f, s.a, "t:x", 1, large, QUEUE);
	hub_turns(f, 3);
	assert_int_equal(f->stats.drop_slow, 0);
	free(large);
}

static void
answers_and_commands_are_never_dropped(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);
	struct ipc_ping ping = { .token = 5 };
	struct ipc_message message;
	bool pong = false, drain = false;
	size_t fd_count;

	publish_until_dropped(f, &s);
	peer_say(f, s.slow, IPC_PING, &ping, sizeof(ping), NULL, 0);
	hub_turns(f, 2);
	hub_send_drain(s.slow->node, 7, false);
	publish(f, &s);
	for (;;) {
		while (peer_peek(s.slow, &message)) {
			pong |= message.type == IPC_PONG && !drain;
			drain |= message.type == IPC_DRAIN;
		}
		hub_turns(f, 2);
		if (ipc_in_read(&s.slow->in, s.slow->fd, NULL, 0, &fd_count) ==
		    -EAGAIN)
			break;
	}
	assert_true(pong);
	assert_true(drain);
}

/* Ask and never read the answers. */
static void
ping_until_cut_off(struct hub_fixture *f, struct peer *slow, size_t most)
{
	struct ipc_ping ping = { .token = 5 };
	struct buf out;

	buf_init(&out, SIZE_MAX);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(ipc_append(&out, IPC_PING, &ping, sizeof(ping),
				     NULL, 0, NULL, 0),
		    0);
	for (int i = 0; i < 2000 && slow->node != NULL; i++) {
		peer_write(f, slow, buf_data(&out), out.len);
		hub_turns(f, 2);
		assert_true(f->stats.queue_bytes <= most);
	}
	buf_release(&out);
}

static void
who_never_reads_its_answers_is_cut_off(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);

	ping_until_cut_off(f, s.slow, hub_backlog_max(QUEUE));
	assert_null(s.slow->node);
	assert_string_equal(s.slow->gone_why, "does not read its answers");
	assert_int_equal(f->stats.queue_bytes, 0);
	assert_true(f->stats.queue_bytes_max <= hub_backlog_max(QUEUE));
	assert_int_equal(f->stats.violations, 0);
	publish(f, &s); /* the others go on */
}

static void
a_lowered_maximum_holds_for_what_waits_already(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);
	uint64_t queued;

	hub_set_queue_max(f->hub, 4 << 20);
	publish_until_dropped(f, &s);
	queued = f->stats.queue_bytes;
	assert_true(queued > 3 << 20);
	hub_set_queue_max(f->hub, QUEUE);
	publish(f, &s);
	assert_true(f->stats.queue_bytes == queued);
	ping_until_cut_off(f, s.slow, queued);
	assert_null(s.slow->node);
	assert_string_equal(s.slow->gone_why, "does not read its answers");
}

static void
a_large_envelope_leaves_in_parts_and_arrives_whole(void **state)
{
	enum {
		LARGE = 2 << 20
	};
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);
	unsigned char *large = malloc(LARGE);
	struct ipc_envelope e;

	assert_non_null(large);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (unsigned char)(i * 13 + (i >> 10));
	hub_set_queue_max(f->hub, 4 << 20);
	peer_publish(f, s.a, "t:x", 1, large, LARGE);
	peer_publish(f, s.a, "t:x", 2, "2", 1);
	hub_turns(f, 3);
	assert_true(f->stats.queue_bytes > 0);
	e = peer_expect_envelope(f, s.slow);
	assert_int_equal(e.payload_len, LARGE);
	assert_memory_equal(e.payload, large, LARGE);
	e = peer_expect_envelope(f, s.slow);
	assert_true(e.head.seq == 2);
	free(large);
}

static void
who_goes_with_a_full_queue_takes_it_along(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);

	publish_until_dropped(f, &s);
	assert_true(f->stats.queue_bytes > 0);
	(void)close(s.slow->fd);
	s.slow->fd = -1;
	hub_turns(f, 3);
	assert_null(s.slow->node);
	assert_int_equal(f->gones, 1);
	assert_int_equal(f->stats.queue_bytes, 0);
	assert_int_equal(f->stats.interests, 1);
	publish(f, &s);
}

static void
a_queue_that_finds_no_memory_ends_its_node_only(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);

	/* Until its socket is full, and not further. */
	while (f->stats.queue_bytes == 0)
		publish(f, &s);
	buf_release(&s.slow->node->backlog);
	s.slow->node->noted = 0;
	f->hub->queued = 0;
	s.seq++;
	peer_publish(f, s.a, "t:x", s.seq, payload, LEN);
	torture_fail_one();
	hub_turns(f, 3);
	torture_off();
	assert_null(s.slow->node);
	assert_string_equal(s.slow->gone_why, "no memory for its queue");
	assert_true(peer_expect_envelope(f, s.quick).head.seq == s.seq);
	publish(f, &s);
}

static void
figures_of_all_queues_are_summed(void **state)
{
	struct hub_fixture *f = *state;
	struct scene s = open_scene(f);
	struct peer *second = peer_new(f);
	int small = 4096;

	(void)setsockopt(second->node->fd, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small));
	peer_join(f, second, "t:x");
	publish_until_dropped(f, &s);
	assert_true(f->stats.queue_bytes ==
	    s.slow->node->backlog.len + second->node->backlog.len);
	assert_true(f->stats.queue_bytes > QUEUE);
	assert_true(f->stats.queue_bytes_max <= QUEUE);
	(void)read_all(f, second);
	assert_true(f->stats.queue_bytes == s.slow->node->backlog.len);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_queue_stays_within_its_maximum_and_drops_are_counted),
		TEST(dropping_ends_when_half_of_the_queue_is_free),
		TEST(
		    an_envelope_larger_than_the_whole_queue_passes_when_nothing_waits),
		TEST(answers_and_commands_are_never_dropped),
		TEST(who_never_reads_its_answers_is_cut_off),
		TEST(a_lowered_maximum_holds_for_what_waits_already),
		TEST(a_large_envelope_leaves_in_parts_and_arrives_whole),
		TEST(who_goes_with_a_full_queue_takes_it_along),
		TEST(a_queue_that_finds_no_memory_ends_its_node_only),
		TEST(figures_of_all_queues_are_summed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_flush.c - what is pending leaves at the end of the turn. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "worker/reply.h"
#include "worker/ws.h"
#include "worker_fixture.h"

/* A fixture whose clients may have anything queued. */
static int
setup(void **state)
{
	struct worker *worker = fixture_new();

	assert_non_null(worker);
	worker->config->outbox_soft = 1 << 30;
	worker->config->outbox_hard = 1 << 30;
	*state = worker;
	return 0;
}

/* A frame of len bytes in all, filled with a letter. */
static struct frame *
frame_of(size_t len, char letter)
{
	size_t head = len <= 127 ? 2 : len <= 65535 + 4 ? 4 : 10;
	struct frame *frame = frame_new(FRAME_TEXT, len - head);

	assert_non_null(frame);
	assert_int_equal(frame->len, len);
	memset(frame_payload(frame), letter, len - head);
	return frame;
}

static void
push_to(struct frame *frame, struct client **clients, size_t n)
{
	for (size_t i = 0; i < n; i++)
		client_push(clients[i], frame);
	frame_unref(frame);
}

static void
all_that_waits_is_one_write(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct wire *wire = fake_ws_wire(client);
	unsigned writes = wire->writes;

	for (char c = 'a'; c < 'e'; c++)
		push_to(frame_of(3, c), &client, 1);
	assert_int_equal(wire->writes, writes); /* nothing before the end */
	assert_string_equal(fixture_got(client), "a\nb\nc\nd\n");
	assert_int_equal(wire->writes, writes + 1);
	assert_string_equal(fixture_got(client), "");
	assert_int_equal(wire->writes, writes + 1);
	fixture_check(worker);
}

static void
what_leaves_is_counted(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct stats_worker before = *worker->stats;

	push_to(frame_of(100, 'a'), &client, 1);
	push_to(frame_of(50, 'b'), &client, 1);
	assert_int_equal(worker->stats->outbox_bytes, 150);
	flush_run(worker);
	assert_int_equal(worker->stats->outbox_bytes, 0);
	assert_int_equal(worker->stats->frames_out, before.frames_out + 2);
	assert_int_equal(worker->stats->bytes_out, before.bytes_out + 150);
	assert_int_equal(worker->stats->writes, before.writes + 1);
}

static void
a_single_frame_goes_out_from_where_it_lies(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct frame *frame = frame_of(10, 'a');

	client_push(client, frame);
	flush_run(worker);
	assert_ptr_equal(fake_ws_wire(client)->last, frame->bytes);
	assert_int_equal(frame->refs, 1);
	frame_unref(frame);
}

/*
 * A copy of a batch would be made by writing the same memory anew; spoil it
 * after the first client and see whether the second one gets the spoilt bytes.
 */
static void
the_same_frames_are_put_together_once(void **state)
{
	struct worker *worker = *state;
	struct client *c[3];

	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		c[i] = fixture_client(worker);
	push_to(frame_of(3, 'a'), c, 3);
	push_to(frame_of(3, 'b'), c, 3);
	push_to(frame_of(3, 'x'), &c[2], 1);
	flush_client(worker, c[0]);
	assert_int_equal(worker->flush.frame_count, 2);
	memset(worker->flush.batch + 32 + 2, 'S', 1);
	flush_client(worker, c[1]);
	flush_client(worker, c[2]); /* has one more: made anew */
	assert_string_equal(fake_ws_text(c[0]), "a\nb\n");
	assert_string_equal(fake_ws_text(c[1]), "S\nb\n");
	assert_string_equal(fake_ws_text(c[2]), "a\nb\nx\n");
	flush_run(worker);
	assert_int_equal(worker->flush.frame_count, 0);
}

/* More than one batch holds: the second one is shared as well. */
static void
each_batch_of_a_long_queue_is_put_together_once(void **state)
{
	struct worker *worker = *state;
	struct client *c[2];

	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		c[i] = fixture_client(worker);
	for (int i = 0; i < FLUSH_BATCH_FRAMES + 2; i++)
		push_to(frame_of(3, 'a'), c, 2);
	for (int round = 0; round < 2; round++) {
		flush_client(worker, c[0]);
		assert_int_equal(worker->flush.frame_count,
		    round == 0 ? FLUSH_BATCH_FRAMES : 2);
		worker->flush.batch[WS_HEADROOM + 2] = 'S';
		flush_client(worker, c[1]);
		assert_int_equal(fake_ws_text(c[0])[0], 'a');
		assert_int_equal(fake_ws_text(c[1])[0], 'S');
		fake_ws_forget(c[0]);
		fake_ws_forget(c[1]);
	}
	assert_int_equal(c[0]->outbox.count, 0);
	assert_int_equal(c[1]->outbox.count, 0);
}

static void
frames_that_only_look_the_same_are_not_shared(void **state)
{
	struct worker *worker = *state;
	struct client *one = fixture_client(worker);
	struct client *two = fixture_client(worker);
	struct frame *shared = frame_of(3, 's');

	client_push(one, shared);
	client_push(two, shared);
	frame_unref(shared);
	push_to(frame_of(3, 'a'), &one, 1);
	push_to(frame_of(3, 'b'), &two, 1);
	flush_run(worker);
	assert_string_equal(fake_ws_text(one), "s\na\n");
	assert_string_equal(fake_ws_text(two), "s\nb\n");
}

/* A freed frame's memory may become another frame of the same turn. */
static void
a_batch_keeps_its_frames_until_it_is_forgotten(void **state)
{
	struct worker *worker = *state;
	struct client *one = fixture_client(worker);
	struct client *two = fixture_client(worker);

	for (int i = 0; i < 50; i++) {
		push_to(frame_of(3, 'a'), &one, 1);
		push_to(frame_of(3, 'b'), &one, 1);
		flush_client(worker, one);
		push_to(frame_of(3, 'c'), &two, 1);
		push_to(frame_of(3, 'd'), &two, 1);
		flush_client(worker, two);
		assert_string_equal(fake_ws_text(one), "a\nb\n");
		assert_string_equal(fake_ws_text(two), "c\nd\n");
	}
}

static void
a_large_frame_is_never_copied(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct frame *large = frame_of(FLUSH_DIRECT_BYTES + 1, 'L');
	struct frame *largest = frame_of(FLUSH_DIRECT_BYTES, 'l');
	struct wire *wire = fake_ws_wire(client);
	unsigned writes = wire->writes;

	push_to(frame_of(3, 'a'), &client, 1);
	push_to(frame_of(3, 'b'), &client, 1);
	client_push(client, large);
	flush_run(worker);
	assert_ptr_equal(wire->last, large->bytes); /* by itself */
	assert_int_equal(wire->writes, writes + 2);
	client_push(client, large);
	client_push(client, largest);
	push_to(frame_of(3, 'b'), &client, 1);
	flush_run(worker);
	assert_int_equal(wire->writes, writes + 4);
	assert_int_equal(wire->len,
	    3 * 3 + 2 * (FLUSH_DIRECT_BYTES + 1) + FLUSH_DIRECT_BYTES);
	frame_unref(large);
	frame_unref(largest);
}

static void
more_than_a_batch_takes_several_writes(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	struct wire *wire = fake_ws_wire(client);
	unsigned writes = wire->writes;
	struct frame *frame = frame_of(FLUSH_BATCH_BYTES / 4, 'q');

	for (int i = 0; i < 9; i++)
		client_push(client, frame);
	frame_unref(frame);
	flush_run(worker);
	assert_int_equal(wire->len, 9 * FLUSH_BATCH_BYTES / 4);
	assert_int_equal(wire->writes, writes + 3);
	fake_ws_forget(client);
	frame = frame_of(2, 'x');
	for (int i = 0; i < FLUSH_BATCH_FRAMES + 1; i++)
		client_push(client, frame);
	frame_unref(frame);
	flush_run(worker);
	assert_int_equal(wire->len, 2 * (FLUSH_BATCH_FRAMES + 1));
	assert_int_equal(wire->writes, writes + 5);
	fixture_check(worker);
}

static int
start(void)
{
	struct flush flush;

	if (flush_init(&flush) != 0)
		return -1;
	flush_release(&flush);
	flush_release(&flush); /* again: nothing */
	return 0;
}

static void
without_memory_there_is_no_start(void **state)
{
	(void)state;
	torture_malloc(start);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_waits_is_one_write),
		TEST(what_leaves_is_counted),
		TEST(a_single_frame_goes_out_from_where_it_lies),
		TEST(the_same_frames_are_put_together_once),
		TEST(each_batch_of_a_long_queue_is_put_together_once),
		TEST(frames_that_only_look_the_same_are_not_shared),
		TEST(a_batch_keeps_its_frames_until_it_is_forgotten),
		TEST(a_large_frame_is_never_copied),
		TEST(more_than_a_batch_takes_several_writes),
		cmocka_unit_test(without_memory_there_is_no_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

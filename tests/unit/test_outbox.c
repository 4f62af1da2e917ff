/* test_outbox.c - frames wait in order; what was dropped is told as a gap. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "torture.h"
#include "worker/outbox.h"
#include "worker/reply.h"

enum {
	ROUNDS = 20000,
	MODEL_MAX = 2000,
};

static void
check(const struct outbox *outbox)
{
	size_t bytes = 0;

	assert_true(outbox->count <= outbox->cap);
	assert_true((outbox->cap & (outbox->cap - 1)) == 0);
	for (uint32_t i = 0; i < outbox->count; i++)
		bytes += outbox_at(outbox, i)->len;
	assert_int_equal(outbox->bytes, bytes);
	assert_true(outbox->gap_count <= OUTBOX_GAPS_MAX);
}

/* An answer, told apart by its op and first byte. */
static struct frame *
answer(char name)
{
	struct frame *frame = frame_new(FRAME_TEXT, 1);

	assert_non_null(frame);
	frame_payload(frame)[0] = (unsigned char)name;
	return frame;
}

static struct frame *
publish(const char *topic)
{
	struct frame *frame = reply_msg(topic, strlen(topic), "0", 1, "n");

	assert_non_null(frame);
	return frame;
}

/* Push and leave the outbox the only reference. */
static void
push(struct outbox *outbox, struct frame *frame)
{
	assert_int_equal(outbox_push(outbox, frame), 0);
	assert_int_equal(frame->refs, 2);
	frame_unref(frame);
	check(outbox);
}

/* All that waits, a letter each: answers' names, 'P' a publish. */
static const char *
shape(const struct outbox *outbox)
{
	static char text[100];
	uint32_t i;

	assert_true(outbox->count < sizeof(text));
	for (i = 0; i < outbox->count; i++)
		text[i] = outbox_at(outbox, i)->topic_len != 0 ?
		    'P' :
		    (char)frame_payload(outbox_at(outbox, i))[0];
	text[i] = '\0';
	return text;
}

static void
frames_come_out_in_the_order_they_went_in(void **state)
{
	struct outbox outbox = { 0 };

	(void)state;
	push(&outbox, answer('a'));
	push(&outbox, answer('b'));
	push(&outbox, answer('c'));
	assert_string_equal(shape(&outbox), "abc");
	assert_int_equal(outbox.bytes, 9);
	outbox_pop(&outbox, 2);
	check(&outbox);
	assert_string_equal(shape(&outbox), "c");
	push(&outbox, answer('d'));
	assert_string_equal(shape(&outbox), "cd");
	outbox_pop(&outbox, 2);
	assert_int_equal(outbox.bytes, 0);
	outbox_pop(&outbox, 0);
	outbox_release(&outbox);
}

static void
a_frame_at_the_front_is_first(void **state)
{
	struct outbox outbox = { 0 };
	struct frame *frame = answer('!');

	(void)state;
	assert_int_equal(outbox_push_front(&outbox, frame), 0);
	push(&outbox, answer('a'));
	assert_int_equal(outbox_push_front(&outbox, frame), 0);
	check(&outbox);
	assert_string_equal(shape(&outbox), "!!a");
	assert_int_equal(frame->refs, 3);
	outbox_clear(&outbox);
	assert_int_equal(frame->refs, 1);
	frame_unref(frame);
	outbox_release(&outbox);
}

static void
an_empty_ring_is_given_back_when_asked_for_and_no_other(void **state)
{
	struct outbox outbox = { 0 };

	(void)state;
	outbox_trim(&outbox);
	push(&outbox, answer('a'));
	push(&outbox, answer('b'));
	outbox_pop(&outbox, 1);
	outbox_trim(&outbox);
	assert_string_equal(shape(&outbox), "b");
	outbox_pop(&outbox, 1);
	assert_int_not_equal(outbox.cap, 0);
	outbox_trim(&outbox);
	assert_int_equal(outbox.cap, 0);
	assert_null(outbox.ring);
	push(&outbox, answer('c'));
	check(&outbox);
	assert_string_equal(shape(&outbox), "c");
	outbox_release(&outbox);
}

static void
a_large_ring_is_given_back_and_a_small_one_kept(void **state)
{
	struct outbox outbox = { 0 };
	struct frame *frame = answer('a');

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(outbox_push(&outbox, frame), 0);
	assert_int_equal(frame->refs, 1001);
	outbox_pop(&outbox, 1000);
	assert_null(outbox.ring);
	assert_int_equal(outbox.cap, 0);
	assert_int_equal(outbox_push(&outbox, frame), 0);
	outbox_pop(&outbox, 1);
	assert_non_null(outbox.ring);
	assert_int_equal(frame->refs, 1);
	frame_unref(frame);
	outbox_release(&outbox);
}

static void
there_is_a_limit_on_frames_however_small(void **state)
{
	struct outbox outbox = { 0 };
	struct frame *frame = answer('a');

	(void)state;
	for (int i = 0; i < OUTBOX_FRAMES_MAX; i++)
		assert_int_equal(outbox_push(&outbox, frame), 0);
	assert_int_equal(outbox_push(&outbox, frame), -ENOBUFS);
	assert_int_equal(outbox_push_front(&outbox, frame), -ENOBUFS);
	assert_int_equal(outbox.count, OUTBOX_FRAMES_MAX);
	assert_int_equal(frame->refs, 1 + OUTBOX_FRAMES_MAX);
	outbox_release(&outbox);
	assert_int_equal(frame->refs, 1);
	frame_unref(frame);
}

static void
the_oldest_publish_is_dropped_and_answers_stay(void **state)
{
	struct outbox outbox = { 0 };

	(void)state;
	assert_false(outbox_drop_oldest(&outbox));
	push(&outbox, answer('a'));
	push(&outbox, answer('b'));
	assert_false(outbox_drop_oldest(&outbox));
	push(&outbox, publish("old"));
	push(&outbox, answer('c'));
	push(&outbox, publish("new"));
	assert_true(outbox_drop_oldest(&outbox));
	check(&outbox);
	assert_string_equal(shape(&outbox), "abcP");
	assert_true(outbox_drop_oldest(&outbox));
	check(&outbox);
	assert_string_equal(shape(&outbox), "abc");
	assert_false(outbox_drop_oldest(&outbox));
	assert_int_equal(outbox.gap_count, 2);
	outbox_release(&outbox);
}

/* Move n frames; by hand, as valgrind takes a checked memmove() for memcpy(). */
static void
shift(struct frame **to, struct frame **from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = to < from ? i : n - 1 - i;

		to[at] = from[at];
	}
}

/* A plain array does the same. */
static void
a_simple_model_agrees(void **state)
{
	static struct frame *model[MODEL_MAX];
	struct frame *answers = answer('a'), *publishes = publish("t");
	struct outbox outbox = { 0 };
	uint32_t count = 0, n;
	struct frame *frame;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		frame = random_below(2) == 0 ? answers : publishes;
		switch (random_below(8)) {
		case 0: /* to the front */
			if (count == MODEL_MAX)
				break;
			assert_int_equal(outbox_push_front(&outbox, frame), 0);
			shift(model + 1, model, count++);
			model[0] = frame;
			break;
		case 1:
			n = random_below(count + 1);
			n = random_below(10) == 0 ? n : n % 8;
			outbox_pop(&outbox, n);
			count -= n;
			shift(model, model + n, count);
			break;
		case 2:
			for (n = 0; n < count && model[n] != publishes; n++)
				;
			assert_int_equal(outbox_drop_oldest(&outbox),
			    n < count);
			if (n < count)
				shift(model + n, model + n + 1, --count - n);
			break;
		default:
			if (count == MODEL_MAX)
				break;
			assert_int_equal(outbox_push(&outbox, frame), 0);
			model[count++] = frame;
			break;
		}
		assert_int_equal(outbox.count, count);
		for (n = 0; n < count; n++)
			assert_ptr_equal(outbox_at(&outbox, n), model[n]);
		check(&outbox);
	}
	outbox_release(&outbox);
	assert_int_equal(answers->refs, 1);
	assert_int_equal(publishes->refs, 1);
	frame_unref(answers);
	frame_unref(publishes);
}

static int
fill_and_drop(void)
{
	struct outbox outbox = { 0 };
	struct frame *frame = reply_msg("t", 1, "0", 1, "n"), *gap;
	uint32_t count = 0;
	int rc = frame != NULL ? 0 : -1;

	for (int i = 0; i < 40 && frame != NULL; i++) {
		int err = i % 5 == 0 ? outbox_push_front(&outbox, frame) :
				       outbox_push(&outbox, frame);

		assert_true(err == 0 || err == -ENOMEM);
		count += err == 0;
		rc = err != 0 ? err : rc;
		assert_int_equal(outbox.count, count);
		check(&outbox);
	}
	for (int i = 0; i < 3 && outbox_drop_oldest(&outbox); i++)
		check(&outbox);
	if (outbox.gap_count == 0)
		rc = -1;
	gap = outbox_take_gap(&outbox);
	if (gap == NULL)
		rc = -1;
	else
		assert_int_equal(outbox.gap_count, 0);
	frame_unref(gap);
	outbox_release(&outbox);
	frame_unref(frame);
	return rc;
}

static void
running_out_of_memory_loses_nothing_that_was_taken(void **state)
{
	(void)state;
	torture_malloc(fill_and_drop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_in_the_order_they_went_in),
		cmocka_unit_test(a_frame_at_the_front_is_first),
		cmocka_unit_test(
		    a_large_ring_is_given_back_and_a_small_one_kept),
		cmocka_unit_test(there_is_a_limit_on_frames_however_small),
		cmocka_unit_test(
		    the_oldest_publish_is_dropped_and_answers_stay),
		cmocka_unit_test(
		    an_empty_ring_is_given_back_when_asked_for_and_no_other),
		cmocka_unit_test(a_simple_model_agrees),
		cmocka_unit_test(
		    running_out_of_memory_loses_nothing_that_was_taken),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

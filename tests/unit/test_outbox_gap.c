/* test_outbox_gap.c - what was dropped is remembered and told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/outbox.h"
#include "worker/reply.h"

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

static void
expect_gap(struct outbox *outbox, const char *text)
{
	struct frame *frame = outbox_take_gap(outbox);

	if (text == NULL) {
		assert_null(frame);
		return;
	}
	assert_non_null(frame);
	assert_int_equal(frame->len - frame->header_len, strlen(text));
	assert_memory_equal(frame_payload(frame), text, strlen(text));
	frame_unref(frame);
	check(outbox);
}

static void
a_gap_is_told_once_with_all_that_was_missed(void **state)
{
	struct outbox outbox = { 0 };
	struct frame *frame = publish("a\"b");

	(void)state;
	for (int i = 0; i < 3; i++)
		outbox_note_gap(&outbox, frame);
	expect_gap(&outbox,
	    "{\"op\":\"gap\",\"topic\":\"a\\\"b\",\"missed\":3}");
	expect_gap(&outbox, NULL);
	assert_null(outbox.gaps);
	outbox_note_gap(&outbox, frame);
	expect_gap(&outbox,
	    "{\"op\":\"gap\",\"topic\":\"a\\\"b\",\"missed\":1}");
	frame_unref(frame);
	outbox_release(&outbox);
}

static void
a_binary_frame_and_a_text_frame_of_one_topic_share_a_gap(void **state)
{
	struct outbox outbox = { 0 };
	struct frame *text = publish("a\"\xc3\xa9");
	struct frame *binary = reply_msg_binary("a\"\xc3\xa9", 4, "x", 1);

	(void)state;
	assert_non_null(binary);
	outbox_note_gap(&outbox, binary);
	outbox_note_gap(&outbox, text);
	outbox_note_gap(&outbox, binary);
	expect_gap(&outbox,
	    "{\"op\":\"gap\",\"topic\":\"a\\\"\xc3\xa9\",\"missed\":3}");
	expect_gap(&outbox, NULL);
	frame_unref(text);
	frame_unref(binary);
	outbox_release(&outbox);
}

static void
an_answer_leaves_no_gap(void **state)
{
	struct outbox outbox = { 0 };
	struct frame *frame = answer('a');

	(void)state;
	outbox_note_gap(&outbox, frame);
	expect_gap(&outbox, NULL);
	frame_unref(frame);
	outbox_release(&outbox);
}

static void
topics_beyond_the_sixteenth_share_a_star(void **state)
{
	struct outbox outbox = { 0 };
	char topic[16], text[64];

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct frame *frame;

		(void)snprintf(topic, sizeof(topic), "t%d", i);
		frame = publish(topic);
		outbox_note_gap(&outbox, frame);
		if (i == 3)
			outbox_note_gap(&outbox, frame);
		frame_unref(frame);
		check(&outbox);
	}
	assert_int_equal(outbox.gap_count, OUTBOX_GAPS_MAX);
	expect_gap(&outbox, "{\"op\":\"gap\",\"topic\":\"*\",\"missed\":25}");
	for (int i = OUTBOX_GAPS_MAX - 2; i >= 0; i--) {
		(void)snprintf(text, sizeof(text),
		    "{\"op\":\"gap\",\"topic\":\"t%d\",\"missed\":%d}", i,
		    i == 3 ? 2 : 1);
		expect_gap(&outbox, text);
	}
	expect_gap(&outbox, NULL);
	outbox_release(&outbox);
}

static void
gaps_survive_clearing_and_end_with_the_outbox(void **state)
{
	struct outbox outbox = { 0 };
	struct frame *frame = publish("t");

	(void)state;
	push(&outbox, publish("u"));
	outbox_note_gap(&outbox, frame);
	outbox_clear(&outbox);
	assert_int_equal(outbox.count, 0);
	assert_int_equal(outbox.gap_count, 1);
	outbox_release(&outbox);
	assert_int_equal(outbox.gap_count, 0);
	frame_unref(frame);
}

static void
an_event_can_be_dropped_and_leaves_no_gap(void **state)
{
	struct outbox outbox = { 0 };

	(void)state;
	push(&outbox, reply_ok("1", 1, ""));
	push(&outbox, reply_evt("e", 1, "1", 1));
	push(&outbox, reply_change("r", 1, "t", 1, "1", 1));
	assert_true(outbox_drop_oldest(&outbox));
	assert_true(outbox_drop_oldest(&outbox));
	assert_false(outbox_drop_oldest(&outbox)); /* an answer stays */
	assert_int_equal(outbox.count, 1);
	assert_int_equal(outbox.gap_count, 0);
	outbox_release(&outbox);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_is_told_once_with_all_that_was_missed),
		cmocka_unit_test(
		    a_binary_frame_and_a_text_frame_of_one_topic_share_a_gap),
		cmocka_unit_test(an_answer_leaves_no_gap),
		cmocka_unit_test(an_event_can_be_dropped_and_leaves_no_gap),
		cmocka_unit_test(topics_beyond_the_sixteenth_share_a_star),
		cmocka_unit_test(gaps_survive_clearing_and_end_with_the_outbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

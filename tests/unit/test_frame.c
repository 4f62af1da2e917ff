/* test_frame.c - header and payload in one stretch, shared by reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "torture.h"
#include "worker/frame.h"

static void
a_header_is_as_short_as_its_length_allows(void **state)
{
	static const struct {
		size_t len;
		uint8_t head;
		unsigned char bytes[10];
	} cases[] = {
		{ 0, 2, { 0x81, 0 } },
		{ 1, 2, { 0x81, 1 } },
		{ 125, 2, { 0x81, 125 } },
		{ 126, 4, { 0x81, 126, 0, 126 } },
		{ 65535, 4, { 0x81, 126, 0xff, 0xff } },
		{ 65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
		{ 0x123456, 10,
		    { 0x81, 127, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct frame *frame = frame_new(FRAME_TEXT, cases[i].len);

		assert_non_null(frame);
		assert_int_equal(frame->header_len, cases[i].head);
		assert_int_equal(frame->len, cases[i].head + cases[i].len);
		assert_memory_equal(frame->bytes, cases[i].bytes,
		    cases[i].head);
		assert_ptr_equal(frame_payload(frame),
		    frame->bytes + cases[i].head);
		memset(frame_payload(frame), 'x', cases[i].len);
		frame_unref(frame);
	}
}

static void
every_kind_is_one_final_unmasked_frame(void **state)
{
	static const enum frame_op ops[] = { FRAME_TEXT, FRAME_BINARY,
		FRAME_CLOSE, FRAME_PING };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		struct frame *frame = frame_new(ops[i], 3);

		assert_non_null(frame);
		assert_int_equal(frame->bytes[0], 0x80 | (int)ops[i]);
		assert_int_equal(frame->bytes[1], 3);
		assert_int_equal(frame->op, ops[i]);
		assert_int_equal(frame->topic_len, 0);
		frame_unref(frame);
	}
}

static void
a_frame_that_no_header_could_count_is_refused(void **state)
{
	(void)state;
	assert_null(frame_new(FRAME_TEXT, UINT32_MAX));
	assert_null(frame_new(FRAME_TEXT, (size_t)UINT32_MAX - 9));
	assert_null(frame_new(FRAME_TEXT, SIZE_MAX));
}

static void
trimming_keeps_the_payload_and_the_topics_place(void **state)
{
	static const size_t sizes[] = { 70000, 65536, 65535, 300, 126, 125, 9 };

	(void)state;
	for (size_t from = 0; from < ARRAY_LEN(sizes); from++) {
		for (size_t to = from; to < ARRAY_LEN(sizes); to++) {
			struct frame *frame =
			    frame_new(FRAME_TEXT, sizes[from]);
			struct frame *model = frame_new(FRAME_TEXT, sizes[to]);

			assert_non_null(frame);
			assert_non_null(model);
			memset(frame_payload(frame), '.', sizes[from]);
			memcpy(frame_payload(frame) + 2, "topic", 5);
			memset(frame_payload(model), '.', sizes[to]);
			memcpy(frame_payload(model) + 2, "topic", 5);
			frame->topic_at = frame->header_len + 2u;
			frame->topic_len = 5;
			frame_trim(frame, sizes[to]);
			assert_int_equal(frame->len, model->len);
			assert_memory_equal(frame->bytes, model->bytes,
			    model->len);
			assert_memory_equal(frame->bytes + frame->topic_at,
			    "topic", 5);
			frame_unref(frame);
			frame_unref(model);
		}
	}
}

static void
the_last_reference_frees(void **state)
{
	struct frame *frame = frame_new(FRAME_TEXT, 5);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(frame->refs, 1);
	assert_ptr_equal(frame_ref(frame), frame);
	assert_ptr_equal(frame_ref(frame), frame);
	assert_int_equal(frame->refs, 3);
	frame_unref(frame);
	frame_unref(frame);
	assert_int_equal(frame->refs, 1);
	frame_unref(frame); /* a leak, or a use of it, would be seen */
	frame_unref(NULL);
}

static int
make_and_drop(void)
{
	struct frame *frame = frame_new(FRAME_BINARY, 70000);

	if (frame == NULL)
		return -1;
	frame_trim(frame, 5);
	frame_unref(frame);
	return 0;
}

static void
running_out_of_memory_is_reported(void **state)
{
	(void)state;
	torture_malloc(make_and_drop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_as_short_as_its_length_allows),
		cmocka_unit_test(every_kind_is_one_final_unmasked_frame),
		cmocka_unit_test(a_frame_that_no_header_could_count_is_refused),
		cmocka_unit_test(
		    trimming_keeps_the_payload_and_the_topics_place),
		cmocka_unit_test(the_last_reference_frees),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

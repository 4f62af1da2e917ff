/* test_ws_shadow.c - where in a stream of frames the reading stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "worker/ws_shadow.h"

enum {
	STREAM_MAX = 4096
};

static uint8_t stream[STREAM_MAX];
static size_t stream_len;

static void
put(const void *bytes, size_t len)
{
	assert_true(stream_len + len <= sizeof(stream));
	memcpy(stream + stream_len, bytes, len);
	stream_len += len;
}

/* A frame with a mask that is not the same in two places. */
static void
put_frame(uint8_t first, size_t len, size_t length_bytes)
{
	static const uint8_t mask[] = { 1, 2, 3, 4 };
	uint8_t head[10] = { first, (uint8_t)(0x80 | len) }, byte;
	size_t n = 2;

	if (length_bytes != 0)
		head[1] = length_bytes == 2 ? 0xfe : 0xff;
	for (; length_bytes > 0; length_bytes--)
		head[n++] = (uint8_t)((uint64_t)len >> (length_bytes - 1) * 8);
	put(head, n);
	put(mask, 4);
	for (size_t i = 0; i < len; i++) {
		byte = (uint8_t)i ^ mask[i & 3];
		put(&byte, 1);
	}
}

/* All kinds; ends inside a message when open. */
static void
put_all_kinds(bool open)
{
	stream_len = 0;
	put_frame(0x81, 5, 0);
	put_frame(0x82, 0, 0);
	put_frame(0x01, 3, 0);
	put_frame(0x89, 125, 0);
	put_frame(0x00, 0, 0);
	put_frame(0x8a, 0, 0);
	put_frame(0x00, 4, 2); /* longer than need be */
	put_frame(0x80, 130, 2);
	put_frame(0x02, 0, 0);
	put_frame(0x8a, 7, 0);
	put_frame(0x80, 5, 8);
	put_frame(0x82, 300, 8);
	if (open)
		put_frame(0x01, 9, 0);
}

static void
assert_same(const struct ws_shadow *a, const struct ws_shadow *b)
{
	assert_int_equal(a->phase, b->phase);
	assert_int_equal(a->message, b->message);
	assert_int_equal(a->closed, b->closed);
	if (a->phase == WS_SHADOW_HEADER) {
		assert_int_equal(a->have, b->have);
		assert_memory_equal(a->header, b->header, a->have);
		return;
	}
	assert_int_equal(a->opcode, b->opcode);
	assert_int_equal(a->fin, b->fin);
	assert_int_equal(a->left, b->left);
	assert_int_equal(a->control, b->control);
	assert_memory_equal(a->kept, b->kept, a->control);
	for (int i = 0; i < 4; i++)
		assert_int_equal(a->mask[(a->mask_at + i) & 3],
		    b->mask[(b->mask_at + i) & 3]);
}

static void
a_stream_is_followed_however_it_is_cut(void **state)
{
	struct ws_shadow whole, parts;

	(void)state;
	for (int open = 0; open < 2; open++) {
		put_all_kinds(open != 0);
		ws_shadow_init(&whole);
		assert_int_equal(ws_shadow_feed(&whole, stream, stream_len),
		    stream_len);
		assert_int_equal(ws_shadow_at_boundary(&whole), !open);
		assert_int_equal(whole.message, open);
		assert_int_equal(whole.payload,
		    5 + 3 + 4 + 130 + 5 + 300 + open * 9);
		for (size_t cut = 0; cut <= stream_len; cut++) {
			ws_shadow_init(&parts);
			assert_int_equal(ws_shadow_feed(&parts, stream, cut),
			    cut);
			assert_int_equal(ws_shadow_feed(&parts, stream + cut,
					     stream_len - cut),
			    stream_len - cut);
			assert_same(&whole, &parts);
			assert_int_equal(whole.payload, parts.payload);
		}
	}
}

static void
a_replay_brings_a_fresh_one_to_the_same_place(void **state)
{
	struct ws_shadow there, fresh;
	unsigned char bytes[WS_SHADOW_REPLAY_MAX];
	size_t len;

	(void)state;
	put_all_kinds(true);
	for (size_t cut = 0; cut <= stream_len; cut++) {
		ws_shadow_init(&there);
		(void)ws_shadow_feed(&there, stream, cut);
		assert_int_equal(ws_shadow_check(&there), 0);
		len = ws_shadow_replay(&there, bytes);
		assert_true(len <= sizeof(bytes));
		assert_int_equal(len == 0, ws_shadow_at_boundary(&there));
		assert_int_equal(ws_shadow_check(&there), 0);
		ws_shadow_init(&fresh);
		assert_int_equal(ws_shadow_feed(&fresh, bytes, len), len);
		assert_same(&there, &fresh);
		/* And what comes next means the same to both. */
		(void)ws_shadow_feed(&there, stream + cut, stream_len - cut);
		(void)ws_shadow_feed(&fresh, stream + cut, stream_len - cut);
		assert_same(&there, &fresh);
	}
}

static void
a_close_frame_is_known_by_its_first_byte_and_then_its_code(void **state)
{
	static const uint8_t frame[] = { 0x88, 0x82, 9, 8, 7, 6, 0x03 ^ 9,
		0xf4 ^ 8 };
	struct ws_shadow shadow;

	(void)state;
	ws_shadow_init(&shadow);
	assert_int_equal(ws_shadow_feed(&shadow, frame, 1), 1);
	assert_int_equal(shadow.closed, 1);
	assert_int_equal(ws_shadow_check(&shadow), -EPROTO);
	assert_int_equal(ws_shadow_feed(&shadow, frame + 1, 6), 6);
	assert_int_equal(shadow.code, 0);
	assert_int_equal(ws_shadow_feed(&shadow, frame + 7, 1), 1);
	assert_int_equal(shadow.code, 1012);
}

static void
what_is_no_frame_is_found_at_its_byte(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, good;
		bool unmasked;
	} cases[] = {
		{ "\x81\x01x", 3, 1, true },
		{ "\x81\x80\0\0\0\0\x89\x00", 8, 7, true },
		{ "\x81\x7e\0\x80", 4, 1, true },
		{ "\xc1\x80", 2, 0, false }, /* reserved bits */
		{ "\x91\x80", 2, 0, false },
		{ "\x83\x80", 2, 0, false }, /* opcodes that are not there */
		{ "\x8b\x80", 2, 0, false },
		{ "\x09\x80", 2, 0, false }, /* a fragment of a ping */
		{ "\x89\xfe", 2, 1, false }, /* a long ping */
		{ "\x80\x80", 2, 0, false }, /* goes on with nothing */
		{ "\x01\x80\0\0\0\0\x81", 7, 6, false }, /* one in another */
		{ "\x82\xff\x80", 3, 2, false },         /* 2^63 bytes */
	};
	struct ws_shadow shadow;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t cut = 0; cut <= cases[i].good; cut++) {
			ws_shadow_init(&shadow);
			assert_int_equal(ws_shadow_feed(&shadow, cases[i].bytes,
					     cut),
			    cut);
			assert_int_equal(ws_shadow_feed(&shadow,
					     cases[i].bytes + cut,
					     cases[i].len - cut),
			    cases[i].good - cut);
			assert_int_equal(shadow.phase, WS_SHADOW_BAD);
			assert_int_equal(ws_shadow_unmasked(&shadow),
			    cases[i].unmasked);
			assert_int_equal(ws_shadow_check(&shadow), -EPROTO);
			assert_int_equal(ws_shadow_feed(&shadow, "x", 1), 0);
			assert_int_equal(ws_shadow_replay(&shadow, stream), 0);
		}
	}
}

/* A state from elsewhere, with one thing changed in it. */
static void
a_state_that_cannot_be_is_refused(void **state)
{
	struct ws_shadow header, payload, control, bad;

	(void)state;
	ws_shadow_init(&header);
	(void)ws_shadow_feed(&header, "\x81\xfe\1", 3);
	ws_shadow_init(&payload);
	(void)ws_shadow_feed(&payload, "\x81\x85\1\2\3\4xy", 8);
	ws_shadow_init(&control);
	(void)ws_shadow_feed(&control, "\x89\xfd\1\2\3\4xy", 8);
	assert_int_equal(ws_shadow_check(&header), 0);
	assert_int_equal(ws_shadow_check(&payload), 0);
	assert_int_equal(ws_shadow_check(&control), 0);
#define REFUSED(from, field, value)                                            \
	do {                                                                   \
		bad = (from);                                                  \
		bad.field = (value);                                           \
		assert_int_equal(ws_shadow_check(&bad), -EPROTO);              \
	} while (0)
	REFUSED(header, phase, WS_SHADOW_BAD);
	REFUSED(header, phase, 200);
	REFUSED(header, have, 8); /* a whole header is not kept */
	REFUSED(header, have, 14);
	REFUSED(header, have, 255);
	REFUSED(header, message, 1); /* a text inside a message */
	REFUSED(header, message, 8);
	REFUSED(header, closed, 1);
	REFUSED(header, header[0], 0x83);
	REFUSED(header, header[1], 0x7e);
	REFUSED(payload, left, 0);
	REFUSED(payload, left, (uint64_t)1 << 63);
	REFUSED(payload, opcode, 0);
	REFUSED(payload, opcode, 3);
	REFUSED(payload, opcode, 8);
	REFUSED(payload, opcode, 250);
	REFUSED(payload, message, 2);
	REFUSED(payload, fin, 2);
	REFUSED(payload, mask_at, 4);
	REFUSED(control, fin, 0);
	REFUSED(control, left, 0);
	REFUSED(control, left, 124); /* two have come */
	REFUSED(control, left, (uint64_t)-2);
	REFUSED(control, control, 3);
	REFUSED(control, control, 126);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_followed_however_it_is_cut),
		cmocka_unit_test(a_replay_brings_a_fresh_one_to_the_same_place),
		cmocka_unit_test(
		    a_close_frame_is_known_by_its_first_byte_and_then_its_code),
		cmocka_unit_test(what_is_no_frame_is_found_at_its_byte),
		cmocka_unit_test(a_state_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

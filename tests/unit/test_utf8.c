/* test_utf8.c - what is UTF-8 and what only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/utf8.h"
#include "random.h"

enum {
	ROUNDS = 200000,
	TEXT_MAX = 40
};

/*
 * The reference reads a number out of the bits, writes it back the shortest
 * way, and compares.  No table of ranges, so that it cannot have the same hole.
 */
static bool
reference(const unsigned char *p, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = p[0] < 0x80     ? 1 :
		    p[0] >> 5 == 6  ? 2 :
		    p[0] >> 4 == 14 ? 3 :
		    p[0] >> 3 == 30 ? 4 :
				      0;
		if (n == 0 || n > len)
			return false;
		code = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
		for (size_t i = 1; i < n; i++) {
			if (p[i] >> 6 != 2)
				return false;
			code = code << 6 | (p[i] & 0x3fu);
		}
		if (code < least[n] || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return false;
	}
	return true;
}

/* Judge the text at the end of exactly as much memory. */
static void
assert_judged_right(const unsigned char *text, size_t len)
{
	unsigned char *copy = malloc(len != 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	if (utf8_valid(copy, len) != reference(copy, len)) {
		for (size_t i = 0; i < len; i++)
			print_error("%02x ", copy[i]);
		fail();
	}
	free(copy);
}

static void
well_formed_text_is_accepted(void **state)
{
	static const char *const texts[] = { "", "a",
		"plain ASCII, long enough", "\x7f", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "1234567\xc3\xa9",
		"12345678\xe2\x82\xac" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_true(utf8_valid(texts[i], strlen(texts[i])));
	assert_true(utf8_valid("a\0b", 3));
	assert_true(utf8_valid(NULL, 0));
}

static void
what_is_not_well_formed_is_refused(void **state)
{
	static const char *const texts[] = { "\x80", "\xbf", "\xc0\x80",
		"\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0", "\xe0\x80\x80",
		"\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82\x41", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xfe", "\xff", "1234567\x80",
		"12345678\xc3", "\xc3\xa9\xa9" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (utf8_valid(texts[i], strlen(texts[i])))
			fail_msg("accepted text %zu", i);
	}
}

static void
all_sequences_of_up_to_three_bytes_are_judged_right(void **state)
{
	unsigned char text[3];
	bool wanted;

	(void)state;
	for (uint32_t n = 0; n < 1u << 24; n++) {
		text[0] = (unsigned char)(n >> 16);
		text[1] = (unsigned char)(n >> 8);
		text[2] = (unsigned char)n;
		if (text[0] < 0x80 && n % 64 != 0)
			continue; /* the last two bytes had their turn */
		wanted = reference(text, 3);
		if (utf8_valid(text, 3) != wanted)
			fail_msg("%06x", n);
		if (text[2] == 0 && utf8_valid(text, 2) != reference(text, 2))
			fail_msg("%04x", n >> 8);
	}
}

static void
all_four_byte_beginnings_are_judged_right(void **state)
{
	static const unsigned char edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90,
		0xbf, 0xc0, 0xff };
	unsigned char text[4];

	(void)state;
	for (int first = 0xe0; first < 256; first++) {
		for (int second = 0; second < 256; second++) {
			for (size_t i = 0; i < 64; i++) {
				text[0] = (unsigned char)first;
				text[1] = (unsigned char)second;
				text[2] = edges[i / 8];
				text[3] = edges[i % 8];
				if (utf8_valid(text, 4) != reference(text, 4))
					fail_msg("%02x %02x %zu", first, second,
					    i);
			}
		}
	}
}

static void
mixed_and_damaged_text_is_judged_right(void **state)
{
	static const char *const parts[] = { "a", "ascii88 ", "\xc3\xa9",
		"\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x98\x80" };
	unsigned char text[TEXT_MAX];
	const char *part;
	size_t len, valid = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		len = 0;
		for (uint32_t n = random_below(5); n > 0; n--) {
			part = parts[random_below(ARRAY_LEN(parts))];
			memcpy(text + len, part, strlen(part));
			len += strlen(part);
		}
		if (len > 0 && random_below(2) == 0)
			text[random_below((uint32_t)len)] =
			    (unsigned char)random_below(256);
		if (random_below(4) == 0)
			len = random_below((uint32_t)len + 1);
		assert_judged_right(text, len);
		valid += reference(text, len);
	}
	assert_in_range(valid, ROUNDS / 4, ROUNDS - ROUNDS / 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_text_is_accepted),
		cmocka_unit_test(what_is_not_well_formed_is_refused),
		cmocka_unit_test(
		    all_sequences_of_up_to_three_bytes_are_judged_right),
		cmocka_unit_test(all_four_byte_beginnings_are_judged_right),
		cmocka_unit_test(mixed_and_damaged_text_is_judged_right),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_json_string.c - JSON strings to text and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_string.h"
#include "random.h"

enum {
	ROOM = 256,
	ROUNDS = 20000
};

static void
assert_decodes(const char *raw, const char *wanted, size_t wanted_len)
{
	struct json_span span = { raw, strlen(raw) };
	char out[ROOM];
	size_t len = 0;

	assert_int_equal(json_string_decode(span, out, sizeof(out), &len), 0);
	assert_int_equal(len, wanted_len);
	assert_memory_equal(out, wanted, len);
	/* Exactly enough room is enough, one byte less is not. */
	assert_int_equal(json_string_decode(span, out, wanted_len, &len), 0);
	if (wanted_len != 0) {
		len = 4711;
		assert_int_equal(json_string_decode(span, out, wanted_len - 1,
				     &len),
		    -ENOBUFS);
		assert_int_equal(len, 4711);
	}
}

static void
escapes_are_resolved(void **state)
{
	(void)state;
	assert_decodes("\"\"", "", 0);
	assert_decodes("\"plain text, longer than a word\"",
	    "plain text, longer than a word", 30);
	assert_decodes("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
	assert_decodes("\"a\\u0041\\u00e9\\u20AC\"", "aA\xc3\xa9\xe2\x82\xac",
	    7);
	assert_decodes("\"\\u0001\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
	    "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 12);
}

static void
surrogate_pairs_become_one_character(void **state)
{
	(void)state;
	assert_decodes("\"\\uD83D\\ude00\"", "\xf0\x9f\x98\x80", 4);
	assert_decodes("\"\\ud800\\udc00\"", "\xf0\x90\x80\x80", 4);
	assert_decodes("\"\\udbff\\udfff!\"", "\xf4\x8f\xbf\xbf!", 5);
}

static void
what_is_not_text_is_refused(void **state)
{
	static const char *const raws[] = { "", "\"", "a", "\"a", "a\"",
		"\"\\u0000\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\udc00\"",
		"\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\ud800\"",
		"\"\\ud800\\u0041\"", "\"\\udc00\\ud800\"", "\"\\ud800\\udc0\"",
		"\"\\x\"", "\"\\u12\"", "\"\\\"", "\"a\"b\"", "\"a\nb\"" };
	char out[ROOM];
	size_t len = 4711;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
		struct json_span span = { raws[i], strlen(raws[i]) };

		if (json_string_decode(span, out, ROOM, &len) != -EINVAL)
			fail_msg("accepted: %s", raws[i]);
	}
	assert_int_equal(len, 4711);
}

static void
assert_encodes(const char *s, size_t len, const char *wanted)
{
	char out[ROOM];

	assert_int_equal(json_string_encode(s, len, out, ROOM), strlen(wanted));
	assert_memory_equal(out, wanted, strlen(wanted));
}

static void
what_must_be_escaped_is(void **state)
{
	(void)state;
	assert_encodes("", 0, "\"\"");
	assert_encodes("\"\\/", 3, "\"\\\"\\\\/\"");
	assert_encodes("\b\t\n\v\f\r", 6, "\"\\b\\t\\n\\u000b\\f\\r\"");
	assert_encodes("\0\x01\x1f\x20\x7f", 5,
	    "\"\\u0000\\u0001\\u001f \x7f\"");
	assert_encodes("\xc3\xa9", 2, "\"\xc3\xa9\"");
}

static void
the_encoder_never_writes_past_its_room(void **state)
{
	const char *s = "a\nb\x01"
			"c, and some more \"words\"";
	char out[ROOM], whole[ROOM];
	size_t need;

	(void)state;
	need = json_string_encode(s, strlen(s), whole, ROOM);
	for (size_t room = 0; room <= need; room++) {
		memset(out, '#', ROOM);
		assert_int_equal(json_string_encode(s, strlen(s), out, room),
		    need);
		assert_memory_equal(out, whole, room);
		assert_int_equal(out[room], '#');
	}
}

static void
any_text_comes_back_as_it_was(void **state)
{
	static const char *const parts[] = { "a", "\"", "\\", "\n", "\x01",
		"\xc3\xa9", "\xf0\x9f\x98\x80", "eight888", "/", "\x1f" };
	char text[ROOM], encoded[6 * ROOM + 2], again[ROOM];
	size_t len, need, again_len;
	const char *part;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		len = 0;
		for (uint32_t n = random_below(24); n > 0; n--) {
			part = parts[random_below(ARRAY_LEN(parts))];
			memcpy(text + len, part, strlen(part));
			len += strlen(part);
		}
		need = json_string_encode(text, len, encoded, sizeof(encoded));
		assert_true(need <= sizeof(encoded));
		assert_true(json_valid(encoded, need));
		assert_int_equal(json_string_decode((struct json_span){ encoded,
							need },
				     again, sizeof(again), &again_len),
		    0);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, text, len);
	}
}

/* Every byte value at every place of a word, with every neighbour that counts. */
static void
the_first_special_byte_is_found_wherever_it_is(void **state)
{
	static const unsigned char fill[] = { 'x', 0x20, 0x21, 0x23, 0x5b, 0x5d,
		0x7f, 0x80, 0xa0, 0xff };
	unsigned char text[24];
	const char *at;
	bool special;

	(void)state;
	for (size_t f = 0; f < ARRAY_LEN(fill); f++) {
		for (size_t place = 0; place < sizeof(text); place++) {
			for (int c = 0; c < 256; c++) {
				memset(text, fill[f], sizeof(text));
				text[place] = (unsigned char)c;
				at = (const char *)text;
				special = c < 0x20 || c == '"' || c == '\\';
				assert_ptr_equal(json_string_plain(at,
						     at + sizeof(text)),
				    at + (special ? place : sizeof(text)));
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_are_resolved),
		cmocka_unit_test(surrogate_pairs_become_one_character),
		cmocka_unit_test(what_is_not_text_is_refused),
		cmocka_unit_test(what_must_be_escaped_is),
		cmocka_unit_test(the_encoder_never_writes_past_its_room),
		cmocka_unit_test(any_text_comes_back_as_it_was),
		cmocka_unit_test(
		    the_first_special_byte_is_found_wherever_it_is),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

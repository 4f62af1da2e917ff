/* test_json.c - the scanner: what is JSON, and where its members are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/json.h"
#include "json_gen.h"
#include "random.h"

enum {
	MEMBERS = 16,
	ROUNDS = 20000
};

/* A copy with nothing behind it, so that reading on is seen by a sanitizer. */
static char *
exact_copy(const char *text, size_t len)
{
	char *copy = malloc(len != 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	return copy;
}

static bool
valid(const char *text)
{
	size_t len = strlen(text);
	char *copy = exact_copy(text, len);
	bool is_valid = json_valid(copy, len);

	free(copy);
	return is_valid;
}

static ssize_t
object(const char *text, struct json_member *members, size_t *ret_offset)
{
	return json_object(text, strlen(text), members, MEMBERS, ret_offset);
}

static void
assert_span(struct json_span span, const char *wanted)
{
	assert_int_equal(span.len, strlen(wanted));
	assert_memory_equal(span.at, wanted, span.len);
}

static void
values_of_every_kind_are_json(void **state)
{
	static const char *const texts[] = { "0", "-0", "10", "1.5", "-1.25e+7",
		"1E400", "12345678901234567890", "0e0", "true", "false", "null",
		"\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u12aF\"",
		"\"\\ud800\"", "\"\\u0000\"", "\"\x7f\"", "[]", "{}", "[ ]",
		"{ }", " \t\r\n0 \t\r\n", "[1,2,[3,{\"a\":[]}],{}]",
		"{\"a\":1,\"a\":2}", "[[[[[]]]]]", "\"01234567\"",
		"\"0123456789abcdef\\n\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (!valid(texts[i]))
			fail_msg("refused: %s", texts[i]);
	}
}

static void
what_is_not_json_is_refused(void **state)
{
	static const char *const texts[] = { "", " ", "-", "+1", "01", "-01",
		"1.", ".5", "1.e1", "1e", "1e+", "0x1", "1 2", "NaN",
		"Infinity", "tru", "truex", "True", "nul", "fals", "\"",
		"\"abc", "\"0123456789", "\"\\\"", "\"\\x\"", "\"\\u123\"",
		"\"\\u12g4\"", "\"\\", "\"\\u", "\"a\nb\"", "\"1234567\x1f\"",
		"\"12345678\t\"", "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]",
		"[1 2]", "[1}", "{", "}", "{1:2}", "{\"a\"}", "{\"a\":}",
		"{\"a\" 1}", "{\"a\":1,}", "{,}", "{\"a\":1]", "{\"a\":1",
		"{a:1}", "[1]]", "{}}", "[1]x", "/**/1", "1//",
		"\xef\xbb\xbf"
		"1",
		"\v1", "[1;2]",
		"\xc2\xa0"
		"1",
		"{\"a\":1 \"b\":2}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (valid(texts[i]))
			fail_msg("accepted: %s", texts[i]);
	}
}

static void
a_zero_byte_is_not_white_space(void **state)
{
	(void)state;
	assert_false(json_valid("1\0", 2));
	assert_false(json_valid("\0", 1));
	assert_false(json_valid("\"a\0b\"", 5));
	assert_false(json_valid("[\0]", 3));
}

static void
members_are_found_as_they_were_written(void **state)
{
	struct json_member m[MEMBERS];
	size_t offset = 77;

	(void)state;
	assert_int_equal(
	    object(" { \"op\" : \"pub\" , \"data\":[1, {\"x\":2}] ,"
		   "\"n\":1e400,\"t\":true,\"f\":false,\"0\":null,"
		   "\"\\u006f\":{ },\"s\":\"\\u00e9\"} ",
		m, &offset),
	    8);
	assert_int_equal(offset, 77);
	assert_span(m[0].key, "op");
	assert_span(m[0].value, "\"pub\"");
	assert_int_equal(m[0].type, JSON_STRING);
	assert_false(m[0].escaped);
	assert_false(m[0].key_escaped);
	assert_span(m[1].value, "[1, {\"x\":2}]");
	assert_int_equal(m[1].type, JSON_ARRAY);
	assert_span(m[2].value, "1e400");
	assert_int_equal(m[2].type, JSON_NUMBER);
	assert_int_equal(m[3].type, JSON_TRUE);
	assert_int_equal(m[4].type, JSON_FALSE);
	assert_int_equal(m[5].type, JSON_NULL);
	assert_span(m[6].key, "\\u006f");
	assert_true(m[6].key_escaped);
	assert_span(m[6].value, "{ }");
	assert_int_equal(m[6].type, JSON_OBJECT);
	assert_span(m[7].value, "\"\\u00e9\"");
	assert_true(m[7].escaped);
	assert_true(json_span_is(m[3].key, "t"));
	assert_false(json_span_is(m[3].key, "tt"));
}

static void
a_backslash_deeper_down_does_not_mark_the_member(void **state)
{
	struct json_member m[MEMBERS];
	size_t offset;

	(void)state;
	assert_int_equal(object("{\"a\":[\"\\n\"],\"b\":\"x\"}", m, &offset),
	    2);
	assert_false(m[0].escaped);
	assert_int_equal(m[0].type, JSON_ARRAY);
	assert_false(m[1].escaped);
}

static void
duplicate_keys_are_all_reported(void **state)
{
	struct json_member m[MEMBERS];
	size_t offset;

	(void)state;
	assert_int_equal(object("{\"a\":1,\"a\":2}", m, &offset), 2);
	assert_span(m[0].value, "1");
	assert_span(m[1].value, "2");
}

static void
what_is_no_object_has_no_members(void **state)
{
	static const char *const texts[] = { "", " ", "[]", "1", "\"{}\"",
		"null", "{} {}", "{}x" };
	struct json_member m[MEMBERS];
	size_t offset;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(object(texts[i], m, &offset), -EINVAL);
	assert_int_equal(object("{}", m, &offset), 0);
}

static void
a_mistake_is_located(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
	} cases[] = { { "", 0 }, { "  x", 2 }, { "{\"a\":01}", 6 },
		{ "{\"a\":\"\\x\"}", 6 }, { "{\"a\":1,}", 7 }, { "{\"a\"", 4 },
		{ "{} ,", 3 }, { "{\"a\":\"x\ny\"}", 7 } };
	struct json_member m[MEMBERS];
	size_t offset;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(object(cases[i].text, m, &offset), -EINVAL);
		if (offset != cases[i].offset)
			fail_msg("%s: at %zu", cases[i].text, offset);
	}
}

static void
more_members_than_fit_are_refused(void **state)
{
	struct json_member m[2];
	const char *text = "{\"a\":1,\"b\":2,\"c\":3}";
	size_t offset;

	(void)state;
	assert_int_equal(json_object(text, strlen(text), m, 2, &offset),
	    -E2BIG);
	assert_int_equal(offset, 13);
	assert_int_equal(json_object("{}", 2, NULL, 0, &offset), 0);
}

/* `{"d":` and depth - 1 arrays inside one another. */
static size_t
nest(char *text, int depth)
{
	size_t len = 5;

	memcpy(text, "{\"d\":", 5);
	memset(text + len, '[', (size_t)depth - 1);
	len += (size_t)depth - 1;
	memset(text + len, ']', (size_t)depth - 1);
	len += (size_t)depth - 1;
	text[len++] = '}';
	return len;
}

static void
nesting_has_a_limit(void **state)
{
	char text[4 * JSON_DEPTH_MAX];
	struct json_member m[1];
	size_t len, offset;

	(void)state;
	len = nest(text, JSON_DEPTH_MAX);
	assert_int_equal(json_object(text, len, m, 1, &offset), 1);
	assert_true(json_valid(text, len));
	len = nest(text, JSON_DEPTH_MAX + 1);
	assert_int_equal(json_object(text, len, m, 1, &offset), -ELOOP);
	assert_int_equal(offset, 5 + JSON_DEPTH_MAX - 1);
	assert_false(json_valid(text, len));
}

/* Two trees print the same; comparing would stumble over equal keys. */
static void
assert_same_tree(const cJSON *a, const cJSON *b)
{
	char *as_text = cJSON_PrintUnformatted(a);
	char *bs_text = cJSON_PrintUnformatted(b);

	assert_string_equal(as_text, bs_text);
	free(as_text);
	free(bs_text);
}

/* The same, said by cJSON. */
static void
compare_with_cjson(const char *text, size_t len, const struct json_member *m,
    ssize_t count)
{
	cJSON *tree = cJSON_ParseWithLength(text, len), *item, *part;
	char key[JSON_GEN_MAX];
	struct json_span raw;
	size_t key_len;

	assert_true(cJSON_IsObject(tree));
	assert_int_equal(cJSON_GetArraySize(tree), count);
	item = tree->child;
	for (ssize_t i = 0; i < count; i++, item = item->next) {
		raw.at = m[i].key.at - 1;
		raw.len = m[i].key.len + 2;
		assert_int_equal(json_string_decode(raw, key, sizeof(key),
				     &key_len),
		    0);
		assert_int_equal(key_len, strlen(item->string));
		assert_memory_equal(key, item->string, key_len);
		part = cJSON_ParseWithLength(m[i].value.at, m[i].value.len);
		assert_non_null(part);
		assert_same_tree(part, item);
		assert_int_equal(m[i].type == JSON_STRING,
		    cJSON_IsString(item) != 0);
		assert_int_equal(m[i].type == JSON_NUMBER,
		    cJSON_IsNumber(item) != 0);
		cJSON_Delete(part);
	}
	cJSON_Delete(tree);
}

static void
generated_objects_read_as_cjson_reads_them(void **state)
{
	char text[JSON_GEN_MAX];
	struct json_member m[MEMBERS];
	size_t len, offset;
	ssize_t count;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		len = json_gen_object(text);
		count = json_object(text, len, m, MEMBERS, &offset);
		if (count < 0)
			fail_msg("at %zu: %.*s", offset, (int)len, text);
		compare_with_cjson(text, len, m, count);
	}
}

static void
damaged_objects_are_judged_as_the_grammar_says(void **state)
{
	char text[JSON_GEN_MAX], *copy;
	struct json_member m[MEMBERS];
	size_t len, offset, refused = 0;
	bool wanted;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		len = json_gen_damage(text, json_gen_object(text));
		copy = exact_copy(text, len);
		wanted = json_reference_valid(copy, len);
		if (json_valid(copy, len) != wanted)
			fail_msg("wanted %d: %.*s", wanted, (int)len, copy);
		offset = 0;
		if ((json_object(copy, len, m, MEMBERS, &offset) >= 0) !=
		    (wanted && copy[strspn(copy, " \t\r\n")] == '{'))
			fail_msg("object: %.*s", (int)len, copy);
		assert_true(offset <= len);
		refused += !wanted;
		free(copy);
	}
	assert_in_range(refused, ROUNDS / 4, ROUNDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_every_kind_are_json),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(a_zero_byte_is_not_white_space),
		cmocka_unit_test(members_are_found_as_they_were_written),
		cmocka_unit_test(
		    a_backslash_deeper_down_does_not_mark_the_member),
		cmocka_unit_test(duplicate_keys_are_all_reported),
		cmocka_unit_test(what_is_no_object_has_no_members),
		cmocka_unit_test(a_mistake_is_located),
		cmocka_unit_test(more_members_than_fit_are_refused),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(generated_objects_read_as_cjson_reads_them),
		cmocka_unit_test(
		    damaged_objects_are_judged_as_the_grammar_says),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * fuzz_json.c - the JSON scanner and the strings in it.
 *
 * Whatever the text: two ways of asking agree, spans lie inside the text, and
 * a string that decodes comes back when it is encoded again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

enum {
	MEMBERS = 16
};

static void
check_string(struct json_span raw)
{
	char *text = malloc(raw.len), *again = NULL;
	size_t len, need;

	assert(text != NULL);
	if (json_string_decode(raw, text, raw.len, &len) == 0) {
		assert(len <= raw.len - 2);
		assert(utf8_valid(text, len));
		need = json_string_encode(text, len, NULL, 0);
		again = malloc(need);
		assert(again != NULL);
		assert(json_string_encode(text, len, again, need) == need);
		assert(json_valid(again, need));
		raw = (struct json_span){ again, need };
		assert(json_string_decode(raw, text, len, &need) == 0);
		assert(need == len);
	}
	free(again);
	free(text);
}

static void
check_member(const char *text, size_t len, const struct json_member *member)
{
	struct json_span key = { member->key.at - 1, member->key.len + 2 };

	assert(key.at >= text && key.at + key.len <= text + len);
	assert(member->value.at > key.at + key.len);
	assert(member->value.len > 0);
	assert(member->value.at + member->value.len <= text + len);
	assert(json_valid(member->value.at, member->value.len));
	assert(member->key_escaped == (memchr(key.at, '\\', key.len) != NULL));
	check_string(key);
	if (member->type != JSON_STRING)
		return;
	assert(member->escaped ==
	    (memchr(member->value.at, '\\', member->value.len) != NULL));
	check_string(member->value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_member members[MEMBERS], some[1];
	const char *text = (const char *)data;
	size_t offset = SIZE_MAX;
	ssize_t count;

	if (!utf8_valid(data, size))
		return 0;
	count = json_object(text, size, members, MEMBERS, &offset);
	assert((count < 0) == (offset != SIZE_MAX));
	if (count < 0) {
		assert(offset <= size);
		(void)json_valid(text, size); /* must not crash */
		return 0;
	}
	assert(json_valid(text, size));
	for (ssize_t i = 0; i < count; i++)
		check_member(text, size, &members[i]);
	assert((json_object(text, size, some, 1, &offset) < 0) == (count > 1));
	return 0;
}

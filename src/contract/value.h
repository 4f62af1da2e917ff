/*
 * value.h - JSON as a tree, with nothing lost.
 *
 * cJSON makes doubles of numbers, so that 2^53 + 1 and 1e400 are no longer what
 * was written, ends strings at U+0000, and calls malloc() for every value.  To
 * judge a payload all of that matters; so this tree keeps numbers as their
 * text, strings with their length, and lives in an arena.
 *
 * Strings without escapes and all numbers point into the text that was parsed:
 * it must stay as long as the tree.  Strings are well-formed UTF-8; U+0000 may
 * be in them, half a surrogate pair may not.  Of two members with one name in
 * an object readers would see different ones, so such an object is a mistake.
 */
#ifndef CONTRACT_VALUE_H
#define CONTRACT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "contract/arena.h"

enum {
	VALUE_DEPTH_MAX = 128,
	VALUE_TEXT_MAX = 64 * 1024 * 1024,
};

enum value_type {
	VALUE_NULL,
	VALUE_FALSE,
	VALUE_TRUE,
	VALUE_NUMBER,
	VALUE_STRING,
	VALUE_ARRAY,
	VALUE_OBJECT,
};

struct value {
	struct value *next; /* in the same object or array */
	struct value *parent;
	const char *key; /* key_len bytes; NULL: not in an object */

	union {
		const char *text;    /* of a string or number: len bytes */
		struct value *first; /* of an object or array: len of them */
	};
	struct value **index; /* of an object with many members */
	uint32_t key_len;
	uint32_t len;
	uint32_t offset; /* in the text that was parsed */
	uint8_t type;    /* enum value_type */
};

/* What is wrong with a text, and where. */
struct value_fault {
	size_t offset;
	const char *why; /* a constant */
};

/*
 * Make a tree of a text that is one JSON value; the tree belongs to the arena.
 * 0; -EINVAL: it is not, and *ret_fault says why; -ENOMEM (*ret_fault too).
 */
WARN_UNUSED int value_parse(struct arena *arena, const char *text, size_t len,
    struct value **ret_value, struct value_fault *ret_fault);

/* The member with this name, or NULL. */
struct value *value_get(const struct value *object, const char *name,
    size_t len);

/* Are the two the same to JSON Schema?  1 is 1.0; order of members is not. */
bool value_equal(const struct value *a, const struct value *b);

/* Equal values have equal hashes. */
uint64_t value_hash(const struct value *value);

/*
 * Finish an object: build its index when it is large.  0; -EEXIST: two members
 * have one name, *ret_twice is the second; -ENOMEM.
 */
WARN_UNUSED int value_index(struct arena *arena, struct value *object,
    const struct value **ret_twice);

/*
 * The JSON pointer of value from root on, "" for root itself.  What does not
 * fit loses its beginning, which becomes "...".
 */
void value_pointer(const struct value *value, const struct value *root,
    char *out, size_t size);

static inline bool
value_key_is(const struct value *value, const char *name, size_t len)
{
	return value->key_len == len && memcmp(value->key, name, len) == 0;
}

/* Does a string read exactly s? */
static inline bool
value_text_is(const struct value *value, const char *s)
{
	size_t len = strlen(s);

	return value->type == VALUE_STRING && value->len == len &&
	    memcmp(value->text, s, len) == 0;
}

#endif /* CONTRACT_VALUE_H */

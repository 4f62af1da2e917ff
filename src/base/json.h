/*
 * json.h - look at JSON where it lies, without taking it apart.
 *
 * A publisher's data reaches subscribers byte for byte: 1e400,
 * 12345678901234567890 and "\u00e9" as they were written.  A parser that makes
 * values of them cannot give them back.  This one only checks the text against
 * RFC 8259 and says where the members of the outermost object are.  Nothing is
 * allocated, nothing is copied; one pass.
 *
 * What is given here must be UTF-8 already (utf8_valid()).  There is no
 * allowance of any kind: no comments, no trailing commas, no byte order mark.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

#include "base.h"

/*
 * libjansson, which libjwt brings along, has a json_object() too.  Ours must
 * not be seen by other shared objects, or they would call it.
 */
#define JSON_OURS __attribute__((visibility("hidden")))

enum {
	JSON_DEPTH_MAX = 128
}; /* objects and arrays inside one another */

/* Bytes of somebody else's text, borrowed. */
struct json_span {
	const char *at;
	size_t len;
};

enum json_type {
	JSON_STRING,
	JSON_NUMBER,
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_member {
	struct json_span key;   /* between the quotes, escapes as written */
	struct json_span value; /* as written; a string with its quotes */
	enum json_type type;
	bool key_escaped; /* there is a backslash in the key */
	bool escaped;     /* the value is a string with a backslash in it */
};

/*
 * Check that the text is one object, and store its members in their order.
 * Duplicate keys are all reported; what they mean is for the caller to say.
 *
 * Returns the number of members, or -EINVAL: not an object, or not JSON;
 * -ELOOP: more than JSON_DEPTH_MAX levels, the object counted; -E2BIG: more
 * than max members.  On failure, and only then, *ret_offset is where.
 */
WARN_UNUSED JSON_OURS ssize_t json_object(const char *text, size_t len,
    struct json_member *members, size_t max, size_t *ret_offset);

/* Is the text one value of any kind, at most JSON_DEPTH_MAX levels deep? */
bool json_valid(const char *text, size_t len);

/*
 * The text that a string means.  raw has its quotes on.  Writes at most size
 * bytes and no '\0'; the result is never longer than raw.
 *
 * 0; -EINVAL: not a string, or one that says U+0000 or half a surrogate pair,
 * which is JSON but not text; -ENOBUFS.
 */
WARN_UNUSED int json_string_decode(struct json_span raw, char *out, size_t size,
    size_t *ret_len);

/*
 * The same as JavaScript has it: U+0000 is a character, and half a surrogate
 * pair becomes U+FFFD, as it does whenever it leaves JavaScript.
 */
WARN_UNUSED int json_string_decode_js(struct json_span raw, char *out,
    size_t size, size_t *ret_len);

/*
 * Write len bytes of UTF-8 as a JSON string, quotes included, no '\0'.
 * Returns how many bytes that needs; if it is more than size, out holds the
 * first size of them and is of no use.
 */
WARN_UNUSED size_t json_string_encode(const char *s, size_t len, char *out,
    size_t size);

/* Does a key, or a string's text without its quotes, read exactly s? */
static inline bool
json_span_is(struct json_span span, const char *s)
{
	size_t len = strlen(s);

	return span.len == len && memcmp(span.at, s, len) == 0;
}

#endif /* BASE_JSON_H */

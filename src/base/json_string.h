/*
 * json_string.h - what json.c and json_string.c share: steps inside a string.
 *
 * Not for others; they include json.h.
 */
#ifndef BASE_JSON_STRING_H
#define BASE_JSON_STRING_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_EACH_BYTE(x) (0x0101010101010101u * (x))

/*
 * The first byte in [at, end) that cannot stand in a string as it is: a quote,
 * a backslash, a control character; or end.
 *
 * x - 0x20 borrows into the top bit of every byte that is less than 0x20, and
 * x ^ c is 0 where x is c, so that subtracting 1 does the same.  A borrow can
 * run on to the byte above and make it look special, never to the one below:
 * the lowest mark, which is the first in the text, is true.
 */
static inline const char *
json_string_plain(const char *at, const char *end)
{
	uint64_t x, quote, slash, marks;

	for (; end - at >= 8; at += 8) {
		memcpy(&x, at, 8);
		x = le64toh(x);
		quote = x ^ JSON_EACH_BYTE('"');
		slash = x ^ JSON_EACH_BYTE('\\');
		marks = ((x - JSON_EACH_BYTE(0x20)) & ~x) |
		    ((quote - JSON_EACH_BYTE(1)) & ~quote) |
		    ((slash - JSON_EACH_BYTE(1)) & ~slash);
		marks &= JSON_EACH_BYTE(0x80u);
		if (marks != 0)
			return at + __builtin_ctzll(marks) / 8;
	}
	while (
	    at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
		at++;
	return at;
}

/* Length of the escape sequence at the backslash at; 0: it is none. */
size_t json_string_escape(const char *at, const char *end);

#endif /* BASE_JSON_STRING_H */

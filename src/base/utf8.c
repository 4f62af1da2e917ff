/*
 * utf8.c - see utf8.h.
 *
 * Most of what clients send is ASCII, so eight bytes at a time are passed over
 * as long as none has its top bit set.  A longer sequence is judged by its
 * first byte, which says how many follow and what the second one may be: that
 * second byte is where overlong forms, surrogates and numbers that are too
 * large show.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define TOP_BITS 0x8080808080808080u

/* The first byte from p on that is no ASCII, or end. */
static const unsigned char *
skip_ascii(const unsigned char *p, const unsigned char *end)
{
	uint64_t word;

	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, 8);
		if ((word & TOP_BITS) != 0)
			break;
	}
	while (p < end && *p < 0x80)
		p++;
	return p;
}

/* Length of the well-formed sequence at p, which is no ASCII; 0: there is none. */
static size_t
sequence(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0; /* less would be overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* more would be a surrogate */
	else if (p[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (p[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool
utf8_valid(const void *data, size_t len)
{
	const unsigned char *p = data, *end;
	size_t n;

	if (len == 0)
		return true;
	end = p + len;
	for (;;) {
		p = skip_ascii(p, end);
		/* Text that is not ASCII seldom has just one such character. */
		while (p < end && *p >= 0x80) {
			n = sequence(p, (size_t)(end - p));
			if (n == 0)
				return false;
			p += n;
		}
		if (p == end)
			return true;
	}
}

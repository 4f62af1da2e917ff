/*
 * base64.c - see base64.h.
 *
 * OpenSSL's decoder forgives white space at both ends, takes '=' for a zero
 * anywhere and counts padding as bytes.  So the padding is counted here, and
 * the last group is encoded again: if that does not give the same four
 * characters, somebody was clever.
 */
#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/evp.h>

enum {
	CHUNK = 3 << 20
}; /* OpenSSL takes int lengths */

ssize_t
base64_encode(const void *data, size_t len, char *out, size_t size)
{
	const unsigned char *from = data;
	unsigned char *to = (unsigned char *)out;
	size_t need = base64_encoded_len(len), n;

	if (size <= need)
		return -ENOBUFS;
	while (len != 0) {
		n = len < CHUNK ? len : CHUNK;
		to += EVP_EncodeBlock(to, from, (int)n);
		from += n;
		len -= n;
	}
	*to = '\0';
	return (ssize_t)need;
}

/* Is this character one that OpenSSL's decoder would pass over at an end? */
static bool
is_forgiven(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-';
}

/* Decode whole groups, the last one included; padding counts as zero bytes. */
static int
decode_groups(const unsigned char *from, size_t len, unsigned char *to)
{
	size_t n;

	for (; len != 0; len -= n, from += n) {
		n = len < CHUNK ? len : CHUNK;
		if (is_forgiven((char)from[0]) ||
		    is_forgiven((char)from[n - 1]) ||
		    EVP_DecodeBlock(to, from, (int)n) != (int)(n / 4 * 3))
			return -EINVAL;
		to += n / 4 * 3;
	}
	return 0;
}

ssize_t
base64_decode(const char *text, size_t len, void *out, size_t size)
{
	unsigned char again[5], *bytes = out;
	size_t pad, n = base64_decoded_max(len);

	if (len == 0)
		return 0;
	if (len % 4 != 0)
		return -EINVAL;
	if (size < n)
		return -ENOBUFS;
	pad = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
	if (memchr(text, '=', len - pad) != NULL)
		return -EINVAL;
	if (decode_groups((const unsigned char *)text, len, bytes) != 0)
		return -EINVAL;
	(void)EVP_EncodeBlock(again, bytes + n - 3, (int)(3 - pad));
	if (memcmp(again, text + len - 4, 4) != 0)
		return -EINVAL;
	return (ssize_t)(n - pad);
}

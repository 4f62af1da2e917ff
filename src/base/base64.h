/*
 * base64.h - bytes as text and back (RFC 4648, with padding).
 *
 * The only door to OpenSSL's encoder and decoder, and stricter than they are:
 * what is decoded must be exactly what encoding would have written, with no
 * white space, no bits left over, padding only at the end.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <sys/types.h>

#include "base.h"

/* How many characters len bytes become; the '\0' behind them is not counted. */
static inline size_t
base64_encoded_len(size_t len)
{
	return (len + 2) / 3 * 4;
}

/* How large a buffer decoding len characters needs; there may be 2 bytes less. */
static inline size_t
base64_decoded_max(size_t len)
{
	return len / 4 * 3;
}

/*
 * Write len bytes as text and a '\0' behind it.  Returns how many characters
 * there are, or -ENOBUFS unless size is larger than base64_encoded_len(len).
 */
WARN_UNUSED ssize_t base64_encode(const void *data, size_t len, char *out,
    size_t size);

/*
 * Decode len characters.  Returns the number of bytes, -EINVAL when the text
 * is not base64, -ENOBUFS when size is less than base64_decoded_max(len).
 */
WARN_UNUSED ssize_t base64_decode(const char *text, size_t len, void *out,
    size_t size);

#endif /* BASE_BASE64_H */

/*
 * resp_out.h - writing the Redis protocol, versions 2 and 3.
 *
 * A value is written by one call, an array by its count and then so many
 * values.  What version 2 has no type for is written as what Redis writes
 * there: a map as an array of twice as many, a push as an array.
 *
 * A failure (no memory, the buffer's maximum) stays in error and makes all
 * further calls do nothing, so that it is asked once, at the end.
 */
#ifndef PRIMARY_SYNC_RESP_OUT_H
#define PRIMARY_SYNC_RESP_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

struct resp_out {
	struct buf buf;
	unsigned version; /* 2 or 3 */
	int error;        /* 0, -ENOBUFS, -ENOMEM */
};

/* Nothing written; at most max bytes will wait in it. */
void resp_out_init(struct resp_out *out, unsigned version, size_t max);

/* Free the bytes. */
void resp_out_release(struct resp_out *out);

/* Bytes that are protocol already. */
void resp_raw(struct resp_out *out, const void *data, size_t len);

/* "+OK"; text has no end of line in it. */
void resp_simple(struct resp_out *out, const char *text);

/* "-ERR ..." with the code; ends of lines inside become blanks. */
void resp_error(struct resp_out *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A number, and nothing. */
void resp_integer(struct resp_out *out, int64_t value);
void resp_null(struct resp_out *out);

/* A string of bytes; and of '\0'-terminated text. */
void resp_bulk(struct resp_out *out, const void *data, size_t len);
void resp_text(struct resp_out *out, const char *text);

/* Text for people: version 3 has a type for it. */
void resp_verbatim(struct resp_out *out, const char *text, size_t len);

/* How many values, or pairs, follow. */
void resp_array(struct resp_out *out, size_t count);
void resp_set(struct resp_out *out, size_t count);
void resp_map(struct resp_out *out, size_t pairs);
void resp_push(struct resp_out *out, size_t count);

#endif /* PRIMARY_SYNC_RESP_OUT_H */

/*
 * buf.h - bytes in a row: append at the end, consume at the front.
 *
 * Every buf is created with a maximum; reaching it is an error the caller sees
 * (-ENOBUFS), not growth without end.  Memory is kept when a buf runs empty up
 * to BUF_KEEP_BYTES and given back beyond that, so that one large message does
 * not stay for ever.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum {
	BUF_KEEP_BYTES = 64 * 1024
};

struct buf {
	unsigned char *mem; /* owned; NULL until first used */
	size_t off;         /* first byte that has not been consumed */
	size_t len;         /* bytes from off on */
	size_t cap;         /* size of mem */
	size_t max;         /* len does not grow beyond this */
};

/* An empty buf that will hold at most max bytes. */
void buf_init(struct buf *buf, size_t max);

/* Free the memory; the buf is empty and usable again. */
void buf_release(struct buf *buf);

/* 0, -ENOBUFS when the maximum would be exceeded, -ENOMEM. */
WARN_UNUSED int buf_append(struct buf *buf, const void *data, size_t len);

/*
 * Make room for len more bytes and return where to put them; buf_commit() then
 * says how many there are.  NULL: *ret_err is -ENOBUFS or -ENOMEM.
 */
unsigned char *buf_reserve(struct buf *buf, size_t len, int *ret_err);
void buf_commit(struct buf *buf, size_t len);

/* Forget the first len bytes (at most all there are). */
void buf_consume(struct buf *buf, size_t len);

/* Forget everything. */
void buf_clear(struct buf *buf);

static inline unsigned char *
buf_data(const struct buf *buf)
{
	return buf->mem != NULL ? buf->mem + buf->off : NULL;
}

#endif /* BASE_BUF_H */

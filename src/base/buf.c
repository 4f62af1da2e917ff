/* buf.c - see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_CAP = 256
};

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void
buf_release(struct buf *buf)
{
	free(buf->mem);
	buf_init(buf, buf->max);
}

unsigned char *
buf_reserve(struct buf *buf, size_t len, int *ret_err)
{
	size_t cap;
	unsigned char *mem;

	/* The maximum may have been lowered below what is there. */
	if (buf->len > buf->max || len > buf->max - buf->len) {
		*ret_err = -ENOBUFS;
		return NULL;
	}
	if (buf->cap - buf->off - buf->len >= len)
		return buf->mem + buf->off + buf->len;
	/*
	 * Move the bytes to the front when that gives room and at least half
	 * of what is moved over is free: otherwise a full queue that is
	 * drained in small steps would be moved at every step.
	 */
	if (buf->cap - buf->len >= len && buf->off >= buf->cap / 2) {
		memmove(buf->mem, buf->mem + buf->off, buf->len);
		buf->off = 0;
		return buf->mem + buf->len;
	}
	cap = buf->cap != 0 ? buf->cap : FIRST_CAP;
	while (cap < buf->len + len)
		cap *= 2;
	if (cap == buf->cap)
		cap *= 2;
	mem = malloc(cap);
	if (mem == NULL) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	if (buf->len != 0)
		memcpy(mem, buf->mem + buf->off, buf->len);
	free(buf->mem);
	buf->mem = mem;
	buf->cap = cap;
	buf->off = 0;
	return mem + buf->len;
}

void
buf_commit(struct buf *buf, size_t len)
{
	assert(len <= buf->cap - buf->off - buf->len);
	buf->len += len;
}

int
buf_append(struct buf *buf, const void *data, size_t len)
{
	int err = 0;
	unsigned char *to;

	if (len == 0)
		return 0;
	to = buf_reserve(buf, len, &err);
	if (to == NULL)
		return err;
	memcpy(to, data, len);
	buf->len += len;
	return 0;
}

void
buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->off += len;
	buf->len -= len;
	if (buf->len == 0)
		buf_clear(buf);
}

void
buf_clear(struct buf *buf)
{
	buf->off = 0;
	buf->len = 0;
	if (buf->cap > BUF_KEEP_BYTES)
		buf_release(buf);
}

/*
 * stream.h - a program's end of the hub's socket, without waiting.
 *
 * Bytes in and bytes out, each with a limit.  What is read is handed out
 * message by message; what is to be said is put into `out` (ipc.h) and written
 * as far as the socket takes it.  Who waits, and for what, is attach.c's
 * business.
 */
#ifndef NODE_STREAM_H
#define NODE_STREAM_H

#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "wire/ipc.h"

struct stream {
	int fd; /* -1: not open */
	struct ipc_in in;
	struct buf out;
};

/* A message came; it is valid during the call. */
typedef void stream_fn(void *arg, const struct ipc_message *message);

/* Not open; `out` will hold at most max bytes. */
void stream_init(struct stream *stream, size_t max);

/* Connect.  0, or -errno: -ENOENT and -ECONNREFUSED mean that none listens. */
WARN_UNUSED int stream_open(struct stream *stream, const char *path);

/* Close, and forget what was read and what was not written yet. */
void stream_close(struct stream *stream);

/*
 * Read once and hand out each whole message.  fn may append to `out`, and must
 * not close.  0; -EPIPE: the other end has gone or talks nonsense; -ENOMEM.
 */
WARN_UNUSED int stream_read(struct stream *stream, stream_fn *fn, void *arg);

/* Write what the socket takes.  0, or -EPIPE.  Never a SIGPIPE. */
WARN_UNUSED int stream_write(struct stream *stream);

#endif /* NODE_STREAM_H */

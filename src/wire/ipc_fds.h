/*
 * ipc_fds.h - descriptors that travel in the middle of a stream of messages.
 *
 * SCM_RIGHTS on a stream socket: descriptors come with the bytes that they were
 * sent with, and the kernel never lets a read run past such bytes into the
 * next.  So the sender writes up to the message that they belong to, then that
 * message's first bytes with them; the receiver keeps them in order, and each
 * message that has descriptors takes its own from the front.
 */
#ifndef WIRE_IPC_FDS_H
#define WIRE_IPC_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/base.h"

enum {
	IPC_FDS_WAITING = 128, /* descriptors that wait in one direction */
	IPC_FDS_TOGETHER = 2,  /* of one message (WELCOME and HELLO apart) */
};

/* Descriptors on their way out; all owned. */
struct ipc_fds_out {
	struct {
		size_t at; /* where their message begins in what is queued */
		int fds[IPC_FDS_TOGETHER];
		size_t count;
	} items[IPC_FDS_WAITING / IPC_FDS_TOGETHER];

	size_t count;
};

/* Descriptors that have come and whose message has not; all owned. */
struct ipc_fds_in {
	int fds[IPC_FDS_WAITING];
	size_t count;
};

/* Is there room for those of one more message? */
static inline bool
ipc_fds_has_room(const struct ipc_fds_out *out)
{
	return out->count < ARRAY_LEN(out->items);
}

/*
 * These go with the message that begins `at` bytes behind what was sent last.
 * There must be room; they are consumed.
 */
void ipc_fds_add(struct ipc_fds_out *out, size_t at, const int *fds,
    size_t count);

/*
 * Write what is in iov (not all of it when descriptors stand in the way; call
 * again).  Bytes written, or -errno; descriptors that were sent are closed.
 */
WARN_UNUSED ssize_t ipc_fds_write(struct ipc_fds_out *out, int fd,
    struct iovec *iov, size_t count);

/* Close those that were not sent. */
void ipc_fds_out_release(struct ipc_fds_out *out);

/*
 * They came.  False: more than may wait; all of these are closed, and the
 * stream is not to be trusted any more.
 */
WARN_UNUSED bool ipc_fds_came(struct ipc_fds_in *in, const int *fds,
    size_t count);

/*
 * The next count of them.  False: so many have not come.  -1 for each when they
 * came and were lost, because this process may have no more: net_recv_fds().
 */
WARN_UNUSED bool ipc_fds_take(struct ipc_fds_in *in, int *fds, size_t count);

/* Close those that nobody took. */
void ipc_fds_in_release(struct ipc_fds_in *in);

#endif /* WIRE_IPC_FDS_H */

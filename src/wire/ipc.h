/*
 * ipc.h - reading and writing the messages of ipc_proto.h.
 *
 * Both ends use this: the hub, a worker's link, an attached program.  A
 * message is checked against the table (type, direction, size) before anybody
 * sees its body; what fails is a violation, and the stream is closed, because
 * after it nothing in the stream can be trusted.
 */
#ifndef WIRE_IPC_H
#define WIRE_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/buf.h"
#include "wire/ipc_proto.h"

enum {
	/* One read of a stream: a few hundred envelopes. */
	IPC_READ_BYTES = 128 * 1024,
	/* Socket buffers: what a busy moment may pile up without a wait. */
	IPC_SOCKET_BYTES = 1 << 20,
};

/* A message inside a received stream; body points into it. */
struct ipc_message {
	enum ipc_type type;
	unsigned char *body;
	size_t len;
};

/*
 * What has been received and not been handled: a stretch of memory that grows
 * to the message at hand and shrinks back.  Unlike struct buf it is kept when
 * empty, because the next read is a moment away.
 */
struct ipc_in {
	unsigned char *mem; /* owned */
	size_t off, len, cap;
};

/* Nothing received; nothing is allocated yet. */
void ipc_in_init(struct ipc_in *in);

/* Free the memory; what it held is forgotten. */
void ipc_in_release(struct ipc_in *in);

/*
 * Read once from fd.  Bytes read; 0: the other end closed; -EAGAIN: nothing
 * there; -ENOMEM; another -errno.  Descriptors that come along are stored in
 * fds (room for max; the caller owns them), *fd_count is set.
 */
WARN_UNUSED ssize_t ipc_in_read(struct ipc_in *in, int fd, int *fds, size_t max,
    size_t *fd_count);

/*
 * Look at the message at the front.  Its whole size; 0 when it is not complete
 * yet; -EPROTO with *ret_why in words.  from is the direction it came.
 */
WARN_UNUSED ssize_t ipc_in_peek(const struct ipc_in *in, size_t skip,
    enum ipc_dir from, struct ipc_message *ret_message, const char **ret_why);

/* Forget the first len bytes.  Pointers into the stream are void after it. */
void ipc_in_consume(struct ipc_in *in, size_t len);

/*
 * Append one message: its fixed part, then up to two stretches of bytes.
 * 0, -ENOBUFS, -ENOMEM; on failure nothing was appended.
 */
WARN_UNUSED int ipc_append(struct buf *out, enum ipc_type type,
    const void *fixed, size_t fixed_len, const void *a, size_t a_len,
    const void *b, size_t b_len);

/* The parts of an envelope; channel and payload point into the message. */
struct ipc_envelope {
	struct ipc_publish head;
	const char *channel;
	size_t channel_len;
	const unsigned char *payload;
	size_t payload_len;
};

/* 0, or -EPROTO when its lengths contradict each other. */
WARN_UNUSED int ipc_read_envelope(const struct ipc_message *message,
    struct ipc_envelope *ret_envelope);

/* Append an envelope; head.channel_len is set from channel_len. */
WARN_UNUSED int ipc_append_envelope(struct buf *out,
    const struct ipc_envelope *envelope);

/* The parts of a FAULT; the strings point into the message. */
struct ipc_fault_parts {
	int code; /* a negative errno */
	const char *stage, *name, *text;
	size_t stage_len, name_len, text_len;
};

/* 0, or -EPROTO when its lengths contradict each other. */
WARN_UNUSED int ipc_read_fault(const struct ipc_message *message,
    struct ipc_fault_parts *ret_fault);

/* Write the origin into an envelope where it lies. */
void ipc_stamp_origin(struct ipc_message *message,
    const struct ipc_node_id *origin);

/* The type as the table spells it; "?" for what is none. */
const char *ipc_type_name(enum ipc_type type);

/* Make room in both directions; failure costs speed only, so none is told. */
void ipc_socket_buffers(int fd);

#endif /* WIRE_IPC_H */

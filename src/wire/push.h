/*
 * push.h - what stands in front of an envelope's payload when the channel's
 * name does not say everything: an event's name, who it is for, who it is not
 * for.
 *
 * Envelopes with the flag IPC_PUBLISH_PUSH begin their payload with a struct
 * push_head, then the name (event; of a resource's change its type), then the
 * data.  On every channel but t: and f: the flag must be set; on these two it
 * is when somebody is excluded.  The hub does not look.
 */
#ifndef WIRE_PUSH_H
#define WIRE_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/ipc.h"

enum {
	PUSH_NAME_MAX = 255,           /* bytes of an event's name */
	CONN_ID_TEXT_MAX = 24 + 1 + 20 /* NODE-NUMBER, with its NUL */
};

/* A connection: its node and the number it has there.  number 0: none. */
struct conn_id {
	struct ipc_node_id node;
	uint64_t number;
};

struct push_head {
	struct conn_id target;           /* n: this connection; else number 0 */
	struct conn_id exclude;          /* does not get it */
	struct ipc_node_id exclude_node; /* host 0: none; a: only */
	uint16_t name_len;
	uint16_t reserved[3];
};

/* The parts of such an envelope; name and data point into its payload. */
struct push {
	struct push_head head;
	const char *name;
	size_t name_len;
	const unsigned char *data;
	size_t len;
};

/* 0, or -EPROTO when its lengths contradict each other. */
WARN_UNUSED int push_read(const struct ipc_envelope *envelope,
    struct push *ret_push);

/* As text NODE-NUMBER, and back.  -EINVAL. */
void conn_id_format(const struct conn_id *id, char *text, size_t size);
WARN_UNUSED int conn_id_parse(const char *text, struct conn_id *ret_id);
bool conn_id_equal(const struct conn_id *a, const struct conn_id *b);

#endif /* WIRE_PUSH_H */

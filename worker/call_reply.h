/*
 * call_reply.h - what a client is told of its call.
 *
 * Inside worker/call.c only.  A call without an id wants no answer; errors are
 * told all the same, as those of other commands are.
 */
#ifndef WORKER_CALL_REPLY_H
#define WORKER_CALL_REPLY_H

#include <stddef.h>

#include "worker/errors.h"

struct client;
struct frame;

/* {"op":"ok","id":ID,"data":DATA}; data is JSON text.  NULL: out of memory. */
struct frame *call_answer(const char *id, size_t id_len, const void *data,
    size_t len);

/*
 * {"op":"err","id":ID,"code":CODE,"message":TEXT}, counted; the text may be an
 * application's and of any length: it is cut.
 */
void call_refuse(struct client *client, const char *id, size_t id_len,
    enum client_error code, const char *message);

#endif /* WORKER_CALL_REPLY_H */

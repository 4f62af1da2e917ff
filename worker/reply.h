/*
 * reply.h - the frames of clusterbus.v1, built.
 *
 * Every function returns a frame with one reference, or NULL when there is no
 * memory.  Spans of JSON (`id`, `data`) are copied as they are.
 */
#ifndef WORKER_REPLY_H
#define WORKER_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "worker/errors.h"
#include "worker/frame.h"

/*
 * {"op":"welcome","conn":C,"node":N,"protocol":"clusterbus.v1"} - extra as in
 * reply_ok().
 */
struct frame *reply_welcome(const char *conn, const char *node,
    const char *extra);

/*
 * {"op":"ok","id":ID} - extra is more members with a leading comma, or "".
 * id_len 0: the client sent none.
 */
struct frame *reply_ok(const char *id, size_t id_len, const char *extra);

/* {"op":"err","id":ID,"code":CODE,"message":TEXT}; the text is plain words. */
struct frame *reply_err(const char *id, size_t id_len, enum client_error code,
    const char *message);

/* {"op":"gap","topic":T,"missed":N}; topic as inside of a JSON string. */
struct frame *reply_gap(const char *topic, size_t len, uint64_t missed);

/* {"op":"msg","topic":T,"data":DATA,"from":N} */
struct frame *reply_msg(const char *topic, size_t topic_len, const void *data,
    size_t len, const char *from);

/* The same for bytes: base64 and "binary":true. */
struct frame *reply_msg_base64(const char *topic, size_t topic_len,
    const void *data, size_t len, const char *from);

/*
 * Opcode 2: topic length, topic, bytes (clusterbus.v1.bin).  topic_len is at
 * most 255.
 */
struct frame *reply_msg_binary(const char *topic, size_t topic_len,
    const void *data, size_t len);

/* {"op":"evt","event":E,"data":DATA} */
struct frame *reply_evt(const char *event, size_t event_len, const void *data,
    size_t len);

/* {"op":"change","resource":R,"type":T,"data":DATA} */
struct frame *reply_change(const char *resource, size_t resource_len,
    const char *type, size_t type_len, const void *data, size_t len);

/*
 * {"op":"err","code":"NOT_FOUND","message":TEXT,WHAT:NAME}: a subscription or a
 * watch has ended.  what is "topic" or "resource"; the message plain words
 * without anything that JSON would escape.
 */
struct frame *reply_ended(const char *what, const char *name, size_t len,
    const char *message);

/* The code as it stands in an answer: "BAD_REQUEST" and so on. */
const char *client_error_name(enum client_error code);

#endif /* WORKER_REPLY_H */

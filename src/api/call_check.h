/*
 * call_check.h - are a public call's arguments what they must be?
 *
 * Inside src/api/ and worker/conn.c.  All return 0 or what the call returns.
 */
#ifndef API_CALL_CHECK_H
#define API_CALL_CHECK_H

#include "api/api.h"

/* A name of at most max bytes; *ret_len is how many it has.  -EINVAL. */
WARN_UNUSED int check_name(const char *name, size_t max, size_t *ret_len);

/*
 * Data; JSON text unless it is binary.  No bytes of JSON are a null.  Fills in
 * push->data, len and binary.  -EINVAL, -EMSGSIZE.
 */
WARN_UNUSED int check_data(const void *data, size_t len, bool binary,
    struct api_push *push);

/* An event's name and its data.  -EINVAL, -EMSGSIZE. */
WARN_UNUSED int check_event(const char *event, const void *data, size_t len,
    struct api_push *push);

/* A connection that is left out; NULL is none.  -EINVAL. */
WARN_UNUSED int check_exclude(const char *conn_id, struct api_push *push);

/* An event that everybody knows.  -ENOENT. */
WARN_UNUSED int check_shared_event(const struct cbus *bus,
    const struct api_push *push);

/* Point the push at a channel. */
void push_to(struct api_push *push, const struct channel_name *channel);

#endif /* API_CALL_CHECK_H */

/*
 * bench_open.h - how a connection of the load generator begins.
 */
#ifndef CLI_BENCH_OPEN_H
#define CLI_BENCH_OPEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "bench_conn.h"

enum {
	/* Connections from one loopback address before the next is used. */
	BENCH_OPEN_PER_SOURCE = 20000,
};

/* A socket that is connecting.  Descriptor or -errno. */
WARN_UNUSED int bench_open_socket(const struct bench_target *target,
    uint32_t source);

/*
 * Write the upgrade request; subprotocol may be NULL.  Its length, or
 * -ENOBUFS.
 */
WARN_UNUSED int bench_open_request(const struct bench_target *target,
    const char *path, const char *subprotocol, char *out, size_t size);

/*
 * Read the answer to it.  Length of the answer, 0 when it is not complete,
 * -EPROTO when it is anything but the upgrade that was asked for.
 */
WARN_UNUSED ssize_t bench_open_answer(const char *data, size_t len);

#endif /* CLI_BENCH_OPEN_H */

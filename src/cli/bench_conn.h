/*
 * bench_conn.h - one connection of the load generator.
 *
 * It connects without blocking, upgrades to WebSocket unless the protocol is
 * plain TCP, and hands up messages as they lie in the read buffer.  A read
 * takes whatever is there and all complete frames in it are handed up in one
 * go, so that the generator costs less than the servers it measures.
 *
 *	CLOSED -> CONNECTING -> UPGRADING -> OPEN -> CLOSED
 *
 * Nothing is freed inside a callback: a connection that fails becomes CLOSED
 * and stays in its owner's array.
 */
#ifndef CLI_BENCH_CONN_H
#define CLI_BENCH_CONN_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/net.h"

enum {
	BENCH_HOST_MAX = 128,
	BENCH_PATH_MAX = 256,
	BENCH_READ_BYTES = 256 * 1024,
	BENCH_QUEUE_MAX = 256 * 1024 * 1024, /* unsent, and half received */
};

/* Where to: a parsed URL. */
struct bench_target {
	struct net_address address;
	char host[BENCH_HOST_MAX];
	char path[BENCH_PATH_MAX];
};

struct bench_conn;

/* What all connections of a run share. */
struct bench_shared {
	struct ev_loop *loop;
	unsigned char *read_buffer; /* BENCH_READ_BYTES */
	uint64_t now_ns;            /* when the last read returned */
	uint64_t reads;
	uint64_t bytes;
	void (*on_open)(struct bench_conn *conn);
	void (
	    *on_message)(struct bench_conn *conn, const char *data, size_t len);
	void (*on_closed)(struct bench_conn *conn, const char *why);
};

enum bench_conn_state {
	BENCH_CONN_CLOSED = 0,
	BENCH_CONN_CONNECTING,
	BENCH_CONN_UPGRADING,
	BENCH_CONN_OPEN,
};

struct bench_conn {
	ev_io io;
	struct bench_shared *shared; /* borrowed */
	struct buf rest;             /* received, not complete yet */
	struct buf out;              /* framed, not sent yet */
	int fd;                      /* -1 when CLOSED */
	enum bench_conn_state state;
	bool websocket;
	uint8_t mask[4];
};

/*
 * Parse ws://HOST:PORT/PATH, tcp://HOST:PORT or unix:PATH.  0 or -EINVAL.
 */
WARN_UNUSED int bench_target_parse(const char *url,
    struct bench_target *ret_target);

/* An empty, closed connection. */
void bench_conn_init(struct bench_conn *conn, struct bench_shared *shared);

/*
 * Start connecting; subprotocol may be NULL, and with websocket false there
 * is no upgrade.  source counts up and chooses the address to connect from,
 * so that a loopback target has ports enough.  0 or -errno.
 */
WARN_UNUSED int bench_conn_open(struct bench_conn *conn,
    const struct bench_target *target, const char *path,
    const char *subprotocol, bool websocket, uint32_t source);

/*
 * Queue one message made of parts; bench_conn_flush() sends what is queued.
 * 0 or -errno; what cannot be sent at once goes when the socket takes it.
 */
WARN_UNUSED int bench_conn_queue(struct bench_conn *conn, unsigned opcode,
    const struct iovec *parts, size_t count);
void bench_conn_flush(struct bench_conn *conn);

/* Close without a word, and without on_closed. */
void bench_conn_release(struct bench_conn *conn);

/* Close because of why; on_closed is called unless it is closed already. */
void bench_conn_fail(struct bench_conn *conn, const char *why);

#endif /* CLI_BENCH_CONN_H */

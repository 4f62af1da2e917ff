/*
 * fake_redis.h - a Redis server of a few lines, on the loop of the test.
 *
 * It understands what a driver says and answers as a script of one word tells:
 * as it should, or as no server should.
 */
#ifndef SUPPORT_FAKE_REDIS_H
#define SUPPORT_FAKE_REDIS_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum {
	FAKE_REDIS_CONNS = 8,
	FAKE_REDIS_SAID = 1 << 16,
};

struct fake_redis_conn {
	struct fake_redis *fake;
	int fd; /* -1: free */
	bool subscribed;
	ev_io readable;
	struct buf in;
};

struct fake_redis {
	struct ev_loop *loop;
	char dir[64], path[96];
	int fd;
	ev_io acceptable;
	struct fake_redis_conn conns[FAKE_REDIS_CONNS];
	/* Answers in place of the right ones, NULL: the right one. */
	const char *auth, *select, *info, *ping, *subscribe, *publish;
	bool silent; /* no answers at all */
	unsigned accepted, published;
	char
	    said[FAKE_REDIS_SAID]; /* all commands, words with spaces between */
};

void fake_redis_start(struct fake_redis *fake, struct ev_loop *loop);
void fake_redis_stop(struct fake_redis *fake);

/* Close all connections; it goes on listening. */
void fake_redis_cut(struct fake_redis *fake);

/* Bytes to all connections that have subscribed. */
void fake_redis_send(struct fake_redis *fake, const void *data, size_t len);

/* A message on the channel "news" to all that have subscribed. */
void fake_redis_message(struct fake_redis *fake, const char *payload,
    size_t len);

#endif /* SUPPORT_FAKE_REDIS_H */

/*
 * bench_wire.h - what the messages of each protocol look like.
 */
#ifndef CLI_BENCH_WIRE_H
#define CLI_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/base.h"
#include "bench_run.h"

struct bench_wire {
	const char *name;
	const char *summary;
	const char *path;        /* when the URL has none; NULL: "/" */
	const char *subprotocol; /* NULL: none */
	bool websocket;
	bool confirms;   /* subscriptions are acknowledged */
	bool path_topic; /* the topic is the end of the path: one topic only */
	/* The connection is open.  Calls bench_on_login() now or later. */
	void (*on_open)(struct bench_client *client);
	/*
	 * Queue the subscriptions to all topics of this client and set
	 * acks_wanted.  0 or -errno.
	 */
	int (*subscribe)(struct bench_client *client);
	/* Queue one publish.  0 or -errno. */
	int (*publish)(struct bench_client *client, uint32_t topic,
	    const struct iovec *payload);
	/* A message from the server, or bytes of it when it is a stream. */
	void (*receive)(struct bench_client *client, const char *data,
	    size_t len);
};

/* The wire of this name, or NULL. */
const struct bench_wire *bench_wire_find(const char *name);

/* Print one line for each wire. */
void bench_wire_list(FILE *out);

/* The i-th topic of a subscriber. */
uint32_t bench_wire_topic(const struct bench_client *client, uint32_t i);

/*
 * A message that has a payload of ours in it is a delivery: check it and
 * return true.
 */
bool bench_wire_deliver(struct bench_client *client, const char *data,
    size_t len);

/* Queue text that printf would make of fmt, as one message.  0 or -errno. */
WARN_UNUSED int bench_wire_say(struct bench_client *client, const char *fmt,
    ...) PRINTF_LIKE(2, 3);

/* In bench_nats.c: the same protocol over WebSocket and over plain TCP. */
extern const struct bench_wire bench_wire_nats;
extern const struct bench_wire bench_wire_nats_tcp;

/* In bench_redis.c and bench_hub.c. */
extern const struct bench_wire bench_wire_redis;
extern const struct bench_wire bench_wire_hub;

#endif /* CLI_BENCH_WIRE_H */

/*
 * bus.h - publish: deliver here, then tell the others.
 *
 * The order is the point.  This worker's members have the frame in their
 * outboxes before the hub hears of the envelope; they get it when the hub is
 * stopped or gone.  What comes from the hub is delivered, never published:
 * that one word makes loops impossible.
 *
 * Every publish goes to the hub, which knows who wants it.  Telling workers to
 * keep unwanted envelopes to themselves would save one copy for them and cost
 * a round trip to all workers before a subscription could be acknowledged.
 */
#ifndef WORKER_BUS_H
#define WORKER_BUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "wire/ipc.h"

struct client;
struct worker;

struct bus_publish {
	const char *channel; /* with its prefix */
	size_t channel_len;
	const void *data; /* JSON text, or bytes */
	size_t len;
	bool binary;
	const struct client *exclude; /* does not get it; NULL: all do */
};

/* Never fails: what could not be done is counted where it happened. */
void bus_publish(struct worker *worker, const struct bus_publish *publish);

/* An envelope from the hub. */
void bus_deliver(struct worker *worker, const struct ipc_envelope *envelope);

#endif /* WORKER_BUS_H */

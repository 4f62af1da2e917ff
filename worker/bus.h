/*
 * bus.h - publish and push: deliver here, then tell the others.
 *
 * The order is the point.  This worker's members have the frame in their
 * outboxes, its listeners have been called, before the hub hears of the
 * envelope (it leaves at the end of the loop's turn); they get it when the hub
 * is stopped or gone.  What comes from the hub is delivered, never pushed: that
 * one word makes loops impossible.
 *
 * Inside of bus_push() members and the hub's queue come before listeners, so
 * that what a listener publishes on the same channel follows what it was called
 * for, at every receiver.
 *
 * What members get depends on the kind of channel: topics a `msg`, rooms, users
 * and connections an `evt`, watched resources a `change`.  Every push goes to
 * the hub, which knows who wants it, but what is for a connection of this node
 * or is to stay on this node.  What is for a connection goes to "n:HOME", where
 * it was born; a worker that it has moved to wants that channel, too.
 */
#ifndef WORKER_BUS_H
#define WORKER_BUS_H

#include "api/api.h"

struct worker;

/* Never fails: what could not be done is counted where it happened. */
void bus_push(struct worker *worker, const struct api_push *push);

/* The hub hears of it; bus_push() only.  0, or why it does not. */
WARN_UNUSED int bus_relay(struct worker *worker, const struct api_push *push,
    uint64_t seq);

/* Tell that it did not.  Who is told may publish: listeners come before. */
void bus_not_relayed(struct worker *worker, const struct api_push *push,
    int code);

/* An envelope from the hub. */
void bus_deliver(struct worker *worker, const struct ipc_envelope *envelope);

#endif /* WORKER_BUS_H */

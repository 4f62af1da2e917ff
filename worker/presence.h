/*
 * presence.h - tell joins and leaves to who asked, and nothing to nobody.
 *
 * The hub says which channels' presence is wanted (WANTED); a listener on this
 * worker counts, too.  Only then a join or leave is published, on "p:CHANNEL"
 * (api/presence_line.h).
 */
#ifndef WORKER_PRESENCE_H
#define WORKER_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

struct client;
struct worker;

/* worker->presence; false: out of memory. */
bool presence_init(struct worker *worker);
void presence_release(struct worker *worker);

/* The hub said WANTED; channel with its "p:". */
void presence_wanted(struct worker *worker, const char *channel, size_t len,
    bool wanted);

/* The hub is away: it will say it again. */
void presence_forget(struct worker *worker);

/* Is anything wanted at all?  Cheap; asked at every join and leave. */
bool presence_any(const struct worker *worker);

/* A client has joined or left a channel (t:, f:, r:, u:, w:). */
void presence_tell(struct worker *worker, const struct client *client,
    const char *channel, size_t len, bool joined);

#endif /* WORKER_PRESENCE_H */

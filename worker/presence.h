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

/*
 * A client has come from another worker, or has stayed after all: say `join`
 * for all its channels that somebody follows.  Who follows knows the connection
 * and notes only on which worker it is.  The taker calls it before it says that
 * it holds the socket; so all who follow hear of the new place before the giver
 * can have gone.
 */
void presence_moved(struct worker *worker, const struct client *client);

/*
 * presence_moved() was said of a client that did not come after all: another
 * worker has it, which may have said so before we did, or nobody has.  Who
 * follows its channels asks all workers anew.
 */
void presence_unsure(struct worker *worker, const struct client *client);

#endif /* WORKER_PRESENCE_H */

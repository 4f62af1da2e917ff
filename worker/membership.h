/*
 * membership.h - clients join and leave channels, and the hub is told.
 *
 * The hub hears JOIN for a channel's first member and LEAVE for its last.  A
 * subscription is acknowledged when the hub knows of it (JOINED), so that what
 * is published after the acknowledgement, on any worker, arrives.  While the
 * hub is away the acknowledgement comes at once and says "hub":"away".
 *
 * A channel whose JOIN is under way is kept until the answer has come, even
 * when its last member has left meanwhile; so JOIN and LEAVE of one channel
 * never overtake each other, however fast members come and go.
 */
#ifndef WORKER_MEMBERSHIP_H
#define WORKER_MEMBERSHIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct client;
struct worker;

/*
 * Make the client a member.  id (JSON text, id_len 0: none) is for the
 * acknowledgement, which is sent now or when the hub knows.  0 (also when it
 * was a member already), -ENOSPC: a limit on channels or subscriptions,
 * -ENOMEM.
 */
WARN_UNUSED int membership_join(struct worker *worker, struct client *client,
    const char *channel, size_t len, const char *id, size_t id_len);

/* End it.  -ENOENT: it was no member. */
WARN_UNUSED int membership_leave(struct worker *worker, struct client *client,
    const char *channel, size_t len);

/* The client has gone: end all it has. */
void membership_end(struct worker *worker, struct client *client);

/* The hub answered the oldest JOIN. */
void membership_on_joined(struct worker *worker, uint32_t token);

/* The hub has gone: acknowledge what waits, forget what it knew. */
void membership_on_away(struct worker *worker);

/* It is back: JOIN every channel that has members, as far as there is room. */
void membership_on_back(struct worker *worker);

/* Go on with that; called at the end of every loop turn. */
void membership_rejoin(struct worker *worker);

#endif /* WORKER_MEMBERSHIP_H */

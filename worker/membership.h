/*
 * membership.h - clients join and leave channels, and the hub is told.
 *
 * The hub hears JOIN for a channel's first member and LEAVE for its last.  A
 * subscription is acknowledged when the hub knows of it (JOINED), so that what
 * is published after the acknowledgement, on any worker, arrives.  While the
 * hub is away the acknowledgement comes at once and says "hub":"away".
 *
 * Clients subscribe and watch by themselves (membership_join).  Into rooms and
 * into the channel of their user the worker puts them (membership_put).  And
 * what a listener of this worker wants is pinned: no member, the same JOIN.
 *
 * Every worker has two channels from its WELCOME on: "a:" and the "n:" of its
 * id; they do not count against max-channels.
 *
 * A channel whose JOIN is under way is kept until the answer has come, even
 * when its last member has left meanwhile; so JOIN and LEAVE of one channel
 * never overtake each other, however fast members come and go.
 */
#ifndef WORKER_MEMBERSHIP_H
#define WORKER_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum {
	HELD_SWEEPS_MAX = 2 /* a sweep comes once a second */
};

struct client;
struct frame;
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

/*
 * Make the client a member without an acknowledgement: a room, its user.  It
 * does not count against max-subscriptions.  0, -EEXIST: it was one already,
 * -ENOSPC: max-channels, -ENOMEM; -ENOTCONN: it is closing.
 */
WARN_UNUSED int membership_put(struct worker *worker, struct client *client,
    const char *channel, size_t len);

/* End that.  -ENOENT: it was no member. */
WARN_UNUSED int membership_take(struct worker *worker, struct client *client,
    const char *channel, size_t len);

/*
 * A listener of this worker wants the channel; each pin is ended by one unpin.
 * 0, -ENOSPC: max-channels, -ENOMEM.
 */
WARN_UNUSED int membership_pin(struct worker *worker, const char *channel,
    size_t len);
void membership_unpin(struct worker *worker, const char *channel, size_t len);

/*
 * WELCOME has come, with this worker's id: join "a:" and "n:ID", leave the
 * "n:" of an id that it had before, unless clients were born under it.  0 or -ENOMEM.
 */
WARN_UNUSED int membership_placed(struct worker *worker);

/*
 * Give the client a frame when the hub knows of every JOIN that is under way
 * now; at once when there is none, or the hub is away.  Such is the answer of
 * a method that has put clients into rooms: who has it may rely on them, from
 * every node.  The frame is consumed; NULL (no memory for it) closes the
 * client.
 */
void membership_answer(struct worker *worker, struct client *client,
    struct frame *frame);

/*
 * Send the client nothing until the hub knows of every JOIN that is under way
 * now; so who has its welcome can be reached as this user, and in the rooms
 * that a connect hook has put it into, from every node.  A hub that is away
 * holds nobody, one that hangs for HELD_SWEEPS_MAX seconds at most.
 */
void membership_hold(struct worker *worker, struct client *client);

/* End that, whether the hub knows or not. */
void membership_let_go(struct client *client);

/* The client has gone: end all it has. */
void membership_end(struct worker *worker, struct client *client);

/*
 * A client that comes from another worker becomes a member, silently: who
 * follows the channel knows it.  0 (also when it was one), -ENOSPC, -ENOMEM.
 */
WARN_UNUSED int membership_bring(struct worker *worker, struct client *client,
    const char *channel, size_t len);

/* Was the hub told of all its channels? */
bool membership_told(const struct client *client);

/* It has gone to another worker: end all it has here, silently. */
void membership_drop(struct worker *worker, struct client *client);

/* The hub answered the oldest JOIN. */
void membership_on_joined(struct worker *worker, uint32_t token);

/* The hub has gone: acknowledge what waits, forget what it knew. */
void membership_on_away(struct worker *worker);

/* It is back: JOIN every channel that is wanted, as far as there is room. */
void membership_on_back(struct worker *worker);

/* Go on with that; called at the end of every loop turn. */
void membership_rejoin(struct worker *worker);

#endif /* WORKER_MEMBERSHIP_H */

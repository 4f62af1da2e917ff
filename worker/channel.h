/*
 * channel.h - a name with members: topic, room, user, connection, resource.
 *
 * One mechanism for all five; they differ in the prefix of the name (`t:chat`),
 * in who may join and in the frame that members get.  Members stand in a dense
 * array, so that fan-out walks memory in order; a client knows its place in it,
 * so that leaving is one swap.
 *
 * A channel without members is kept for a while when this worker publishes to
 * it, for its sequence counter: see `idle`.
 */
#ifndef WORKER_CHANNEL_H
#define WORKER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "base/table.h"
#include "wire/ipc_proto.h"

struct client;

enum {
	CHANNEL_IDLE_MAX = 65536,  /* channels kept without a member */
	CHANNEL_ORIGINS_MAX = 512, /* nodes whose numbers are followed */
};

struct member {
	struct client *client;
	uint32_t sub; /* index in client->subs */
};

/* The last envelope on this channel from one node. */
struct origin {
	struct ipc_node_id id;
	uint64_t seq;
};

/* What the hub knows of our interest in a channel. */
enum channel_interest {
	INTEREST_NONE = 0, /* not told, or told that it ended */
	INTEREST_JOINING,  /* JOIN is under way */
	INTEREST_JOINED,   /* the hub has said JOINED */
};

struct channel {
	struct table_entry entry; /* key: name */
	struct member *members;   /* owned */
	uint32_t count, cap;
	uint8_t interest; /* enum channel_interest */
	uint16_t pins;    /* wanted by this worker itself: membership_pin() */
	uint16_t origin_count, origin_cap;
	struct origin *origins; /* owned; those that have published here */
	uint64_t seq;           /* of the last envelope published here */
	/* In channels->joining, in order of the JOINs, or ->unjoined. */
	struct list joining;
	struct list idle;    /* in channels->idle when nobody wants it */
	struct list waiters; /* clients that wait for JOINED */
	char name[];         /* entry.key_len bytes */
};

struct channels {
	struct table table;
	struct list joining;
	struct list unjoined; /* wanted, and the hub has not been told */
	struct list idle;     /* longest idle first */
	uint32_t idle_count;
	uint32_t own;         /* "a:" and "n:" of this node; not counted */
	struct channel *node; /* that "n:"; NULL: no place yet */
	uint64_t joins;       /* JOINs that were sent so far */
	uint32_t walking;     /* > 0: members must not change (asserted) */
};

/* No channels; nothing is allocated yet. */
void channels_init(struct channels *channels);

/* Free all channels; none may have members. */
void channels_release(struct channels *channels);

/* The channel of this name, or NULL. */
struct channel *channel_find(const struct channels *channels, const char *name,
    size_t len);

/* The same; made when it does not exist.  NULL: out of memory. */
struct channel *channel_get(struct channels *channels, const char *name,
    size_t len);

/* Has it a member or a pin? */
static inline bool
channel_is_wanted(const struct channel *channel)
{
	return channel->count != 0 || channel->pins != 0;
}

/* How many are wanted, without the two that every worker has. */
static inline uint64_t
channels_used(const struct channels *channels)
{
	return channels->table.count - channels->idle_count - channels->own;
}

/* Is the client a member?  Its index in client->subs, or -1. */
int64_t channel_member(const struct channel *channel,
    const struct client *client);

/* 0, -ENOMEM.  The client must not be a member. */
WARN_UNUSED int channel_add(struct channels *channels, struct channel *channel,
    struct client *client);

/* One more, or one less, that wants it without being a member. */
WARN_UNUSED int channel_pin(struct channels *channels, struct channel *channel);
bool channel_unpin(struct channel *channel); /* true: nobody wants it now */

/* End membership client->subs[sub]; true when nobody wants it any more. */
bool channel_remove(struct channels *channels, struct client *client,
    uint32_t sub);

/*
 * Free the channel when nobody wants it, no JOIN is under way and it was not
 * published to; otherwise it stays idle.
 */
void channel_settle(struct channels *channels, struct channel *channel);

/* Free the longest idle channels beyond CHANNEL_IDLE_MAX. */
void channels_trim(struct channels *channels);

/*
 * Note an envelope's number and tell how many of its origin's were missed
 * since the last one.  A number that is not larger means that the origin has
 * started to count anew.
 */
uint64_t channel_note_seq(struct channel *channel,
    const struct ipc_node_id *origin, uint64_t seq);

/* Forget all numbers: envelopes will not come for a while. */
void channel_forget_seqs(struct channel *channel);

#endif /* WORKER_CHANNEL_H */

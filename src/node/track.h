/*
 * track.h - what an attached program remembers of a channel: whether it has
 * joined, the number of its own last envelope there, and the numbers of those
 * of others, by which it sees that one is missing.
 *
 * A channel that is not joined is kept for its own number only; there are at
 * most TRACK_IDLE_MAX of them, then all are forgotten and counted anew, which
 * receivers take for a new start and not for a gap.
 */
#ifndef NODE_TRACK_H
#define NODE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/table.h"
#include "wire/ipc_proto.h"

enum {
	TRACK_IDLE_MAX = 65536,
	TRACK_ORIGINS_MAX = 512, /* nodes whose numbers are followed */
};

/* The last envelope on a channel from one node. */
struct track_origin {
	struct ipc_node_id id;
	uint64_t seq;
};

struct track {
	struct table_entry entry; /* key: name */
	bool joined;
	uint64_t seq; /* of our last envelope here */
	uint16_t origin_count, origin_cap;
	struct track_origin *origins; /* owned */
	char name[];                  /* entry.key_len bytes */
};

struct tracks {
	struct table table;
	size_t joined; /* how many are */
};

/* Nothing is known yet; nothing is allocated. */
void tracks_init(struct tracks *tracks);

/* Forget everything. */
void tracks_release(struct tracks *tracks);

/* Join a channel.  0, -ENOMEM; joining twice is joining once. */
WARN_UNUSED int track_join(struct tracks *tracks, const char *name, size_t len);

/* The opposite; the numbers of others are forgotten. */
void track_leave(struct tracks *tracks, const char *name, size_t len);

/* Has it been joined? */
bool track_joined(const struct tracks *tracks, const char *name, size_t len);

/* Walk the joined ones: start with NULL, end at NULL. */
const struct track *track_next(const struct tracks *tracks,
    const struct track *track);

/* The number of our next envelope; 0 (not counted) without memory. */
uint64_t track_number(struct tracks *tracks, const char *name, size_t len);

/*
 * An envelope came from a node: how many of its were missed since the last.
 * A number that is not larger means that it has started to count anew.
 */
uint64_t track_missed(struct tracks *tracks, const char *name, size_t len,
    const struct ipc_node_id *id, uint64_t seq);

/* Forget the numbers of others: envelopes will not come for a while. */
void tracks_forget_origins(struct tracks *tracks);

#endif /* NODE_TRACK_H */

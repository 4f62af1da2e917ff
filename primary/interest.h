/*
 * interest.h - which node wants which channel.
 *
 * The hub asks it once per envelope, so a lookup is one hash and the answer is
 * an array.  A node is a small number (its index in the hub).  Joining twice
 * counts once: nodes count their own members and say JOIN for the first and
 * LEAVE for the last one.
 */
#ifndef PRIMARY_INTEREST_H
#define PRIMARY_INTEREST_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/table.h"

struct interest {
	struct table channels;
	size_t pairs; /* of a channel and a node that wants it */
};

/* A channel that at least one node wants. */
struct interest_channel {
	struct table_entry entry;
	uint32_t *nodes; /* count of them, in no order; owned */
	uint32_t count;
	uint32_t cap;
	char name[]; /* entry.key_len bytes */
};

/* Nobody wants anything; and: forget all and free. */
void interest_init(struct interest *interest);
void interest_release(struct interest *interest);

/* 1: joined; 0: had joined before; -ENOMEM. */
WARN_UNUSED int interest_join(struct interest *interest, uint32_t node,
    const char *channel, size_t len);

/* Whether the node had joined. */
int interest_leave(struct interest *interest, uint32_t node,
    const char *channel, size_t len);

/*
 * Forget a node that has gone, all its channels at once.  Walks the whole
 * table: with 100 000 channels a few milliseconds, once per death.
 * Returns how many channels it had joined.
 */
size_t interest_forget(struct interest *interest, uint32_t node);

/* The channel, or NULL when nobody wants it. */
const struct interest_channel *interest_find(const struct interest *interest,
    const char *channel, size_t len);

#endif /* PRIMARY_INTEREST_H */

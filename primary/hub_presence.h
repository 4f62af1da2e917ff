/*
 * hub_presence.h - presence channels, "p:" and a channel's name: workers are
 * told which of them anybody wants, and who wants any is told of workers that
 * have gone.
 *
 * Inside primary/hub*.c only.  For every other channel all this costs one look
 * at the first byte of its name.
 */
#ifndef PRIMARY_HUB_PRESENCE_H
#define PRIMARY_HUB_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>

struct hub_node;

/* Is it the name of a presence channel? */
static inline bool
hub_presence_is(const char *name, size_t len)
{
	return name[0] == 'p' && len > 1 && name[1] == ':';
}

/*
 * The node has joined, or left, a presence channel: if it was the first, or
 * the last, all workers hear of it.  Called when interest knows already.
 */
void hub_presence_joined(struct hub_node *node, const char *name, size_t len);
void hub_presence_left(struct hub_node *node, const char *name, size_t len);

/* A worker has just been welcomed: tell it all that is wanted. */
void hub_presence_tell(struct hub_node *node);

/*
 * A node is about to go; called before interest forgets it.  What only this
 * node wanted is wanted no longer; if it is a worker, GONE is said.
 */
void hub_presence_forget(struct hub_node *node);

#endif /* PRIMARY_HUB_PRESENCE_H */

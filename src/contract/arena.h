/*
 * arena.h - memory that is given back all at once.
 *
 * A JSON tree has many small parts that live and die together.  They are cut
 * from large pieces, one after the other.  The first piece may be the caller's
 * own, on the stack: then a small payload needs no malloc() at all.
 */
#ifndef CONTRACT_ARENA_H
#define CONTRACT_ARENA_H

#include <stddef.h>

#include "base/base.h"

struct arena_piece;

struct arena {
	struct arena_piece *pieces; /* owned; the newest first */
	unsigned char *at;          /* what is free of the newest */
	unsigned char *end;
};

/* An empty arena; first (NULL: none) is used before anything is allocated. */
void arena_init(struct arena *arena, void *first, size_t size);

/* Free all that came from the arena. */
void arena_release(struct arena *arena);

/* size bytes that can hold anything, not zeroed.  NULL: no memory. */
WARN_UNUSED void *arena_alloc(struct arena *arena, size_t size);

/* The same, all zero. */
WARN_UNUSED void *arena_zalloc(struct arena *arena, size_t size);

#endif /* CONTRACT_ARENA_H */

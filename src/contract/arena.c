/* arena.c - see arena.h. */
#include "contract/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE_BYTES = 16 * 1024,
	ALIGN = 8
};

struct arena_piece {
	struct arena_piece *next;
	alignas(ALIGN) unsigned char bytes[];
};

void
arena_init(struct arena *arena, void *first, size_t size)
{
	*arena = (struct arena){ .pieces = NULL };
	if (first != NULL) {
		arena->at = first;
		arena->end = arena->at + size;
	}
}

void
arena_release(struct arena *arena)
{
	struct arena_piece *piece, *next;

	for (piece = arena->pieces; piece != NULL; piece = next) {
		next = piece->next;
		free(piece);
	}
	arena_init(arena, NULL, 0);
}

/* Something large gets a piece of its own, and the newest stays in use. */
static void *
alloc_large(struct arena *arena, size_t size)
{
	struct arena_piece *piece = malloc(sizeof(*piece) + size);

	if (piece == NULL)
		return NULL;
	piece->next = arena->pieces;
	arena->pieces = piece;
	return piece->bytes;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	unsigned char *at;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > (size_t)(arena->end - arena->at)) {
		if (size > PIECE_BYTES / 4)
			return alloc_large(arena, size);
		at = alloc_large(arena, PIECE_BYTES);
		if (at == NULL)
			return NULL;
		arena->at = at;
		arena->end = at + PIECE_BYTES;
	}
	at = arena->at;
	arena->at += size;
	return at;
}

void *
arena_zalloc(struct arena *arena, size_t size)
{
	void *mem = arena_alloc(arena, size);

	if (mem != NULL)
		memset(mem, 0, size);
	return mem;
}

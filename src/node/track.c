/* track.c - see track.h. */
#include "node/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "wire/node_id.h"

enum {
	FIRST_ORIGINS = 2
};

static struct track *
track_of(struct table_entry *entry)
{
	return CONTAINER_OF(entry, struct track, entry);
}

void
tracks_init(struct tracks *tracks)
{
	*tracks = (struct tracks){ .joined = 0 };
	table_init(&tracks->table);
}

static void
forget(struct tracks *tracks, struct track *track)
{
	table_remove(&tracks->table, &track->entry);
	free(track->origins);
	free(track);
}

/* Forget those that are not joined, or all. */
static void
forget_idle(struct tracks *tracks, bool all)
{
	struct table_entry *entry, *next;

	for (entry = table_next(&tracks->table, NULL); entry != NULL;
	     entry = next) {
		next = table_next(&tracks->table, entry);
		if (all || !track_of(entry)->joined)
			forget(tracks, track_of(entry));
	}
}

void
tracks_release(struct tracks *tracks)
{
	forget_idle(tracks, true);
	table_release(&tracks->table);
	tracks->joined = 0;
}

static struct track *
find(const struct tracks *tracks, const char *name, size_t len)
{
	struct table_entry *entry;

	entry = table_find(&tracks->table, name, len, hash_bytes(name, len));
	return entry != NULL ? track_of(entry) : NULL;
}

/* The same; made when there is none.  NULL: out of memory. */
static struct track *
get(struct tracks *tracks, const char *name, size_t len)
{
	struct track *track = find(tracks, name, len);

	if (track != NULL)
		return track;
	if (tracks->table.count - tracks->joined >= TRACK_IDLE_MAX)
		forget_idle(tracks, false);
	track = malloc(sizeof(*track) + len);
	if (track == NULL)
		return NULL;
	*track = (struct track){ .seq = 0 };
	memcpy(track->name, name, len);
	track->entry.key = track->name;
	track->entry.key_len = len;
	track->entry.hash = hash_bytes(name, len);
	if (table_insert(&tracks->table, &track->entry) != 0) {
		free(track);
		return NULL;
	}
	return track;
}

int
track_join(struct tracks *tracks, const char *name, size_t len)
{
	struct track *track = get(tracks, name, len);

	if (track == NULL)
		return -ENOMEM;
	tracks->joined += !track->joined;
	track->joined = true;
	return 0;
}

static void
forget_origins(struct track *track)
{
	free(track->origins);
	track->origins = NULL;
	track->origin_count = 0;
	track->origin_cap = 0;
}

void
track_leave(struct tracks *tracks, const char *name, size_t len)
{
	struct track *track = find(tracks, name, len);

	if (track == NULL || !track->joined)
		return;
	tracks->joined--;
	track->joined = false;
	if (track->seq == 0)
		forget(tracks, track);
	else
		forget_origins(track);
}

bool
track_joined(const struct tracks *tracks, const char *name, size_t len)
{
	const struct track *track = find(tracks, name, len);

	return track != NULL && track->joined;
}

const struct track *
track_next(const struct tracks *tracks, const struct track *track)
{
	struct table_entry *entry;

	entry =
	    table_next(&tracks->table, track != NULL ? &track->entry : NULL);
	while (entry != NULL && !track_of(entry)->joined)
		entry = table_next(&tracks->table, entry);
	return entry != NULL ? track_of(entry) : NULL;
}

uint64_t
track_number(struct tracks *tracks, const char *name, size_t len)
{
	struct track *track = get(tracks, name, len);

	return track != NULL ? ++track->seq : 0;
}

static struct track_origin *
origin_get(struct track *track, const struct ipc_node_id *id)
{
	struct track_origin *bigger;
	size_t cap = track->origin_cap;

	for (size_t i = 0; i < track->origin_count; i++) {
		if (node_id_equal(&track->origins[i].id, id))
			return &track->origins[i];
	}
	if (track->origin_count == TRACK_ORIGINS_MAX)
		track->origin_count = 0; /* begin anew: no gap is invented */
	if (track->origin_count == cap) {
		cap = cap == 0 ? FIRST_ORIGINS : 2 * cap;
		bigger = realloc(track->origins, cap * sizeof(*bigger));
		if (bigger == NULL)
			return NULL;
		track->origins = bigger;
		track->origin_cap = (uint16_t)cap;
	}
	track->origins[track->origin_count] = (struct track_origin){ *id, 0 };
	return &track->origins[track->origin_count++];
}

uint64_t
track_missed(struct tracks *tracks, const char *name, size_t len,
    const struct ipc_node_id *id, uint64_t seq)
{
	struct track *track = find(tracks, name, len);
	struct track_origin *origin =
	    track != NULL && track->joined && seq != 0 ? origin_get(track, id) :
							 NULL;
	uint64_t last;

	if (origin == NULL)
		return 0;
	last = origin->seq;
	origin->seq = seq;
	return last == 0 || seq <= last ? 0 : seq - last - 1;
}

void
tracks_forget_origins(struct tracks *tracks)
{
	struct table_entry *entry = NULL;

	while ((entry = table_next(&tracks->table, entry)) != NULL)
		forget_origins(track_of(entry));
}

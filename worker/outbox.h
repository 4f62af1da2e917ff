/*
 * outbox.h - frames that wait for one client.
 *
 * A ring of references, in order.  The limits are in bytes and are applied by
 * client.c; the outbox counts.  What was dropped is remembered by topic until
 * it can be told to the client as a gap.
 */
#ifndef WORKER_OUTBOX_H
#define WORKER_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "worker/frame.h"

enum {
	OUTBOX_GAPS_MAX = 16,        /* topics told apart; then "*" */
	OUTBOX_FRAMES_MAX = 1 << 20, /* frames, however small */
};

/* Frames of one topic that were dropped. */
struct outbox_gap {
	char *topic; /* owned; as in a JSON string */
	size_t len;
	uint64_t missed;
};

struct outbox {
	struct frame **ring; /* owned, with one reference each */
	uint32_t head, count, cap;
	uint32_t gap_count;
	size_t bytes;
	struct outbox_gap *gaps; /* owned; NULL: nothing was dropped */
};

/* Drop everything and free. */
void outbox_release(struct outbox *outbox);

/* Take a reference at the end (or the front).  0, -ENOMEM, -ENOBUFS. */
WARN_UNUSED int outbox_push(struct outbox *outbox, struct frame *frame);
WARN_UNUSED int outbox_push_front(struct outbox *outbox, struct frame *frame);

/* The i-th frame from the front. */
static inline struct frame *
outbox_at(const struct outbox *outbox, uint32_t i)
{
	return outbox->ring[(outbox->head + i) & (outbox->cap - 1)];
}

/* Drop the first n frames. */
void outbox_pop(struct outbox *outbox, uint32_t n);

/* Give the ring's memory back when no frame is in it; the next push gets one. */
void outbox_trim(struct outbox *outbox);

/* Drop all frames; gaps stay. */
void outbox_clear(struct outbox *outbox);

/*
 * Take out the oldest frame that is a publish and note its gap.  False: there
 * is none.
 */
bool outbox_drop_oldest(struct outbox *outbox);

/* Remember that this frame was dropped. */
void outbox_note_gap(struct outbox *outbox, const struct frame *frame);

/*
 * Add a gap: missed frames of a topic, as in a JSON string; malloc()ed, at
 * least one byte, the outbox's from now on.  0, or -ENOMEM (so with NULL).
 */
WARN_UNUSED int outbox_add_gap(struct outbox *outbox, char *topic, size_t len,
    uint64_t missed);

/*
 * The next gap to tell, as a frame, or NULL when there is none (or no memory:
 * then it stays noted).
 */
struct frame *outbox_take_gap(struct outbox *outbox);

#endif /* WORKER_OUTBOX_H */

/*
 * flush.h - everything pending leaves at the end of the loop's turn.
 *
 * Clients that got something stand in a list; once per turn, before the loop
 * waits again, each of them gets one write with all its frames.  Nothing waits
 * for more to come: coalescing is what piles up while others are written to.
 *
 * Subscribers of one topic usually have the same frames pending.  The batch
 * that was put together for one is reused for the next as long as the frames
 * are the same, so that a fan-out to 1000 clients copies its messages once.
 */
#ifndef WORKER_FLUSH_H
#define WORKER_FLUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "worker/frame.h"

struct client;
struct worker;

enum {
	/* Frames are copied together up to this size ... */
	FLUSH_BATCH_BYTES = 64 * 1024,
	FLUSH_BATCH_FRAMES = 1024,
	/* ... and one that is larger goes out from where it lies. */
	FLUSH_DIRECT_BYTES = 16 * 1024,
};

struct flush {
	struct list dirty;
	unsigned char *batch;  /* owned; FLUSH_BATCH_BYTES behind headroom */
	struct frame **frames; /* owned; what is in the batch, referenced */
	uint32_t frame_count;
	uint32_t batch_bytes;
	bool batch_full; /* it ended because it could take no more */
};

/* 0 or -ENOMEM. */
WARN_UNUSED int flush_init(struct flush *flush);
void flush_release(struct flush *flush);

/* The client has something to send. */
void flush_mark(struct flush *flush, struct client *client);

/* Write to all marked clients. */
void flush_run(struct worker *worker);

/* One write to one client; marks it again when there is more to write. */
void flush_client(struct worker *worker, struct client *client);

#endif /* WORKER_FLUSH_H */

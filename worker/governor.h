/*
 * governor.h - how many connections may be accepted now.
 *
 * A worker accepts at most accept-rate connections a second, in bursts of a
 * tenth of that.  While the loop is busy, that is while its turns take long, it
 * is less, down to a tenth: the handshakes of those that come must not keep
 * those waiting that are there.  It does the counting only; door.c accepts.
 */
#ifndef WORKER_GOVERNOR_H
#define WORKER_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

enum {
	/* So much of a second's connections may come at once. */
	GOVERNOR_BURST_MS = 100,
	/* A turn of the loop that takes longer is a busy one. */
	GOVERNOR_BUSY_MS = 20,
	/* The part of the rate that is allowed, in 1/1000. */
	GOVERNOR_WHOLE = 1000,
	GOVERNOR_LEAST = 100,
};

struct governor {
	uint64_t full_us;  /* when the bucket will be full */
	uint64_t began_us; /* this turn of the loop */
	uint64_t paid_us;  /* share was given back for the time until then */
	uint32_t share;    /* of the rate, GOVERNOR_LEAST to GOVERNOR_WHOLE */
};

/* A full bucket, and all of the rate. */
void governor_init(struct governor *governor);

/*
 * May one more be accepted?  0: yes.  Otherwise how many microseconds it takes
 * until one may.  rate is connections a second, at least 1.
 */
uint64_t governor_wait_us(const struct governor *governor, uint64_t rate,
    uint64_t now_us);

/* One was accepted. */
void governor_spend(struct governor *governor, uint64_t rate, uint64_t now_us);

/*
 * A turn of the loop begins, and ends.  A busy one takes a quarter of the
 * share; time gives it back, all of it within a second.
 */
void governor_turn_begins(struct governor *governor, uint64_t now_us);
void governor_turn_ends(struct governor *governor, uint64_t now_us);

#endif /* WORKER_GOVERNOR_H */

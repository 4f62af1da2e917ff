/*
 * orphans.h - reap what nobody else reaps.
 *
 * As process 1 of a container the primary is the parent of every process whose
 * own parent has gone.  One that ended and that nobody has waited for after a
 * second is no child of ours: its end is noted (the counter `orphans`) and its
 * number is free again.  A primary that is not process 1 leaves them alone.
 */
#ifndef PRIMARY_ORPHANS_H
#define PRIMARY_ORPHANS_H

#include <ev.h>
#include <stdbool.h>

#include "base/base.h"

struct supervisor;

struct orphans {
	struct supervisor *supervisor; /* borrowed */
	ev_timer timer;
};

/* Nothing is reaped yet. */
void orphans_init(struct orphans *orphans, struct supervisor *supervisor);

/* A child has ended: ours are reaped at once, others in a second. */
void orphans_note(struct orphans *orphans);

/* Reap those that have ended; how many there were. */
unsigned orphans_reap(struct orphans *orphans);

/* Look no more. */
void orphans_stop(struct orphans *orphans);

#endif /* PRIMARY_ORPHANS_H */

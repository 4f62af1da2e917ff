/*
 * scale.c - more or fewer workers while the bus runs.
 *
 * More: listening sockets first (a failure there changes nothing), then
 * workers; they get connections when they are READY.  Fewer: the highest slots
 * go.  New connections are steered to the others, those on their way arrive
 * and are accepted (SCALE_SETTLE_MS is for the handshakes of TCP), the workers
 * drain, and only then the sockets are closed: none is refused or reset.
 */
#include <stdio.h>

#include "base/log.h"
#include "primary/jobs.h"
#include "primary/supervisor.h"

enum {
	SCALE_SETTLE_MS = 1000
};

static void
grow(struct jobs *jobs, unsigned to)
{
	struct supervisor *supervisor = jobs->supervisor;
	unsigned from = supervisor->wanted;
	char why[192];

	for (unsigned i = from; supervisor->spawn && i < to; i++) {
		if (listeners_open(&supervisor->now->listeners, i, why,
			sizeof(why)) == 0)
			continue;
		while (i-- > from)
			listeners_close(&supervisor->now->listeners, i);
		jobs_done(jobs, 1, "%s; %u workers as before", why, from);
		return;
	}
	supervisor->wanted = to;
	jobs_phase(jobs, JOB_GROWING, 0);
	for (unsigned i = from; supervisor->spawn && i < to; i++)
		slot_event(&supervisor->slots[i], SLOT_EV_SPAWN);
}

static bool
is_vacant(const struct slot *slot)
{
	return slot->state == SLOT_EMPTY && slot->next == NULL &&
	    list_is_empty(&slot->leaving);
}

bool
scale_is_due(const struct supervisor *supervisor)
{
	for (unsigned i = supervisor->wanted; i < STATS_SLOTS_MAX; i++) {
		if (!is_vacant(&supervisor->slots[i]))
			return true;
	}
	return false;
}

void
scale_begin(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	int to = jobs->running->arg;

	if (to < 1 || to > STATS_SLOTS_MAX) {
		jobs_done(jobs, 2, "%d: a bus has 1 to %d workers", to,
		    STATS_SLOTS_MAX);
		return;
	}
	jobs->from = supervisor->wanted;
	if ((unsigned)to > supervisor->wanted) {
		grow(jobs, (unsigned)to);
		return;
	}
	if ((unsigned)to == supervisor->wanted && !scale_is_due(supervisor)) {
		jobs_done(jobs, 0, "%d workers, as before", to);
		return;
	}
	supervisor->wanted = (unsigned)to;
	supervisor_touch(supervisor); /* which steers */
	jobs_phase(jobs, JOB_SETTLING, SCALE_SETTLE_MS);
}

static void
check_growing(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	const struct slot *slot;

	for (unsigned i = jobs->from;
	     supervisor->spawn && i < supervisor->wanted; i++) {
		slot = &supervisor->slots[i];
		if (slot->failed_starts > 0 || slot->gave_up) {
			jobs_done(jobs, 1, "slot %u: %s%s", i, slot->why,
			    slot->gave_up ? "" : "; it is tried again");
			return;
		}
		if (slot->state != SLOT_RUNNING)
			return;
	}
	jobs_done(jobs, 0, "%u workers, there were %u", supervisor->wanted,
	    jobs->from);
}

static void
drain_unwanted(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	struct slot *slot;

	for (unsigned i = supervisor->wanted; i < STATS_SLOTS_MAX; i++) {
		slot = &supervisor->slots[i];
		if (slot->next != NULL)
			worker_drain(slot->next);
		if (slot->state != SLOT_EMPTY)
			slot_event(slot, SLOT_EV_DRAIN);
	}
	jobs_phase(jobs, JOB_SHRINKING, 0);
}

static void
check_shrinking(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	unsigned queued;

	if (scale_is_due(supervisor))
		return;
	/* From the last one down: the kernel's order stays that of slots. */
	for (unsigned i = STATS_SLOTS_MAX; i-- > supervisor->wanted;) {
		queued = listeners_queued(&supervisor->now->listeners, i);
		if (queued > 0)
			log_warnx("slot %u: %u connections in its queue are "
				  "lost",
			    i, queued);
		listeners_close(&supervisor->now->listeners, i);
	}
	supervisor_touch(supervisor);
	jobs_done(jobs, 0, "%u workers, there were %u", supervisor->wanted,
	    jobs->from);
}

void
scale_check(struct jobs *jobs)
{
	if (jobs->phase == JOB_GROWING)
		check_growing(jobs);
	else if (jobs->phase == JOB_SHRINKING)
		check_shrinking(jobs);
	else if (jobs->time_is_up)
		drain_unwanted(jobs);
}

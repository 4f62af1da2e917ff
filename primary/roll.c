/* roll.c - see roll.h. */
#include "primary/roll.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/sections.h"
#include "primary/supervisor.h"

/* So many processes of a slot may still drain when the next one starts. */
enum {
	ROLL_LEAVING_MAX = 8
};

void
roll_start(struct roll *roll, struct supervisor *supervisor, unsigned first,
    unsigned end, bool fresh)
{
	memset(roll, 0, sizeof(*roll));
	roll->supervisor = supervisor;
	roll->at = first;
	roll->end = end;
	roll->fresh = fresh;
	supervisor_touch(supervisor);
}

static enum roll_result
failed(struct roll *roll, const char *why)
{
	(void)snprintf(roll->why, sizeof(roll->why), "%s", why);
	return ROLL_FAILED;
}

static unsigned
count(const struct list *list)
{
	unsigned n = 0;

	for (const struct list *pos = list->next; pos != list; pos = pos->next)
		n++;
	return n;
}

/* The slot runs: start the next process beside the current one. */
static enum roll_result
begin_beside(struct roll *roll, struct slot *slot)
{
	char why[128];
	int rc;

	if (slot->next != NULL || count(&slot->leaving) >= ROLL_LEAVING_MAX ||
	    sections_free_count(slot->supervisor->page) == 0)
		return ROLL_BUSY;
	rc = worker_start(slot, roll->fresh);
	if (rc != 0) {
		(void)snprintf(why, sizeof(why), "cannot start a worker: %s",
		    strerror(-rc));
		return failed(roll, why);
	}
	roll->generation = slot->next->generation;
	return ROLL_DONE;
}

static void
begin_attached(struct roll *roll, struct slot *slot)
{
	const struct config *config = slot->supervisor->now->config;

	roll->leaving = true;
	roll->generation = slot->current->generation;
	roll->patience_ms = clock_now_ms() + config->drain_timeout +
	    config->kill_timeout + config->start_timeout;
	slot_event(slot, SLOT_EV_DRAIN);
}

/* Nobody serves in this slot: the next process takes its place. */
static enum roll_result
begin_vacant(struct roll *roll, struct slot *slot)
{
	slot->fresh = roll->fresh;
	slot_event(slot, SLOT_EV_SPAWN);
	if (slot->current == NULL)
		return failed(roll, slot->why);
	roll->generation = slot->current->generation;
	return ROLL_DONE;
}

/* DONE: the slot has its new process (or needs none). */
static enum roll_result
begin(struct roll *roll, struct slot *slot)
{
	enum roll_result result = ROLL_DONE;

	roll->leaving = false;
	switch (slot->state) {
	case SLOT_RUNNING:
		if (slot->current->attached)
			begin_attached(roll, slot);
		else
			result = begin_beside(roll, slot);
		break;
	case SLOT_STARTING:
		if (roll->fresh != slot->current->fresh) {
			slot->fresh = roll->fresh;
			process_kill(slot->current);
			result = ROLL_BUSY;
		}
		roll->generation = slot->current->generation;
		break;
	case SLOT_DRAINING:
		result = ROLL_BUSY;
		break;
	case SLOT_EMPTY:
	case SLOT_BACKOFF:
		if (slot->supervisor->spawn)
			result = begin_vacant(roll, slot);
		else
			roll->leaving = true; /* nothing to wait for */
		break;
	case SLOT_STATE_COUNT:
		break;
	}
	roll->begun = result == ROLL_DONE;
	return result;
}

/* Is another one attached by now?  Others are not kept waiting for ever. */
static enum roll_result
look_attached(const struct roll *roll, const struct slot *slot)
{
	if (slot->current != NULL &&
	    slot->current->generation == roll->generation)
		return ROLL_BUSY;
	if (slot->state == SLOT_RUNNING || clock_now_ms() > roll->patience_ms)
		return ROLL_DONE;
	return slot->supervisor->spawn ? ROLL_BUSY : ROLL_DONE;
}

/* What has become of the slot's new process? */
static enum roll_result
look(struct roll *roll, struct slot *slot)
{
	const struct process *current = slot->current;
	const struct process *next = slot->next;

	if (roll->leaving)
		return look_attached(roll, slot);
	if (current != NULL && current->generation == roll->generation) {
		if (slot->state == SLOT_STARTING)
			return ROLL_BUSY;
		if (slot->state == SLOT_RUNNING) {
			slot->fresh = roll->fresh;
			return ROLL_DONE;
		}
	}
	if (next != NULL && next->generation == roll->generation)
		return ROLL_BUSY;
	return failed(roll, slot->why);
}

/* Go on with the roll as far as it goes. */
static enum roll_result
advance(struct roll *roll)
{
	struct supervisor *supervisor = roll->supervisor;
	enum roll_result result;
	struct slot *slot;

	while (roll->at < roll->end && roll->at < supervisor->wanted) {
		slot = &supervisor->slots[roll->at];
		result = roll->begun ? ROLL_DONE : begin(roll, slot);
		if (result == ROLL_DONE)
			result = look(roll, slot);
		if (result != ROLL_DONE)
			return result;
		roll->at++;
		roll->begun = false;
	}
	return ROLL_DONE;
}

/*
 * Slots whose turn is still to come get no new clients: those would soon be
 * asked to go, some of them for the second time.
 */
static void
steer_past(struct supervisor *supervisor, unsigned from, unsigned end)
{
	if (supervisor->roll_from == from && supervisor->roll_end == end)
		return;
	supervisor->roll_from = from;
	supervisor->roll_end = end;
	supervisor_touch(supervisor);
}

enum roll_result
roll_check(struct roll *roll)
{
	enum roll_result result = advance(roll);

	if (result == ROLL_BUSY)
		steer_past(roll->supervisor, roll->at, roll->end);
	else
		steer_past(roll->supervisor, 0, 0);
	return result;
}

/*
 * slot.h - a worker's place: the states it goes through and what is due then.
 *
 * Workers come and go, slots stay; so do a slot's listening sockets.
 *
 *            SPAWN                READY                 DRAIN
 *   EMPTY ----------> STARTING ----------> RUNNING ------------> DRAINING
 *     ^ ^                ^ |                  |                     |
 *     | |        TIMEOUT | | GONE             | GONE                | GONE
 *     | |  (or SPAWN)    | v                  v                     v
 *     | +-------------- BACKOFF <-------------+                   EMPTY
 *     |   DRAIN, OVER
 *     +--- OVER, from every state: it went and none shall follow
 *
 * STARTING ends with READY, an exit or a timeout (the process is killed then),
 * never with a sleep.  BACKOFF may last no time at all: the first death after a
 * READY is followed by the next worker at once.  While a worker is replaced
 * the slot stays RUNNING; only the one that is current drives the slot.
 *
 * This file decides; what is to be done about it (spawn, drain, kill) is done
 * by the supervisor behind slot_act().
 */
#ifndef PRIMARY_SLOT_H
#define PRIMARY_SLOT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "wire/stats.h"

struct process;
struct supervisor;

enum slot_event {
	SLOT_EV_SPAWN = 0, /* there should be a worker here */
	SLOT_EV_READY,     /* the worker said READY */
	SLOT_EV_DRAIN,     /* the worker should leave */
	SLOT_EV_GONE,      /* it has gone */
	SLOT_EV_OVER,      /* it has gone, and none shall follow */
	SLOT_EV_TIMEOUT,   /* the state's own timer ran out */
	SLOT_EVENT_COUNT   /* must be last */
};

/* What a transition asks for. */
enum slot_action {
	SLOT_NOTHING = 0,
	SLOT_START, /* start a worker */
	SLOT_DRAIN, /* ask the current worker to leave */
	SLOT_KILL,  /* kill it: its time to start is over */
	SLOT_REST,  /* wait slot->rest_ms, then TIMEOUT */
	SLOT_NEVER, /* this event cannot come in this state: our bug */
};

struct slot {
	struct supervisor *supervisor; /* borrowed */
	unsigned index;
	enum slot_state state;
	struct process *current; /* whom the state speaks of; NULL: none */
	struct process *next;    /* starts to replace current; NULL: none */
	struct list leaving;     /* were replaced, still drain */
	ev_timer rest;           /* BACKOFF */
	uint64_t rest_ms;        /* how long BACKOFF is going to be */
	uint64_t until_ms;       /* BACKOFF: when it ends, by the clock */
	bool fresh;              /* its worker got the next settings already */
	bool died;               /* the next start is a restart */
	uint32_t early_deaths;   /* in a row */
	uint32_t failed_starts;  /* deaths before READY, in a row */
	bool crash_loop;
	bool gave_up;  /* a worker said that its configuration cannot work */
	char why[192]; /* how the last one ended */
};

/* The verdict "crash loop" falls after this many early deaths in a row. */
enum {
	SLOT_CRASH_LOOP = 5
};

/* A slot without a worker. */
void slot_init(struct slot *slot, struct supervisor *supervisor,
    unsigned index);

/*
 * Something happened to slot: go to the next state and have slot_act() do what
 * that asks for.
 */
void slot_event(struct slot *slot, enum slot_event event);

/* The table itself: where event leads from state, and what is to be done. */
enum slot_state slot_next(enum slot_state state, enum slot_event event,
    enum slot_action *ret_action);

/*
 * Take note of a death: ready says whether the worker had been, lived_ms how
 * long it lived.  One that lived stable_ms did not die early.  Returns how
 * many milliseconds the slot rests before the next one; 0: none.
 */
uint64_t slot_note_death(struct slot *slot, bool ready, uint64_t lived_ms,
    uint64_t stable_ms, uint64_t min_ms, uint64_t max_ms);

/* The worker has lived long enough: earlier deaths are forgotten. */
void slot_note_stable(struct slot *slot);

/*
 * Do what a transition asks for; slot->state is the new one.  The supervisor
 * has it (a unit test has its own).
 */
void slot_act(struct slot *slot, enum slot_action action);

#endif /* PRIMARY_SLOT_H */

/*
 * upgrade.h - another binary takes the place of this one, in the same process.
 *
 * `busctl upgrade` and SIGUSR2.  A job like any other (jobs.h), in four steps:
 *
 *	TRYING   the new binary runs beside us (trial.h).  When it fails, or
 *	         speaks another version, the old one goes on untouched.
 *	WAITING  until no client's socket is in the hub's hands.
 *	LEAVING  signals are held back; at the end of the next turn all that we
 *	         know is written down (handover.h) and the new binary executed.
 *	         When that fails everything is as it was.
 *	arrived  the new program has put everything back, and who asked is told.
 *	         Workers are rolled now (roll.h), unless UPGRADE_NO_ROLL says no.
 *
 * The process stays the same one: pid, parent, children, lock, sockets.  Links
 * of workers and programs stay open and nothing on them is lost; what has no
 * state worth a handover connects again: clients of the Redis door, and the
 * backplane.
 *
 * With another version and UPGRADE_FORCE the new binary starts as after the
 * death of a primary: workers that it cannot understand leave, and their
 * clients come back to new ones.
 */
#ifndef PRIMARY_UPGRADE_H
#define PRIMARY_UPGRADE_H

#include <ev.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

struct control;
struct ground;
struct handover_state;
struct jobs;
struct primary_start;
struct trial;

enum upgrade_flags {
	UPGRADE_NO_ROLL = 1 << 0,
	UPGRADE_FORCE = 1 << 1,
	UPGRADE_FLAGS_END = 1 << 2
};

struct upgrade {
	struct jobs *jobs; /* borrowed, as all of these */
	const struct ground *ground;
	struct control *control;
	const struct primary_start *start;
	/* Let go of what does not go along; and, when it failed, take it back. */
	void (*let_go)(void *arg);
	void (*take_back)(void *arg);
	void *arg;
	char program[PATH_MAX]; /* what we were started as */
	char path[PATH_MAX];    /* the binary of the upgrade at hand */
	bool with_state;        /* it takes over; else it starts anew */
	struct trial *trial;    /* owned */
	unsigned turns;         /* LEAVING: so many have ended */
	bool blocked;           /* signals are held back */
	sigset_t mask;          /* what was blocked before */
	ev_prepare turn_end;
};

/*
 * Nothing is under way.  The fields up to arg are set; the path that we were
 * started as is found now.
 */
void upgrade_init(struct upgrade *upgrade);

/* A trial that still runs is killed. */
void upgrade_release(struct upgrade *upgrade);

/*
 * We are the new program, everything is in its place: tell those who wait, and
 * go on with the roll.
 */
void upgrade_arrived(struct jobs *jobs, const struct handover_state *state);

#endif /* PRIMARY_UPGRADE_H */

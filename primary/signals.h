/*
 * signals.h - the primary's signals, taken by the loop only.
 *
 * What each one does is in base/signals.h, which help and README show as well.
 */
#ifndef PRIMARY_SIGNALS_H
#define PRIMARY_SIGNALS_H

#include <ev.h>
#include <stdbool.h>

#include "base/base.h"
#include "base/signals.h"
#include "primary/orphans.h"

struct jobs;
struct supervisor;

enum {
#define X(name, verb, text) +1
	SIGNALS_COUNT = 0 SIGNALS(X),
#undef X
};

struct signals {
	struct supervisor *supervisor; /* borrowed */
	struct jobs *jobs;             /* borrowed */
	void (*reopen)(void *arg);     /* USR1 */
	void (*stop)(void *arg, bool fast);
	void *arg;
	struct orphans orphans; /* orphans_init() it, too */
	ev_signal watchers[SIGNALS_COUNT];
};

/* Take signals from now on; the fields above the watchers are set. */
void signals_start(struct signals *signals, struct ev_loop *loop);

/* Signals do again what they did before; SIGPIPE is ignored from now on. */
void signals_stop(struct signals *signals, struct ev_loop *loop);

#endif /* PRIMARY_SIGNALS_H */

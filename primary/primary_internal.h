/*
 * primary_internal.h - the primary as its own files see it.
 *
 *	primary.c     what others call, the run, and the way down
 *	primary_up.c  the way up, after nobody or after a primary that died
 *	takeover.c    the way up in the place of another program
 *
 * Nobody else includes it.
 */
#ifndef PRIMARY_PRIMARY_INTERNAL_H
#define PRIMARY_PRIMARY_INTERNAL_H

#include <ev.h>
#include <stdbool.h>

#include "primary/activation.h"
#include "primary/control.h"
#include "primary/ground.h"
#include "primary/jobs.h"
#include "primary/notify.h"
#include "primary/pm2.h"
#include "primary/primary.h"
#include "primary/signals.h"
#include "primary/supervisor.h"
#include "primary/upgrade.h"

struct handover_state;

struct primary {
	const struct primary_start *start;
	struct config *config; /* owned until the supervisor has it */
	struct ground ground;
	struct ev_loop *loop;
	struct supervisor *supervisor;
	struct jobs jobs;
	struct notify notify;
	struct activation passed; /* sockets of a service manager */
	struct signals signals;
	struct control *control;
	struct upgrade upgrade;
	bool half_built; /* a takeover that is not complete: leave the files */
	int pm2_fd;      /* owned; -1: none, or pm2 has it */
	struct pm2 *pm2;
};

/* ---- primary.c --------------------------------------------------------- */

/* Whom the supervisor calls, and jobs; everything else hangs on these. */
void primary_wire(struct primary *primary);

/* Signals come from now on, those that waited included. */
void primary_take_signals(struct primary *primary);

/* Who calls at the control socket (consumed).  0, or the exit status. */
WARN_UNUSED int primary_take_control(struct primary *primary, int fd);

/* ---- primary_up.c ------------------------------------------------------ */

/* Descriptors for every listening socket and every node. */
void primary_raise_limit(const struct primary *primary,
    const struct settings *settings);

/* Supervisor and jobs, of the configuration.  0, or the exit status. */
WARN_UNUSED int primary_make(struct primary *primary);

/* Open what others come by, start workers, run.  The exit status. */
WARN_UNUSED int primary_go(struct primary *primary);

/* Join the hosts that the configuration names.  0, or the exit status. */
WARN_UNUSED int primary_join_backplane(struct primary *primary);

/* ---- takeover.c -------------------------------------------------------- */

/*
 * Put everything back that another program has written down, and run.  The exit
 * status.
 */
WARN_UNUSED int primary_take_over(struct primary *primary,
    const struct handover_state *state);

#endif /* PRIMARY_PRIMARY_INTERNAL_H */

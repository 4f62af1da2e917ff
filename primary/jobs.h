/*
 * jobs.h - what takes a while and must not happen twice at a time.
 *
 * Reload, restart, scale and upgrade wait in one bounded queue and run one after
 * the other.  Any number of people may wait for a job; they hear how it goes and
 * how it ends.  Nobody who leaves cancels anything.  A reload that is asked for
 * while another one waits is the same reload; one that is asked for while one
 * runs is remembered, once.
 */
#ifndef PRIMARY_JOBS_H
#define PRIMARY_JOBS_H

#include <ev.h>
#include <stdbool.h>

#include "base/base.h"
#include "base/list.h"
#include "primary/roll.h"

struct notify;

enum {
	JOBS_MAX = 16
};

enum job_kind {
	JOB_RELOAD = 0,
	JOB_RESTART,
	JOB_SCALE,
	JOB_UPGRADE,
	JOB_KIND_COUNT
};

/* Whoever waits embeds this; he is told through it and told done() once. */
struct waiter {
	struct list link; /* list_init() it before use */
	void (*info)(struct waiter *waiter, const char *text);
	void (*done)(struct waiter *waiter, int code, const char *text);
};

struct upgrade;

struct job {
	struct list link;
	enum job_kind kind;
	int arg;    /* RESTART: slot, or -1; SCALE: how many; UPGRADE: flags */
	char *text; /* owned; UPGRADE: the binary; NULL: none */
	struct list waiters;
	char said[512]; /* what the end of a reload that scales begins with */
};

enum job_phase {
	JOB_ROLLING = 0,
	JOB_ROLLING_BACK,
	JOB_APPLYING, /* workers confirm what changed in place */
	JOB_GROWING,
	JOB_SETTLING, /* new connections go elsewhere already */
	JOB_SHRINKING,
	JOB_TRYING,  /* the new binary runs on its own */
	JOB_WAITING, /* until no connection is being moved */
	JOB_LEAVING, /* signals are held back: the next turn is the last */
};

struct jobs {
	struct supervisor *supervisor; /* borrowed */
	struct upgrade *upgrade;       /* borrowed; NULL: cannot be done */
	int argc;                      /* the words of the start: a reload */
	char **argv;                   /* reads them again; borrowed */
	struct list queue;
	unsigned count;
	struct job *running; /* NULL: none */
	enum job_phase phase;
	struct roll roll;
	bool time_is_up;    /* the phase's timer ran out */
	unsigned from;      /* SCALE: how many there were */
	char summary[1700]; /* what a reload that works will have done */
	int workers; /* what a reload scales to at its end; -1: does not */
	ev_timer timer;
	bool reloading;        /* a reload runs, whatever it has become */
	struct notify *notify; /* borrowed; hears of reloads; NULL: none */
};

/* An empty queue; everything is borrowed until the last call. */
void jobs_init(struct jobs *jobs, struct supervisor *supervisor, int argc,
    char **argv);

/* Everybody who waits hears that the bus is stopping; nothing more is run. */
void jobs_cancel(struct jobs *jobs);

/*
 * Queue a job.  waiter may be NULL; it is the caller's and may leave at any
 * time with list_remove(&waiter->link).  0, -EBUSY: too many wait, -ENOMEM.
 */
WARN_UNUSED int jobs_add(struct jobs *jobs, enum job_kind kind, int arg,
    struct waiter *waiter);

/* The same with a text, of which a copy is kept; NULL: none. */
WARN_UNUSED int jobs_add_text(struct jobs *jobs, enum job_kind kind, int arg,
    const char *text, struct waiter *waiter);

/*
 * A job that an earlier program had, for who takes its place: the first one is
 * running, the others wait behind it.  0 or -ENOMEM.
 */
WARN_UNUSED int jobs_restore(struct jobs *jobs, enum job_kind kind, int arg,
    const char *text, size_t len);

/* What scaling by one step means now: behind what waits already. */
int jobs_scale_target(struct jobs *jobs, int step);

/* Something changed: go on. */
void jobs_check(struct jobs *jobs);

/* ---- for the kinds of jobs --------------------------------------------- */

/* Say how it goes: to the log and to all who wait. */
void jobs_info(struct jobs *jobs, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same for what a person should look at. */
void jobs_warn(struct jobs *jobs, const char *text);

/* The running job is over.  code: 0, or the exit status of `busctl`. */
void jobs_done(struct jobs *jobs, int code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The phase that begins now ends after ms at the latest (time_is_up). */
void jobs_phase(struct jobs *jobs, enum job_phase phase, unsigned ms);

/* Replace all workers: what the running job goes on with. */
void restart_all(struct jobs *jobs);

/* reload.c, scale.c, upgrade.c: begin, and go on. */
void reload_begin(struct jobs *jobs);
void reload_check(struct jobs *jobs);
void scale_begin(struct jobs *jobs);
void scale_check(struct jobs *jobs);
void upgrade_begin(struct jobs *jobs);
void upgrade_check(struct jobs *jobs);

/* Are there workers in slots that should have none? */
bool scale_is_due(const struct supervisor *supervisor);

/*
 * The argument of a job as it is typed: a whole number of at most max.  False:
 * it is none.
 */
bool jobs_number(const char *text, int max, int *ret_number);

#endif /* PRIMARY_JOBS_H */

/*
 * supervisor.h - keeps one worker alive in every slot.
 *
 * All that the primary knows about workers hangs together here.  The story is
 * told in several files:
 *
 *	supervisor.c  start, stop, watch: the whole
 *	workers.c     one worker: started, ready, replaced, gone
 *	nodes.c       what nodes say to the hub; programs
 *	adopt.c       workers that survived an earlier primary, or attach
 *
 * Events only change states; what follows from the state of the whole (the
 * ready line, steering, the statistics page, the step that a roll waits for)
 * is done once per turn of the loop, after supervisor_touch().
 */
#ifndef PRIMARY_SUPERVISOR_H
#define PRIMARY_SUPERVISOR_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "primary/hub.h"
#include "primary/process.h"
#include "primary/settings.h"
#include "primary/slot.h"
#include "primary/sync/redis_door.h"
#include "primary/sync/sync.h"
#include "wire/stats.h"

enum {
	SUPERVISOR_PROGRAMS_MAX = 1024,
	/* A worker without a link must be back within this. */
	SUPERVISOR_LINK_MS = 3000,
	/* After this without a heartbeat new clients go elsewhere. */
	SUPERVISOR_SLUGGISH_MS = 1000,
};

/* How to stop; each may follow the one before. */
enum stop_how {
	STOP_NOT = 0,
	STOP_PACED, /* drain over drain-window */
	STOP_FAST,  /* close all clients now */
	STOP_KILL,  /* SIGKILL */
};

/* An attached program. */
struct program {
	enum peer_kind kind; /* PEER_PROGRAM; must be first */
	bool used;
	struct hub_node *node; /* while used */
};

struct supervisor {
	struct ev_loop *loop;    /* borrowed */
	struct stats_page *page; /* borrowed */
	int page_fd;             /* borrowed */
	const char *run_dir;     /* borrowed */
	bool spawn;              /* we start workers; else they attach */
	struct hub *hub;
	struct redis_door *door; /* owned; NULL: there is none */
	struct sync *sync;       /* owned; NULL: there is no backplane */
	struct settings *now;    /* in force */
	struct settings *next;   /* being rolled in; NULL: no */
	unsigned wanted;         /* slots that should have a worker */
	struct slot slots[STATS_SLOTS_MAX];
	struct list processes;
	struct program programs[SUPERVISOR_PROGRAMS_MAX];
	uint16_t program_generation;
	bool steered[STATS_SLOTS_MAX]; /* slots that get new connections */
	unsigned roll_from, roll_end;  /* slots that a roll has still to do */
	ev_timer tick;
	ev_timer turn;         /* 0 s: supervisor_touch() was called */
	uint64_t ticked_ms;    /* when the last tick ran */
	uint64_t awake_ms;     /* heartbeats are asked for since then */
	bool was_ready;        /* the ready line was logged */
	bool roll_adopted;     /* adopted workers lack what is configured */
	bool job_waits;        /* on_change is wanted at every tick */
	uint64_t moved;        /* clients, when balance was looked at last */
	unsigned balance_rest; /* ticks; see moves.h */
	enum stop_how stopping;
	uint64_t stop_within_ms; /* see stop_times.h; 0: no limit */
	int exit_status;
	char verdict[256]; /* why it ends, when it was not asked to */

	/* Told once per turn in which something changed. */
	void (*on_change)(void *arg);
	void (*on_ready)(void *arg);
	void (*on_stopped)(void *arg);
	void *arg;
};

/*
 * A supervisor whose slots are all empty.  settings is consumed (on failure
 * too); page and the rest are borrowed until supervisor_free().
 * NULL: out of memory.
 */
struct supervisor *supervisor_new(struct ev_loop *loop, struct stats_page *page,
    int page_fd, const char *run_dir, bool spawn, struct settings *settings);

/* Nobody is killed.  NULL is allowed. */
void supervisor_free(struct supervisor *supervisor);

/*
 * Give every wanted slot its sockets and, when we start workers, a worker.
 * 0, or -errno with the reason in why; nothing was started then.
 */
WARN_UNUSED int supervisor_start(struct supervisor *supervisor, char *why,
    size_t size);

/* Something changed: look at the whole at the end of this turn. */
void supervisor_touch(struct supervisor *supervisor);

/*
 * End: every worker is asked (STOP_PACED) or made to leave; on_stopped follows
 * when the last one has gone.  A harder way may follow a softer one.
 */
void supervisor_stop(struct supervisor *supervisor, enum stop_how how);

/* Stop at once with this exit status; the reason is logged and kept. */
void supervisor_fail(struct supervisor *supervisor, int exit_status,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

/* SIGCHLD. */
void supervisor_reap(struct supervisor *supervisor);

/* Tell all workers to open their log file anew. */
void supervisor_reopen(struct supervisor *supervisor);

/* What follows from settings in force for the primary itself. */
void supervisor_apply(struct supervisor *supervisor);

/* ---- workers.c --------------------------------------------------------- */

/*
 * Start a process for slot as slot->next; the caller says what it is for.
 * fresh: it gets supervisor->next.  0 or -errno (slot->why says it in words).
 */
WARN_UNUSED int worker_start(struct slot *slot, bool fresh);

/* The settings that this process gets. */
struct settings *worker_settings(const struct process *process);

/* It said READY: its slot runs, and what it replaces leaves. */
void worker_is_ready(struct process *process);

/* Give the process its place on the bus.  adopted: it has one already. */
void worker_welcome(struct process *process, struct hub_node *node,
    bool adopted);

/* Send a node, worker or program, the contract and the configuration. */
void worker_tell(struct hub_node *node, const struct settings *settings);

/* Start the time that the process has until READY. */
void worker_arm_start(struct process *process);

/* The process that has gone was one of the supervisor's: process_gone_fn. */
void worker_gone(struct process *process, int status);

/* The slot rests in BACKOFF until slot->until_ms. */
void worker_rest(struct slot *slot);

/* Ask a process to leave, by the settings in force. */
void worker_drain(struct process *process);

/* ---- nodes.c ----------------------------------------------------------- */

extern const struct hub_events supervisor_hub_events;

#endif /* PRIMARY_SUPERVISOR_H */

/*
 * process.h - one worker process, from its start to its end.
 *
 * A process is a child of ours (its end comes by SIGCHLD), or it survived an
 * earlier primary or attached itself (its end comes by a pidfd).  It leaves on
 * the ladder:
 *
 *	ALIVE --drain--> DRAINING --timeout--> TERMED --timeout--> KILLED
 *
 * Steps may be skipped, never taken back.  The process stays in the list of
 * all until its end is known for certain; only then its section of the
 * statistics page is free again.
 */
#ifndef PRIMARY_PROCESS_H
#define PRIMARY_PROCESS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/list.h"

struct hub_node;
struct slot;

enum process_stage {
	PROCESS_ALIVE = 0,
	PROCESS_DRAINING, /* was told to leave */
	PROCESS_TERMED,   /* got SIGTERM */
	PROCESS_KILLED,   /* got SIGKILL */
};

/* What a hub node's data points to starts with this. */
enum peer_kind {
	PEER_PROCESS = 0,
	PEER_PROGRAM
};

/* Is called once, when the process has gone; it may free it. */
struct process;
typedef void process_gone_fn(struct process *process, int status);

struct process {
	enum peer_kind kind;   /* PEER_PROCESS; must be first */
	struct list link;      /* all processes of the supervisor */
	struct list slot_link; /* slot->leaving, or in no list */
	struct slot *slot;     /* borrowed */
	struct ev_loop *loop;  /* borrowed */
	struct hub_node *node; /* borrowed; NULL: not connected */
	pid_t pid;
	int pid_fd;     /* owned; -1: a child, or not watched */
	bool child;     /* we forked it */
	bool attached;  /* somebody else started it: we cannot replace it */
	bool survivor;  /* an earlier primary started it */
	bool fresh;     /* gets the next settings, not those in force */
	bool ready;     /* has said READY */
	bool returning; /* adopted; says what it wants, then READY again */
	bool applying;  /* got a CONFIG, has not answered yet */
	bool refused;   /* its answer to CONFIG was no */
	bool hasty;     /* no time is given, so none is overdrawn */
	bool late;      /* was killed: not ready in time */
	bool sluggish;  /* its heartbeat is late, or it does not accept */
	enum process_stage stage;
	uint32_t section; /* of the statistics page */
	uint16_t generation;
	uint64_t started_ms;
	uint64_t ready_ms;    /* 0: not yet */
	uint64_t unlinked_ms; /* since when it has no link; 0: it has one */
	uint64_t kill_timeout_ms;
	ev_timer start_timer; /* until READY */
	ev_timer ladder;      /* until the next step down */
	ev_io pid_watch;
	process_gone_fn *on_gone;
};

/* What waitpid() would have said, for one whose status nobody knows. */
enum {
	PROCESS_STATUS_UNKNOWN = -1
};

/*
 * A process that is not running yet (pid 0).  on_gone comes from
 * process_reap() or from its pidfd.  NULL: out of memory.
 */
struct process *process_new(struct ev_loop *loop, struct slot *slot,
    process_gone_fn *on_gone);

/* Stop watching and free.  Nothing is sent to it.  NULL is allowed. */
void process_free(struct process *process);

/* Learn of its end by pidfd: for one that is no child.  0 or -errno. */
WARN_UNUSED int process_watch(struct process *process);

/*
 * It was another program's until now: its pidfd (consumed; -1: a child) is
 * watched, and the ladder goes on in ladder_ms (-1: it does not).
 */
void process_go_on(struct process *process, int pid_fd, int64_t ladder_ms);

/* If it is a child and has ended, call on_gone.  True when it had. */
bool process_reap(struct process *process);

/*
 * Ask it to leave: its clients within window_ms, itself then.  After timeout_ms
 * (but not within the window) it gets SIGTERM, which makes a draining worker
 * close all clients, and kill_ms later SIGKILL.  One without a link is asked by
 * SIGTERM at once.
 */
void process_drain(struct process *process, uint32_t window_ms,
    uint64_t timeout_ms, uint64_t kill_ms);

/* It was told to leave by somebody else: the time until SIGTERM starts. */
void process_expect_exit(struct process *process, uint64_t timeout_ms,
    uint64_t kill_ms);

/* Make it leave now, by a DRAIN without a window, SIGTERM and SIGKILL. */
void process_hasten(struct process *process, uint64_t kill_ms);

/* SIGTERM now, SIGKILL kill_ms later. */
void process_terminate(struct process *process, uint64_t kill_ms);

/* SIGKILL now. */
void process_kill(struct process *process);

/*
 * How it ended, in words: "exited with status 1", "was killed by signal 11".
 */
void process_status_text(int status, char *text, size_t size);

#endif /* PRIMARY_PROCESS_H */

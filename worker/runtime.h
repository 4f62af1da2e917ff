/*
 * runtime.h - what a worker process has besides the worker's parts; shared by
 * worker.c (the loop) and place.c (what the hub says).
 */
#ifndef WORKER_RUNTIME_H
#define WORKER_RUNTIME_H

#include <ev.h>

#include "worker/link.h"
#include "worker/state.h"

/* A contract as the hub sent it, to know it again. */
struct contract_text {
	char *text; /* owned; NULL: none is kept */
	size_t len;
};

/* What the process has besides the worker's parts. */
struct runtime {
	struct worker worker;
	int listeners[IPC_FDS_MAX]; /* what a new primary gets */
	size_t listener_count;
	int page_fd;
	int status;        /* to exit with */
	char refused[256]; /* why the hub refused us last */
	bool configured;
	bool owes_ready; /* the hub is back, and not all JOINs are sent yet */
	struct contract *contract; /* owned; has come, not in force yet */
	bool contract_broken;      /* the one that has come is */
	bool contract_same;        /* it is the one in force; not read again */
	struct contract_text came, in_force;
	bool attached;          /* somebody else than a primary started us */
	struct worker_pm2 *pm2; /* owned; NULL: PM2 has not started us */
	uint64_t within_ms;     /* we leave within this; 0: without haste */
	ev_signal term, intr;
	ev_timer heartbeat;
	ev_timer last_call;
	ev_timer hurry; /* who is still there is not waited for any longer */
	ev_check turn_start;
	ev_prepare turn_end;
	uint64_t due_ms; /* when the heartbeat should come */
};

/* End the loop; status is the process's exit status. */
void runtime_leave(struct runtime *p, int status);

/*
 * Drain.  The door closes with it, so a new primary cannot take our listening
 * sockets any more.  With the window 0 and go the process ends after a second,
 * whether the clients have answered or not.
 */
void runtime_drain(struct runtime *p, uint32_t window_ms, bool go);

/*
 * Whoever wants us to leave now kills us kill_ms later; 0: nobody does.  Drains
 * are fitted into that, whatever the settings and the hub say: half of the time
 * for the clients, all are closed after three quarters, and we go before the
 * end.
 */
void runtime_killed_in(struct runtime *p, uint64_t kill_ms);

/*
 * The hub is back: READY, when it has heard of all our channels.  Called at the
 * end of every turn, because a JOIN may have to wait for room.
 */
void runtime_ready_again(struct runtime *p);

/* CONTRACT and CONFIG; place_config.c.  arg is the struct runtime. */
void runtime_on_contract(void *arg, const char *text, size_t len);
void runtime_on_config(void *arg, const char *text, size_t len);

/* What the hub says; place.c. */
extern const struct link_events runtime_link_events;

#endif /* WORKER_RUNTIME_H */

/*
 * runtime.h - what a worker process has besides the worker's parts; shared by
 * worker.c (the loop) and place.c (what the hub says).
 */
#ifndef WORKER_RUNTIME_H
#define WORKER_RUNTIME_H

#include <ev.h>

#include "worker/link.h"
#include "worker/state.h"

/* What the process has besides the worker's parts. */
struct runtime {
	struct worker worker;
	int listeners[IPC_FDS_MAX]; /* what a new primary gets */
	size_t listener_count;
	int page_fd;
	int status; /* to exit with */
	bool configured;
	struct contract *contract; /* owned; has come, not in force yet */
	bool contract_broken;      /* the one that has come is */
	ev_signal term;
	ev_timer heartbeat;
	ev_timer last_call;
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

/* CONTRACT and CONFIG; place_config.c.  arg is the struct runtime. */
void runtime_on_contract(void *arg, const char *text, size_t len);
void runtime_on_config(void *arg, const char *text, size_t len);

/* What the hub says; place.c. */
extern const struct link_events runtime_link_events;

#endif /* WORKER_RUNTIME_H */

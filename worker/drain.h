/*
 * drain.h - clients are asked to go, one after the other.
 *
 * A drain closes the door (after taking what waited at it) and sends 1001 to
 * every client, spread evenly over a window.  The close's reason tells each of
 * them when to come back: {"retry_in":ms}, a slot of its own, so that they do
 * not return all at once.  With the window 0 all closes go out now and the
 * slots alone spread the return.
 */
#ifndef WORKER_DRAIN_H
#define WORKER_DRAIN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct client;
struct worker;

enum {
	/* Returning clients, a second, that a drain plans for. */
	DRAIN_RETURN_RATE = 500,
	/* Nobody is told to come back before this. */
	DRAIN_RETRY_MIN_MS = 100,
	DRAIN_RETRY_MAX_MS = 60000,
};

struct drain {
	bool active;
	bool leave; /* the worker exits when its last client has gone */
	uint64_t started_ms;
	uint32_t window_ms;
	uint32_t planned; /* clients there were at the start */
	uint32_t asked;   /* clients that were told to go */
	ev_timer tick;
};

/*
 * Start to drain; a second call changes the window (0: everybody now).  With
 * leave the loop is ended (ev_break) when no connection is left.
 */
void drain_start(struct worker *worker, uint32_t window_ms, bool leave);

/* A client came in through the door as it closed: it is asked as well. */
void drain_client(struct worker *worker, struct client *client);

/* Stop the timer. */
void drain_stop(struct worker *worker);

#endif /* WORKER_DRAIN_H */

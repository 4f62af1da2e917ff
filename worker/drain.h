/*
 * drain.h - clients are asked to go, one after the other.
 *
 * A drain closes the door and sends 1001 to every client that has to go, spread
 * over a window.  The close's reason tells each of them when to come back:
 * {"retry_in":ms}, a time of its own (retry.h).  The closes end so early that
 * the last client, too, may be back within the window.  With the window 0 all
 * closes go out now, and the times alone spread the return.
 *
 * A client that can be moved to another worker does not have to go.  move.h
 * says of whom that is true, and it may change: one that cannot be moved after
 * all is asked like the others.
 */
#ifndef WORKER_DRAIN_H
#define WORKER_DRAIN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct client;
struct worker;

enum {
	DRAIN_TICK_MS = 20
};

struct drain {
	bool active;
	bool leave; /* the worker exits when its last client has gone */
	uint64_t started_ms;
	uint32_t window_ms;
	uint32_t planned; /* clients that had to go, or have to */
	uint32_t asked;   /* those of them that were told to */
	uint64_t gap_us;  /* between two clients' times to return */
	uint64_t row;     /* of such times, while there is no page */
	ev_timer tick;
};

/*
 * Start to drain; a second call changes the window (0: everybody now).  With
 * leave the loop is ended (ev_break) when no connection is left.
 */
void drain_start(struct worker *worker, uint32_t window_ms, bool leave);

/*
 * Ask this client to go, now, unless it is moved.  It came in through the door
 * as that closed, or it turns out that it cannot be moved.
 */
void drain_client(struct worker *worker, struct client *client);

/* Stop the timer. */
void drain_stop(struct worker *worker);

#endif /* WORKER_DRAIN_H */

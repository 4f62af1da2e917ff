/*
 * control_peer.h - one connection of the control socket.
 *
 * Inside primary/control*.c only.  It is freed at the end of its answer, when
 * its time is over or when nobody is there any more; never inside a command.
 */
#ifndef PRIMARY_CONTROL_PEER_H
#define PRIMARY_CONTROL_PEER_H

#define ACCEPT_PAUSE_S 0.1 /* after running out of descriptors */

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/list.h"
#include "primary/control.h"
#include "primary/jobs.h"

struct control {
	struct ev_loop *loop;
	struct jobs *jobs;
	const struct control_calls *calls;
	void *arg;
	int listen_fd; /* owned */
	ev_io acceptable;
	ev_timer accept_pause;
	struct list connections;
	unsigned count;
};

struct control_peer {
	struct list link;
	struct control *control;
	int fd; /* owned */
	ev_io readable;
	ev_io writable;
	ev_timer deadline;
	char line[CONTROL_LINE_MAX];
	size_t len;
	bool stops;    /* waits for the end of the bus */
	bool finished; /* the final line is queued */
	struct buf out;
	struct waiter waiter;
};

/* A connection that says nothing yet; fd stays the caller's when it is NULL. */
struct control_peer *control_peer_new(struct control *control, int fd);

/*
 * A connection of an earlier program goes on: it waits for job (NULL: none),
 * or for the rest of its answer (finished), or its line is on its way.
 */
void control_peer_go_on(struct control_peer *peer, bool finished,
    struct job *job);

/* Queue the final line and, when it is out, close. */
void control_answer(struct control_peer *peer, int code, const char *text);

/* Carry out "COMMAND [ARG]"; line is changed.  The answer comes in time. */
void control_run(struct control_peer *peer, char *line);

#endif /* PRIMARY_CONTROL_PEER_H */

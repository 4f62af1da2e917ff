/*
 * attached.h - inside src/node only: a program on the bus, in four files.
 *
 *	attach.c           attach, detach; wait, dispatch, sync
 *	attach_link.c      the connection: lost, knocked for, back
 *	attach_messages.c  what the hub says
 *	attach_ops.c       what the public API wants done (api.h)
 *
 *	ATTACHED_AWAY --knock--> ATTACHED_KNOCKING --WELCOME--> ATTACHED_UP
 *	     ^                           |                           |
 *	     +------- end of file, any error, REFUSED, time-out -----+
 *
 * One epoll descriptor holds the hub's socket, whichever it is at the time,
 * and one timer; it is what cbus_fd() gives away.  Nothing waits in here but
 * the three calls that say so.  Callbacks come from inside of
 * cbus_dispatch() and, for own publishes, cbus_publish(); while `busy` is set
 * the connection is not closed under them: what fails is noted in `broken`.
 */
#ifndef NODE_ATTACHED_H
#define NODE_ATTACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "base/rundir.h"
#include "node/stream.h"
#include "node/track.h"

enum attached_state {
	ATTACHED_AWAY,     /* no connection; the timer says when to knock */
	ATTACHED_KNOCKING, /* HELLO is said; the timer says when to give up */
	ATTACHED_UP,
};

struct attached {
	struct cbus bus;
	struct stream stream;
	struct tracks tracks;
	struct contract *contract; /* owned; the same as bus.contract */
	enum attached_state state;
	bool busy;   /* inside a dispatch: callbacks are running */
	bool doomed; /* detached inside a callback */
	bool mute;   /* the last words are said: nothing is heard but PONG */
	bool broken; /* the connection failed, and is still open */
	bool wants_write;
	bool was_up;
	int epoll_fd, timer_fd;
	uint64_t link_due_ms; /* of the connection; UINT64_MAX: none */
	uint64_t armed_ms;    /* what timer_fd is set to */
	uint64_t up_since_ms;
	uint32_t knock_ms;   /* how long the next rest will be */
	uint32_t token;      /* of the last PING */
	uint32_t answered;   /* of the last PONG */
	size_t channels_max; /* that may be joined */
	size_t queue_max;    /* bytes of envelopes that may wait */
	int failure;         /* why the last knock was in vain */
	char why[256];       /* of REFUSED, or "" */
	char path[RUNDIR_MAX + 16];
	char label[64];
};

/* The struct behind a public pointer; NULL: it is a worker's. */
struct attached *attached_of(struct cbus *bus);

/* ---- attach.c ---- */

/* Set the timer to what is due next. */
void attached_arm(struct attached *attached);

/* ---- attach_link.c ---- */

/* Knock now; failing is no more than waiting for the next time. */
void attached_knock(struct attached *attached);

/* The connection has gone; err is why. */
void attached_lost(struct attached *attached, int err);

/* WELCOME came. */
void attached_welcome(struct attached *attached,
    const struct ipc_welcome *welcome);

/* REFUSED came. */
void attached_refused(struct attached *attached,
    const struct ipc_message *message);

/* Write what there is; have epoll watch for room for the rest. */
void attached_flush(struct attached *attached);

/* ---- attach_messages.c ---- */

/* A message came: a stream_fn. */
void attached_handle(void *arg, const struct ipc_message *message);

/* ---- attach_ops.c ---- */

extern const struct api_ops attached_ops;

/* Say that this channel is wanted; no answer is asked for.  0, -ENOMEM. */
WARN_UNUSED int attached_say_join(struct attached *attached, const char *name,
    size_t len);

#endif /* NODE_ATTACHED_H */

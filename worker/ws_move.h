/*
 * ws_move.h - take a connection out of libwebsockets, and put one in.
 *
 * Neither is something that libwebsockets offers.  Out: how far it has parsed is
 * known from watching its recv(), which this program defines itself, as send()
 * and shutdown(); then it is made to say what it has not sent, and to forget the
 * connection without a byte or a shutdown().  In: it reads a request that nobody sent, its answer is
 * swallowed, and what the client had sent of a frame is read once more.
 *
 * Whether this works with the libwebsockets at hand is tried at start
 * (ws_move_works()); where it does not, clients are asked to come back instead.
 * None of these functions may be called inside a callback of libwebsockets.
 */
#ifndef WORKER_WS_MOVE_H
#define WORKER_WS_MOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "worker/ws_shadow.h"

struct client;
struct ws;

/* What of a connection's state lies in libwebsockets and the kernel's way. */
struct ws_moved {
	struct ws_shadow shadow; /* where in a frame the reading stopped */
	unsigned char *tail;     /* owned; the unsent rest of a write, a PONG */
	size_t tail_len;
};

enum ws_fit {
	WS_FIT_NOW = 0, /* ws_move_out() will work */
	WS_FIT_SOON,    /* not in this turn of the loop */
	WS_FIT_NEVER,   /* TLS, closing, something that was not understood */
};

/* Tried when ws was made: can connections be moved at all? */
bool ws_move_works(const struct ws *ws);

/* Can this one be taken out now?  A client that is not OPEN never fits. */
enum ws_fit ws_move_fit(const struct client *client);

/*
 * Read nothing more from the client, or go on.  What it sends waits in the
 * kernel.  Costs no CPU while it lasts.
 */
void ws_move_pause(struct client *client, bool paused);

/*
 * Take it out.  Then client->wsi is NULL and client->fd (another number than
 * before) belongs to the caller: the same connection, open and untouched.  No
 * callback of client runs any more; its `in` and outbox are as they were,
 * client->partial is set so that nothing is written.  0, or nothing has
 * changed: -EAGAIN (it does not fit now), -EMFILE, -ENOMEM; or -EIO, for want
 * of memory too: a part of the tail is lost and the client is being closed.
 */
WARN_UNUSED int ws_move_out(struct client *client, struct ws_moved *ret_moved);

/*
 * Put client->fd in; client->wants_binary says which protocol.  No hook, limit
 * or welcome of a new client runs.  The client is CLIENT_OPEN (or DEAD, when it
 * has gone meanwhile: CLOSED will come), client->wsi set and client->fd another
 * number when this returns 0; the tail is written before anything else will be.
 * -errno: client->fd is still the caller's, nobody has read or written.
 */
WARN_UNUSED int ws_move_in(struct ws *ws, struct client *client,
    const struct ws_moved *moved);

/* Free the tail. */
void ws_moved_release(struct ws_moved *moved);

#endif /* WORKER_WS_MOVE_H */

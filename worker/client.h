/*
 * client.h - a connection, from accept to the end.
 *
 * Its life, seen from the worker:
 *
 *	HANDSHAKE --101--> OPEN ----close wanted----> CLOSING --> gone
 *	    |                |                           ^
 *	    +--- answered as HTTP, refused, timed out --> gone
 *	                     +--- the peer has gone ---> gone
 *	                     +--- given to another worker: MOVING --> gone
 *	MOVING --it is ours now--> OPEN
 *
 * A client is made by door.c when a connection is accepted, belongs to the
 * libwebsockets connection it is attached to, and is freed in one place only:
 * when that connection is destroyed (ws.c).  Nobody else frees it; who wants it
 * gone calls client_close().  Pointers to clients are kept only in lists that
 * client_free() takes it out of.
 *
 * One is made for every idle connection, so its size matters: what only some
 * clients need hangs on pointers.
 */
#ifndef WORKER_CLIENT_H
#define WORKER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/list.h"
#include "wire/push.h"
#include "worker/outbox.h"

struct address;
struct channel;
struct conn;
struct exchange;
struct handshake;
struct identity;
struct lws;
struct move;
struct worker;

enum client_state {
	CLIENT_HANDSHAKE = 0,
	CLIENT_OPEN,
	CLIENT_CLOSING, /* a close frame is due or under way */
	CLIENT_DEAD,    /* its socket is of no use; CLOSED will come */
	CLIENT_MOVING,  /* no libwebsockets: it comes or goes, see move.h */
};

/* WebSocket close codes that we send (protocol.md; RFC 6455, 7.4). */
enum close_code {
	CLOSE_GOING_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_BAD_TEXT = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_TOO_BIG = 1009,
	CLOSE_INTERNAL = 1011,
	CLOSE_UNAUTHORIZED = 4401,
	CLOSE_FORBIDDEN = 4403,
	CLOSE_SLOW = 4408,
	CLOSE_RATE = 4429,
};

/* A place in a channel; channel.c keeps both sides of it. */
struct subscription {
	struct channel *channel;
	uint32_t member; /* index in channel->members */
};

/* In an order without holes: there are many of them. */
struct client {
	struct worker *worker;
	struct lws *wsi;
	uint64_t number;         /* the connection id's last part */
	struct ipc_node_id home; /* and its first: where it was born */
	uint64_t opened_ms;      /* when it became a client */
	uint8_t state;           /* enum client_state */
	bool wants_binary;       /* negotiated clusterbus.v1.bin */
	bool tls;
	bool partial;       /* libwebsockets holds a part of our last write */
	bool pinged;        /* a ping is out and nothing has come since */
	bool answered;      /* HANDSHAKE: an HTTP response was written */
	bool counted;       /* among the open ones */
	bool in_binary;     /* the message in `in` is binary */
	bool authenticated; /* OPEN: false while it must say who it is */
	bool connected;     /* client_authenticated() has run */
	uint8_t held;       /* nothing is sent: membership_hold(); sweeps */
	uint8_t close_sent; /* the close frame has been handed over */
	uint16_t close_code;
	uint16_t refused; /* messages over its rate, one after the other */
	uint32_t seen_ms; /* when something came last; wraps, see client.c */
	uint32_t soft_since_ms; /* above outbox_soft since; 0: it is not */
	uint32_t index;         /* in worker->clients.all */
	int fd;                 /* its socket; -1: it has none */
	struct outbox outbox;
	struct list dirty;   /* in flush's list when something is to be sent */
	struct list reader;  /* in ws.c's list when it was read this turn */
	struct list waiters; /* acknowledgements that wait for the hub */
	uint32_t waiter_count;
	uint32_t read_bytes; /* this turn */
	uint32_t sub_count;  /* channels that it is in */
	uint32_t sub_cap;
	uint32_t put_count;          /* those of them that it was put into */
	uint32_t settle_ms;          /* not to be moved before this; wraps */
	struct subscription *subs;   /* owned */
	struct buf *in;              /* owned; NULL unless a message is open */
	struct address *address;     /* counted there */
	char *close_reason;          /* owned; NULL: none */
	struct identity *identity;   /* owned; NULL: nobody in particular */
	struct conn *conn;           /* owned; what applications see, or NULL */
	struct handshake *handshake; /* owned; until it is decided who it is */
	uint32_t auth_ms;          /* since when it may be waiting to say so */
	uint32_t tries;            /* tokens in band that count, auth.c */
	uint32_t tries_ms;         /* when one of them was forgotten last */
	uint32_t rate_tokens;      /* messages it may send now, in 1/1000 */
	uint32_t rate_ms;          /* when they were counted */
	uint32_t dropped;          /* frames that it was too slow for */
	struct exchange *exchange; /* owned; a request to the HTTP API */
	uint32_t gaps;             /* how often it was told of missing ones */
	bool paused;               /* nothing is read from it */
	uint8_t move_tries;        /* moves of it that were called off */
	struct move *move;         /* NULL: it stays here */
};

/* All clients of a worker, in a dense array. */
struct clients {
	struct client **all; /* owned */
	uint32_t count, cap;
	struct client **slots; /* owned; by number, see client_find.c */
	uint32_t slot_count;   /* a power of two */
	uint32_t sweep;        /* where the next sweep goes on */
	uint64_t next_number;
	uint32_t open; /* those that are OPEN or CLOSING */
};

/* A client for an accepted socket.  NULL: out of memory. */
struct client *client_new(struct worker *worker, int fd, bool tls);

/*
 * A client without a socket that is to come from another worker: MOVING, in no
 * channel, with no number, not counted as open.  NULL: out of memory.
 */
struct client *client_new_moved(struct worker *worker);

/* It is known who it is: it can be found.  0, -ENOMEM, -EEXIST. */
WARN_UNUSED int client_named(struct client *client);

/*
 * It begins, or ceases, to count as one of this worker's, as in the figures and
 * in what is asked.  Doing it twice does nothing.
 */
void client_count(struct client *client, bool counts);

/*
 * End a MOVING client that no libwebsockets knows: memberships silently, and
 * its memory.  Its fd is closed unless it is -1.
 */
void client_moved_away(struct client *client);

/*
 * It is open and it is known who it is (auth.c says so, once): it joins the
 * channel of its user, and applications hear of it.
 */
void client_authenticated(struct client *client);

/* May frames be queued for it? */
static inline bool
client_takes(const struct client *client)
{
	return client->state == CLIENT_OPEN || client->state == CLIENT_MOVING;
}

/* Its connection id; as text conn_id_format(). */
void client_conn_id(const struct client *client, struct conn_id *ret_id);

/*
 * The client of this worker with this connection id, wherever it was born; also
 * one that is on its way from or to here (client->counted: is it one of this
 * worker's now?).  NULL: it is not here, has gone, or is closing.
 */
struct client *client_find(const struct worker *worker,
    const struct conn_id *id);

/*
 * Keep the table behind client_find(); for who gives ids.  0, -ENOMEM, or -EEXIST:
 * that id is here already.
 */
WARN_UNUSED int clients_index(struct clients *clients, struct client *client);
void clients_unindex(struct clients *clients, const struct client *client);

/* Take it out of everything and free it.  ws.c only. */
void client_free(struct client *client);

/* The handshake is done: it counts as a client and gets its welcome. */
void client_opened(struct client *client);

/* The connection has closed or failed; no frame will leave any more. */
void client_closed(struct client *client);

/*
 * Queue a frame; the reference stays the caller's.  A client that is too slow
 * is handled by the outbox policy.  Never fails: what cannot be queued is
 * counted, and told to the client as a gap.
 */
void client_push(struct client *client, struct frame *frame);

/*
 * Queue a frame that limits do not apply to (answers are bounded by what the
 * client asks; pings must pass).  The reference is consumed; NULL (no memory
 * for the frame) closes the client.
 */
void client_push_own(struct client *client, struct frame *frame);

/* The same, before everything that waits. */
void client_push_first(struct client *client, struct frame *frame);

/*
 * Ask for the end: after what is queued, a close frame with this code and
 * reason (NULL: none; copied).  With a client that does not read, `now` drops
 * what is queued first.
 */
void client_close(struct client *client, enum close_code code,
    const char *reason, bool now);

/* A message came: may it be handled, or is the client over its rate? */
bool client_may_send(struct client *client);

/* Bytes came from it. */
void client_seen(struct client *client);

/*
 * Once a second in portions: pings for silent clients, the end for those that
 * do not answer, and for those that were too slow for too long.
 */
void clients_sweep(struct worker *worker, uint32_t portion);

/* Free the array; all clients have gone. */
void clients_release(struct clients *clients);

/* Drop what is queued without noting gaps: nothing will be sent any more. */
void client_clear_outbox(struct client *client);

/* What may be queued for the client now, in bytes: hard or soft limit. */
size_t client_limit(const struct client *client);

/* Begin or end the time above the soft limit. */
void client_note_soft(struct client *client);

/* This loop turn's time as clients keep it: 32 bits, wraps. */
uint32_t client_now(const struct worker *worker);

#endif /* WORKER_CLIENT_H */

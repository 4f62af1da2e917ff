/*
 * move.h - live connections go from one worker to another; the client notices
 * nothing.
 *
 * The steps are in wire/ipc_proto.h.  Who gets which envelope follows from
 * places in streams that keep their order, so nothing is numbered or compared:
 *
 *  - The taker JOINs the client's channels before it says ACCEPT; so what the
 *    hub relays after ACCEPT reaches it.
 *  - What the taker itself publishes after ACCEPT is for the client here; what
 *    it published before reaches the giver before ACCEPT does.
 *  - What the hub relays after ACCEPT is for the client here (CUT marks the
 *    place in the taker's stream); what it relayed before reached the giver
 *    before ACCEPT did, and the giver stops there.
 *  - What the giver itself publishes it gives to the client until GIVE; what it
 *    publishes later comes behind GIVE to the taker.
 *
 * Until GO the giver is the owner: it keeps the socket and goes on collecting
 * frames, so with NO, a taker that dies or a hub that goes it takes the
 * connection back.  The taker reads and writes nothing before GO.  A taker that
 * waits for GO when its giver or the hub goes lets the connection fall: closed
 * is better than two owners.
 *
 * A client to which an answer is due, or about which something changes, between
 * OFFER and ACCEPT is not moved then.  The next time nothing is read from it
 * meanwhile; what it sends waits in the kernel.
 */
#ifndef WORKER_MOVE_H
#define WORKER_MOVE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "wire/ipc_proto.h"
#include "worker/ws_move.h"

struct client;
struct worker;

enum {
	MOVES_OUT_MAX = 32,  /* on their way from here at once */
	MOVES_IN_MAX = 64,   /* on their way to here */
	MOVE_SPARE_FDS = 32, /* descriptors that are no client's */
	MOVE_TICK_MS = 10,
	/*
	 * A connection that is not quiet goes on, and is tried again later; on a
	 * worker that leaves twice as long each time.
	 */
	MOVE_QUIET_MS = 200,
	/* One that has just come is not sent on. */
	MOVE_SETTLE_MS = 1000,
	/* A step that the other side does not take: the move is called off. */
	MOVE_STEP_MS = 5000,
	/*
	 * After so many refusals balance does not ask for it any more; a worker
	 * that leaves tries until move-timeout, unless an application says no.
	 */
	MOVE_TRIES = 8,
	MOVE_NEVER = 255,
	MOVE_AGAIN_MS = 50, /* a refusal; more each time */
};

enum move_stage {
	/* giver */
	MOVE_QUIETING = 0, /* nothing is read; answers are still due */
	MOVE_OFFERED,
	MOVE_GIVEN, /* MOVING; waits for TAKEN */
	/* taker */
	MOVE_JOINING,  /* some JOIN could not be sent yet */
	MOVE_ACCEPTED, /* waits for GIVE */
	MOVE_TAKEN,    /* holds the socket, waits for GO */
};

/* Whose envelopes are for a client that is on its way. */
enum move_from {
	MOVE_FROM_HERE = 1 << 0,
	MOVE_FROM_OTHERS = 1 << 1,
	MOVE_FROM_GIVER = 1 << 2,
	MOVE_FROM_ALL = 7,
};

/* A connection on its way; client->move. */
struct move {
	struct list link; /* in mover->out or mover->in */
	struct client *client;
	struct ipc_node_id peer;
	uint32_t token;
	uint8_t stage;     /* enum move_stage */
	uint8_t takes;     /* enum move_from */
	bool giver;        /* this worker is */
	bool changed;      /* its channels have changed since OFFER */
	uint64_t step_ms;  /* when it came to this stage */
	uint64_t since_us; /* since when nothing is read; 0: it is */
	struct ws_moved moved;
	void *app; /* owned; taker: what applications have added */
	size_t app_len;
};

struct mover {
	struct list out, in;
	uint32_t out_count, in_count;
	uint32_t token;
	/* The order: so many are to go, to these by turns. */
	uint32_t wanted; /* UINT32_MAX: all */
	uint32_t rate;
	uint64_t began_ms;
	uint64_t started;   /* moves since then */
	uint32_t sweep;     /* where the search for the next one goes on */
	uint64_t search_ms; /* and when; it found nobody */
	uint32_t next;      /* target */
	uint32_t target_count;
	struct ipc_node_id targets[IPC_TARGETS_MAX];
	bool asked; /* LEAVING was said and not answered */
	ev_timer tick;
};

/* Nothing on its way. */
void move_init(struct worker *worker);

/* The worker ends: what is on its way is lost and counted. */
void move_stop(struct worker *worker);

/*
 * This worker is going to leave and nobody has told it where its clients may
 * go: ask.  And nothing is to be moved any more, because all are closed now.
 */
void move_ask(struct worker *worker);
void move_cancel(struct worker *worker);

/* Once a turn: begin what is due, go on where something was waited for. */
void move_turn(struct worker *worker);

/*
 * Will it go to another worker, or is it on its way there?  Then a drain does
 * not ask it to leave.
 */
bool move_wants(const struct client *client);

/* Is the envelope for this client, whose move is not NULL?  NULL: from here. */
bool move_takes(const struct client *client, const struct ipc_node_id *origin);

/* The client has closed: its move, if there is one, is called off. */
void move_client_gone(struct client *client);

/* What the hub says; see link.h. */
void move_on_order(struct worker *worker, const struct ipc_move *move,
    const struct ipc_node_id *targets, size_t count);
void move_on_offer(struct worker *worker, const struct ipc_offer *offer,
    const void *who, size_t len);
void move_on_step(struct worker *worker, const struct ipc_step *step);
void move_on_give(struct worker *worker, const struct ipc_give *give,
    const void *state, size_t len, const int *fds);

/*
 * The hub is away: givers take back, takers let fall.  It is back: one that was
 * sending its clients away asks again where to.
 */
void move_on_away(struct worker *worker);
void move_on_back(struct worker *worker);

#endif /* WORKER_MOVE_H */

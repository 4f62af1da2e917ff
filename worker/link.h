/*
 * link.h - a worker's end of the hub socket.
 *
 * What goes to the hub waits in one bounded buffer and leaves with one write
 * per loop turn.  When the buffer is full, envelopes are dropped and counted
 * (drop_link_full); receivers see it as a gap in the numbers.  Other messages
 * are few and have room of their own.
 *
 * The hub may go away at any time (end of file, any error): then the link is
 * AWAY, envelopes stay on this worker (drop_hub_away; so do those that were
 * queued), and it knocks at hub.sock with back-off, giving its listening
 * sockets along so that the next primary can take them.  When it is back,
 * `on_back` says so and the bus joins its channels again.  After orphan_timeout
 * without a hub `on_orphan` is called.
 */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/ipc.h"

struct ev_loop;
struct link;
struct stats_worker;

enum link_state {
	LINK_AWAY = 0, /* no hub; knocking */
	LINK_HELLO,    /* connected, WELCOME has not come */
	LINK_UP,
};

struct link_events {
	/* First WELCOME.  fds are the callee's: listeners, then the page. */
	void (*on_welcome)(void *arg, const struct ipc_welcome *welcome,
	    const int *fds, size_t fd_count);
	/* WELCOME again, from a new primary. */
	void (*on_back)(void *arg, const struct ipc_welcome *welcome,
	    const int *fds, size_t fd_count);
	void (*on_config)(void *arg, const char *text, size_t len);
	void (*on_joined)(void *arg, uint32_t token);
	void (*on_envelope)(void *arg, const struct ipc_envelope *envelope);
	/* Comes before each CONFIG; empty: there is no contract. */
	void (*on_contract)(void *arg, const char *text, size_t len);
	/* text is the question's arguments (wire/query.h). */
	void (*on_query)(void *arg, const struct ipc_query *query,
	    const void *text, size_t len);
	void (*on_answer)(void *arg, const struct ipc_answer *answer,
	    const char *rows, size_t len);
	void (*on_queried)(void *arg, const struct ipc_queried *queried);
	/* A presence channel, with its "p:". */
	void (*on_wanted)(void *arg, const char *channel, size_t len,
	    bool wanted);
	void (*on_gone)(void *arg, const struct ipc_node_id *node);
	/* The backplane failed; see ipc_read_fault(). */
	void (*on_fault)(void *arg, const struct ipc_message *message);
	/* The steps of a move, see worker/move.h. */
	void (*on_move)(void *arg, const struct ipc_move *move,
	    const struct ipc_node_id *targets, size_t count);
	void (*on_offer)(void *arg, const struct ipc_offer *offer,
	    const void *who, size_t len);
	void (*on_step)(void *arg, const struct ipc_step *step);
	/* fds (give->fd_count of them, 1 or 2) are the callee's. */
	void (*on_give)(void *arg, const struct ipc_give *give,
	    const void *state, size_t len, const int *fds);
	void (*on_drain)(void *arg, uint32_t window_ms, bool leave);
	void (*on_reopen)(void *arg);
	void (*on_away)(void *arg, const char *why);
	/* The hub does not want us, and why. */
	void (*on_refused)(void *arg, uint32_t retry_ms, const char *why);
	void (*on_orphan)(void *arg);
};

/*
 * None of these is called before link_new() has returned.  All functions below
 * but link_free() may be called inside.
 *
 * A link on a connected socket (fd is consumed), or, with fd -1, one that
 * starts to knock at hub_path (copied; may be NULL with an fd: WELCOME tells
 * the run directory).  NULL: out of memory.
 */
struct link *link_new(struct ev_loop *loop, int fd, const char *hub_path,
    const char *name, const struct link_events *events, void *arg);

/* NULL is allowed. */
void link_free(struct link *link);

/* Where drops and queue are counted from now on. */
void link_set_stats(struct link *link, struct stats_worker *stats);

/*
 * The name of the bus that we look for: another one refuses us.  At first any
 * will do.
 */
void link_set_bus(struct link *link, const char *name);

/* Limits; may change at any time. */
void link_set_limits(struct link *link, size_t queue_max,
    uint64_t orphan_timeout_ms);

/*
 * The listening sockets that a new primary gets; borrowed, the array too.
 * count 0: we have no place any more (draining) and do not knock.
 */
void link_set_listeners(struct link *link, const int *fds, size_t count);

/*
 * Whether one without listening sockets knocks all the same: it leaves, and its
 * clients may still go to other workers.
 */
void link_set_knocking(struct link *link, bool knocks);

/* Is the hub there? */
enum link_state link_state(const struct link *link);

/*
 * Queue an envelope.  What is not possible is counted as dropped: -EPIPE (the
 * hub is away), -ENOBUFS (the queue is full).
 */
WARN_UNUSED int link_publish(struct link *link,
    const struct ipc_envelope *envelope);

/*
 * Is there room for a JOIN?  When there is none, or the hub is away, link_join()
 * queues nothing and returns false; membership.c tries again.
 */
bool link_has_room(const struct link *link);
bool link_join(struct link *link, uint32_t token, const char *channel,
    size_t len);
void link_leave(struct link *link, const char *channel, size_t len);

/*
 * Ask the hub: query, and its arguments as query_append() writes them.  0,
 * -EPIPE: the hub is away; -ENOBUFS: the queue is full (nothing was queued).
 */
WARN_UNUSED int link_query(struct link *link, const struct ipc_query *query,
    const void *text, size_t len);

/*
 * One part of an answer: at most IPC_ANSWER_MAX bytes of rows.  0, -EPIPE,
 * -ENOBUFS.  Parts that are not the last leave room for one that is, so the
 * caller can end a cut answer in order.
 */
WARN_UNUSED int link_answer(struct link *link, const struct ipc_answer *answer,
    const char *rows, size_t len);

/*
 * The steps of a move.  False: the hub is away or the queue is full, nothing
 * was queued.  link_give() sends copies of the descriptors.
 */
bool link_leaving(struct link *link);
bool link_offer(struct link *link, const struct ipc_offer *offer,
    const void *who, size_t len);
bool link_step(struct link *link, const struct ipc_step *step);
bool link_give(struct link *link, const struct ipc_give *give,
    const void *state, size_t len, const int *fds);

/* Say that clients are accepted; say what came of a CONFIG. */
void link_ready(struct link *link);
void link_applied(struct link *link, bool ok, const char *why);

/* Write what is queued; called once at the end of every loop turn. */
void link_flush(struct link *link);

/* Write all that is queued, waiting up to timeout_ms for the hub to read. */
void link_flush_all(struct link *link, int timeout_ms);

#endif /* WORKER_LINK_H */

/*
 * hub_node.h - one node as the hub sees it: its socket and its queue.
 *
 * Inside primary/hub*.c only.  The queue has two parts.  `parts` are envelopes
 * of this turn, still lying in the read buffers of the nodes they came from:
 * they are never copied when the socket takes them at once, and neighbours in
 * a read buffer become one part.  `backlog` is what the socket did not take,
 * copied at the end of the turn, so that a node that stands still pins nobody
 * else's memory.  Order: backlog first, then parts.
 */
#ifndef PRIMARY_HUB_NODE_H
#define PRIMARY_HUB_NODE_H

#include <ev.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/list.h"
#include "primary/hub.h"
#include "primary/hub_query.h"
#include "primary/hub_sink.h"
#include "primary/interest.h"
#include "wire/ipc.h"
#include "wire/ipc_fds.h"

#define HUB_ACCEPT_PAUSE_S 0.1 /* after running out of descriptors */

enum {
	HUB_PARTS_MAX = 512, /* then they are written before the turn ends */
	HUB_HELLO_TIMEOUT_S = 5,
	HUB_ANONYMOUS_MAX = 64, /* nodes that have not said HELLO yet */
};

enum hub_node_state {
	NODE_NEW = 0, /* nothing said yet */
	NODE_HELLO,   /* waits for the supervisor's answer */
	NODE_WELCOME, /* on the bus */
	NODE_CLOSING, /* on_gone is due at the end of the turn */
};

struct hub_node {
	struct hub *hub;
	uint32_t index; /* in hub->nodes */
	enum hub_node_state state;
	int fd;
	pid_t pid;
	uid_t uid;
	char bus[64];          /* it looks for */
	struct ipc_node_id id; /* what is stamped into its envelopes */
	void *data;            /* the supervisor's */

	struct ipc_in in;
	size_t handled; /* bytes of in that this turn's parts may point to */
	struct ipc_fds_in in_fds;

	struct buf backlog;
	struct ipc_fds_out out_fds; /* places in backlog */
	struct iovec parts[HUB_PARTS_MAX];
	size_t part_count;
	size_t part_bytes;
	bool dropping; /* over queue_max, and not yet down to half */
	bool wants_write;
	size_t joined;   /* channels */
	size_t presence; /* those of them that are presence channels */
	size_t asking;   /* its questions under way */
	bool worker;     /* WELCOME: in a slot; else a program */
	bool ready;      /* a worker that has, or had, clients */
	bool deaf;       /* its end is closed, what it said is still here */
	size_t noted;    /* backlog bytes that hub->queued has of it */
	char why[96];    /* CLOSING: for on_gone */

	struct list dirty;   /* in hub->dirty when there is something to send */
	struct list sources; /* in hub->sources when handled != 0 */
	struct list closing;
	ev_io readable;
	ev_io writable;
	ev_timer hello_timeout;
};

/* Who sees every envelope; see hub_sink.h. */
struct hub_tap {
	hub_sink_fn *fn;
	void *arg;
	struct hub_sink *own; /* what it injects is not for this tap */
};

/* When a fault of a stage was told last, and how many were not since. */
struct hub_fault_stage {
	uint64_t told_ms;
	unsigned left_out;
};

struct hub {
	struct ev_loop *loop;
	struct stats_hub *stats;
	const struct hub_events *events;
	void *arg;
	size_t queue_max;
	size_t channels_max;
	bool local; /* workers do not hear each other */
	struct interest interest;
	size_t presence_channels; /* that a node wants */
	struct hub_queries queries;
	struct hub_node *nodes[HUB_NODES_MAX];
	uint32_t node_count;
	uint32_t anonymous;
	uint64_t queued; /* sum of all backlogs */
	struct hub_sink *sinks[HUB_SINKS_MAX];
	uint32_t sink_count; /* places in sinks that were ever used */
	unsigned calling;    /* inside calls of sinks and taps, so deep */
	bool sinks_closed;   /* in there */
	struct hub_tap taps[HUB_TAPS_MAX];
	size_t tap_count;
	struct list chunks; /* what was injected in this turn */
	struct hub_fault_stage faults[3];
	gid_t group; /* whose members are let in; (gid_t)-1: none */
	int listen_fd;
	ev_io acceptable;
	ev_timer accept_pause;
	ev_check turn_start;
	ev_prepare turn_end;
	struct list dirty;
	struct list sources;
	struct list closing;
};

/* hub_queue.c */

/*
 * Queue an envelope that lies in a read buffer until the end of this turn.
 * Drops and counts it when the node's queue is full.
 */
void hub_node_queue(struct hub_node *node, const void *message, size_t len);

/*
 * Queue an answer or a command; copied, never dropped: a node for which there
 * is no room is closed.
 */
void hub_node_command(struct hub_node *node, enum ipc_type type,
    const void *fixed, size_t fixed_len, const void *tail, size_t tail_len);

/* Queue a GIVE with its descriptors, which are consumed. */
void hub_node_give(struct hub_node *node, const struct ipc_give *give,
    const void *state, size_t len, const int *fds);

/* Does its queue take so many bytes more, as hub_node_queue() counts? */
bool hub_node_has_room(const struct hub_node *node, size_t len);

/* Write what the socket takes and copy the rest into the backlog. */
void hub_node_flush(struct hub_node *node);

/* What a backlog may hold: envelopes up to queue_max, and answers. */
size_t hub_backlog_max(size_t queue_max);

/* Bytes that wait for this node. */
size_t hub_node_queued(const struct hub_node *node);

/* hub_messages.c */

/*
 * Handle all whole messages that have been read.  HELLO is the only one that
 * may bring descriptors, and nothing may follow it before the answer.
 */
void hub_node_handle(struct hub_node *node, const int *fds, size_t fd_count);

/* Close descriptors that nobody will use. */
void hub_close_fds(const int *fds, size_t count);

/* Write the interest table's figures into the statistics. */
void hub_note_interests(struct hub *hub);

/* hub_sink.c */

/* Give an envelope to the sink with this index, HUB_NODES_MAX counted in. */
void hub_sink_call(struct hub *hub, uint32_t index,
    const struct ipc_envelope *envelope);

/* Give an envelope to all taps but those of the sink `from` (NULL: none). */
void hub_tap_call(struct hub *hub, const struct hub_sink *from,
    const struct ipc_envelope *envelope);

/*
 * The turn has ended: what was injected in it has gone out, and sinks that were
 * closed inside a call are freed.
 */
void hub_sinks_turn_end(struct hub *hub);

/* Free all sinks and chunks. */
void hub_sinks_release(struct hub *hub);

/* hub.c */

/*
 * A node in this place, which is free (HUB_NODES_MAX: there is none).  fd is
 * consumed, on failure too.  NULL: out of memory, or no place.
 */
struct hub_node *hub_node_new(struct hub *hub, uint32_t index, int fd,
    pid_t pid);

/* What the end of a turn does: write, give buffers free, close who failed. */
void hub_turn_over(struct hub *hub);

/* Mark for closing at the end of the turn; the first reason counts. */
void hub_node_fail(struct hub_node *node, const char *why);

/* The same, counted as a breach of the protocol. */
void hub_node_violation(struct hub_node *node, const char *why);

#endif /* PRIMARY_HUB_NODE_H */

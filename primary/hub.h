/*
 * hub.h - relays envelopes between the nodes of one host.
 *
 * A node is a worker or an attached program: one stream socket.  The hub reads
 * many messages at once, checks each header by the table of ipc_proto.h,
 * stamps the origin into envelopes (identity comes from the socket, never from
 * the message), and queues the same bytes to every node that joined the
 * envelope's channel, except the one it came from.  It never looks into a
 * payload and never calls anything that could wait.
 *
 * Back-pressure: what a node's socket does not take at once is kept for it up
 * to queue_max bytes; beyond that envelopes for this node are dropped and
 * counted (drop_slow) until the queue is down to half.  Answers and commands
 * (JOINED, PONG, CONFIG, DRAIN ...) are never dropped; a node that lets twice
 * queue_max pile up is cut off.  One node's queue never slows another.
 *
 * The hub knows nothing of slots: who may join and what he gets is decided by
 * the supervisor behind struct hub_events.  Everything runs in one thread on
 * one libev loop.
 */
#ifndef PRIMARY_HUB_H
#define PRIMARY_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "wire/ipc_proto.h"
#include "wire/stats.h"

struct ev_loop;
struct hub;
struct hub_node;

enum {
	HUB_NODES_MAX = 2048
};

/*
 * What the hub tells the supervisor.  Inside these calls every function below
 * may be used, hub_close() included (the node is freed later, after on_gone).
 */
struct hub_events {
	/*
	 * A node has said HELLO.  pid is the kernel's word (or, for a spawned
	 * worker, what hub_add() was told); hello->id and hello->section are
	 * claims.  fds (fd_count of them) belong to the callee from now on.
	 * Answer with hub_welcome() or hub_refuse(), now or later.
	 */
	void (*on_hello)(void *arg, struct hub_node *node,
	    const struct ipc_hello *hello, const char *name, pid_t pid,
	    const int *fds, size_t fd_count);

	/* It accepts clients from now on. */
	void (*on_ready)(void *arg, struct hub_node *node);

	/* It applied a later CONFIG, or kept its old one: why. */
	void (*on_applied)(void *arg, struct hub_node *node, bool ok,
	    const char *why);

	/* A worker was told by somebody else to leave. */
	void (*on_leaving)(void *arg, struct hub_node *node);

	/*
	 * It has gone: end of file, a violation, hub_close().  why is for the
	 * log.  Its interests have been forgotten already; node is freed when
	 * this returns.
	 */
	void (*on_gone)(void *arg, struct hub_node *node, const char *why);
};

/*
 * A hub without nodes.  stats and events are borrowed until hub_free().
 * NULL: out of memory.
 */
struct hub *hub_new(struct ev_loop *loop, struct stats_hub *stats,
    const struct hub_events *events, void *arg);

/* Close all nodes (without on_gone) and free.  NULL is allowed. */
void hub_free(struct hub *hub);

/* What is queued for one node at most, in bytes; may change at any time. */
void hub_set_queue_max(struct hub *hub, size_t bytes);

/*
 * How many channels an attached program may join; one more cuts it off.  (A
 * worker keeps to its own limit.)  The default is none.
 */
void hub_set_channels_max(struct hub *hub, size_t channels);

/*
 * How long a question waits for a worker that does not answer, at most; for
 * questions that are asked from now on.
 */
void hub_set_query_timeout(struct hub *hub, uint64_t ms);

/*
 * Whether workers hear each other (the default) or each is for itself: then an
 * envelope of a worker goes to programs and sinks only.
 */
void hub_set_local(struct hub *hub, bool local);

/*
 * Let in members of this group, too, besides this user and root; (gid_t)-1, as
 * at first: nobody else.
 */
void hub_set_group(struct hub *hub, gid_t group);

/*
 * Accept nodes from outside on a Unix socket; the listening descriptor is
 * consumed.  Peers that may not come in are turned away.  0 or -errno.
 */
WARN_UNUSED int hub_listen(struct hub *hub, int listen_fd);

/*
 * Take a connected socket as a node (one end of a socketpair; the other end is
 * a spawned worker's).  fd is consumed, on failure too.  pid: the worker's,
 * may be set later with hub_node_set_pid() before the loop runs.
 * NULL: out of memory or HUB_NODES_MAX reached.
 */
struct hub_node *hub_add(struct hub *hub, int fd, pid_t pid);

/* Who it is, as the kernel or whoever spawned it says; never its own word. */
void hub_node_set_pid(struct hub_node *node, pid_t pid);
pid_t hub_node_pid(const struct hub_node *node);
uid_t hub_node_uid(const struct hub_node *node);

/* The name of the bus that it looks for, its own word; empty: any. */
const char *hub_node_bus(const struct hub_node *node);

/* The supervisor's own pointer; NULL at first. */
void hub_node_set_data(struct hub_node *node, void *data);
void *hub_node_data(const struct hub_node *node);

/*
 * Give the node its place.  welcome->fd_count listening sockets and, with
 * welcome->has_page, the page's descriptor stand in fds in this order; they
 * stay the caller's.  id is from now on stamped into the node's envelopes.
 * 0, -ENOMEM, or -errno of the socket (then the node is closed as well).
 */
WARN_UNUSED int hub_welcome(struct hub_node *node,
    const struct ipc_welcome *welcome, const char *run_dir, const int *fds);

/* Turn the node away politely and close. */
void hub_refuse(struct hub_node *node, uint32_t retry_ms, const char *why);

/* Commands; each is queued and sent at the end of the loop's turn. */
void hub_send_config(struct hub_node *node, const char *text, size_t len);
void hub_send_contract(struct hub_node *node, const char *text, size_t len);
void hub_send_drain(struct hub_node *node, uint32_t window_ms, bool leave);
void hub_send_reopen(struct hub_node *node);

/*
 * Have a worker move that many of its clients (UINT32_MAX: all; 0: no more) to
 * these workers, by turns, at most rate a second (0: as fast as it goes).
 * Targets that are not on the bus are left out; count up to IPC_TARGETS_MAX.
 */
void hub_send_move(struct hub_node *node, uint32_t clients, uint32_t rate,
    struct hub_node *const *targets, size_t count);

/* Close after what is queued was tried once; on_gone follows. */
void hub_close(struct hub_node *node, const char *why);

#endif /* PRIMARY_HUB_H */

/*
 * hub.c - nodes come, speak and go; envelopes are relayed.
 *
 * One turn of the loop: every readable node is read once and its messages are
 * handled; at the end of the turn (ev_prepare) every node that has something
 * queued gets one writev(), then the read buffers are given free, then nodes
 * that failed are closed.  Nothing is freed inside its own callback.
 */
#include "primary/hub.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "base/sched.h"
#include "primary/hub_move.h"
#include "primary/hub_node.h"
#include "primary/hub_presence.h"

void
hub_node_fail(struct hub_node *node, const char *why)
{
	if (node->state == NODE_CLOSING)
		return;
	if (node->state == NODE_NEW)
		node->hub->anonymous--;
	node->state = NODE_CLOSING;
	(void)snprintf(node->why, sizeof(node->why), "%s", why);
	ev_io_stop(node->hub->loop, &node->readable);
	ev_io_stop(node->hub->loop, &node->writable);
	ev_timer_stop(node->hub->loop, &node->hello_timeout);
	list_append(&node->hub->closing, &node->closing);
}

void
hub_node_violation(struct hub_node *node, const char *why)
{
	if (node->state != NODE_CLOSING)
		stats_add(&node->hub->stats->violations, 1);
	hub_node_fail(node, why);
}

static void
node_free(struct hub_node *node)
{
	struct hub *hub = node->hub;

	ev_io_stop(hub->loop, &node->readable);
	ev_io_stop(hub->loop, &node->writable);
	ev_timer_stop(hub->loop, &node->hello_timeout);
	list_remove(&node->dirty);
	list_remove(&node->sources);
	list_remove(&node->closing);
	(void)close(node->fd); /* nothing to do about a failing close */
	ipc_in_release(&node->in);
	ipc_fds_in_release(&node->in_fds);
	ipc_fds_out_release(&node->out_fds);
	buf_release(&node->backlog);
	hub->queued -= node->noted;
	stats_set(&hub->stats->queue_bytes, hub->queued);
	hub->nodes[node->index] = NULL;
	hub->node_count--;
	stats_set(&hub->stats->nodes, hub->node_count);
	free(node);
}

static void
close_failed(struct hub *hub)
{
	struct hub_node *node;

	while (!list_is_empty(&hub->closing)) {
		node = LIST_ENTRY(hub->closing.next, struct hub_node, closing);
		list_remove(&node->closing);
		hub_query_forget(node);
		hub_presence_forget(node);
		hub_move_forget(node);
		(void)interest_forget(&hub->interest, node->index);
		hub_note_interests(hub);
		hub->events->on_gone(hub->arg, node, node->why);
		node_free(node);
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct hub_node *node = watcher->data;
	int fds[IPC_FDS_MAX];
	size_t fd_count = 0;
	ssize_t n;

	(void)loop;
	(void)revents;
	/*
	 * A flush in the middle of the turn (HUB_PARTS_MAX) may have closed
	 * nothing yet, and parts may still point into this buffer: it is read
	 * once a turn only.
	 */
	if (node->handled != 0)
		return;
	n = ipc_in_read(&node->in, node->fd, fds, ARRAY_LEN(fds), &fd_count);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		hub_close_fds(fds, fd_count);
		hub_node_fail(node, n == 0 ? "closed" : strerror((int)-n));
		return;
	}
	stats_add(&node->hub->stats->bytes_in, (uint64_t)n);
	if (list_is_empty(&node->sources))
		list_append(&node->hub->sources, &node->sources);
	hub_node_handle(node, fds, fd_count);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct hub_node *node = watcher->data;

	(void)revents;
	node->wants_write = false;
	ev_io_stop(loop, &node->writable);
	hub_node_flush(node);
}

static void
on_turn_start(struct ev_loop *loop, ev_check *watcher, int revents)
{
	(void)loop;
	(void)watcher;
	(void)revents;
	sched_let_others_first();
}

/* Write what is queued, then give the read buffers free. */
static void
flush_nodes(struct hub *hub)
{
	struct hub_node *node;

	while (!list_is_empty(&hub->dirty)) {
		node = LIST_ENTRY(hub->dirty.next, struct hub_node, dirty);
		list_remove(&node->dirty);
		hub_node_flush(node);
	}
	while (!list_is_empty(&hub->sources)) {
		node = LIST_ENTRY(hub->sources.next, struct hub_node, sources);
		list_remove(&node->sources);
		ipc_in_consume(&node->in, node->handled);
		node->handled = 0;
	}
	if (hub->sinks_closed || !list_is_empty(&hub->chunks))
		hub_sinks_turn_end(hub);
}

void
hub_turn_over(struct hub *hub)
{
	/* on_gone may have said something to others: the loop waits next. */
	do {
		flush_nodes(hub);
		close_failed(hub);
	} while (!list_is_empty(&hub->dirty));
}

static void
on_turn_end(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	(void)loop;
	(void)revents;
	hub_turn_over(watcher->data);
}

static void
on_hello_timeout(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)loop;
	(void)revents;
	hub_node_violation(watcher->data, "did not introduce itself");
}

/* ---- life -------------------------------------------------------------- */

struct hub *
hub_new(struct ev_loop *loop, struct stats_hub *stats,
    const struct hub_events *events, void *arg)
{
	struct hub *hub = calloc(1, sizeof(*hub));

	if (hub == NULL)
		return NULL;
	hub->loop = loop;
	hub->stats = stats;
	hub->events = events;
	hub->arg = arg;
	hub->queue_max = 32 << 20;
	hub->channels_max = SIZE_MAX;
	hub->group = (gid_t)-1;
	hub->listen_fd = -1;
	interest_init(&hub->interest);
	hub_query_init(hub);
	list_init(&hub->dirty);
	list_init(&hub->sources);
	list_init(&hub->closing);
	list_init(&hub->chunks);
	ev_prepare_init(&hub->turn_end, on_turn_end);
	hub->turn_end.data = hub;
	ev_prepare_start(loop, &hub->turn_end);
	ev_check_init(&hub->turn_start, on_turn_start);
	ev_set_priority(&hub->turn_start, EV_MAXPRI); /* before any read */
	ev_check_start(loop, &hub->turn_start);
	return hub;
}

void
hub_free(struct hub *hub)
{
	if (hub == NULL)
		return;
	hub_query_release(hub);
	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		if (hub->nodes[i] == NULL)
			continue;
		hub_node_flush(hub->nodes[i]);
		node_free(hub->nodes[i]);
	}
	if (hub->listen_fd != -1) {
		ev_io_stop(hub->loop, &hub->acceptable);
		ev_timer_stop(hub->loop, &hub->accept_pause);
		(void)close(hub->listen_fd);
	}
	ev_timer_stop(hub->loop, &hub->queries.timer);
	ev_prepare_stop(hub->loop, &hub->turn_end);
	ev_check_stop(hub->loop, &hub->turn_start);
	hub_sinks_release(hub);
	interest_release(&hub->interest);
	free(hub);
}

void
hub_set_channels_max(struct hub *hub, size_t channels)
{
	hub->channels_max = channels;
}

void
hub_set_group(struct hub *hub, gid_t group)
{
	hub->group = group;
}

void
hub_set_local(struct hub *hub, bool local)
{
	hub->local = local;
}

void
hub_set_queue_max(struct hub *hub, size_t bytes)
{
	hub->queue_max = bytes;
	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		if (hub->nodes[i] != NULL)
			hub->nodes[i]->backlog.max = hub_backlog_max(bytes);
	}
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct hub *hub = watcher->data;

	(void)revents;
	ev_io_start(loop, &hub->acceptable);
}

/* Out of descriptors: the socket stays readable, so look away for a moment. */
static void
pause_accepting(struct hub *hub)
{
	stats_add(&hub->stats->refused, 1);
	ev_io_stop(hub->loop, &hub->acceptable);
	ev_timer_set(&hub->accept_pause, HUB_ACCEPT_PAUSE_S, 0.);
	ev_timer_start(hub->loop, &hub->accept_pause);
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct hub *hub = watcher->data;
	struct hub_node *node;
	pid_t pid = 0;
	uid_t uid = 0;
	int fd;

	(void)loop;
	(void)revents;
	fd = accept4(hub->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_accepting(hub);
		return;
	}
	if (net_peer(fd, &pid, &uid) != 0 ||
	    (!net_peer_allowed(uid) && !net_peer_in_group(fd, hub->group)) ||
	    hub->anonymous >= HUB_ANONYMOUS_MAX) {
		stats_add(&hub->stats->refused, 1);
		(void)close(fd);
		return;
	}
	node = hub_add(hub, fd, pid);
	if (node == NULL) {
		stats_add(&hub->stats->refused, 1);
		return;
	}
	node->uid = uid;
	ev_timer_start(hub->loop, &node->hello_timeout);
}

int
hub_listen(struct hub *hub, int listen_fd)
{
	assert(hub->listen_fd == -1);
	hub->listen_fd = listen_fd;
	ev_io_init(&hub->acceptable, on_acceptable, listen_fd, EV_READ);
	hub->acceptable.data = hub;
	ev_init(&hub->accept_pause, on_pause_over);
	hub->accept_pause.data = hub;
	ev_io_start(hub->loop, &hub->acceptable);
	return 0;
}

struct hub_node *
hub_add(struct hub *hub, int fd, pid_t pid)
{
	uint32_t index = 0;

	while (index < HUB_NODES_MAX && hub->nodes[index] != NULL)
		index++;
	return hub_node_new(hub, index, fd, pid);
}

struct hub_node *
hub_node_new(struct hub *hub, uint32_t index, int fd, pid_t pid)
{
	struct hub_node *node;

	node = index < HUB_NODES_MAX ? calloc(1, sizeof(*node)) : NULL;
	if (node == NULL) {
		(void)close(fd);
		return NULL;
	}
	node->hub = hub;
	node->index = index;
	node->fd = fd;
	node->pid = pid;
	node->uid = geteuid();
	ipc_in_init(&node->in);
	buf_init(&node->backlog, hub_backlog_max(hub->queue_max));
	list_init(&node->dirty);
	list_init(&node->sources);
	list_init(&node->closing);
	ipc_socket_buffers(fd);
	ev_io_init(&node->readable, on_readable, fd, EV_READ);
	ev_io_init(&node->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&node->hello_timeout, on_hello_timeout,
	    HUB_HELLO_TIMEOUT_S, 0.);
	node->readable.data = node;
	node->writable.data = node;
	node->hello_timeout.data = node;
	ev_io_start(hub->loop, &node->readable);
	hub->nodes[index] = node;
	hub->node_count++;
	hub->anonymous++;
	stats_set(&hub->stats->nodes, hub->node_count);
	return node;
}

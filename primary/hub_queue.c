/*
 * hub_queue.c - what waits for a node, and how it gets out.
 *
 * The relay's cost is here.  With eight workers that all want a channel, one
 * read of 128 KiB becomes seven writev() of one part each, whatever the number
 * of envelopes in it: nothing is copied and nothing is allocated.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "primary/hub_node.h"

size_t
hub_node_queued(const struct hub_node *node)
{
	return node->backlog.len + node->part_bytes;
}

bool
hub_node_has_room(const struct hub_node *node, size_t len)
{
	size_t queued = hub_node_queued(node);

	return queued == 0 || queued + len <= node->hub->queue_max;
}

size_t
hub_backlog_max(size_t queue_max)
{
	return 2 * queue_max + IPC_CONFIG_MAX + IPC_CONTRACT_MAX;
}

static void
mark_dirty(struct hub_node *node)
{
	if (list_is_empty(&node->dirty))
		list_append(&node->hub->dirty, &node->dirty);
}

static void
note_queue_max(struct hub_node *node)
{
	struct stats_hub *stats = node->hub->stats;

	if (hub_node_queued(node) > stats->queue_bytes_max)
		stats_set(&stats->queue_bytes_max, hub_node_queued(node));
}

/* Move this turn's parts behind the backlog.  False: no memory. */
static bool
keep_parts(struct hub_node *node)
{
	for (size_t i = 0; i < node->part_count; i++) {
		if (buf_append(&node->backlog, node->parts[i].iov_base,
			node->parts[i].iov_len) != 0) {
			hub_node_fail(node, "no memory for its queue");
			return false;
		}
	}
	node->part_count = 0;
	node->part_bytes = 0;
	note_queue_max(node);
	return true;
}

void
hub_node_queue(struct hub_node *node, const void *message, size_t len)
{
	struct hub *hub = node->hub;
	struct iovec *last;

	if (node->state != NODE_WELCOME || node->deaf)
		return;
	if (node->dropping && hub_node_queued(node) <= hub->queue_max / 2)
		node->dropping = false;
	/* One that is larger than the queue passes when nothing waits. */
	if (node->dropping || !hub_node_has_room(node, len)) {
		node->dropping = true;
		stats_add(&hub->stats->drop_slow, 1);
		return;
	}
	if (len > hub->queue_max)
		node->backlog.max = hub_backlog_max(hub->queue_max) + len;
	stats_add(&hub->stats->envelopes_out, 1);
	mark_dirty(node);
	if (node->part_count != 0) {
		last = &node->parts[node->part_count - 1];
		if ((const unsigned char *)last->iov_base + last->iov_len ==
		    message) {
			last->iov_len += len;
			node->part_bytes += len;
			return;
		}
	}
	if (node->part_count == HUB_PARTS_MAX) {
		hub_node_flush(node);
		if (node->state != NODE_WELCOME || node->deaf)
			return;
	}
	last = &node->parts[node->part_count++];
	/* writev() does not write into it; iovec has no const. */
	memcpy(&last->iov_base, &message, sizeof(message));
	last->iov_len = len;
	node->part_bytes += len;
}

void
hub_node_command(struct hub_node *node, enum ipc_type type, const void *fixed,
    size_t fixed_len, const void *tail, size_t tail_len)
{
	if (node->state == NODE_CLOSING || node->deaf || !keep_parts(node))
		return;
	if (ipc_append(&node->backlog, type, fixed, fixed_len, tail, tail_len,
		NULL, 0) != 0) {
		hub_node_fail(node, "does not read its answers");
		return;
	}
	note_queue_max(node);
	mark_dirty(node);
}

void
hub_node_give(struct hub_node *node, const struct ipc_give *give,
    const void *state, size_t len, const int *fds)
{
	size_t at;

	if (node->state == NODE_CLOSING || node->deaf || !keep_parts(node)) {
		hub_close_fds(fds, give->fd_count);
		return;
	}
	if (!ipc_fds_has_room(&node->out_fds)) {
		hub_close_fds(fds, give->fd_count);
		hub_node_fail(node, "does not take its connections");
		return;
	}
	at = node->backlog.len;
	hub_node_command(node, IPC_GIVE, give, sizeof(*give), state, len);
	if (node->state == NODE_CLOSING)
		hub_close_fds(fds, give->fd_count);
	else
		ipc_fds_add(&node->out_fds, at, fds, give->fd_count);
}

/* Forget the first n bytes of backlog and parts. */
static void
advance(struct hub_node *node, size_t n)
{
	size_t from = 0, step;

	step = n < node->backlog.len ? n : node->backlog.len;
	buf_consume(&node->backlog, step);
	n -= step;
	node->part_bytes -= n;
	while (n != 0 && n >= node->parts[from].iov_len)
		n -= node->parts[from++].iov_len;
	if (n != 0) {
		node->parts[from].iov_base =
		    (unsigned char *)node->parts[from].iov_base + n;
		node->parts[from].iov_len -= n;
	}
	node->part_count -= from;
	memmove(node->parts, node->parts + from,
	    node->part_count * sizeof(node->parts[0]));
}

/* One write of everything there is, up to a descriptor.  0, or -errno. */
static int
write_once(struct hub_node *node)
{
	struct iovec iov[HUB_PARTS_MAX + 1];
	size_t count = 0;
	ssize_t n;

	if (node->backlog.len != 0)
		iov[count++] = (struct iovec){ buf_data(&node->backlog),
			node->backlog.len };
	memcpy(iov + count, node->parts,
	    node->part_count * sizeof(node->parts[0]));
	count += node->part_count;
	n = ipc_fds_write(&node->out_fds, node->fd, iov, count);
	if (n < 0)
		return (int)n;
	stats_add(&node->hub->stats->bytes_out, (uint64_t)n);
	advance(node, (size_t)n);
	return 0;
}

/*
 * The node has closed its end.  What it said before is still to be read and
 * relayed, up to the end of its stream; what is for it goes nowhere.
 */
static void
go_deaf(struct hub_node *node)
{
	node->deaf = true;
	node->part_count = 0;
	node->part_bytes = 0;
	buf_consume(&node->backlog, node->backlog.len);
	ipc_fds_out_release(&node->out_fds);
}

void
hub_node_flush(struct hub_node *node)
{
	size_t fds;
	int rc = 0;

	if (node->state == NODE_CLOSING)
		return;
	/* While the socket is full, only its EV_WRITE says when to try. */
	if (!node->wants_write && hub_node_queued(node) != 0) {
		do {
			fds = node->out_fds.count;
			rc = write_once(node);
		} while (rc == 0 && fds != 0 && hub_node_queued(node) != 0);
	}
	if (rc == -EPIPE || rc == -ECONNRESET) {
		go_deaf(node);
	} else if (rc != 0 && rc != -EAGAIN && rc != -ETOOMANYREFS) {
		hub_node_fail(node, strerror(-rc));
		return;
	}
	if (!keep_parts(node))
		return;
	if (node->backlog.len != 0 && !node->wants_write) {
		node->wants_write = true;
		ev_io_start(node->hub->loop, &node->writable);
	} else if (node->backlog.len == 0) {
		node->backlog.max = hub_backlog_max(node->hub->queue_max);
	}
	if (node->backlog.len == 0 && node->wants_write) {
		node->wants_write = false;
		ev_io_stop(node->hub->loop, &node->writable);
	}
	node->hub->queued += node->backlog.len - node->noted;
	node->noted = node->backlog.len;
	stats_set(&node->hub->stats->queue_bytes, node->hub->queued);
}

/*
 * hub_commands.c - what the supervisor says to a node, through the hub.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/net.h"
#include "primary/hub_node.h"
#include "primary/hub_presence.h"

void
hub_node_set_pid(struct hub_node *node, pid_t pid)
{
	node->pid = pid;
}

pid_t
hub_node_pid(const struct hub_node *node)
{
	return node->pid;
}

uid_t
hub_node_uid(const struct hub_node *node)
{
	return node->uid;
}

const char *
hub_node_bus(const struct hub_node *node)
{
	return node->bus;
}

void
hub_node_set_data(struct hub_node *node, void *data)
{
	node->data = data;
}

void *
hub_node_data(const struct hub_node *node)
{
	return node->data;
}

/*
 * WELCOME carries descriptors, so it cannot wait in the queue: nothing was
 * sent to this node before, and its socket buffer has room for one message.
 */
int
hub_welcome(struct hub_node *node, const struct ipc_welcome *welcome,
    const char *run_dir, const int *fds)
{
	struct buf out;
	ssize_t n;
	int rc;

	assert(node->state == NODE_HELLO);
	buf_init(&out, IPC_TEXT_MAX + 256);
	rc = ipc_append(&out, IPC_WELCOME, welcome, sizeof(*welcome), run_dir,
	    strlen(run_dir), NULL, 0);
	if (rc != 0) {
		hub_node_fail(node, "no memory for its welcome");
		return rc;
	}
	n = net_send_fds(node->fd, buf_data(&out), out.len, fds,
	    welcome->fd_count + (welcome->has_page ? 1 : 0));
	rc = n == (ssize_t)out.len ? 0 : n < 0 ? (int)n : -EPIPE;
	buf_release(&out);
	if (rc != 0) {
		hub_node_fail(node, "could not be welcomed");
		return rc;
	}
	node->id = welcome->id;
	node->state = NODE_WELCOME;
	node->worker = welcome->id.slot < IPC_PROGRAM_SLOT;
	node->ready = welcome->adopted != 0; /* it has clients already */
	if (node->worker)
		hub_presence_tell(node);
	return 0;
}

void
hub_refuse(struct hub_node *node, uint32_t retry_ms, const char *why)
{
	struct ipc_refused refused = { .retry_ms = retry_ms };

	stats_add(&node->hub->stats->refused, 1);
	hub_node_command(node, IPC_REFUSED, &refused, sizeof(refused), why,
	    strlen(why));
	hub_close(node, why);
}

void
hub_send_config(struct hub_node *node, const char *text, size_t len)
{
	hub_node_command(node, IPC_CONFIG, NULL, 0, text, len);
}

void
hub_send_contract(struct hub_node *node, const char *text, size_t len)
{
	hub_node_command(node, IPC_CONTRACT, NULL, 0, text, len);
}

void
hub_send_drain(struct hub_node *node, uint32_t window_ms, bool leave)
{
	struct ipc_drain drain = { .window_ms = window_ms, .leave = leave };

	hub_node_command(node, IPC_DRAIN, &drain, sizeof(drain), NULL, 0);
}

void
hub_send_reopen(struct hub_node *node)
{
	hub_node_command(node, IPC_REOPEN, NULL, 0, NULL, 0);
}

void
hub_close(struct hub_node *node, const char *why)
{
	hub_node_flush(node);
	hub_node_fail(node, why);
}

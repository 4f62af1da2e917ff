/*
 * hub_messages.c - what a node may say, and what the hub does about it.
 *
 * A node that breaks the protocol is cut off and counted; nobody else notices.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "primary/hub_move.h"
#include "primary/hub_node.h"
#include "primary/hub_presence.h"

void
hub_note_interests(struct hub *hub)
{
	stats_set(&hub->stats->channels, hub->interest.channels.count);
	stats_set(&hub->stats->interests, hub->interest.pairs);
}

static void
give(struct hub_node *from, uint32_t index, const void *whole, size_t len)
{
	struct hub_node *to = from->hub->nodes[index];

	if (to != from && !(from->hub->local && from->worker && to->worker))
		hub_node_queue(to, whole, len);
}

/* A room that is being filled: its JOINs are still on their way. */
static void
queue_to_workers(struct hub_node *from, const unsigned char *whole, size_t len)
{
	struct hub_node *node;

	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		node = from->hub->nodes[i];
		if (node != NULL && node != from && node->worker &&
		    node->state == NODE_WELCOME)
			give(from, (uint32_t)i, whole, len);
	}
}

static void
on_publish(struct hub_node *node, struct ipc_message *message)
{
	struct hub *hub = node->hub;
	const struct interest_channel *channel;
	struct ipc_envelope envelope;
	unsigned char *whole = message->body - sizeof(struct ipc_header);
	size_t len = message->len + sizeof(struct ipc_header);

	if (ipc_read_envelope(message, &envelope) != 0) {
		hub_node_violation(node,
		    "envelope whose lengths contradict each other");
		return;
	}
	stats_add(&hub->stats->envelopes_in, 1);
	ipc_stamp_origin(message, &node->id);
	if ((envelope.head.flags & IPC_PUBLISH_WORKERS) != 0 &&
	    envelope.channel[0] == 'r') {
		queue_to_workers(node, whole, len);
		if (hub->tap_count != 0) {
			envelope.head.origin = node->id;
			hub_tap_call(hub, NULL, &envelope);
		}
		return;
	}
	channel = interest_find(&hub->interest, envelope.channel,
	    envelope.channel_len);
	if (channel == NULL && hub->tap_count == 0)
		return;
	envelope.head.origin = node->id;
	for (uint32_t i = 0; channel != NULL && i < channel->count; i++) {
		if (channel->nodes[i] >= HUB_NODES_MAX)
			hub_sink_call(hub, channel->nodes[i], &envelope);
		else
			give(node, channel->nodes[i], whole, len);
	}
	if (hub->tap_count != 0)
		hub_tap_call(hub, NULL, &envelope);
}

static void
on_join(struct hub_node *node, struct ipc_message *message)
{
	struct ipc_join join;
	struct ipc_joined joined;
	const char *name = (const char *)message->body + sizeof(join);
	size_t len = message->len - sizeof(join);
	int rc;

	memcpy(&join, message->body, sizeof(join));
	rc = interest_join(&node->hub->interest, node->index, name, len);
	if (rc < 0) {
		hub_node_fail(node, "no memory for its channels");
		return;
	}
	node->joined += (size_t)rc;
	if (rc == 1 && hub_presence_is(name, len))
		hub_presence_joined(node, name, len); /* before JOINED */
	if (node->id.slot >= IPC_PROGRAM_SLOT &&
	    node->joined > node->hub->channels_max) {
		hub_node_violation(node, "joined more than max-channels");
		return;
	}
	hub_note_interests(node->hub);
	if (join.token == 0)
		return;
	joined.token = join.token;
	hub_node_command(node, IPC_JOINED, &joined, sizeof(joined), NULL, 0);
}

static void
on_leave(struct hub_node *node, struct ipc_message *message)
{
	const char *name = (const char *)message->body;
	int rc = interest_leave(&node->hub->interest, node->index, name,
	    message->len);

	node->joined -= (size_t)rc;
	if (rc == 1 && hub_presence_is(name, message->len))
		hub_presence_left(node, name, message->len);
	hub_note_interests(node->hub);
}

/* Behind the name for people may stand the bus that it looks for. */
static void
read_bus(struct hub_node *node, const char *text, size_t len)
{
	const char *end = memchr(text, '\0', len);
	size_t rest = end != NULL ? len - (size_t)(end + 1 - text) : 0;

	if (rest == 0 || rest >= sizeof(node->bus))
		return;
	memcpy(node->bus, end + 1, rest);
	node->bus[rest] = '\0';
}

static void
on_hello(struct hub_node *node, struct ipc_message *message, const int *fds,
    size_t fd_count)
{
	struct ipc_hello hello;
	char name[64];
	size_t len = message->len - sizeof(hello);

	memcpy(&hello, message->body, sizeof(hello));
	if (len >= sizeof(name))
		len = sizeof(name) - 1;
	memcpy(name, message->body + sizeof(hello), len);
	name[len] = '\0';
	read_bus(node, (const char *)message->body + sizeof(hello),
	    message->len - sizeof(hello));
	ev_timer_stop(node->hub->loop, &node->hello_timeout);
	node->state = NODE_HELLO;
	node->hub->anonymous--;
	node->hub->events->on_hello(node->hub->arg, node, &hello, name,
	    node->pid, fds, fd_count);
}

static void
on_applied(struct hub_node *node, struct ipc_message *message)
{
	struct ipc_applied applied;
	char why[256];
	size_t len = message->len - sizeof(applied);

	memcpy(&applied, message->body, sizeof(applied));
	if (len >= sizeof(why))
		len = sizeof(why) - 1;
	memcpy(why, message->body + sizeof(applied), len);
	why[len] = '\0';
	node->hub->events->on_applied(node->hub->arg, node, applied.ok != 0,
	    why);
}

/* A message of a node that is on the bus. */
static void
dispatch(struct hub_node *node, struct ipc_message *message)
{
	struct hub *hub = node->hub;

	switch (message->type) {
	case IPC_PUBLISH:
		on_publish(node, message);
		break;
	case IPC_JOIN:
		on_join(node, message);
		break;
	case IPC_LEAVE:
		on_leave(node, message);
		break;
	case IPC_PING:
		hub_node_command(node, IPC_PONG, message->body, message->len,
		    NULL, 0);
		break;
	case IPC_READY:
		node->ready = true;
		hub->events->on_ready(hub->arg, node);
		break;
	case IPC_APPLIED:
		on_applied(node, message);
		break;
	case IPC_QUERY:
		hub_query_ask(node, message);
		break;
	case IPC_ANSWER:
		hub_query_answer(node, message);
		break;
	case IPC_LEAVING:
		hub->events->on_leaving(hub->arg, node);
		break;
	case IPC_OFFER:
		hub_move_offer(node, message);
		break;
	case IPC_STEP:
		hub_move_step(node, message);
		break;
	case IPC_GIVE:
		hub_move_give(node, message);
		break;
	case IPC_HELLO:
		hub_node_violation(node, "said HELLO twice");
		break;
	case IPC_WELCOME:
	case IPC_REFUSED:
	case IPC_CONFIG:
	case IPC_JOINED:
	case IPC_DRAIN:
	case IPC_PONG:
	case IPC_REOPEN:
	case IPC_CONTRACT:
	case IPC_QUERIED:
	case IPC_WANTED:
	case IPC_GONE:
	case IPC_FAULT:
	case IPC_MOVE:
	case IPC_TYPE_COUNT:
		assert(false && "direction was checked by the table");
		break;
	}
}

void
hub_close_fds(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]); /* never used */
}

void
hub_node_handle(struct hub_node *node, const int *fds, size_t fd_count)
{
	struct ipc_message message;
	const char *why = "";
	ssize_t n;

	/* Only workers have more to give than their HELLO's. */
	if (fd_count != 0 && node->state == NODE_WELCOME && node->worker) {
		if (!ipc_fds_came(&node->in_fds, fds, fd_count))
			hub_node_violation(node, "too many descriptors");
		fd_count = 0;
	}
	while (node->state != NODE_CLOSING) {
		n = ipc_in_peek(&node->in, node->handled, IPC_UP, &message,
		    &why);
		if (n < 0) {
			hub_node_violation(node, why);
			break;
		}
		if (n == 0)
			break;
		node->handled += (size_t)n;
		if (node->state == NODE_WELCOME) {
			dispatch(node, &message);
			continue;
		}
		if (node->state != NODE_NEW || message.type != IPC_HELLO) {
			hub_node_violation(node, "spoke before it was welcome");
			break;
		}
		on_hello(node, &message, fds, fd_count);
		fd_count = 0; /* they are the supervisor's now */
	}
	if (fd_count != 0) {
		hub_close_fds(fds, fd_count);
		hub_node_violation(node, "descriptors without HELLO");
	}
}

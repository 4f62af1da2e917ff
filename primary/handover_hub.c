/*
 * handover_hub.c - the hub's nodes on their way to the next program.
 *
 * Sockets stay open, so what a node has said and nobody has read waits in the
 * kernel.  Written down is what was read and is not a whole message yet, what
 * the socket did not take, and who wants which channel.  Sinks (the Redis door,
 * the backplane) join anew by themselves.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "primary/handover_parts.h"
#include "primary/hub_node.h"
#include "primary/hub_presence.h"

void
handover_rest_hub(struct hub *hub)
{
	hub_query_end_all(hub);
	hub_turn_over(hub);
}

/* ---- writing ----------------------------------------------------------- */

void
handover_put_hub(struct handover_out *out, const struct hub *hub,
    struct handover_primary *primary)
{
	primary->hub_fd = handover_put_fd(out, hub->listen_fd);
	primary->query_token = hub->queries.last_token;
}

static void
put_node(struct handover_out *out, struct hub_node *node)
{
	struct handover_node record;
	double left;

	assert(node->handled == 0 && node->part_count == 0);
	memset(&record, 0, sizeof(record));
	record.index = node->index;
	record.state = (uint32_t)node->state;
	record.fd = handover_put_fd(out, node->fd);
	record.pid = (int32_t)node->pid;
	record.uid = (uint32_t)node->uid;
	record.id = node->id;
	record.dropping = node->dropping;
	record.worker = node->worker;
	record.ready = node->ready;
	record.deaf = node->deaf;
	record.in_len = (uint32_t)node->in.len;
	record.backlog_len = (uint32_t)node->backlog.len;
	if (ev_is_active(&node->hello_timeout)) {
		left =
		    ev_timer_remaining(node->hub->loop, &node->hello_timeout);
		record.hello_left_ms =
		    left > 0.001 ? (uint32_t)(left * 1000.0) : 1;
	}
	handover_put(out, HANDOVER_NODE, &record,
	    node->in.len != 0 ? node->in.mem + node->in.off : NULL,
	    node->in.len, buf_data(&node->backlog), node->backlog.len);
}

static void
put_channel(struct handover_out *out, const struct interest_channel *channel)
{
	struct handover_channel record = {
		.name_len = (uint32_t)channel->entry.key_len,
	};
	uint32_t nodes[HUB_NODES_MAX];

	for (uint32_t i = 0; i < channel->count; i++) {
		if (channel->nodes[i] < HUB_NODES_MAX)
			nodes[record.count++] = channel->nodes[i];
	}
	if (record.count != 0)
		handover_put(out, HANDOVER_CHANNEL, &record, channel->name,
		    record.name_len, nodes, record.count * sizeof(nodes[0]));
}

void
handover_put_nodes(struct handover_out *out, const struct hub *hub)
{
	const struct table *channels = &hub->interest.channels;
	struct table_entry *entry;

	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		if (hub->nodes[i] != NULL)
			put_node(out, hub->nodes[i]);
	}
	for (entry = table_next(channels, NULL); entry != NULL;
	     entry = table_next(channels, entry))
		put_channel(out,
		    CONTAINER_OF(entry, struct interest_channel, entry));
}

/* ---- reading ----------------------------------------------------------- */

static int
fill_in(struct ipc_in *in, const unsigned char *data, size_t len)
{
	if (len == 0)
		return 0;
	in->mem = malloc(len);
	if (in->mem == NULL)
		return -ENOMEM;
	memcpy(in->mem, data, len);
	in->cap = len;
	in->len = len;
	return 0;
}

static int
take_node(struct hub *hub, const struct handover_record *record)
{
	struct handover_node from;
	struct hub_node *node;
	int rc;

	memcpy(&from, record->body, sizeof(from));
	node = hub_node_new(hub, from.index, from.fd, (pid_t)from.pid);
	if (node == NULL)
		return -ENOMEM;
	node->uid = (uid_t)from.uid;
	node->id = from.id;
	node->dropping = from.dropping;
	node->worker = from.worker;
	node->ready = from.ready;
	node->deaf = from.deaf;
	if (from.state != NODE_NEW) {
		node->state = NODE_WELCOME;
		hub->anonymous--;
	} else if (from.hello_left_ms != 0) {
		ev_timer_set(&node->hello_timeout,
		    (double)from.hello_left_ms / 1000.0, 0.);
		ev_timer_start(hub->loop, &node->hello_timeout);
	}
	if (node->backlog.max < from.backlog_len)
		node->backlog.max = from.backlog_len;
	rc = fill_in(&node->in, record->tail, from.in_len);
	if (rc == 0 && from.backlog_len != 0)
		rc = buf_append(&node->backlog, record->tail + from.in_len,
		    from.backlog_len);
	if (rc == 0 && from.backlog_len != 0)
		hub_node_flush(node); /* which asks to be told */
	return rc;
}

/* It has joined; nobody is told, everybody knows. */
static int
take_channel(struct hub *hub, const struct handover_record *record)
{
	const char *name = (const char *)record->tail;
	struct handover_channel channel;
	struct hub_node *node;
	uint32_t index;
	int rc;

	memcpy(&channel, record->body, sizeof(channel));
	if (hub_presence_is(name, channel.name_len) &&
	    interest_find(&hub->interest, name, channel.name_len) == NULL)
		hub->presence_channels++;
	for (uint32_t i = 0; i < channel.count; i++) {
		memcpy(&index,
		    record->tail + channel.name_len + i * sizeof(index),
		    sizeof(index));
		node = handover_node(hub, index);
		rc = interest_join(&hub->interest, index, name,
		    channel.name_len);
		if (rc < 0)
			return rc;
		node->joined += (size_t)rc;
		if (hub_presence_is(name, channel.name_len))
			node->presence += (size_t)rc;
	}
	return 0;
}

int
handover_take_hub(const struct handover_state *state, struct hub *hub)
{
	struct handover_primary primary;
	struct handover_record record;
	size_t pos = 0;
	int rc = 0;

	handover_read_primary(state, &primary, NULL, 0);
	hub->queries.last_token = primary.query_token;
	while (rc == 0 && handover_next(state, &pos, HANDOVER_NODE, &record))
		rc = take_node(hub, &record);
	pos = 0;
	while (rc == 0 && handover_next(state, &pos, HANDOVER_CHANNEL, &record))
		rc = take_channel(hub, &record);
	stats_set(&hub->stats->wanted, hub->presence_channels);
	hub_note_interests(hub);
	return rc;
}

struct hub_node *
handover_node(const struct hub *hub, uint32_t index)
{
	assert(index < HUB_NODES_MAX && hub->nodes[index] != NULL);
	return hub->nodes[index];
}

uint32_t
handover_node_index(const struct hub_node *node)
{
	return node != NULL ? node->index : HUB_NODES_MAX;
}

void
handover_wake_hub(struct hub *hub)
{
	struct hub_node *node;

	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		node = hub->nodes[i];
		if (node == NULL || node->in.len == 0)
			continue;
		if (list_is_empty(&node->sources))
			list_append(&hub->sources, &node->sources);
		hub_node_handle(node, NULL, 0);
	}
	hub_turn_over(hub);
}

/* hub_presence.c - see hub_presence.h. */
#include "primary/hub_presence.h"

#include "primary/hub_node.h"

static void
say_wanted(struct hub_node *node, bool is_wanted, const char *name, size_t len)
{
	struct ipc_wanted wanted = { .wanted = is_wanted };

	hub_node_command(node, IPC_WANTED, &wanted, sizeof(wanted), name, len);
}

static void
tell_workers(struct hub *hub, bool is_wanted, const char *name, size_t len)
{
	struct hub_node *node;

	if (is_wanted)
		hub->presence_channels++;
	else
		hub->presence_channels--;
	stats_set(&hub->stats->wanted, hub->presence_channels);
	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		node = hub->nodes[i];
		if (node != NULL && node->worker && node->state == NODE_WELCOME)
			say_wanted(node, is_wanted, name, len);
	}
}

void
hub_presence_joined(struct hub_node *node, const char *name, size_t len)
{
	node->presence++;
	if (interest_find(&node->hub->interest, name, len)->count == 1)
		tell_workers(node->hub, true, name, len);
}

void
hub_presence_left(struct hub_node *node, const char *name, size_t len)
{
	node->presence--;
	if (interest_find(&node->hub->interest, name, len) == NULL)
		tell_workers(node->hub, false, name, len);
}

/* The next presence channel behind this one (NULL: the first). */
static const struct interest_channel *
next_channel(const struct hub *hub, const struct interest_channel *channel)
{
	const struct table *channels = &hub->interest.channels;
	const struct table_entry *entry =
	    table_next(channels, channel != NULL ? &channel->entry : NULL);

	while (entry != NULL && !hub_presence_is(entry->key, entry->key_len))
		entry = table_next(channels, entry);
	return entry != NULL ? (const void *)((const char *)entry -
				   offsetof(struct interest_channel, entry)) :
			       NULL;
}

void
hub_presence_tell(struct hub_node *node)
{
	const struct interest_channel *channel = NULL;

	if (node->hub->presence_channels == 0)
		return; /* no walk over all channels */
	while ((channel = next_channel(node->hub, channel)) != NULL) {
		/* However many others want: it shall get on the bus. */
		node->backlog.max += sizeof(struct ipc_header) +
		    sizeof(struct ipc_wanted) + channel->entry.key_len;
		say_wanted(node, true, channel->name, channel->entry.key_len);
	}
}

static void
say_gone(struct hub_node *node)
{
	struct ipc_gone gone = { .node = node->id };
	struct hub *hub = node->hub;

	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		if (hub->nodes[i] != NULL && hub->nodes[i]->presence != 0)
			hub_node_command(hub->nodes[i], IPC_GONE, &gone,
			    sizeof(gone), NULL, 0);
	}
}

void
hub_presence_forget(struct hub_node *node)
{
	const struct interest_channel *channel = NULL;
	struct hub *hub = node->hub;

	if (node->worker)
		say_gone(node);
	if (node->presence == 0)
		return;
	node->presence = 0;
	while ((channel = next_channel(hub, channel)) != NULL) {
		if (channel->count == 1 && channel->nodes[0] == node->index)
			tell_workers(hub, false, channel->name,
			    channel->entry.key_len);
	}
}

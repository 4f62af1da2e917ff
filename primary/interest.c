/* interest.c - see interest.h. */
#include "primary/interest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum {
	FIRST_CAP = 4
};

void
interest_init(struct interest *interest)
{
	*interest = (struct interest){ 0 };
	table_init(&interest->channels);
}

static struct interest_channel *
channel_of(struct table_entry *entry)
{
	return CONTAINER_OF(entry, struct interest_channel, entry);
}

static void
channel_free(struct interest_channel *channel)
{
	free(channel->nodes);
	free(channel);
}

void
interest_release(struct interest *interest)
{
	struct table_entry *entry, *next;

	for (entry = table_next(&interest->channels, NULL); entry != NULL;
	     entry = next) {
		next = table_next(&interest->channels, entry);
		channel_free(channel_of(entry));
	}
	table_release(&interest->channels);
	interest->pairs = 0;
}

static struct interest_channel *
lookup(const struct interest *interest, const char *name, size_t len)
{
	struct table_entry *entry;

	entry =
	    table_find(&interest->channels, name, len, hash_bytes(name, len));
	return entry != NULL ? channel_of(entry) : NULL;
}

static struct interest_channel *
channel_new(struct interest *interest, const char *name, size_t len)
{
	struct interest_channel *channel;

	channel = malloc(sizeof(*channel) + len);
	if (channel == NULL)
		return NULL;
	*channel = (struct interest_channel){ 0 };
	memcpy(channel->name, name, len);
	channel->entry.key = channel->name;
	channel->entry.key_len = len;
	channel->entry.hash = hash_bytes(name, len);
	if (table_insert(&interest->channels, &channel->entry) != 0) {
		free(channel);
		return NULL;
	}
	return channel;
}

/* Take a channel out that nobody wants any more. */
static void
drop_if_unwanted(struct interest *interest, struct interest_channel *channel)
{
	if (channel->count != 0)
		return;
	table_remove(&interest->channels, &channel->entry);
	channel_free(channel);
}

static int
add_node(struct interest_channel *channel, uint32_t node)
{
	uint32_t cap = channel->cap != 0 ? channel->cap * 2 : FIRST_CAP;
	uint32_t *nodes;

	if (channel->count == channel->cap) {
		nodes = realloc(channel->nodes, cap * sizeof(nodes[0]));
		if (nodes == NULL)
			return -ENOMEM;
		channel->nodes = nodes;
		channel->cap = cap;
	}
	channel->nodes[channel->count++] = node;
	return 0;
}

/* Whether the node was there. */
static int
remove_node(struct interest_channel *channel, uint32_t node)
{
	for (uint32_t i = 0; i < channel->count; i++) {
		if (channel->nodes[i] == node) {
			channel->nodes[i] = channel->nodes[--channel->count];
			return 1;
		}
	}
	return 0;
}

int
interest_join(struct interest *interest, uint32_t node, const char *name,
    size_t len)
{
	struct interest_channel *channel = lookup(interest, name, len);
	int rc;

	if (channel == NULL)
		channel = channel_new(interest, name, len);
	if (channel == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < channel->count; i++) {
		if (channel->nodes[i] == node)
			return 0;
	}
	rc = add_node(channel, node);
	if (rc != 0) {
		drop_if_unwanted(interest, channel);
		return rc;
	}
	interest->pairs++;
	return 1;
}

int
interest_leave(struct interest *interest, uint32_t node, const char *name,
    size_t len)
{
	struct interest_channel *channel = lookup(interest, name, len);

	if (channel == NULL || !remove_node(channel, node))
		return 0;
	interest->pairs--;
	drop_if_unwanted(interest, channel);
	return 1;
}

size_t
interest_forget(struct interest *interest, uint32_t node)
{
	struct table_entry *entry, *next;
	size_t forgotten = 0;

	for (entry = table_next(&interest->channels, NULL); entry != NULL;
	     entry = next) {
		next = table_next(&interest->channels, entry);
		if (!remove_node(channel_of(entry), node))
			continue;
		forgotten++;
		drop_if_unwanted(interest, channel_of(entry));
	}
	interest->pairs -= forgotten;
	return forgotten;
}

const struct interest_channel *
interest_find(const struct interest *interest, const char *name, size_t len)
{
	return lookup(interest, name, len);
}

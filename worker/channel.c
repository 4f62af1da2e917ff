/* channel.c - see channel.h. */
#include "worker/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "wire/node_id.h"
#include "worker/client.h"

enum {
	FIRST_MEMBERS = 4,
	FIRST_SUBS = 4,
	FIRST_ORIGINS = 2
};

static struct channel *
channel_of(struct table_entry *entry)
{
	return CONTAINER_OF(entry, struct channel, entry);
}

void
channels_init(struct channels *channels)
{
	*channels = (struct channels){ 0 };
	table_init(&channels->table);
	list_init(&channels->joining);
	list_init(&channels->unjoined);
	list_init(&channels->idle);
}

static void
channel_free(struct channels *channels, struct channel *channel)
{
	assert(channel->count == 0);
	assert(channels->node != channel);
	assert(list_is_empty(&channel->waiters));
	if (!list_is_empty(&channel->idle))
		channels->idle_count--;
	list_remove(&channel->idle);
	list_remove(&channel->joining);
	table_remove(&channels->table, &channel->entry);
	free(channel->members);
	free(channel->origins);
	free(channel);
}

void
channels_release(struct channels *channels)
{
	struct table_entry *entry, *next;

	channels->node = NULL;
	for (entry = table_next(&channels->table, NULL); entry != NULL;
	     entry = next) {
		next = table_next(&channels->table, entry);
		channel_free(channels, channel_of(entry));
	}
	table_release(&channels->table);
}

struct channel *
channel_find(const struct channels *channels, const char *name, size_t len)
{
	struct table_entry *entry;

	entry = table_find(&channels->table, name, len, hash_bytes(name, len));
	return entry != NULL ? channel_of(entry) : NULL;
}

struct channel *
channel_get(struct channels *channels, const char *name, size_t len)
{
	uint64_t hash = hash_bytes(name, len);
	struct table_entry *entry;
	struct channel *channel;

	entry = table_find(&channels->table, name, len, hash);
	if (entry != NULL)
		return channel_of(entry);
	channel = malloc(sizeof(*channel) + len);
	if (channel == NULL)
		return NULL;
	*channel = (struct channel){ 0 };
	memcpy(channel->name, name, len);
	channel->entry.key = channel->name;
	channel->entry.key_len = len;
	channel->entry.hash = hash;
	list_init(&channel->joining);
	list_init(&channel->idle);
	list_init(&channel->waiters);
	if (table_insert(&channels->table, &channel->entry) != 0) {
		free(channel);
		return NULL;
	}
	return channel;
}

int64_t
channel_member(const struct channel *channel, const struct client *client)
{
	/* Search the shorter side: 1000 topics a client, 1000 clients a topic. */
	if (channel->count < client->sub_count) {
		for (uint32_t i = 0; i < channel->count; i++) {
			if (channel->members[i].client == client)
				return channel->members[i].sub;
		}
		return -1;
	}
	for (uint32_t i = 0; i < client->sub_count; i++) {
		if (client->subs[i].channel == channel)
			return i;
	}
	return -1;
}

/* Room for one more element of size bytes. */
static int
make_room(void **array, uint32_t count, uint32_t *cap, uint32_t first,
    size_t size)
{
	uint32_t wanted = *cap != 0 ? *cap * 2 : first;
	void *bigger;

	if (count < *cap)
		return 0;
	bigger = realloc(*array, wanted * size);
	if (bigger == NULL)
		return -ENOMEM;
	*array = bigger;
	*cap = wanted;
	return 0;
}

/* It is idle no more. */
static void
wake(struct channels *channels, struct channel *channel)
{
	if (list_is_empty(&channel->idle))
		return;
	list_remove(&channel->idle);
	channels->idle_count--;
}

int
channel_pin(struct channels *channels, struct channel *channel)
{
	if (channel->pins == UINT16_MAX)
		return -ENOSPC;
	channel->pins++;
	wake(channels, channel);
	return 0;
}

bool
channel_unpin(struct channel *channel)
{
	assert(channel->pins != 0);
	channel->pins--;
	return !channel_is_wanted(channel);
}

int
channel_add(struct channels *channels, struct channel *channel,
    struct client *client)
{
	void *members = channel->members, *subs = client->subs;
	int rc;

	assert(channels->walking == 0);
	rc = make_room(&members, channel->count, &channel->cap, FIRST_MEMBERS,
	    sizeof(channel->members[0]));
	channel->members = members;
	if (rc == 0)
		rc = make_room(&subs, client->sub_count, &client->sub_cap,
		    FIRST_SUBS, sizeof(client->subs[0]));
	client->subs = subs;
	if (rc != 0)
		return rc;
	wake(channels, channel);
	channel->members[channel->count] =
	    (struct member){ client, client->sub_count };
	client->subs[client->sub_count] =
	    (struct subscription){ channel, channel->count };
	channel->count++;
	client->sub_count++;
	return 0;
}

bool
channel_remove(struct channels *channels, struct client *client, uint32_t sub)
{
	struct channel *channel = client->subs[sub].channel;
	uint32_t at = client->subs[sub].member;
	struct member *last;
	struct subscription *last_sub;

	assert(channels->walking == 0);
	assert(channel->members[at].client == client);
	last = &channel->members[--channel->count];
	channel->members[at] = *last;
	last->client->subs[last->sub].member = at;
	last_sub = &client->subs[--client->sub_count];
	client->subs[sub] = *last_sub;
	if (sub != client->sub_count)
		last_sub->channel->members[last_sub->member].sub = sub;
	return !channel_is_wanted(channel);
}

void
channel_settle(struct channels *channels, struct channel *channel)
{
	if (channel_is_wanted(channel) || channel->interest == INTEREST_JOINING)
		return;
	if (channel->seq == 0) {
		channel_free(channels, channel);
		return;
	}
	list_remove(&channel->joining);
	free(channel->members);
	channel->members = NULL;
	channel->cap = 0;
	if (list_is_empty(&channel->idle))
		channels->idle_count++;
	list_remove(&channel->idle); /* it was used: to the end */
	list_append(&channels->idle, &channel->idle);
}

void
channels_trim(struct channels *channels)
{
	while (channels->idle_count > CHANNEL_IDLE_MAX)
		channel_free(channels,
		    LIST_ENTRY(channels->idle.next, struct channel, idle));
}

static struct origin *
origin_get(struct channel *channel, const struct ipc_node_id *id)
{
	uint32_t cap = channel->origin_cap;
	void *origins = channel->origins;

	for (uint32_t i = 0; i < channel->origin_count; i++) {
		if (node_id_equal(&channel->origins[i].id, id))
			return &channel->origins[i];
	}
	if (channel->origin_count == CHANNEL_ORIGINS_MAX)
		channel->origin_count = 0; /* begin anew: no gap is invented */
	if (make_room(&origins, channel->origin_count, &cap, FIRST_ORIGINS,
		sizeof(channel->origins[0])) != 0)
		return NULL;
	channel->origins = origins;
	channel->origin_cap = (uint16_t)cap;
	channel->origins[channel->origin_count] = (struct origin){ *id, 0 };
	return &channel->origins[channel->origin_count++];
}

uint64_t
channel_note_seq(struct channel *channel, const struct ipc_node_id *id,
    uint64_t seq)
{
	/* Who does not count (another host, 0) needs no place. */
	struct origin *origin = seq != 0 ? origin_get(channel, id) : NULL;
	uint64_t last;

	if (origin == NULL)
		return 0;
	last = origin->seq;
	origin->seq = seq;
	return last == 0 || seq <= last ? 0 : seq - last - 1;
}

void
channel_forget_seqs(struct channel *channel)
{
	free(channel->origins);
	channel->origins = NULL;
	channel->origin_count = 0;
	channel->origin_cap = 0;
}

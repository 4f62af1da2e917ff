/* presence.c - see presence.h. */
#include "worker/presence.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/presence_line.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/table.h"
#include "worker/bus.h"
#include "worker/identity.h"
#include "worker/state.h"

/* A presence channel that somebody on the bus listens to. */
struct wanted {
	struct table_entry entry;
	char name[]; /* with its "p:" */
};

struct presence {
	struct table wanted;
};

bool
presence_init(struct worker *worker)
{
	worker->presence = calloc(1, sizeof(*worker->presence));
	if (worker->presence == NULL)
		return false;
	table_init(&worker->presence->wanted);
	return true;
}

void
presence_forget(struct worker *worker)
{
	struct table *table = &worker->presence->wanted;
	struct table_entry *entry;

	while ((entry = table_next(table, NULL)) != NULL) {
		table_remove(table, entry);
		free(CONTAINER_OF(entry, struct wanted, entry));
	}
}

void
presence_release(struct worker *worker)
{
	if (worker->presence == NULL)
		return;
	presence_forget(worker);
	table_release(&worker->presence->wanted);
	free(worker->presence);
	worker->presence = NULL;
}

static struct table_entry *
find(const struct worker *worker, const char *channel, size_t len)
{
	return table_find(&worker->presence->wanted, channel, len,
	    hash_bytes(channel, len));
}

/* There are members already: whoever wants the channel should ask for them. */
static void
say_here(struct worker *worker, const char *channel, size_t len)
{
	const struct channel *members = channel_find(&worker->channels,
	    channel + CHANNEL_PREFIX_LEN, len - CHANNEL_PREFIX_LEN);
	const struct api_push push = {
		.channel = channel,
		.channel_len = len,
		.name = PRESENCE_HERE,
		.name_len = strlen(PRESENCE_HERE),
		.data = "{}",
		.len = 2,
	};

	if (members != NULL && members->count != 0)
		bus_push(worker, &push);
}

void
presence_wanted(struct worker *worker, const char *channel, size_t len,
    bool wanted)
{
	struct table_entry *entry = find(worker, channel, len);
	struct wanted *item;

	if (!wanted && entry != NULL) {
		table_remove(&worker->presence->wanted, entry);
		free(CONTAINER_OF(entry, struct wanted, entry));
	}
	if (!wanted || entry != NULL)
		return;
	item = malloc(sizeof(*item) + len);
	if (item == NULL) {
		/* Who follows it sees a member less until it asks again. */
		stats_add(&worker->stats->drop_memory, 1);
		return;
	}
	memcpy(item->name, channel, len);
	item->entry.key = item->name;
	item->entry.key_len = len;
	item->entry.hash = hash_bytes(channel, len);
	if (table_insert(&worker->presence->wanted, &item->entry) != 0) {
		stats_add(&worker->stats->drop_memory, 1);
		free(item);
		return;
	}
	say_here(worker, channel, len);
}

bool
presence_any(const struct worker *worker)
{
	return worker->presence->wanted.count != 0 ||
	    worker->bus->listener_count != 0;
}

/* Does a listener of this worker want it? */
static bool
is_pinned(const struct worker *worker, const char *channel, size_t len)
{
	const struct channel *p = channel_find(&worker->channels, channel, len);

	return p != NULL && p->pins != 0;
}

/* {"conn":C,"user":U,"role":R}; its length. */
static size_t
write_row(const struct client *client, char *row, size_t size)
{
	const char *user = identity_user(client->identity);
	const char *role = identity_role(client->identity);
	struct conn_id id;
	char conn[CONN_ID_TEXT_MAX];
	size_t at;

	client_conn_id(client, &id);
	conn_id_format(&id, conn, sizeof(conn));
	at = (size_t)snprintf(row, size, "{\"conn\":\"%s\",\"user\":", conn);
	user = user != NULL ? user : "";
	role = role != NULL ? role : "";
	at += json_string_encode(user, strlen(user), row + at, size - at);
	at += (size_t)snprintf(row + at, size - at, ",\"role\":");
	at += json_string_encode(role, strlen(role), row + at, size - at);
	row[at++] = '}';
	return at;
}

void
presence_tell(struct worker *worker, const struct client *client,
    const char *channel, size_t len, bool joined)
{
	/* Every byte of user and role may be six in JSON. */
	char row[6 * (IDENTITY_USER_MAX + IDENTITY_ROLE_MAX) + 128];
	struct channel_name name;
	struct api_push push = {
		.name = joined ? PRESENCE_JOIN : PRESENCE_LEAVE,
		.data = row,
	};

	if (channel_name_presence(&name, channel, len) != 0)
		return; /* nobody can want it by such a name */
	push.local_only = find(worker, name.text, name.len) == NULL;
	if (push.local_only && !is_pinned(worker, name.text, name.len))
		return;
	push.name_len = strlen(push.name);
	push.channel = name.text;
	push.channel_len = name.len;
	push.len = write_row(client, row, sizeof(row));
	bus_push(worker, &push);
}

/* ---- of one that has moved --------------------------------------------- */

/* Add the names of those of its channels that somebody follows. */
static int
note_followed(const struct worker *worker, const struct client *client,
    struct buf *names)
{
	struct channel_name p;
	int rc = 0;

	for (uint32_t i = 0; i < client->sub_count && rc == 0; i++) {
		const struct channel *channel = client->subs[i].channel;
		const size_t len = channel->entry.key_len;

		if (channel_name_presence(&p, channel->name, len) != 0 ||
		    (find(worker, p.text, p.len) == NULL &&
			!is_pinned(worker, p.text, p.len)))
			continue;
		rc = buf_append(names, &len, sizeof(len));
		if (rc == 0)
			rc = buf_append(names, channel->name, len);
	}
	return rc;
}

/* Somebody follows this channel: it should be asked who is there. */
static void
tell_unsure(struct worker *worker, const char *channel, size_t len)
{
	struct api_push push = {
		.name = PRESENCE_HERE,
		.name_len = strlen(PRESENCE_HERE),
		.data = "{}",
		.len = 2,
	};
	struct channel_name name;

	if (channel_name_presence(&name, channel, len) != 0)
		return;
	push.local_only = find(worker, name.text, name.len) == NULL;
	push.channel = name.text;
	push.channel_len = name.len;
	bus_push(worker, &push);
}

/* For all of its channels that somebody follows. */
static void
tell_all(struct worker *worker, const struct client *client, bool sure)
{
	const struct channel *channel;
	struct buf names;
	const char *name;
	size_t len;

	if (!presence_any(worker))
		return;
	/* Noted first: a listener that is told may change its memberships. */
	buf_init(&names, SIZE_MAX / 2);
	if (note_followed(worker, client, &names) != 0)
		stats_add(&worker->stats->drop_memory, 1);
	while (names.len >= sizeof(len)) {
		name = (const char *)buf_data(&names);
		assert(name != NULL); /* there are bytes */
		memcpy(&len, name, sizeof(len));
		name += sizeof(len);
		channel = channel_find(&worker->channels, name, len);
		if (!sure)
			tell_unsure(worker, name, len);
		else if (channel != NULL &&
		    channel_member(channel, client) >= 0)
			presence_tell(worker, client, name, len, true);
		buf_consume(&names, sizeof(len) + len);
	}
	buf_release(&names);
}

void
presence_moved(struct worker *worker, const struct client *client)
{
	tell_all(worker, client, true);
}

void
presence_unsure(struct worker *worker, const struct client *client)
{
	tell_all(worker, client, false);
}

/* conn.c - the calls of clusterbus/conn.h that only a worker has; conn.h. */
#include "worker/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call_check.h"
#include "base/utf8.h"
#include "worker/bus.h"
#include "worker/membership.h"
#include "worker/query_rows.h"
#include "worker/state.h"

static struct client *
client_of(struct cbus_conn *conn)
{
	return (struct client *)(void *)conn;
}

static const struct client *
client_in(const struct cbus_conn *conn)
{
	return (const struct client *)(const void *)conn;
}

static const struct conn *
conn_in(const struct cbus_conn *conn)
{
	return client_in(conn)->conn;
}

/* ---- life -------------------------------------------------------------- */

static void
note_address(struct client *client, char *text, size_t size)
{
	struct net_address address = { .len = sizeof(address.sa) };

	if (client->fd == -1 ||
	    getpeername(client->fd, (struct sockaddr *)&address.sa,
		&address.len) == -1)
		(void)snprintf(text, size, "?");
	else
		net_format(&address, text, size);
}

void
conn_identify(struct client *client)
{
	const char *user = identity_user(client->identity);
	const char *role = identity_role(client->identity);
	struct conn *conn = client->conn;

	if (conn == NULL)
		return;
	(void)snprintf(conn->user, sizeof(conn->user), "%s",
	    user != NULL ? user : "");
	(void)snprintf(conn->role, sizeof(conn->role), "%s",
	    role != NULL ? role : "");
}

int
conn_open(struct client *client)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	struct conn_id id;

	if (conn == NULL)
		return -ENOMEM;
	client_conn_id(client, &id);
	conn_id_format(&id, conn->id, sizeof(conn->id));
	note_address(client, conn->address, sizeof(conn->address));
	list_init(&conn->calls);
	client->conn = conn;
	conn_identify(client);
	return 0;
}

void
conn_free(struct client *client)
{
	free(client->conn);
	client->conn = NULL;
}

/* ---- what it is -------------------------------------------------------- */

const char *
cbus_conn_id(const struct cbus_conn *conn)
{
	return conn_in(conn)->id;
}

const char *
cbus_conn_user(const struct cbus_conn *conn)
{
	return conn_in(conn)->user;
}

const char *
cbus_conn_role(const struct cbus_conn *conn)
{
	return conn_in(conn)->role;
}

const char *
cbus_conn_address(const struct cbus_conn *conn)
{
	return conn_in(conn)->address;
}

void
cbus_conn_set_data(struct cbus_conn *conn, void *data)
{
	client_of(conn)->conn->data = data;
}

void *
cbus_conn_data(const struct cbus_conn *conn)
{
	return conn_in(conn)->data;
}

struct cbus_conn *
cbus_conn_find(struct cbus *bus, const char *conn_id)
{
	struct client *client;
	struct conn_id id;

	if (!bus->has_clients || conn_id == NULL ||
	    conn_id_parse(conn_id, &id) != 0)
		return NULL;
	client = client_find(bus->impl, &id);
	return client != NULL && client->conn != NULL ? conn_of(client) : NULL;
}

/* ---- what is done to it ------------------------------------------------ */

/*
 * Close it; the reason is cut between characters, and one that is no text is
 * none: a browser would take it for a broken frame.
 */
static void
close_with(struct client *client, uint32_t code, const char *reason, size_t len)
{
	char text[CONN_REASON_MAX + 1];

	if (len > CONN_REASON_MAX) {
		len = CONN_REASON_MAX;
		while (len > 0 && ((unsigned char)reason[len] & 0xc0) == 0x80)
			len--;
	}
	if (len != 0)
		memcpy(text, reason, len);
	text[len] = '\0';
	client_close(client,
	    api_close_code(code) ? (enum close_code)code : CLOSE_POLICY,
	    len != 0 && utf8_valid(text, len) ? text : NULL, false);
}

void
cbus_conn_close(struct cbus_conn *conn, uint16_t code, const char *reason)
{
	close_with(client_of(conn), code, reason,
	    reason != NULL ? strlen(reason) : 0);
}

int
cbus_emit(struct cbus_conn *conn, const char *event, const void *data,
    size_t len)
{
	struct client *client = client_of(conn);
	struct worker *worker = client->worker;
	struct api_push push = { .name = event };
	struct channel_name channel;
	int rc = check_event(event, data, len, &push);

	if (rc != 0)
		return rc;
	if (!client_takes(client))
		return -ENOTCONN;
	if (!api_event_for(worker->bus, identity_role(client->identity), event,
		push.name_len))
		return -ENOENT;
	client_conn_id(client, &push.target);
	channel_name_node(&channel, &client->home);
	push_to(&push, &channel);
	bus_push(worker, &push);
	return 0;
}

/* ---- rooms ------------------------------------------------------------- */

/* The channel of a room of this worker's. */
static int
room_channel(const struct cbus *bus, const char *room,
    struct channel_name *ret_channel)
{
	size_t len;
	int rc = check_name(room, CBUS_NAME_MAX, &len);

	if (!bus->has_clients)
		return -ENOTSUP;
	if (rc == 0)
		rc = channel_name(ret_channel, 'r', room, len);
	return rc == 0 ? 0 : -EINVAL;
}

int
cbus_room_add(struct cbus *bus, const char *room, struct cbus_conn *conn)
{
	struct channel_name channel;
	int rc = room_channel(bus, room, &channel);

	if (rc != 0)
		return rc;
	rc = membership_put(bus->impl, client_of(conn), channel.text,
	    channel.len);
	return rc == -EEXIST ? 0 : rc;
}

int
cbus_room_remove(struct cbus *bus, const char *room, struct cbus_conn *conn)
{
	struct channel_name channel;
	int rc = room_channel(bus, room, &channel);

	if (rc != 0)
		return rc;
	return membership_take(bus->impl, client_of(conn), channel.text,
	    channel.len);
}

size_t
cbus_room_size(struct cbus *bus, const char *room)
{
	const struct worker *worker = bus->impl;
	const struct channel *channel;
	struct channel_name name;

	if (room_channel(bus, room, &name) != 0)
		return 0;
	channel = channel_find(&worker->channels, name.text, name.len);
	return channel != NULL ? query_members(worker, channel) : 0;
}

/* The ids are noted first: fn may change the room, and close clients. */
int
cbus_room_each(struct cbus *bus, const char *room, cbus_conn_fn *fn, void *arg)
{
	struct worker *worker = bus->impl;
	struct channel_name name;
	struct channel *channel;
	struct client *client;
	struct conn_id *ids;
	uint32_t count;
	int rc;

	rc = room_channel(bus, room, &name);
	if (rc != 0)
		return rc;
	channel = channel_find(&worker->channels, name.text, name.len);
	count = channel != NULL ? channel->count : 0;
	if (count == 0)
		return 0;
	ids = calloc(count, sizeof(ids[0]));
	if (ids == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		client_conn_id(channel->members[i].client, &ids[i]);
	for (uint32_t i = 0; i < count; i++) {
		client = client_find(worker, &ids[i]);
		/* The channel goes with its last member. */
		channel = channel_find(&worker->channels, name.text, name.len);
		if (client != NULL && client->conn != NULL && client->counted &&
		    channel != NULL && channel_member(channel, client) >= 0)
			fn(arg, conn_of(client));
	}
	free(ids);
	return 0;
}

/* ---- from afar --------------------------------------------------------- */

/*
 * True: one more.  One that is on its way is changed at both ends, so that it
 * does not matter whether it arrives, and counts at one of them.
 */
static bool
act_on(struct worker *worker, struct client *client, enum query_kind kind,
    const struct query_args *args)
{
	int rc = 0;

	if (!client_takes(client))
		return false;
	if (kind == QUERY_ROOM_ADD)
		rc = membership_put(worker, client, args->channel,
		    args->channel_len);
	else if (kind == QUERY_ROOM_REMOVE)
		rc = membership_take(worker, client, args->channel,
		    args->channel_len);
	else
		close_with(client, args->code, args->text, args->text_len);
	if (rc != 0 || !client->counted)
		return false;
	stats_add(&worker->stats->closed_kicked, kind == QUERY_KICK);
	return true;
}

size_t
conn_act(struct worker *worker, enum query_kind kind,
    const struct query_args *args)
{
	char text[CONN_ID_TEXT_MAX];
	struct channel_name user;
	struct channel *channel;
	struct client *client;
	struct conn_id id;
	size_t changed = 0;

	if (args->conn_len != 0) {
		if (args->conn_len >= sizeof(text))
			return 0;
		memcpy(text, args->conn, args->conn_len);
		text[args->conn_len] = '\0';
		if (conn_id_parse(text, &id) != 0)
			return 0;
		client = client_find(worker, &id);
		return client != NULL && act_on(worker, client, kind, args);
	}
	if (args->user_len == 0 ||
	    channel_name(&user, 'u', args->user, args->user_len) != 0)
		return 0;
	channel = channel_find(&worker->channels, user.text, user.len);
	/* Who is closed leaves the user's channel later, not in here. */
	for (uint32_t i = 0; channel != NULL && i < channel->count; i++)
		changed +=
		    act_on(worker, channel->members[i].client, kind, args);
	return changed;
}

/* query_rows.c - see query_rows.h. */
#include "worker/query_rows.h"

#include <string.h>
#include <time.h>

#include "api/api.h"
#include "base/net.h"
#include "wire/channel_name.h"
#include "worker/identity.h"
#include "worker/json_row.h"
#include "worker/state.h"

/* ---- a client ---------------------------------------------------------- */

void
query_row_member(struct row *row, const struct worker *worker, const void *arg)
{
	const struct client *client = arg;
	const char *user = identity_user(client->identity);
	const char *role = identity_role(client->identity);
	char text[CONN_ID_TEXT_MAX];
	struct conn_id id;

	(void)worker;
	client_conn_id(client, &id);
	conn_id_format(&id, text, sizeof(text));
	row_text(row, "conn", text);
	row_text(row, "user", user != NULL ? user : "");
	row_text(row, "role", role != NULL ? role : "");
}

void
query_row_client(struct row *row, const struct worker *worker, const void *arg)
{
	const struct client *client = arg;
	char text[NET_ADDRESS_MAX] = "";
	struct net_address address = { .len = sizeof(address.sa) };

	if (getpeername(client->fd, (struct sockaddr *)&address.sa,
		&address.len) == 0)
		net_format(&address, text, sizeof(text));
	query_row_member(row, worker, client);
	row_text(row, "address", text);
	row_number(row, "age_ms", worker->now_ms - client->opened_ms);
	row_number(row, "subscriptions", client->sub_count - client->put_count);
	row_number(row, "queued_bytes", client->outbox.bytes);
}

/* The names of its memberships of these kinds; returns what did not fit. */
static uint32_t
put_channels(struct row *row, const char *key, const struct client *client,
    const char *kinds)
{
	uint32_t cut = 0;

	row_open(row, key, '[');
	for (uint32_t i = 0; i < client->sub_count; i++) {
		const struct channel *channel = client->subs[i].channel;

		if (strchr(kinds, channel->name[0]) != NULL &&
		    !row_item(row, channel->name + CHANNEL_PREFIX_LEN,
			channel->entry.key_len - CHANNEL_PREFIX_LEN))
			cut++;
	}
	row_close(row, ']');
	return cut;
}

static const char *
state_of(const struct client *client)
{
	if (client->state == CLIENT_CLOSING)
		return "closing";
	return client->authenticated ? "open" : "authenticating";
}

void
query_row_why(struct row *row, const struct worker *worker, const void *arg)
{
	const struct client *client = arg;
	const struct identity *identity = client->identity;
	uint64_t now_s = (uint64_t)time(NULL);
	uint32_t cut;

	query_row_client(row, worker, client);
	row_number(row, "worker", worker->id.slot);
	row_text(row, "state", state_of(client));
	row_number(row, "dropped", client->dropped);
	row_number(row, "gaps", client->gaps);
	row_number(row, "seen_ms", client_now(worker) - client->seen_ms);
	row_number(row, "limit_bytes", client_limit(client));
	if (identity != NULL && identity->expires_s != 0)
		row_number(row, "expires_s",
		    identity->expires_s > now_s ? identity->expires_s - now_s :
						  0);
	cut = put_channels(row, "rooms", client, "r");
	cut += put_channels(row, "watches", client, "w");
	cut += put_channels(row, "topics", client, "tf");
	if (cut != 0)
		row_number(row, "names_cut", cut);
}

/* ---- a channel --------------------------------------------------------- */

uint32_t
query_members(const struct worker *worker, const struct channel *channel)
{
	const struct mover *mover = &worker->mover;
	uint32_t count = 0;

	if (mover->in_count == 0 && mover->out_count == 0)
		return channel->count;
	for (uint32_t i = 0; i < channel->count; i++)
		count += channel->members[i].client->counted;
	return count;
}

void
query_row_topic(struct row *row, const struct worker *worker, const void *arg)
{
	const struct channel *channel = arg;
	const char *name = channel->name + CHANNEL_PREFIX_LEN;
	size_t len = channel->entry.key_len - CHANNEL_PREFIX_LEN;
	bool of_role = channel->name[0] == 'f';
	const char *slash = of_role ? memchr(name, '/', len) : NULL;
	size_t role_len = slash != NULL ? (size_t)(slash - name) : 0;
	size_t skip = slash != NULL ? role_len + 1 : 0;

	row_string(row, "name", name + skip, len - skip);
	row_text(row, "kind", of_role ? "role" : "shared");
	row_string(row, "role", name, role_len);
	row_number(row, "clients", query_members(worker, channel));
	row_number(row, "listeners",
	    api_listener_count(worker->bus, channel->name,
		channel->entry.key_len));
}

void
query_row_room(struct row *row, const struct worker *worker, const void *arg)
{
	const struct channel *channel = arg;

	row_string(row, "name", channel->name + CHANNEL_PREFIX_LEN,
	    channel->entry.key_len - CHANNEL_PREFIX_LEN);
	row_number(row, "clients", query_members(worker, channel));
}

void
query_row_user(struct row *row, const struct worker *worker, const void *arg)
{
	const struct channel *channel = arg;

	row_string(row, "user", channel->name + CHANNEL_PREFIX_LEN,
	    channel->entry.key_len - CHANNEL_PREFIX_LEN);
	row_number(row, "connections", query_members(worker, channel));
}

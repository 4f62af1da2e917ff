/*
 * client.c - see client.h.
 *
 * Times are 32-bit milliseconds that wrap after 49 days; only differences are
 * used, and the sweep looks at every client once a second.
 */
#include "worker/client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/channel_name.h"
#include "worker/app.h"
#include "worker/auth.h"
#include "worker/call.h"
#include "worker/conn.h"
#include "worker/door.h"
#include "worker/membership.h"
#include "worker/move.h"
#include "worker/reply.h"
#include "worker/state.h"
#include "worker/ws.h"

uint32_t
client_now(const struct worker *worker)
{
	return (uint32_t)worker->now_ms;
}

/* ---- life -------------------------------------------------------------- */

static bool
enlist(struct clients *clients, struct client *client)
{
	uint32_t cap = clients->cap != 0 ? clients->cap * 2 : 64;
	struct client **all;

	if (clients->count == clients->cap) {
		all = realloc(clients->all, cap * sizeof(all[0]));
		if (all == NULL)
			return false;
		clients->all = all;
		clients->cap = cap;
	}
	client->index = clients->count;
	clients->all[clients->count++] = client;
	return true;
}

static void
init(struct client *client, struct worker *worker, int fd)
{
	client->worker = worker;
	client->fd = fd;
	client->seen_ms = client_now(worker);
	client->settle_ms = client->seen_ms;
	list_init(&client->dirty);
	list_init(&client->reader);
	list_init(&client->waiters);
}

struct client *
client_new(struct worker *worker, int fd, bool tls)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL || !enlist(&worker->clients, client)) {
		free(client);
		return NULL;
	}
	client->home = worker->id;
	client->number = ++worker->clients.next_number;
	if (clients_index(&worker->clients, client) != 0) {
		worker->clients.count--;
		free(client);
		return NULL;
	}
	init(client, worker, fd);
	client->tls = tls;
	stats_add(&worker->stats->handshakes, 1);
	return client;
}

static void
note_open(struct worker *worker)
{
	stats_set(&worker->stats->clients, worker->clients.open);
}

void
client_count(struct client *client, bool counts)
{
	struct clients *clients = &client->worker->clients;

	if (client->counted == counts)
		return;
	client->counted = counts;
	clients->open += counts ? 1 : UINT32_MAX;
	note_open(client->worker);
}

void
client_opened(struct client *client)
{
	struct worker *worker = client->worker;
	char conn[NODE_ID_TEXT_MAX + 24], who[AUTH_DESCRIBE_MAX];

	client->state = CLIENT_OPEN;
	client_count(client, true);
	client->opened_ms = worker->now_ms;
	client->seen_ms = client_now(worker);
	client->rate_ms = client->seen_ms;
	client->rate_tokens = UINT32_MAX; /* a full bucket; capped at use */
	client->settle_ms = client->seen_ms + MOVE_SETTLE_MS;
	stats_add(&worker->stats->clients_opened, 1);
	stats_set(&worker->stats->handshakes, worker->stats->handshakes - 1);
	door_opened(worker->door, client);
	auth_opened(client);
	if (client->state != CLIENT_OPEN)
		return; /* turned away */
	(void)snprintf(conn, sizeof(conn), "%s-%llu", worker->node,
	    (unsigned long long)client->number);
	auth_describe(client, who, sizeof(who));
	client_push_own(client, reply_welcome(conn, worker->node, who));
	if (client->authenticated)
		client_authenticated(client); /* after the welcome */
	if (worker->drain.active)
		drain_client(worker, client);
}

/* Into the channel of its user.  False: it is being closed. */
static bool
join_user(struct client *client, const char *user)
{
	struct channel_name channel;
	int rc = channel_name(&channel, 'u', user, strlen(user));

	if (rc == 0)
		rc = membership_put(client->worker, client, channel.text,
		    channel.len);
	if (rc == 0 || rc == -EEXIST)
		return true;
	stats_add(&client->worker->stats->closed_protocol, 1);
	client_close(client, CLOSE_INTERNAL,
	    rc == -ENOSPC ? "no more channels here" : "out of memory", true);
	return false;
}

void
client_authenticated(struct client *client)
{
	const char *user = identity_user(client->identity);
	struct worker *worker = client->worker;
	uint64_t joins = worker->channels.joins;

	if (client->state != CLIENT_OPEN)
		return;
	/* Also of one that was anonymous so far. */
	if (user != NULL && !join_user(client, user))
		return;
	if (client->connected) {
		conn_identify(client);
	} else {
		client->connected = true;
		app_connect(client);
	}
	if (worker->channels.joins != joins)
		membership_hold(worker, client);
}

void
client_closed(struct client *client)
{
	struct worker *worker = client->worker;

	if (client->state == CLIENT_HANDSHAKE)
		return;
	move_client_gone(client);
	client->state = CLIENT_DEAD; /* nobody puts it into anything now */
	if (client->sub_count != 0 || !list_is_empty(&client->waiters))
		membership_end(worker, client);
	if (client->connected) {
		client->connected = false; /* this may be called again */
		app_close(client);
	}
	call_client_gone(client);
	if (client->counted) {
		client_count(client, false);
		stats_add(&worker->stats->clients_closed, 1);
	}
	client->seen_ms = client_now(worker);
	stats_add(&worker->stats->drop_gone, client->outbox.count);
	client_clear_outbox(client);
}

static void
delist(struct clients *clients, struct client *client)
{
	struct client *last = clients->all[--clients->count];

	clients_unindex(clients, client);
	clients->all[client->index] = last;
	last->index = client->index;
}

/* Out of all lists, and its memory. */
static void
release(struct client *client)
{
	struct worker *worker = client->worker;

	door_left(worker->door, client);
	delist(&worker->clients, client);
	list_remove(&client->dirty);
	list_remove(&client->reader);
	outbox_release(&client->outbox);
	free(client->subs);
	if (client->in != NULL) {
		buf_release(client->in);
		free(client->in);
	}
	free(client->close_reason);
	conn_free(client);
	identity_free(client->identity);
	handshake_free(client->handshake);
	free(client);
}

void
client_free(struct client *client)
{
	struct worker *worker = client->worker;

	if (client->state == CLIENT_HANDSHAKE) {
		stats_set(&worker->stats->handshakes,
		    worker->stats->handshakes - 1);
		if (!client->answered)
			stats_add(&worker->stats->handshake_errors, 1);
	} else {
		assert(client->state == CLIENT_DEAD);
	}
	release(client);
}

/* ---- on the way -------------------------------------------------------- */

struct client *
client_new_moved(struct worker *worker)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL || !enlist(&worker->clients, client)) {
		free(client);
		return NULL;
	}
	init(client, worker, -1);
	client->state = CLIENT_MOVING;
	client->authenticated = true;
	return client;
}

int
client_named(struct client *client)
{
	return clients_index(&client->worker->clients, client);
}

void
client_moved_away(struct client *client)
{
	struct worker *worker = client->worker;

	assert(client->state == CLIENT_MOVING && client->move == NULL);
	client_count(client, false);
	membership_drop(worker, client);
	client_clear_outbox(client);
	if (client->fd != -1)
		(void)close(client->fd); /* not the last one, or it is meant */
	client->state = CLIENT_DEAD;
	release(client);
}

void
clients_release(struct clients *clients)
{
	assert(clients->count == 0);
	free(clients->all);
	free(clients->slots);
	*clients = (struct clients){ 0 };
}

/* ---- receiving --------------------------------------------------------- */

void
client_seen(struct client *client)
{
	client->pinged = false;
	if (client->state == CLIENT_OPEN)
		client->seen_ms = client_now(client->worker);
}

bool
client_may_send(struct client *client)
{
	uint64_t rate = client->worker->config->max_rate;
	uint64_t tokens;
	uint32_t now = client_now(client->worker);

	if (rate == 0)
		return true;
	tokens = client->rate_tokens + (uint64_t)(now - client->rate_ms) * rate;
	if (tokens > rate * 1000)
		tokens = rate * 1000;
	if (tokens > UINT32_MAX)
		tokens = UINT32_MAX;
	client->rate_ms = now;
	client->rate_tokens = (uint32_t)tokens;
	if (tokens < 1000)
		return false;
	client->rate_tokens -= 1000;
	return true;
}

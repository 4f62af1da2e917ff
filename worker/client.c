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

struct client *
client_new(struct worker *worker, int fd, bool tls)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL || !enlist(&worker->clients, client)) {
		free(client);
		return NULL;
	}
	client->number = ++worker->clients.next_number;
	if (clients_index(&worker->clients, client) != 0) {
		worker->clients.count--;
		free(client);
		return NULL;
	}
	client->worker = worker;
	client->fd = fd;
	client->tls = tls;
	client->seen_ms = client_now(worker);
	list_init(&client->dirty);
	list_init(&client->reader);
	list_init(&client->waiters);
	stats_add(&worker->stats->handshakes, 1);
	return client;
}

static void
note_open(struct worker *worker)
{
	stats_set(&worker->stats->clients, worker->clients.open);
}

void
client_opened(struct client *client)
{
	struct worker *worker = client->worker;
	char conn[NODE_ID_TEXT_MAX + 24], who[AUTH_DESCRIBE_MAX];

	client->state = CLIENT_OPEN;
	client->counted = true;
	client->opened_ms = worker->now_ms;
	client->seen_ms = client_now(worker);
	client->rate_ms = client->seen_ms;
	client->rate_tokens = UINT32_MAX; /* a full bucket; capped at use */
	worker->clients.open++;
	stats_add(&worker->stats->clients_opened, 1);
	stats_set(&worker->stats->handshakes, worker->stats->handshakes - 1);
	note_open(worker);
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
	client->state = CLIENT_DEAD; /* nobody puts it into anything now */
	if (client->sub_count != 0 || !list_is_empty(&client->waiters))
		membership_end(worker, client);
	if (client->connected) {
		client->connected = false; /* this may be called again */
		app_close(client);
	}
	call_client_gone(client);
	if (client->counted) {
		client->counted = false;
		worker->clients.open--;
		stats_add(&worker->stats->clients_closed, 1);
		note_open(worker);
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

/* ---- the sweep --------------------------------------------------------- */

static void
ping(struct client *client)
{
	static const char payload[] = "bus"; /* an empty pong is not told us */
	struct frame *frame = frame_new(FRAME_PING, sizeof(payload) - 1);

	if (frame != NULL)
		memcpy(frame_payload(frame), payload, sizeof(payload) - 1);
	client->pinged = true;
	client_push_first(client, frame);
}

static void
sweep_open(struct worker *worker, struct client *client)
{
	const struct config *config = worker->config;
	uint32_t silent = client_now(worker) - client->seen_ms;

	if (client->pinged &&
	    silent >= config->ping_interval + config->ping_timeout) {
		stats_add(&worker->stats->closed_idle, 1);
		client_close(client, CLOSE_POLICY, "no answer to a ping", true);
		return;
	}
	if (auth_sweep(client))
		return;
	if (!client->pinged && silent >= config->ping_interval)
		ping(client);
	if (client->held != 0 && client->held++ > HELD_SWEEPS_MAX)
		membership_let_go(client); /* the hub hangs */
	if (client->outbox.gap_count != 0)
		flush_mark(&worker->flush, client); /* no memory at first */
	client_note_soft(client);
	if (config->outbox_policy == OUTBOX_CLOSE &&
	    client->outbox.bytes > client_limit(client)) {
		stats_add(&worker->stats->closed_slow, 1);
		client_close(client, CLOSE_SLOW, "too slow", true);
	}
}

static void
sweep_one(struct worker *worker, struct client *client)
{
	/* How long a close may take before the socket is cut off. */
	enum {
		CLOSE_TIME_MS = 5000
	};

	uint32_t silent = client_now(worker) - client->seen_ms;

	/*
	 * libwebsockets counts a handshake's time only from its first byte on,
	 * and not at all under TLS.
	 */
	if (client->state == CLIENT_HANDSHAKE && client->exchange == NULL &&
	    silent >= worker->config->handshake_timeout)
		ws_kill(client);
	else if (client->state == CLIENT_OPEN)
		sweep_open(worker, client);
	else if ((client->state == CLIENT_CLOSING ||
		     client->state == CLIENT_DEAD) &&
	    silent > CLOSE_TIME_MS)
		ws_kill(client);
}

void
clients_sweep(struct worker *worker, uint32_t portion)
{
	struct clients *clients = &worker->clients;
	uint32_t todo = clients->count / portion + 1;

	for (; todo > 0 && clients->count > 0; todo--) {
		if (clients->sweep >= clients->count)
			clients->sweep = 0;
		sweep_one(worker, clients->all[clients->sweep++]);
	}
}

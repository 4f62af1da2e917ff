/*
 * client_sweep.c - once a second every client is looked at; see client.h.
 */
#include <string.h>

#include "worker/auth.h"
#include "worker/membership.h"
#include "worker/state.h"
#include "worker/ws.h"

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
	outbox_trim(&client->outbox); /* most have nothing to get for long */
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

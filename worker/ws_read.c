/*
 * ws_read.c - messages are put together and handed on.
 *
 * libwebsockets reads WS_RX_BYTES at a time and only once per loop turn.  Its
 * buffer is part of every idle connection's memory, so it stays small; instead,
 * a connection that had more to give is served again at the end of the turn,
 * before anything is written.  What is found then shares one write to every
 * subscriber, which is where the speed comes from.
 *
 * Text is checked here, not by libwebsockets: its check loses the close frame
 * of a message that is too big.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "worker/protocol.h"
#include "worker/ws_internal.h"

enum {
	/* What one client, and all of them, may have read in a turn. */
	CLIENT_TURN_BYTES = 128 * 1024,
	TURN_BYTES = 1024 * 1024,
	/* A read that gave this much has probably left something. */
	HUNGRY_BYTES = WS_RX_BYTES / 2,
	/* A frame's header and mask, at least. */
	HEADER_BYTES = 6,
};

static void
handle_message(struct client *client, bool binary, const void *data, size_t len)
{
	struct stats_worker *stats = client->worker->stats;

	stats_add(&stats->messages_in, 1);
	stats_add(&stats->bytes_in, len);
	if (binary) {
		protocol_binary(client, data, len);
	} else if (!utf8_valid(data, len)) {
		stats_add(&stats->closed_protocol, 1);
		client_close(client, CLOSE_BAD_TEXT, "not UTF-8", false);
	} else {
		protocol_text(client, data, len);
	}
}

static void
too_big(struct client *client)
{
	stats_add(&client->worker->stats->closed_protocol, 1);
	client_close(client, CLOSE_TOO_BIG, "the message is too big", false);
}

/* Keep a piece until its message is whole.  False: the client is closing. */
static bool
keep(struct client *client, const void *data, size_t len)
{
	if (client->in == NULL) {
		client->in = malloc(sizeof(*client->in));
		if (client->in != NULL)
			buf_init(client->in, SIZE_MAX / 2);
	}
	if (client->in != NULL && buf_append(client->in, data, len) == 0)
		return true;
	client_close(client, CLOSE_INTERNAL, "out of memory", false);
	return false;
}

static void
forget(struct client *client)
{
	if (client->in != NULL)
		buf_release(client->in);
	free(client->in);
	client->in = NULL;
}

static void
note_reader(struct client *client, size_t len)
{
	client->read_bytes += (uint32_t)len + HEADER_BYTES;
	if (list_is_empty(&client->reader))
		list_append(&client->worker->ws->readers, &client->reader);
}

void
ws_read_piece(struct client *client, struct lws *wsi, const void *data,
    size_t len)
{
	uint64_t max = client->worker->config->max_message;
	uint64_t have = client->in != NULL ? client->in->len : 0;
	bool whole;

	note_reader(client, len);
	client_seen(client);
	if (client->state != CLIENT_OPEN)
		return; /* it is leaving; what it says has no effect */
	/*
	 * Whether this is the first piece is not asked: a message that was
	 * begun elsewhere goes on here (ws_move.c).
	 */
	if (client->in == NULL)
		client->in_binary = lws_frame_is_binary(wsi) != 0;
	/* The header says what is to come: refuse before it does. */
	if (have + len + lws_remaining_packet_payload(wsi) > max) {
		forget(client);
		too_big(client);
		return;
	}
	whole = lws_is_final_fragment(wsi) &&
	    lws_remaining_packet_payload(wsi) == 0;
	if (whole && client->in == NULL) {
		handle_message(client, client->in_binary, data, len);
		return;
	}
	if (!keep(client, data, len) || !whole)
		return;
	handle_message(client, client->in_binary, buf_data(client->in),
	    client->in->len);
	forget(client);
}

/* Read until nothing is left or the client had its share. */
static uint32_t
read_client(struct ws *ws, struct list *link)
{
	struct client *client = LIST_ENTRY(link, struct client, reader);
	struct lws_pollfd pfd = {
		.fd = client->fd,
		.events = LWS_POLLIN,
		.revents = LWS_POLLIN,
	};
	uint32_t total = 0, got;

	for (;;) {
		got = client->read_bytes;
		client->read_bytes = 0;
		list_remove(link);
		total += got;
		if (got < HUNGRY_BYTES || total >= CLIENT_TURN_BYTES ||
		    client->tls || client->state != CLIENT_OPEN)
			return total;
		if (lws_service_fd(ws->context, &pfd) < 0)
			return total;
		/* In the list again: alive, and it gave something. */
		if (ws->readers.prev != link)
			return total;
		pfd.events = LWS_POLLIN;
		pfd.revents = LWS_POLLIN;
	}
}

void
ws_read_on(struct ws *ws)
{
	uint32_t total = 0;
	struct client *client;

	ws->turn++;
	while (!list_is_empty(&ws->readers)) {
		if (total < TURN_BYTES) {
			total += read_client(ws, ws->readers.next);
			continue;
		}
		client = LIST_ENTRY(ws->readers.next, struct client, reader);
		client->read_bytes = 0;
		list_remove(&client->reader);
	}
}

/*
 * ws_move_in.c - see ws_move.h: a connection into libwebsockets.
 *
 *	a duplicate is adopted, so that a failure costs nothing
 *	libwebsockets reads a request; the 101 goes nowhere
 *	it reads what brings its parser to the place in a frame
 *	play ends; the tail is the first thing that is written
 *
 * The replay has to be a read of its own: libwebsockets composes the 101 in the
 * buffer that it has read the request into.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "worker/ws_internal.h"
#include "worker/ws_libc.h"
#include "worker/ws_move.h"

enum {
	REQUEST_MAX = 256
};

static size_t
write_request(const struct client *client, char *text)
{
	int len = snprintf(text, REQUEST_MAX,
	    "GET / HTTP/1.1\r\nHost: m\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Key: bQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
	    client->wants_binary ? WS_PROTOCOL_BINARY : WS_PROTOCOL);

	assert(len > 0 && len < REQUEST_MAX);
	return (size_t)len;
}

/* Make libwebsockets read these bytes.  False: it did not like them. */
static bool
feed(struct ws *ws, struct ws_play *play, const void *bytes, size_t len)
{
	play->input = bytes;
	play->input_len = len;
	if (len == 0)
		return true;
	return ws_hand_serve(ws, play->fd, LWS_POLLIN) && play->input_len == 0;
}

/* The connection's duplicate into libwebsockets; shadow is as replayed. */
static int
put_in(struct ws *ws, struct client *client, int fd, struct ws_shadow *shadow)
{
	lws_adopt_desc_t desc = {
		.vh = ws->plain,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
		.fd.sockfd = fd,
		.opaque = client,
	};
	struct ws_play play = { .fd = fd };
	unsigned char replay[WS_SHADOW_REPLAY_MAX];
	char request[REQUEST_MAX];
	struct lws *wsi;
	bool good;

	ws_hand_take(ws, client, &play);
	wsi = lws_adopt_descriptor_vhost_via_info(&desc);
	if (wsi == NULL) {
		ws_hand_let_go(ws);
		return -ENOMEM; /* and fd is closed */
	}
	good = feed(ws, &play, request, write_request(client, request)) &&
	    ws->hand_open &&
	    feed(ws, &play, replay, ws_shadow_replay(shadow, replay)) &&
	    (shadow->phase != WS_SHADOW_PAYLOAD ||
		lws_remaining_packet_payload(wsi) == shadow->left);
	if (!good && !ws->hand_gone)
		lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE,
		    LWS_TO_KILL_SYNC);
	ws_hand_let_go(ws);
	return good ? 0 : -EPROTO;
}

/* Follow it from here on.  NULL: no memory, or the number is too high. */
static struct ws_watch *
follow(struct ws *ws, struct client *client, int fd,
    const struct ws_shadow *shadow)
{
	struct ws_watch *watch = ws_watch_begin(fd, client);

	if (watch == NULL)
		return NULL;
	watch->open = true;
	watch->turn = ws->turn;
	if (ws_shadow_at_boundary(shadow))
		return watch;
	watch->shadow = malloc(sizeof(*watch->shadow));
	if (watch->shadow != NULL)
		return watch;
	ws_watch_end(fd);
	return NULL;
}

/* It works: the connection is an open client's. */
static void
settle(struct client *client, int fd, const struct ws_moved *moved)
{
	(void)close(client->fd); /* the duplicate stays */
	client->fd = fd;
	client->state = CLIENT_OPEN;
	client->paused = false;
	client->partial = false;
	if (moved->tail_len != 0 &&
	    ws_write(client, moved->tail, moved->tail_len) != 0)
		return; /* it is dead, and a callback will tell */
	if (client->outbox.count != 0 || client->outbox.gap_count != 0)
		flush_mark(&client->worker->flush, client);
}

int
ws_move_in(struct ws *ws, struct client *client, const struct ws_moved *moved)
{
	struct ws_shadow shadow = moved->shadow;
	struct ws_watch *watch;
	int fd, rc;

	if (!ws->watching)
		return -ENOSYS;
	if (ws_shadow_check(&shadow) != 0)
		return -EPROTO;
	fd = fcntl(client->fd, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	watch = follow(ws, client, fd, &shadow);
	if (watch == NULL) {
		(void)close(fd); /* client->fd is the connection */
		return -ENOMEM;
	}
	rc = put_in(ws, client, fd, &shadow);
	if (rc != 0) {
		ws_watch_end(fd);
		client->wsi = NULL;
		return rc;
	}
	if (watch->shadow != NULL)
		*watch->shadow = shadow;
	settle(client, fd, moved);
	return 0;
}

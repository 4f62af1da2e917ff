/*
 * ws_move_trial.c - can connections be moved with this libwebsockets?
 *
 * One is made of a pair of sockets, put in in the middle of a frame, read from,
 * and taken out.  What may be different from what ws_move.c thinks shows: ours
 * are not the recv(), send() and shutdown() that are called, or a parser does
 * not stand where it should.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/ws_internal.h"
#include "worker/ws_libc.h"
#include "worker/ws_move.h"

/* A binary frame of three bytes, of which one was read. */
static const unsigned char begun[] = { 0x82, 0x83, 1, 2, 3, 4, 'a' ^ 1 };
static const unsigned char rest[] = { 'b' ^ 2, 'c' ^ 3 };
static unsigned char tail[] = { 't' };

/* The other end has this one byte and nothing more, not even the end. */
static bool
has_only(int other, char byte)
{
	char bytes[2];

	return recv(other, bytes, sizeof(bytes), 0) == 1 && bytes[0] == byte &&
	    recv(other, bytes, sizeof(bytes), 0) == -1 && errno == EAGAIN;
}

static bool
try_in(struct ws *ws, struct client *client, int other)
{
	struct ws_moved moved = { .tail = tail, .tail_len = sizeof(tail) };
	const struct ws_watch *watch;
	bool read;

	ws_shadow_init(&moved.shadow);
	(void)ws_shadow_feed(&moved.shadow, begun, sizeof(begun)); /* all */
	if (ws_move_in(ws, client, &moved) != 0 ||
	    !has_only(other, (char)tail[0]) ||
	    send(other, rest, sizeof(rest), 0) != sizeof(rest))
		return false;
	ws_hand_take(ws, client, NULL);
	read = ws_hand_serve(ws, client->fd, LWS_POLLIN) &&
	    ws->hand_heard == sizeof(rest);
	if (ws->hand_gone)
		client->wsi = NULL;
	ws_hand_let_go(ws);
	watch = ws_watch_find(client->fd, client);
	/* What was handed over is not told in hand. */
	return read && watch->shadow == NULL && watch->unheard == sizeof(rest);
}

static bool
try_out(struct ws *ws, struct client *client, int other)
{
	struct ws_moved moved;
	bool good;

	if (!ws_move_heard(client, sizeof(rest)))
		return false;
	ws->turn = (uint16_t)(ws->turn + WS_MOVE_STAY_TURNS);
	if (ws_move_out(client, &moved) != 0)
		return false;
	good = moved.tail_len == 0 && ws_shadow_at_boundary(&moved.shadow) &&
	    send(client->fd, "x", 1, 0) == 1 && has_only(other, 'x');
	ws_moved_release(&moved);
	return good;
}

/* Whatever has come of it, libwebsockets does not know it afterwards. */
static void
clean_up(struct ws *ws, struct client *client)
{
	if (client->wsi != NULL) {
		ws_watch_end(client->fd);
		ws_hand_take(ws, client, NULL);
		lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_REASON_BASE,
		    LWS_TO_KILL_SYNC);
		ws_hand_let_go(ws);
	} else {
		ws_watch_end(client->fd);
		(void)close(client->fd); /* nothing was written to lose */
	}
}

bool
ws_move_trial(struct ws *ws)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	struct client client = { .worker = worker };
	int pair[2];
	bool good;

	if (worker == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair) == -1) {
		free(worker);
		return false;
	}
	worker->ws = ws;
	client.fd = pair[0];
	list_init(&client.dirty);
	list_init(&client.reader);
	ws->can_move = true; /* or it would not be tried */
	good = try_in(ws, &client, pair[1]) && try_out(ws, &client, pair[1]);
	clean_up(ws, &client);
	(void)close(pair[1]); /* nothing was written to lose */
	free(worker);
	return good;
}

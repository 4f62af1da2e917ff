/*
 * ws_move.c - see ws_move.h: is it to be moved, and out of libwebsockets.
 *
 * All in one call:
 *
 *	the descriptor is duplicated: libwebsockets will close its own
 *	play begins: shutdown() does nothing, send() keeps what it gets
 *	libwebsockets may write until it has nothing: the rest of a write, then
 *	    a PONG that it owes; that is the tail
 *	the descriptor leaves epoll: the connection stays open, so epoll would
 *	    go on to report it under a number that means another one
 *	libwebsockets closes it at once, without a close frame
 */
#include "worker/ws_move.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "worker/ws_internal.h"
#include "worker/ws_libc.h"

static struct ws_watch *
watch_of(const struct client *client)
{
	return ws_watch_find(client->fd, client);
}

bool
ws_move_works(const struct ws *ws)
{
	return ws->can_move;
}

void
ws_moved_release(struct ws_moved *moved)
{
	free(moved->tail);
	moved->tail = NULL;
	moved->tail_len = 0;
}

/* ---- in hand ----------------------------------------------------------- */

int
ws_move_callback(struct ws *ws, struct lws *wsi,
    enum lws_callback_reasons reason, size_t len)
{
	switch ((int)reason) {
	case LWS_CALLBACK_ESTABLISHED:
		ws->hand_open = true;
		ws->in_hand->wsi = wsi;
		break;
	case LWS_CALLBACK_RECEIVE:
		ws->hand_heard += len; /* the trial; a replay has none */
		break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		ws->hand_clean = true;
		break;
	case LWS_CALLBACK_WSI_DESTROY:
		ws->hand_gone = true;
		break;
	default:
		break;
	}
	return 0;
}

void
ws_hand_take(struct ws *ws, struct client *client, struct ws_play *play)
{
	assert(ws->in_hand == NULL);
	ws->hand_open = ws->hand_clean = ws->hand_gone = false;
	ws->hand_heard = 0;
	ws->in_hand = client;
	ws_libc_play(play);
}

void
ws_hand_let_go(struct ws *ws)
{
	ws->in_hand = NULL;
	ws_libc_play(NULL);
}

bool
ws_hand_serve(struct ws *ws, int fd, short events)
{
	struct lws_pollfd pfd = { fd, events, events };

	return lws_service_fd(ws->context, &pfd) >= 0 && !ws->hand_gone;
}

/* ---- out --------------------------------------------------------------- */

/* Has libwebsockets parsed and handed over exactly what it has read? */
static bool
is_all_known(const struct client *client, const struct ws_watch *watch)
{
	const struct ws_shadow *shadow = watch->shadow;
	size_t left = lws_remaining_packet_payload(client->wsi);

	if (watch->unheard != 0)
		return false;
	if (shadow == NULL)
		return left == 0;
	if (shadow->phase == WS_SHADOW_PAYLOAD)
		return left == shadow->left;
	return shadow->have != 0 || left == 0;
}

enum ws_fit
ws_move_fit(const struct client *client)
{
	const struct ws *ws = client->worker->ws;
	const struct ws_watch *watch = watch_of(client);

	if (ws == NULL || !ws->can_move || client->state != CLIENT_OPEN ||
	    client->close_sent || client->exchange != NULL || watch == NULL ||
	    !watch->open || watch->closed || watch->bad)
		return WS_FIT_NEVER;
	if ((uint16_t)(ws->turn - watch->turn) < WS_MOVE_STAY_TURNS ||
	    !is_all_known(client, watch))
		return WS_FIT_SOON;
	return WS_FIT_NOW;
}

void
ws_move_pause(struct client *client, bool paused)
{
	client->paused = paused;
	if (client->wsi != NULL)
		(void)lws_rx_flow_control(client->wsi, !paused);
}

/*
 * libev's epoll descriptor.  It has no call for it, but its means to embed one
 * loop into another does nothing else than to watch it.
 */
static int
find_epoll(struct ev_loop *loop)
{
	struct ev_loop *other = ev_loop_new(EVBACKEND_SELECT | EVFLAG_NOENV);
	ev_embed embed;
	int fd;

	if (other == NULL)
		return -1;
	ev_embed_init(&embed, NULL, loop);
	ev_embed_start(other, &embed);
	fd = embed.io.fd;
	ev_embed_stop(other, &embed);
	ev_loop_destroy(other);
	return fd;
}

/* libev makes a new epoll set when it sees one that is confused. */
static void
leave_epoll(struct ws *ws, int fd)
{
	struct epoll_event unused = { .events = 0 };

	for (int i = 0; i < 2; i++) {
		if (ws->epoll_fd == -1)
			ws->epoll_fd = find_epoll(ws->worker->loop);
		if (epoll_ctl(ws->epoll_fd, EPOLL_CTL_DEL, fd, &unused) == 0 ||
		    errno == ENOENT)
			return; /* it need not be in it yet */
		ws->epoll_fd = -1;
	}
}

/*
 * Let libwebsockets write what it has.  0; or -ENOMEM, when it has kept all of
 * it; or -EIO: a part was taken, and there is no way back.
 */
static int
drain(struct ws *ws, int fd, struct ws_play *play)
{
	size_t before;

	while (!ws->hand_clean && !ws->hand_gone) {
		before = play->kept_len;
		if (!ws_hand_serve(ws, fd, LWS_POLLOUT))
			return ws->hand_gone ? 0 : -EIO;
		if (play->failed ||
		    (!ws->hand_clean && !ws->hand_gone &&
			play->kept_len == before))
			return play->kept_len == 0 ? -ENOMEM : -EIO;
	}
	return 0;
}

int
ws_move_out(struct client *client, struct ws_moved *ret_moved)
{
	struct ws *ws = client->worker->ws;
	struct ws_play play = { .fd = client->fd, .keep = true };
	struct ws_watch *watch;
	int fd, rc;

	if (ws_move_fit(client) != WS_FIT_NOW)
		return -EAGAIN;
	fd = fcntl(client->fd, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	ws_hand_take(ws, client, &play);
	rc = drain(ws, client->fd, &play);
	if (rc != 0) {
		ws_hand_let_go(ws);
		free(play.kept);
		if (rc == -EIO)
			ws_kill(client);
		(void)close(fd); /* libwebsockets has the other one */
		return rc;
	}
	watch = watch_of(client);
	*ret_moved =
	    (struct ws_moved){ .tail = play.kept, .tail_len = play.kept_len };
	if (watch->shadow != NULL)
		ret_moved->shadow = *watch->shadow;
	ws_watch_end(client->fd);
	leave_epoll(ws, client->fd);
	if (!ws->hand_gone)
		lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_REASON_BASE,
		    LWS_TO_KILL_SYNC);
	assert(ws->hand_gone);
	ws_hand_let_go(ws);
	list_remove(&client->reader);
	list_remove(&client->dirty);
	client->read_bytes = 0;
	client->wsi = NULL;
	client->fd = fd;
	client->partial = true;
	return 0;
}

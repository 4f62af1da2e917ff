/*
 * ws_follow.c - what ws.c tells of a connection, so that it can be moved later.
 *
 * Only plain ones are followed, from the adoption on.  Two faults of
 * libwebsockets are mended with what is known then (see ws_libc.c for others):
 * a client's close code from 1012 to 1014 is answered with 1002, because it
 * does not know these; and frames without a mask do not show in the counters.
 */
#include "base/log.h"
#include "worker/ws_internal.h"
#include "worker/ws_libc.h"

enum {
	CODE_UNKNOWN_FIRST = 1012,
	CODE_UNKNOWN_LAST = 1014,
};

static struct ws_watch *
watch_of(const struct client *client)
{
	return ws_watch_find(client->fd, client);
}

void
ws_move_init(struct ws *ws)
{
	if (ws_libc_init() != 0) {
		log_warnx("connections cannot be moved: out of memory");
		return;
	}
	ws->watching = true;
	ws->can_move = ws_move_trial(ws);
	if (!ws->can_move)
		log_warnx("connections cannot be moved, clients are asked to "
			  "come back: libwebsockets is another one than was "
			  "foreseen, or linked in another way");
}

void
ws_move_release(struct ws *ws)
{
	if (ws->watching)
		ws_libc_release();
}

void
ws_move_adopted(struct client *client)
{
	if (!client->tls)
		(void)ws_watch_begin(client->fd, client); /* or it stays */
}

void
ws_move_opened(struct client *client)
{
	struct ws_watch *watch = watch_of(client);

	if (watch != NULL)
		ws_watch_open(watch, client->worker->ws->turn);
}

bool
ws_move_heard(struct client *client, size_t len)
{
	struct ws_watch *watch = watch_of(client);

	if (watch == NULL)
		return true;
	watch->unheard -= (uint32_t)len;
	return !watch->swallow;
}

void
ws_move_mend_code(struct client *client, unsigned char *payload, size_t len)
{
	const struct ws_watch *watch = watch_of(client);

	if (watch == NULL || len < 2 || watch->code < CODE_UNKNOWN_FIRST ||
	    watch->code > CODE_UNKNOWN_LAST)
		return;
	payload[0] = (unsigned char)(watch->code >> 8);
	payload[1] = (unsigned char)watch->code;
}

void
ws_move_gone(struct client *client)
{
	const struct ws_watch *watch = watch_of(client);

	if (watch == NULL)
		return;
	if (watch->unmasked)
		stats_add(&client->worker->stats->closed_protocol, 1);
	ws_watch_end(client->fd);
}

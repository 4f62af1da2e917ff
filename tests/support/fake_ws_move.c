/* fake_ws_move.c - see fake_ws_move.h. */
#include "fake_ws_move.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_ws.h"
#include "worker/state.h"
#include "worker/ws_move.h"

struct fake_ws_move fake_ws_move;

void
fake_ws_move_reset(void)
{
	fake_ws_move = (struct fake_ws_move){ .works = true };
}

bool
ws_move_works(const struct ws *ws)
{
	(void)ws;
	return fake_ws_move.works;
}

enum ws_fit
ws_move_fit(const struct client *client)
{
	assert(client->wsi != NULL);
	if (client->state != CLIENT_OPEN)
		return WS_FIT_NEVER;
	return client->partial ? WS_FIT_SOON : fake_ws_move.fit;
}

void
ws_move_pause(struct client *client, bool paused)
{
	assert(client->wsi != NULL);
	client->paused = paused;
	if (paused)
		fake_ws_move.pauses++;
	else
		fake_ws_move.resumes++;
}

int
ws_move_out(struct client *client, struct ws_moved *ret_moved)
{
	assert(client->state == CLIENT_OPEN && client->wsi != NULL);
	if (fake_ws_move.out_rc != 0)
		return fake_ws_move.out_rc;
	assert(ws_move_fit(client) == WS_FIT_NOW);
	*ret_moved = (struct ws_moved){ .tail = NULL };
	ws_shadow_init(&ret_moved->shadow);
	if (fake_ws_move.tail_len != 0) {
		ret_moved->tail = malloc(fake_ws_move.tail_len);
		if (ret_moved->tail == NULL)
			return -ENOMEM;
		memset(ret_moved->tail, 'x', fake_ws_move.tail_len);
		ret_moved->tail_len = fake_ws_move.tail_len;
	}
	if (fake_ws_move.on_out != NULL)
		fake_ws_move.on_out(client);
	fake_ws_detach(client);
	client->paused = false;
	fake_ws_move.outs++;
	return 0;
}

int
ws_move_in(struct ws *ws, struct client *client, const struct ws_moved *moved)
{
	(void)ws;
	assert(client->state == CLIENT_MOVING && client->wsi == NULL);
	assert(moved->tail_len == 0 || moved->tail != NULL);
	if (fake_ws_move.in_rc != 0)
		return fake_ws_move.in_rc;
	if (fake_ws_move.on_in != NULL)
		fake_ws_move.on_in(client);
	fake_ws_attach(client);
	client->state = CLIENT_OPEN;
	client->paused = false;
	fake_ws_move.in_tail_len = moved->tail_len;
	fake_ws_move.ins++;
	return 0;
}

void
ws_moved_release(struct ws_moved *moved)
{
	free(moved->tail);
	moved->tail = NULL;
	moved->tail_len = 0;
}

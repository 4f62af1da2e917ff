/*
 * move.c - the table of moves, and what the hub says of them; see move.h.
 */
#include "worker/move.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "worker/door.h"
#include "worker/link.h"
#include "worker/move_internal.h"
#include "worker/state.h"

/* ---- the table --------------------------------------------------------- */

static void
note_counts(struct worker *worker)
{
	stats_set(&worker->stats->moving,
	    worker->mover.out_count + worker->mover.in_count);
}

struct move *
move_new(struct client *client, bool giver, const struct ipc_node_id *peer,
    uint32_t token)
{
	struct mover *mover = &client->worker->mover;
	struct move *move = calloc(1, sizeof(*move));

	if (move == NULL)
		return NULL;
	move->client = client;
	move->giver = giver;
	move->peer = *peer;
	move->token = token;
	move->takes = giver ? MOVE_FROM_ALL : 0;
	move->step_ms = client->worker->now_ms;
	if (giver) {
		list_append(&mover->out, &move->link);
		mover->out_count++;
	} else {
		list_append(&mover->in, &move->link);
		mover->in_count++;
	}
	client->move = move;
	note_counts(client->worker);
	return move;
}

void
move_free(struct move *move)
{
	struct worker *worker = move->client->worker;

	move->client->move = NULL;
	list_remove(&move->link);
	if (move->giver)
		worker->mover.out_count--;
	else
		worker->mover.in_count--;
	ws_moved_release(&move->moved);
	free(move->app);
	free(move);
	note_counts(worker);
}

void
move_step(struct move *move, enum move_stage stage)
{
	move->stage = (uint8_t)stage;
	move->step_ms = move->client->worker->now_ms;
}

bool
move_say(const struct move *move, enum ipc_step_kind kind)
{
	struct ipc_step step = {
		.peer = move->peer,
		.token = move->token,
		.kind = (uint16_t)kind,
		.giver = move->giver,
	};

	return link_step(move->client->worker->link, &step);
}

void
move_say_no(struct worker *worker, const struct ipc_node_id *peer,
    uint32_t token, bool giver)
{
	struct ipc_step step = {
		.peer = *peer,
		.token = token,
		.kind = IPC_STEP_NO,
		.giver = giver,
	};

	(void)link_step(worker->link, &step); /* away: it ends there as well */
}

/* The move that a step speaks of, or NULL. */
static struct move *
find(struct worker *worker, const struct ipc_node_id *peer, uint32_t token,
    bool giver)
{
	struct list *list = giver ? &worker->mover.out : &worker->mover.in;
	struct move *move;

	for (struct list *pos = list->next; pos != list; pos = pos->next) {
		move = LIST_ENTRY(pos, struct move, link);
		if (move->token == token && node_id_equal(&move->peer, peer))
			return move;
	}
	return NULL;
}

bool
move_takes(const struct client *client, const struct ipc_node_id *origin)
{
	const struct move *move = client->move;

	if (move->takes == MOVE_FROM_ALL)
		return true;
	if (origin == NULL)
		return (move->takes & MOVE_FROM_HERE) != 0;
	if (node_id_equal(origin, &move->peer))
		return (move->takes & MOVE_FROM_GIVER) != 0;
	return (move->takes & MOVE_FROM_OTHERS) != 0;
}

void
move_arrived(struct client *client)
{
	struct worker *worker = client->worker;

	client->settle_ms = client_now(worker) + MOVE_SETTLE_MS;
	client_count(client, true);
	if (client->close_code != 0)
		client->state = CLIENT_CLOSING;
	flush_mark(&worker->flush, client);
}

void
move_client_gone(struct client *client)
{
	if (client->move == NULL)
		return;
	(void)move_say(client->move, IPC_STEP_NO);
	move_free(client->move);
}

/* A worker has gone: it is no target, and its moves end. */
static void
on_peer_gone(struct worker *worker, const struct ipc_node_id *peer)
{
	struct mover *mover = &worker->mover;
	struct list *pos, *next;
	struct move *move;
	uint32_t n = 0;

	list_for_each_safe(pos, next, &mover->out) {
		move = LIST_ENTRY(pos, struct move, link);
		if (node_id_equal(&move->peer, peer))
			move_give_back(move);
	}
	list_for_each_safe(pos, next, &mover->in) {
		move = LIST_ENTRY(pos, struct move, link);
		if (node_id_equal(&move->peer, peer))
			move_take_drop(move);
	}
	for (uint32_t i = 0; i < mover->target_count; i++) {
		if (!node_id_equal(&mover->targets[i], peer))
			mover->targets[n++] = mover->targets[i];
	}
	mover->target_count = n;
	/* Those who may take the rest are asked for anew. */
	if (n == 0 && mover->wanted == UINT32_MAX && !mover->asked)
		mover->asked = link_leaving(worker->link);
	if (n == 0 && mover->wanted != UINT32_MAX)
		mover->wanted = 0;
}

void
move_on_step(struct worker *worker, const struct ipc_step *step)
{
	enum ipc_step_kind kind = (enum ipc_step_kind)step->kind;
	struct move *move;

	if (kind == IPC_STEP_GONE) {
		on_peer_gone(worker, &step->peer);
		return;
	}
	/* What the giver says is for the taker, and the other way round. */
	move = find(worker, &step->peer, step->token, step->giver == 0);
	if (move == NULL) {
		if (kind != IPC_STEP_NO && kind != IPC_STEP_CUT)
			move_say_no(worker, &step->peer, step->token,
			    step->giver == 0);
		return;
	}
	if (move->giver)
		move_give_step(move, kind);
	else
		move_take_step(move, kind);
}

void
move_on_away(struct worker *worker)
{
	struct mover *mover = &worker->mover;
	struct list *pos, *next;

	/* One that leaves waits for a new hub, for move-timeout. */
	mover->asked = mover->wanted == UINT32_MAX;
	if (!mover->asked)
		mover->wanted = 0;
	mover->target_count = 0;
	mover->began_ms = worker->now_ms;
	list_for_each_safe(pos, next, &mover->out)
		move_give_back(LIST_ENTRY(pos, struct move, link));
	list_for_each_safe(pos, next, &mover->in)
		move_take_drop(LIST_ENTRY(pos, struct move, link));
}

void
move_on_back(struct worker *worker)
{
	if (worker->mover.wanted == UINT32_MAX)
		worker->mover.asked = link_leaving(worker->link);
}

void
move_stop(struct worker *worker)
{
	struct list *pos, *next;
	struct client *client;

	ev_timer_stop(worker->loop, &worker->mover.tick);
	list_for_each_safe(pos, next, &worker->mover.in)
		move_take_drop(LIST_ENTRY(pos, struct move, link));
	list_for_each_safe(pos, next, &worker->mover.out) {
		client = LIST_ENTRY(pos, struct move, link)->client;
		if (client->state == CLIENT_MOVING)
			stats_add(&worker->stats->moves_lost, 1);
		move_free(client->move);
		if (client->state == CLIENT_MOVING)
			client_moved_away(client);
	}
}

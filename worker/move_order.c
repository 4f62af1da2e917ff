/*
 * move_order.c - the order to move clients away, and who goes next; see move.h.
 */
#include "worker/link.h"
#include "worker/move_internal.h"
#include "worker/state.h"

static void
on_tick(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)loop;
	(void)watcher;
	(void)revents; /* the turn's end does the work */
}

void
move_init(struct worker *worker)
{
	struct mover *mover = &worker->mover;

	list_init(&mover->out);
	list_init(&mover->in);
	ev_timer_init(&mover->tick, on_tick, MOVE_TICK_MS / 1000.,
	    MOVE_TICK_MS / 1000.);
}

void
move_on_order(struct worker *worker, const struct ipc_move *move,
    const struct ipc_node_id *targets, size_t count)
{
	struct mover *mover = &worker->mover;

	mover->asked = false;
	mover->wanted = move->count;
	mover->rate = move->rate;
	mover->began_ms = worker->now_ms;
	mover->started = 0;
	mover->search_ms = 0;
	mover->target_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (!node_id_equal(&targets[i], &worker->id))
			mover->targets[mover->target_count++] = targets[i];
	}
	if (mover->target_count == 0 || !worker->config->move_clients)
		mover->wanted = 0;
	/* Others may take those whom the last ones did not want. */
	for (uint32_t i = 0; i < worker->clients.count; i++) {
		if (worker->clients.all[i]->move_tries != MOVE_NEVER)
			worker->clients.all[i]->move_tries = 0;
	}
}

void
move_ask(struct worker *worker)
{
	struct mover *mover = &worker->mover;

	if (!worker->config->move_clients || mover->wanted == UINT32_MAX)
		return;
	mover->asked = link_leaving(worker->link);
	if (!mover->asked)
		return;
	mover->wanted = UINT32_MAX;
	mover->target_count = 0;
	mover->began_ms = worker->now_ms;
}

void
move_cancel(struct worker *worker)
{
	worker->mover.wanted = 0;
	worker->mover.asked = false;
}

bool
move_wants(const struct client *client)
{
	const struct worker *worker = client->worker;
	const struct mover *mover = &worker->mover;

	if (client->move != NULL)
		return true;
	return mover->wanted == UINT32_MAX &&
	    (mover->target_count != 0 || mover->asked) &&
	    worker->now_ms - mover->began_ms < worker->config->move_timeout &&
	    client->move_tries != MOVE_NEVER && move_is_possible(client);
}

/* May one more begin now? */
static bool
is_due(const struct worker *worker)
{
	const struct mover *mover = &worker->mover;
	uint64_t passed = worker->now_ms - mover->began_ms + 1;

	return mover->wanted != 0 && mover->target_count != 0 &&
	    mover->out_count < MOVES_OUT_MAX && link_has_room(worker->link) &&
	    (mover->rate == 0 || mover->started * 1000 < mover->rate * passed);
}

/* It wraps: what is further away than any rest is long ago. */
static bool
is_settled(const struct worker *worker, const struct client *client)
{
	uint32_t rest = client->settle_ms - client_now(worker);

	return rest == 0 || rest > MOVE_SETTLE_MS;
}

static bool
may_begin(const struct worker *worker, const struct client *client)
{
	/* One that leaves sends on also those that have just come. */
	bool settled =
	    (worker->mover.wanted == UINT32_MAX && client->move_tries == 0) ||
	    is_settled(worker, client);

	return client->move == NULL && settled &&
	    client->move_tries != MOVE_NEVER &&
	    (client->move_tries < MOVE_TRIES ||
		worker->mover.wanted == UINT32_MAX) &&
	    move_is_possible(client);
}

static void
begin(struct worker *worker, struct client *client)
{
	struct mover *mover = &worker->mover;

	mover->next = (mover->next + 1) % mover->target_count;
	mover->started++;
	if (mover->wanted != UINT32_MAX)
		mover->wanted--;
	move_give_begin(client, &mover->targets[mover->next]);
}

/*
 * Look for clients as long as more may begin.  When all have been looked at,
 * that was it until the next tick: with many that cannot be moved the search
 * would be all that a turn does.
 */
static void
search(struct worker *worker)
{
	struct mover *mover = &worker->mover;
	struct clients *clients = &worker->clients;
	uint64_t started = mover->started;
	struct client *client;

	if (worker->now_ms < mover->search_ms)
		return;
	for (uint32_t i = 0; is_due(worker); i++) {
		if (i >= clients->count) {
			mover->search_ms = worker->now_ms + MOVE_TICK_MS;
			/* Nobody at all: the order was too large. */
			if (mover->started == started &&
			    mover->out_count == 0 &&
			    mover->wanted != UINT32_MAX)
				mover->wanted = 0;
			return;
		}
		if (mover->sweep >= clients->count)
			mover->sweep = 0;
		client = clients->all[mover->sweep++];
		if (may_begin(worker, client))
			begin(worker, client);
	}
}

void
move_turn(struct worker *worker)
{
	struct mover *mover = &worker->mover;
	struct list *pos, *next;

	list_for_each_safe(pos, next, &mover->out)
		move_give_look(LIST_ENTRY(pos, struct move, link));
	list_for_each_safe(pos, next, &mover->in)
		move_take_look(LIST_ENTRY(pos, struct move, link));
	search(worker);
	if (mover->wanted == 0 && mover->out_count == 0 && mover->in_count == 0)
		ev_timer_stop(worker->loop, &mover->tick);
	else if (!ev_is_active(&mover->tick))
		ev_timer_start(worker->loop, &mover->tick);
}

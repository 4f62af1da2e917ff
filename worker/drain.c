/* drain.c - see drain.h. */
#include "worker/drain.h"

#include <stdio.h>

#include "base/log.h"
#include "worker/door.h"
#include "worker/state.h"

enum {
	TICK_MS = 20
};

/* How long after now the client that is asked as number n may return. */
static uint32_t
retry_in(const struct drain *drain, uint64_t now_ms, uint32_t n)
{
	uint64_t slot = (uint64_t)n * 1000 / DRAIN_RETURN_RATE;
	uint64_t since = now_ms - drain->started_ms;
	uint64_t wait = slot > since ? slot - since : 0;

	wait += DRAIN_RETRY_MIN_MS;
	return wait < DRAIN_RETRY_MAX_MS ? (uint32_t)wait : DRAIN_RETRY_MAX_MS;
}

void
drain_client(struct worker *worker, struct client *client)
{
	char reason[64];

	if (client->state != CLIENT_OPEN)
		return;
	(void)snprintf(reason, sizeof(reason), "{\"retry_in\":%u}",
	    (unsigned int)retry_in(&worker->drain, worker->now_ms,
		worker->drain.asked++));
	stats_add(&worker->stats->closed_drain, 1);
	client_close(client, CLOSE_GOING_AWAY, reason, false);
}

/* How many should have been asked by now. */
static uint32_t
due(const struct drain *drain, uint64_t now_ms)
{
	uint64_t since = now_ms - drain->started_ms;

	if (since >= drain->window_ms)
		return UINT32_MAX;
	return (uint32_t)(drain->planned * since / drain->window_ms);
}

static void
on_tick(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct worker *worker = watcher->data;
	struct drain *drain = &worker->drain;
	uint32_t until = due(drain, worker->now_ms);

	(void)revents;
	for (uint32_t i = 0; i < worker->clients.count && drain->asked < until;
	     i++)
		drain_client(worker, worker->clients.all[i]);
	if (drain->leave && worker->clients.count == 0) {
		log_info("drained: %u clients asked to go", drain->asked);
		ev_break(loop, EVBREAK_ALL);
	}
}

void
drain_start(struct worker *worker, uint32_t window_ms, bool leave)
{
	struct drain *drain = &worker->drain;

	drain->leave = drain->leave || leave;
	drain->window_ms = window_ms;
	if (drain->active)
		return;
	log_info("draining %u clients over %u ms", worker->clients.open,
	    window_ms);
	drain->active = true;
	drain->started_ms = worker->now_ms;
	if (worker->door != NULL)
		door_close(worker->door);
	drain->planned = worker->clients.open;
	stats_set(&worker->stats->ready, 0);
	ev_timer_init(&drain->tick, on_tick, 0., TICK_MS / 1000.);
	drain->tick.data = worker;
	ev_timer_start(worker->loop, &drain->tick);
}

void
drain_stop(struct worker *worker)
{
	if (worker->drain.active)
		ev_timer_stop(worker->loop, &worker->drain.tick);
}

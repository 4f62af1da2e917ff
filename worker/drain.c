/* drain.c - see drain.h. */
#include "worker/drain.h"

#include <stdio.h>

#include "base/log.h"
#include "worker/door.h"
#include "worker/move.h"
#include "worker/retry.h"
#include "worker/state.h"

static bool
must_go(const struct client *client)
{
	return client->state == CLIENT_OPEN && !move_wants(client);
}

static uint32_t
count_those_who_must_go(const struct worker *worker)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < worker->clients.count; i++)
		n += must_go(worker->clients.all[i]);
	return n;
}

/* The time over which closes are spread; the last one is back soon after. */
static uint64_t
span_ms(const struct drain *drain)
{
	return drain->window_ms > RETRY_MIN_MS ?
	    drain->window_ms - RETRY_MIN_MS :
	    0;
}

/* How many should have been asked before the next tick. */
static uint32_t
due(const struct drain *drain, uint64_t now_ms)
{
	uint64_t until = now_ms - drain->started_ms + DRAIN_TICK_MS;

	if (until >= span_ms(drain))
		return UINT32_MAX;
	return (uint32_t)(drain->planned * until / span_ms(drain));
}

/*
 * No client returns before this time.  Of those that are asked in one tick each
 * has a place of its own in it, as if there were no ticks.
 */
static uint64_t
earliest_us(const struct drain *drain, uint64_t now_ms)
{
	uint64_t soonest = (now_ms + RETRY_MIN_MS) * 1000;
	uint64_t latest = soonest + DRAIN_TICK_MS * 1000;
	uint64_t even = (drain->started_ms + RETRY_MIN_MS) * 1000;

	if (drain->asked < drain->planned)
		even += span_ms(drain) * 1000 * drain->asked / drain->planned;
	if (even < soonest)
		return soonest;
	return even < latest ? even : latest;
}

/* The bus may have more or fewer workers by now, or accept faster. */
static void
plan_gap(struct worker *worker)
{
	worker->drain.gap_us = retry_gap_us(worker->config->accept_rate,
	    worker->page != NULL ? retry_workers(worker->page) : 1,
	    worker->drain.planned);
}

void
drain_client(struct worker *worker, struct client *client)
{
	struct drain *drain = &worker->drain;
	uint64_t *row =
	    worker->page != NULL ? &worker->page->return_us : &drain->row;
	char reason[64];

	if (!must_go(client))
		return;
	if (drain->gap_us == 0)
		plan_gap(worker);
	(void)snprintf(reason, sizeof(reason), "{\"retry_in\":%u}",
	    (unsigned int)retry_take(row, worker->now_ms * 1000,
		earliest_us(drain, worker->now_ms), drain->gap_us));
	drain->asked++;
	stats_add(&worker->stats->closed_drain, 1);
	client_close(client, CLOSE_GOING_AWAY, reason, false);
}

/* Ask those who are due; the plan follows what has become of the others. */
static void
ask(struct worker *worker)
{
	struct drain *drain = &worker->drain;
	uint32_t until = due(drain, worker->now_ms), rest = 0;
	struct client *client;

	if (worker->clients.count == 0)
		return;
	plan_gap(worker);
	for (uint32_t i = 0; i < worker->clients.count; i++) {
		client = worker->clients.all[i];
		if (!must_go(client))
			continue;
		if (drain->asked < until)
			drain_client(worker, client);
		else
			rest++;
	}
	drain->planned = drain->asked + rest;
}

static void
on_tick(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct worker *worker = watcher->data;
	struct drain *drain = &worker->drain;

	(void)revents;
	ask(worker);
	if (drain->leave && worker->clients.count == 0) {
		log_info("drained: %u clients asked to go, %llu moved away",
		    drain->asked, (unsigned long long)worker->moved_away);
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
	stats_set(&worker->stats->ready, 0);
	if (worker->door != NULL)
		door_close(worker->door);
	drain->planned = count_those_who_must_go(worker);
	ev_timer_init(&drain->tick, on_tick, 0., DRAIN_TICK_MS / 1000.);
	drain->tick.data = worker;
	ev_timer_start(worker->loop, &drain->tick);
}

void
drain_stop(struct worker *worker)
{
	if (worker->drain.active)
		ev_timer_stop(worker->loop, &worker->drain.tick);
}

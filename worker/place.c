/*
 * place.c - a worker's place on the bus: what the hub says, and what follows.
 *
 * WELCOME brings identity, listening sockets and the statistics page; CONTRACT
 * and CONFIG are place_config.c.  When the hub goes away everything that needs
 * no hub goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/api_worker.h"
#include "worker/bus.h"
#include "worker/membership.h"
#include "worker/presence.h"
#include "worker/query.h"
#include "worker/runtime.h"

enum {
	EXIT_HOPELESS = 78
};

/* Take our place: identity and statistics. */
static void
take_place(struct runtime *p, const struct ipc_welcome *welcome)
{
	struct worker *worker = &p->worker;

	worker->id = welcome->id;
	node_id_format(&worker->id, worker->node, sizeof(worker->node));
	api_worker_placed(worker);
	log_init("worker", worker->id.slot);
	if (worker->page == NULL || welcome->section >= STATS_SECTIONS_MAX)
		return;
	worker->section = &worker->page->sections[welcome->section];
	worker->stats = &worker->section->now;
	stats_set(&worker->section->heartbeat_ms, worker->now_ms);
	link_set_stats(worker->link, worker->stats);
}

static void
on_welcome(void *arg, const struct ipc_welcome *welcome, const int *fds,
    size_t count)
{
	struct runtime *p = arg;
	size_t listeners = welcome->fd_count;

	if (listeners > count || !welcome->has_page || count != listeners + 1 ||
	    stats_map(fds[listeners], &p->worker.page) != 0) {
		log_warnx("the hub's welcome is not complete");
		runtime_leave(p, EXIT_FAILURE);
		return;
	}
	memcpy(p->listeners, fds, listeners * sizeof(fds[0]));
	p->listener_count = listeners;
	p->page_fd = fds[listeners];
	link_set_listeners(p->worker.link, p->listeners, p->listener_count);
	take_place(p, welcome);
	if (membership_placed(&p->worker) != 0) {
		log_warnx("out of memory");
		runtime_leave(p, EXIT_FAILURE);
	}
}

void
runtime_ready_again(struct runtime *p)
{
	if (!p->owes_ready || !list_is_empty(&p->worker.channels.unjoined))
		return;
	p->owes_ready = false;
	link_ready(p->worker.link);
}

/* A new primary has taken us in: the bus is whole again. */
static void
on_back(void *arg, const struct ipc_welcome *welcome, const int *fds,
    size_t count)
{
	struct runtime *p = arg;

	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]); /* we have our own */
	take_place(p, welcome);
	log_info("the hub is back");
	presence_forget(&p->worker); /* what is wanted comes anew */
	membership_on_back(&p->worker);
	if (membership_placed(&p->worker) != 0)
		log_warnx("out of memory: connections cannot be reached by id");
	p->owes_ready = p->worker.ready;
	runtime_ready_again(p);
	move_on_back(&p->worker);
	api_on_back(p->worker.bus);
}

static void
on_joined(void *arg, uint32_t token)
{
	struct runtime *p = arg;

	membership_on_joined(&p->worker, token);
}

static void
on_envelope(void *arg, const struct ipc_envelope *envelope)
{
	struct runtime *p = arg;

	bus_deliver(&p->worker, envelope);
}

static void
on_query(void *arg, const struct ipc_query *query, const void *text, size_t len)
{
	struct runtime *p = arg;

	if (p->configured)
		query_answer(&p->worker, query, text, len);
}

static void
on_answer(void *arg, const struct ipc_answer *answer, const char *rows,
    size_t len)
{
	struct runtime *p = arg;

	api_on_answer(p->worker.bus, answer, rows, len);
}

static void
on_queried(void *arg, const struct ipc_queried *queried)
{
	struct runtime *p = arg;

	api_on_queried(p->worker.bus, queried);
}

static void
on_wanted(void *arg, const char *channel, size_t len, bool wanted)
{
	struct runtime *p = arg;

	presence_wanted(&p->worker, channel, len, wanted);
}

static void
on_gone(void *arg, const struct ipc_node_id *node)
{
	struct runtime *p = arg;

	api_on_gone(p->worker.bus, node);
}

static void
on_fault(void *arg, const struct ipc_message *message)
{
	struct runtime *p = arg;

	api_on_fault(p->worker.bus, message);
}

static void
on_move(void *arg, const struct ipc_move *move,
    const struct ipc_node_id *targets, size_t count)
{
	struct runtime *p = arg;

	if (p->configured)
		move_on_order(&p->worker, move, targets, count);
}

static void
on_offer(void *arg, const struct ipc_offer *offer, const void *who, size_t len)
{
	struct runtime *p = arg;

	move_on_offer(&p->worker, offer, who, len);
}

static void
on_step(void *arg, const struct ipc_step *step)
{
	struct runtime *p = arg;

	move_on_step(&p->worker, step);
}

static void
on_give(void *arg, const struct ipc_give *give, const void *state, size_t len,
    const int *fds)
{
	struct runtime *p = arg;

	move_on_give(&p->worker, give, state, len, fds);
}

static void
on_drain(void *arg, uint32_t window_ms, bool go)
{
	runtime_drain(arg, window_ms, go);
}

static void
on_reopen(void *arg)
{
	struct runtime *p = arg;
	const char *path = p->configured ? p->worker.config->log_file : "";
	int rc;

	if (path[0] == '\0')
		return;
	rc = log_to_file(path);
	if (rc != 0)
		log_warnx("log file \"%s\": %s", path, strerror(-rc));
}

static void
on_away(void *arg, const char *why)
{
	struct runtime *p = arg;

	p->owes_ready = false;
	log_info("the hub is away (%s); serving on", why);
	presence_forget(&p->worker);
	membership_on_away(&p->worker);
	move_on_away(&p->worker);
	api_on_away(p->worker.bus);
}

static void
on_refused(void *arg, uint32_t retry_ms, const char *why)
{
	struct runtime *p = arg;

	/* It may be asked again and again: each reason is said once. */
	if (strcmp(p->refused, why) != 0)
		log_info("the hub refused: %s%s", why,
		    retry_ms != 0 ? "; waiting" : "");
	(void)snprintf(p->refused, sizeof(p->refused), "%s", why);
	/* One that never had a place was started wrongly. */
	if (retry_ms == 0)
		runtime_leave(p, p->configured ? EXIT_FAILURE : EXIT_HOPELESS);
}

static void
on_orphan(void *arg)
{
	struct runtime *p = arg;

	if (!p->configured) {
		log_warnx("no hub");
		runtime_leave(p, EXIT_FAILURE);
		return;
	}
	log_info("no hub has come; leaving");
	runtime_drain(p, (uint32_t)p->worker.config->drain_window, true);
}

const struct link_events runtime_link_events = {
	.on_welcome = on_welcome,
	.on_back = on_back,
	.on_contract = runtime_on_contract,
	.on_config = runtime_on_config,
	.on_query = on_query,
	.on_answer = on_answer,
	.on_queried = on_queried,
	.on_wanted = on_wanted,
	.on_gone = on_gone,
	.on_fault = on_fault,
	.on_joined = on_joined,
	.on_envelope = on_envelope,
	.on_move = on_move,
	.on_offer = on_offer,
	.on_step = on_step,
	.on_give = on_give,
	.on_drain = on_drain,
	.on_reopen = on_reopen,
	.on_away = on_away,
	.on_refused = on_refused,
	.on_orphan = on_orphan,
};

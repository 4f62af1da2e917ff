/*
 * place.c - a worker's place on the bus: what the hub says, and what follows.
 *
 * WELCOME brings identity, listening sockets and the statistics page, the first
 * CONFIG starts the serving, later ones change it in place.  When the hub goes
 * away everything that needs no hub goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/bus.h"
#include "worker/door.h"
#include "worker/membership.h"
#include "worker/runtime.h"
#include "worker/ws.h"

enum {
	/* Descriptors beyond clients: sockets of ours, libraries. */
	SPARE_FDS = 256,
	EXIT_HOPELESS = 78,
};

/* ---- settings ---------------------------------------------------------- */

static void
apply_config(struct runtime *p, struct config *config)
{
	struct worker *worker = &p->worker;

	config_free(worker->config);
	worker->config = config;
	log_set_level((enum log_level)config->log_level);
	link_set_limits(worker->link, config->link_queue,
	    config->orphan_timeout);
}

/*
 * libwebsockets' tables and its work at every close are in proportion to this
 * limit: as much as is needed and no more.
 */
static void
limit_fds(const struct config *config)
{
	struct rlimit limit;
	rlim_t want = config->max_clients + SPARE_FDS;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
		log_warn("getrlimit");
		return;
	}
	limit.rlim_cur = want;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < want) {
		log_warnx("only %llu descriptors are allowed; max-clients "
			  "needs %llu",
		    (unsigned long long)limit.rlim_max,
		    (unsigned long long)want);
		limit.rlim_cur = limit.rlim_max;
	}
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_warn("setrlimit");
}

/* The first configuration: start to serve. */
static void
start_serving(struct runtime *p)
{
	struct worker *worker = &p->worker;
	bool hopeless = false;

	limit_fds(worker->config);
	worker->ws = ws_new(worker, &hopeless);
	if (worker->ws == NULL) {
		runtime_leave(p, hopeless ? EXIT_HOPELESS : EXIT_FAILURE);
		return;
	}
	worker->door = door_new(worker, p->listeners, p->listener_count,
	    worker->config->tls_cert[0] != '\0');
	if (worker->door == NULL) {
		runtime_leave(p, EXIT_FAILURE);
		return;
	}
	worker->ready = true;
	stats_set(&worker->stats->ready, 1);
	link_ready(worker->link);
	log_info("ready");
}

static void
on_config(void *arg, const char *text, size_t len)
{
	struct runtime *p = arg;
	struct worker *worker = &p->worker;
	struct config_errors errors = { NULL, 0, 0 };
	struct config *config = config_parse("hub", text, len, &errors);
	const char *why = "";

	if (config == NULL) {
		log_warnx("configuration from the hub: %s",
		    errors.text != NULL ? errors.text : "out of memory");
		if (p->configured)
			link_applied(worker->link, false, "not understood");
		else
			runtime_leave(p, EXIT_HOPELESS);
		config_errors_release(&errors);
		return;
	}
	if (!p->configured) {
		apply_config(p, config);
		p->configured = true;
		start_serving(p);
		return;
	}
	/* Other paths would have needed new workers, so these are the same. */
	if (ws_reload_tls(worker->ws) != 0) {
		why = "the certificate could not be read; the old one stays";
		log_warnx("%s", why);
		config_free(config);
	} else {
		apply_config(p, config);
	}
	link_applied(worker->link, why[0] == '\0', why);
}

/* ---- the hub ----------------------------------------------------------- */

/* Take our place: identity and statistics. */
static void
take_place(struct runtime *p, const struct ipc_welcome *welcome)
{
	struct worker *worker = &p->worker;

	worker->id = welcome->id;
	node_id_format(&worker->id, worker->node, sizeof(worker->node));
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
	membership_on_back(&p->worker);
	if (p->worker.ready)
		link_ready(p->worker.link);
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

	log_info("the hub is away (%s); serving on", why);
	membership_on_away(&p->worker);
}

static void
on_refused(void *arg, uint32_t retry_ms, const char *why)
{
	struct runtime *p = arg;

	log_info("the hub refused: %s", why);
	if (retry_ms == 0)
		runtime_leave(p, EXIT_FAILURE);
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
	.on_config = on_config,
	.on_joined = on_joined,
	.on_envelope = on_envelope,
	.on_drain = on_drain,
	.on_reopen = on_reopen,
	.on_away = on_away,
	.on_refused = on_refused,
	.on_orphan = on_orphan,
};

/*
 * place_config.c - a worker's configuration, keys and contract.
 *
 * The hub sends CONTRACT, then CONFIG: both take force with the second, or
 * neither does.  The first pair starts the serving; what is broken then can
 * never work (exit 78).  Later ones change it in place; what is broken then is
 * answered, and the old one stays.  A reload sends both though most often only
 * one has changed: a contract that is the one in force is neither read again
 * nor held against what all clients have subscribed to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "api/api.h"
#include "base/log.h"
#include "worker/app.h"
#include "worker/auth.h"
#include "worker/contract_change.h"
#include "worker/door.h"
#include "worker/runtime.h"
#include "worker/ws.h"

enum {
	/* Descriptors beyond clients: sockets of ours, libraries. */
	SPARE_FDS = 256,
	EXIT_HOPELESS = 78,
};

/* ---- the contract ------------------------------------------------------ */

static void
forget(struct contract_text *kept)
{
	free(kept->text);
	kept->text = NULL;
}

/* Without memory it is not kept, and read again when it comes again. */
static void
keep(struct contract_text *kept, const char *text, size_t len)
{
	forget(kept);
	kept->text = malloc(len + 1);
	kept->len = len;
	if (kept->text != NULL && len != 0)
		memcpy(kept->text, text, len);
}

static bool
is_kept(const struct contract_text *kept, const char *text, size_t len)
{
	return kept->text != NULL && kept->len == len &&
	    (len == 0 || memcmp(kept->text, text, len) == 0);
}

void
runtime_on_contract(void *arg, const char *text, size_t len)
{
	struct runtime *p = arg;
	struct mistakes mistakes;

	contract_free(p->contract);
	p->contract = NULL;
	p->contract_broken = false;
	p->contract_same = is_kept(&p->in_force, text, len);
	if (p->contract_same)
		return;
	keep(&p->came, text, len);
	if (len == 0)
		return;
	mistakes_init(&mistakes, "contract");
	p->contract = contract_new(text, len, &mistakes);
	if (p->contract == NULL) {
		p->contract_broken = true;
		log_warnx("contract from the hub: %s",
		    mistakes.text != NULL ? mistakes.text : "out of memory");
	}
	mistakes_release(&mistakes);
}

/* What came takes force. */
static void
apply_contract(struct runtime *p)
{
	struct worker *worker = &p->worker;
	struct contract *old = worker->contract;

	if (p->contract_same)
		return;
	forget(&p->in_force);
	p->in_force = p->came;
	p->came.text = NULL;
	worker->contract = p->contract;
	worker->bus->contract = p->contract;
	p->contract = NULL;
	if (worker->ready)
		contract_changed(worker);
	contract_free(old);
}

/* ---- settings ---------------------------------------------------------- */

static void
apply_config(struct runtime *p, struct config *config)
{
	struct worker *worker = &p->worker;

	config_free(worker->config);
	worker->config = config;
	auth_apply(worker);
	log_set_level((enum log_level)config->log_level);
	link_set_limits(worker->link, config->link_queue,
	    config->orphan_timeout);
	apply_contract(p);
}

/*
 * libwebsockets' tables and its work at every close are in proportion to this
 * limit: as much as is needed and no more.
 */
static void
limit_fds(struct worker *worker)
{
	struct rlimit limit;
	rlim_t want = worker->config->max_clients + SPARE_FDS;

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
	else
		worker->max_fds = limit.rlim_cur;
}

/* The first configuration: start to serve. */
static void
start_serving(struct runtime *p)
{
	struct worker *worker = &p->worker;
	bool hopeless = false;
	int rc;

	limit_fds(worker);
	rc = app_start(worker);
	if (rc != 0) {
		runtime_leave(p, rc == -EINVAL ? EXIT_HOPELESS : EXIT_FAILURE);
		return;
	}
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

/* Read what must be readable.  0, or -EINVAL and why. */
static int
prepare(struct runtime *p, const struct config *config, char *why, size_t size)
{
	struct worker *worker = &p->worker;
	char key[384];

	if (p->contract_broken) {
		(void)snprintf(why, size,
		    "the contract is not understood; the old one stays");
		return -EINVAL;
	}
	if (auth_prepare(worker, config, key, sizeof(key)) != 0) {
		(void)snprintf(why, size, "key %s", key);
		return -EINVAL;
	}
	/* Other paths would have needed new workers, so these are the same. */
	if (p->configured && ws_reload_tls(worker->ws) != 0) {
		(void)snprintf(why, size,
		    "the certificate could not be read; the old one stays");
		return -EINVAL;
	}
	return 0;
}

/* It does not take force. */
static void
refuse(struct runtime *p, const char *why)
{
	if (p->configured)
		link_applied(p->worker.link, false, why);
	else
		runtime_leave(p, EXIT_HOPELESS);
}

void
runtime_on_config(void *arg, const char *text, size_t len)
{
	struct runtime *p = arg;
	struct config_errors errors = { NULL, 0, 0 };
	struct config *config = config_parse("hub", text, len, &errors);
	char why[512] = "";

	if (config == NULL) {
		log_warnx("configuration from the hub: %s",
		    errors.text != NULL ? errors.text : "out of memory");
		refuse(p, "not understood");
		config_errors_release(&errors);
		return;
	}
	if (prepare(p, config, why, sizeof(why)) != 0) {
		log_warnx("%s", why);
		config_free(config);
		refuse(p, why);
		return;
	}
	apply_config(p, config);
	if (!p->configured) {
		p->configured = true;
		start_serving(p);
		return;
	}
	app_reload(&p->worker);
	link_applied(p->worker.link, true, "");
}

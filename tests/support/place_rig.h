/*
 * place_rig.h - a worker process that is told what link.c would tell it.
 *
 * Included by the tests of place.c.  The link, libwebsockets and the door only
 * note what they are told.
 */
#ifndef SUPPORT_PLACE_RIG_H
#define SUPPORT_PLACE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "capture.h"
#include "contract/contract.h"
#include "fake_door.h"
#include "fake_link.h"
#include "fake_ws.h"
#include "torture.h"
#include "worker/api_worker.h"
#include "worker/auth.h"
#include "worker/door.h"
#include "worker/membership.h"
#include "worker/presence.h"
#include "worker/runtime.h"
#include "worker/ws.h"

static const struct link_events *const events = &runtime_link_events;
static struct runtime p;
static char said[2048];
static char dir[] = "/tmp/clusterbus-test-place-XXXXXX";
static char page_path[64], log_path[64];
static int page_fd;

/* How the next start goes. */
static bool no_ws, hopeless, no_door;
static int tls_result;

static inline void note(const char *fmt, ...) PRINTF_LIKE(1, 2);

static inline void
note(const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(said + len, sizeof(said) - len, fmt, ap);
	va_end(ap);
}

static inline void
assert_said(const char *text)
{
	assert_string_equal(said, text);
	said[0] = '\0';
}

/* ---- the neighbours ---------------------------------------------------- */

void
runtime_leave(struct runtime *runtime, int status)
{
	assert_ptr_equal(runtime, &p);
	note("leave %d\n", status);
}

void
runtime_drain(struct runtime *runtime, uint32_t window_ms, bool go)
{
	assert_ptr_equal(runtime, &p);
	note("drain %u%s\n", window_ms, go ? " go" : "");
}

struct ws *
ws_new(struct worker *worker, bool *ret_hopeless)
{
	*ret_hopeless = hopeless;
	note("ws\n");
	return no_ws ? NULL : (struct ws *)(void *)worker;
}

int
ws_reload_tls(struct ws *ws)
{
	assert_ptr_equal(ws, &p.worker);
	return tls_result;
}

struct door *
door_new(struct worker *worker, const int *fds, size_t count, bool tls)
{
	assert_ptr_equal(worker, &p.worker);
	note("door %zu %d%s\n", count, fds[0], tls ? " tls" : "");
	return no_door ? NULL : &fake_door;
}

void
link_set_stats(struct link *link, struct stats_worker *stats)
{
	(void)link;
	assert_ptr_equal(stats, p.worker.stats);
}

void
link_set_limits(struct link *link, size_t queue_max, uint64_t orphan_timeout_ms)
{
	(void)link;
	note("limits %zu %u\n", queue_max, (unsigned)orphan_timeout_ms);
}

void
link_set_listeners(struct link *link, const int *fds, size_t count)
{
	(void)link;
	note("listeners %zu %d\n", count, fds[0]);
}

void
link_ready(struct link *link)
{
	(void)link;
	note("ready\n");
}

void
link_applied(struct link *link, bool ok, const char *why)
{
	(void)link;
	note("applied %d '%s'\n", ok, why);
}

/* ---- a process --------------------------------------------------------- */

static inline int
setup(void **state)
{
	bool found;

	(void)state;
	memset(&p, 0, sizeof(p));
	said[0] = '\0';
	no_ws = hopeless = no_door = fake_ws_refuses = false;
	tls_result = 0;
	p.page_fd = -1;
	p.worker.stats = &p.worker.unplaced;
	p.worker.now_ms = 5000;
	p.worker.link = fake_link_new();
	channels_init(&p.worker.channels);
	move_init(&p.worker);
	p.worker.bus = api_worker_new(&p.worker);
	if (p.worker.bus == NULL || !presence_init(&p.worker))
		return -1;
	if (flush_init(&p.worker.flush) != 0 ||
	    stats_create(page_path, &p.worker.page, &page_fd, &found) != 0)
		return -1;
	stats_unmap(p.worker.page);
	p.worker.page = NULL;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	config_free(p.worker.config);
	api_worker_free(p.worker.bus);
	presence_release(&p.worker);
	auth_free(&p.worker);
	contract_free(p.contract);
	free(p.came.text);
	free(p.in_force.text);
	contract_free(p.worker.contract);
	channels_release(&p.worker.channels);
	flush_release(&p.worker.flush);
	clients_release(&p.worker.clients);
	fake_link_free(p.worker.link);
	stats_unmap(p.worker.page);
	(void)close(page_fd);
	return unlink(page_path);
}

static inline void
welcome(void)
{
	struct ipc_welcome w = { .id = { 0xab, 3, 4 },
		.section = 7,
		.fd_count = 2,
		.has_page = 1 };
	int fds[] = { 100, 101, page_fd };

	events->on_welcome(&p, &w, fds, 3);
}

static inline void
configure(const char *text)
{
	events->on_config(&p, text, strlen(text));
}

#define CONFIG                                                                 \
	"log-level error\nmax-clients 300\nlink-queue 65536\n"                 \
	"orphan-timeout 9s\ndrain-window 4s\n"
#define LIMITS "limits 65536 9000\n"

/* One that serves. */
static inline void
serve(void)
{
	welcome();
	configure(CONFIG);
	said[0] = '\0';
}

static inline int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(page_path, sizeof(page_path), "%s/stats", dir);
	(void)snprintf(log_path, sizeof(log_path), "%s/log", dir);
	return 0;
}

static inline int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

#endif /* SUPPORT_PLACE_RIG_H */

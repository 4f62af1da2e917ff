/* rehearsal.c - see rehearsal.h. */
#include "primary/rehearsal.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "base/rundir.h"
#include "primary/handover.h"
#include "primary/hub.h"
#include "primary/process.h"
#include "primary/settings.h"
#include "primary/software.h"
#include "primary/spawn.h"
#include "primary/trial.h"
#include "wire/stats.h"

enum {
	LEAVE_MS = 1000 /* after READY; then it is killed */
};

struct rehearsal {
	struct settings *settings;
	struct ev_loop *loop;
	struct hub *hub;
	struct rundir rundir;
	struct stats_page *page;
	int page_fd;
	int fds[IPC_FDS_MAX]; /* listening sockets and the page */
	size_t listener_count;
	pid_t pid; /* 0: none */
	bool ready;
	ev_timer timer;
	char why[256];
};

void
rehearsal_say_versions(void)
{
	printf(TRIAL_LINE, software_version, (unsigned)IPC_VERSION,
	    (unsigned)STATS_VERSION, (unsigned)sizeof(struct stats_page),
	    (unsigned)HANDOVER_VERSION);
	(void)fflush(stdout); /* before a worker says anything */
}

static void
fail(struct rehearsal *r, const char *why)
{
	if (r->why[0] == '\0')
		(void)snprintf(r->why, sizeof(r->why), "%s", why);
	ev_break(r->loop, EVBREAK_ALL);
}

/* ---- the hub's part ---------------------------------------------------- */

static void
on_hello(void *arg, struct hub_node *node, const struct ipc_hello *hello,
    const char *name, pid_t pid, const int *fds, size_t fd_count)
{
	struct rehearsal *r = arg;
	const struct settings *settings = r->settings;
	struct ipc_welcome welcome = {
		.id = { r->page->host, 0, 1 },
		.fd_count = (uint32_t)r->listener_count,
		.has_page = 1,
	};

	(void)name;
	(void)pid;
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]); /* nobody asked for them */
	if (hello->version != IPC_VERSION) {
		fail(r, "the worker speaks another version");
		return;
	}
	/* A directory without a hub: nobody else is to be found from there. */
	if (hub_welcome(node, &welcome, "/nonexistent", r->fds) != 0)
		return;
	hub_send_contract(node, settings->contract, settings->contract_len);
	hub_send_config(node, settings->text, settings->text_len);
}

static void
on_ready(void *arg, struct hub_node *node)
{
	struct rehearsal *r = arg;

	r->ready = true;
	hub_send_drain(node, 0, true);
	ev_timer_stop(r->loop, &r->timer);
	ev_timer_set(&r->timer, LEAVE_MS / 1000.0, 0.0);
	ev_timer_start(r->loop, &r->timer);
}

static void
on_applied(void *arg, struct hub_node *node, bool ok, const char *why)
{
	(void)node;
	if (!ok)
		fail(arg, why);
}

/* Only one that is not ready leaves by itself here. */
static void
on_leaving(void *arg, struct hub_node *node)
{
	struct rehearsal *r = arg;

	(void)node;
	if (!r->ready)
		fail(r, "the worker leaves before it is ready");
}

static void
on_gone(void *arg, struct hub_node *node, const char *why)
{
	struct rehearsal *r = arg;

	(void)node;
	(void)why;
	ev_break(r->loop, EVBREAK_ALL);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct rehearsal *r = timer->data;

	(void)events;
	if (r->ready)
		ev_break(loop, EVBREAK_ALL); /* it takes its time to leave */
	else
		fail(r, "the worker is not ready in time");
}

static const struct hub_events hub_events = {
	.on_hello = on_hello,
	.on_ready = on_ready,
	.on_applied = on_applied,
	.on_leaving = on_leaving,
	.on_gone = on_gone,
};

/* ---- what a worker needs ----------------------------------------------- */

/* A page of its own, which has no name any more when it is mapped. */
static int
make_page(struct rehearsal *r)
{
	char path[RUNDIR_MAX + 32], name[32];
	bool found;
	int rc;

	(void)snprintf(name, sizeof(name), "rehearsal.%ld", (long)getpid());
	rundir_file(&r->rundir, name, path, sizeof(path));
	rc = stats_create(path, &r->page, &r->page_fd, &found);
	if (rc == 0)
		(void)unlink(path); /* or it is in the way of nobody */
	return rc;
}

static int
make_sockets(struct rehearsal *r)
{
	struct net_address address;
	int fd, rc;

	rc = net_parse("127.0.0.1:0", &address);
	while (rc == 0 && r->listener_count < r->settings->listeners.count) {
		fd = net_listen(&address, 1);
		if (fd < 0)
			return fd;
		r->fds[r->listener_count++] = fd;
	}
	r->fds[r->listener_count] = r->page_fd;
	return rc;
}

static int
start_worker(struct rehearsal *r)
{
	const struct config *config = r->settings->config;
	pid_t pid;
	int fd;

	pid = spawn_worker(0, config->name, r->rundir.path,
	    config->worker_program, &fd);
	if (pid < 0)
		return (int)pid;
	r->pid = pid;
	return hub_add(r->hub, fd, pid) != NULL ? 0 : -ENOMEM;
}

static int
prepare(struct rehearsal *r, struct config *config)
{
	struct config_errors errors = { .text = NULL };
	int rc;

	r->page_fd = -1;
	/* What its worker says is for who tries us, not for the bus's log. */
	config->log_file[0] = '\0';
	r->settings =
	    settings_new(config, NULL, NULL, &errors, r->why, sizeof(r->why));
	config_errors_release(&errors);
	if (r->settings == NULL)
		return -EINVAL;
	config = r->settings->config;
	log_init("rehearsal", -1);
	rc = rundir_path(&r->rundir, config->run_dir, config->name);
	if (rc == 0)
		rc = rundir_create(&r->rundir);
	if (rc == 0)
		rc = make_page(r);
	if (rc == 0)
		rc = make_sockets(r);
	if (rc == 0)
		rc = spawn_init();
	r->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (rc == 0 && r->loop == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		r->hub = hub_new(r->loop, &r->page->hub, &hub_events, r);
	if (rc == 0 && r->hub == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = start_worker(r);
	if (rc != 0)
		(void)snprintf(r->why, sizeof(r->why), "%s", strerror(-rc));
	return rc;
}

/* How the worker ended, when it did so by itself. */
static void
note_end(struct rehearsal *r)
{
	char how[96];
	int status = 0;

	if (!r->ready && r->why[0] == '\0' &&
	    waitpid(r->pid, &status, 0) == r->pid) {
		r->pid = 0;
		process_status_text(status, how, sizeof(how));
		(void)snprintf(r->why, sizeof(r->why),
		    "the worker %s before it was ready", how);
	}
}

static void
release(struct rehearsal *r)
{
	if (r->pid > 0) {
		(void)kill(r->pid, SIGKILL);
		(void)waitpid(r->pid, NULL, 0); /* it was killed */
	}
	hub_free(r->hub);
	if (r->loop != NULL)
		ev_loop_destroy(r->loop);
	for (size_t i = 0; i < r->listener_count; i++)
		(void)close(r->fds[i]); /* nobody came */
	stats_unmap(r->page);
	if (r->page_fd != -1)
		(void)close(r->page_fd); /* it was mapped */
	settings_free(r->settings);
}

int
rehearsal_run(struct config *config)
{
	struct rehearsal r = { .pid = 0 };
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	rc = prepare(&r, config);
	if (rc == 0) {
		ev_timer_init(&r.timer, on_timer,
		    (double)r.settings->config->start_timeout / 1000.0, 0.0);
		r.timer.data = &r;
		ev_timer_start(r.loop, &r.timer);
		ev_run(r.loop, 0);
		ev_timer_stop(r.loop, &r.timer);
		note_end(&r);
	}
	release(&r);
	if (r.why[0] != '\0') {
		(void)fprintf(stderr, "failed: %s\n", r.why);
		return rc == -EINVAL ? 2 : EXIT_FAILURE;
	}
	(void)fputs(TRIAL_PASSED, stdout);
	return EXIT_SUCCESS;
}

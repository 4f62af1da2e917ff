/*
 * primary.c - puts the primary together, runs it and takes it apart.
 *
 * Order matters on the way up: the lock first (a second primary must not touch
 * anything), then the statistics page, which says who survived an earlier one,
 * then addresses, workers and the sockets that others come by.
 */
#include "primary/primary.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/sched.h"
#include "clusterbus/version.h"
#include "primary/adopt.h"
#include "primary/control.h"
#include "primary/daemon.h"
#include "primary/ground.h"
#include "primary/jobs.h"
#include "primary/signals.h"
#include "primary/spawn.h"
#include "primary/supervisor.h"

enum {
	EXIT_USAGE = 2
};

struct primary {
	const struct primary_start *start;
	struct config *config; /* owned until the supervisor has it */
	struct ground ground;
	struct ev_loop *loop;
	struct supervisor *supervisor;
	struct jobs jobs;
	struct signals signals;
	struct control *control;
};

/* ---- what the supervisor, signals and the control socket call ---------- */

static void
on_change(void *arg)
{
	struct primary *primary = arg;

	jobs_check(&primary->jobs);
}

static void
on_ready(void *arg)
{
	struct primary *primary = arg;

	daemon_tell(&primary->ground.daemon_fd, EXIT_SUCCESS, "");
	/* Workers of an earlier primary: too many, or not up to date? */
	if (scale_is_due(primary->supervisor))
		(void)!jobs_add(&primary->jobs, JOB_SCALE,
		    (int)primary->supervisor->wanted, NULL);
	if (primary->supervisor->roll_adopted)
		(void)!jobs_add(&primary->jobs, JOB_RESTART, -1, NULL);
}

static void
on_stopped(void *arg)
{
	struct primary *primary = arg;

	ev_break(primary->loop, EVBREAK_ALL);
}

static void
stop(void *arg, bool fast)
{
	struct primary *primary = arg;

	jobs_cancel(&primary->jobs);
	supervisor_stop(primary->supervisor, fast ? STOP_FAST : STOP_PACED);
}

static void
reopen(void *arg)
{
	struct primary *primary = arg;
	int rc;

	if (primary->ground.log_file[0] != '\0') {
		rc = log_to_file(primary->ground.log_file);
		if (rc != 0) {
			errno = -rc;
			log_warn("open \"%s\"", primary->ground.log_file);
		}
	}
	supervisor_reopen(primary->supervisor);
}

static const struct control_calls control_calls = {
	.stop = stop,
	.reopen = reopen,
};

/* ---- on the way up ----------------------------------------------------- */

/* Descriptors for every listening socket and every node. */
static void
raise_limit(const struct primary *primary, const struct settings *settings)
{
	struct rlimit limit;
	rlim_t need;

	need = 64 + primary->config->max_programs +
	    (primary->config->redis_door ? primary->config->redis_clients : 0) +
	    settings_workers(settings) * (3 + 2 * settings->listeners.count);
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = need < limit.rlim_max ? need : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_warn("setrlimit(RLIMIT_NOFILE)");
}

/* Workers of an earlier primary that were told something else, or older. */
static bool
are_outdated(const struct primary *primary, const struct settings *settings)
{
	const struct stats_page *page = primary->ground.page;

	return primary->ground.survivors &&
	    (page->roll_hash != settings_roll_hash(settings) ||
		strcmp(page->software, CLUSTERBUS_VERSION) != 0);
}

/* Found now and not by who started us: the file has just changed. */
static int
refuse_settings(struct primary *primary, struct config_errors *errors,
    const char *why)
{
	int status = errors->count != 0 ? EXIT_USAGE : EXIT_FAILURE;

	primary->config = NULL; /* consumed */
	status = ground_refuse(&primary->ground, status, "%s%s%.*s", why,
	    errors->count != 0 ? ": " : "",
	    errors->count != 0 ? (int)strcspn(errors->text, "\n") : 0,
	    errors->count != 0 ? errors->text : "");
	config_errors_release(errors);
	return status;
}

static int
make_supervisor(struct primary *primary)
{
	struct config_errors errors = { .text = NULL };
	struct settings *settings;
	char why[256] = "out of memory";
	bool outdated;

	settings = settings_new(primary->config, NULL,
	    primary->ground.survivors ? primary->ground.page->listen : NULL,
	    &errors, why, sizeof(why));
	if (settings == NULL)
		return refuse_settings(primary, &errors, why);
	raise_limit(primary, settings);
	if (!primary->ground.survivors &&
	    listeners_probe(&settings->listeners, NULL, why, sizeof(why)) !=
		0) {
		primary->config = NULL;
		settings_free(settings);
		return ground_refuse(&primary->ground, EXIT_FAILURE, "%s", why);
	}
	outdated = are_outdated(primary, settings);
	ground_claim_page(&primary->ground, primary->config);
	primary->config = NULL;
	primary->supervisor = supervisor_new(primary->loop,
	    primary->ground.page, primary->ground.page_fd,
	    primary->ground.rundir.path, primary->start->spawn, settings);
	if (primary->supervisor == NULL)
		return ground_refuse(&primary->ground, EXIT_FAILURE,
		    "out of memory");
	primary->supervisor->roll_adopted = outdated;
	primary->supervisor->arg = primary;
	primary->supervisor->on_change = on_change;
	primary->supervisor->on_ready = on_ready;
	primary->supervisor->on_stopped = on_stopped;
	jobs_init(&primary->jobs, primary->supervisor, primary->start->argc,
	    primary->start->argv);
	return 0;
}

static int
open_door(struct primary *primary)
{
	struct supervisor *supervisor = primary->supervisor;
	const struct config *config = supervisor->now->config;
	char why[256];
	int fd;

	if (!config->redis_door)
		return 0;
	supervisor->door = redis_door_new(primary->loop, supervisor->hub,
	    &supervisor->page->hub, supervisor->page->host, config, why,
	    sizeof(why));
	if (supervisor->door == NULL)
		return ground_refuse(&primary->ground, EXIT_FAILURE, "%s", why);
	fd = ground_listen(&primary->ground, "redis.sock");
	if (fd < 0)
		return EXIT_FAILURE;
	redis_door_listen(supervisor->door, fd);
	return 0;
}

static int
open_sockets(struct primary *primary)
{
	int fd;

	fd = ground_listen(&primary->ground, "hub.sock");
	if (fd < 0 || hub_listen(primary->supervisor->hub, fd) != 0)
		return EXIT_FAILURE;
	fd = ground_listen(&primary->ground, "control.sock");
	if (fd < 0)
		return EXIT_FAILURE;
	primary->control = control_new(primary->loop, fd, &primary->jobs,
	    &control_calls, primary);
	if (primary->control == NULL)
		return ground_refuse(&primary->ground, EXIT_FAILURE,
		    "out of memory");
	return open_door(primary);
}

static int
join_backplane(struct primary *primary)
{
	struct supervisor *supervisor = primary->supervisor;
	char why[512];

	if (sync_start(primary->loop, supervisor->hub, supervisor->page,
		supervisor->now->config, &supervisor->sync, why,
		sizeof(why)) != 0)
		return ground_refuse(&primary->ground, EXIT_USAGE, "sync: %s",
		    why);
	return 0;
}

static void
take_signals(struct primary *primary)
{
	/* Before the loop has it, and for the time after. */
	(void)signal(SIGPIPE, SIG_IGN);
	primary->signals.supervisor = primary->supervisor;
	primary->signals.jobs = &primary->jobs;
	primary->signals.stop = stop;
	primary->signals.reopen = reopen;
	primary->signals.arg = primary;
	signals_start(&primary->signals, primary->loop);
}

static int
go(struct primary *primary)
{
	char why[256];
	int rc;

	take_signals(primary);
	if (primary->ground.survivors)
		(void)adopt_survivors(primary->supervisor);
	if (open_sockets(primary) != 0)
		return EXIT_FAILURE;
	rc = join_backplane(primary);
	if (rc != 0)
		return rc;
	if (supervisor_start(primary->supervisor, why, sizeof(why)) != 0)
		return ground_refuse(&primary->ground, EXIT_FAILURE, "%s", why);
	ev_run(primary->loop, 0);
	return primary->supervisor->exit_status;
}

/* ---- and down ---------------------------------------------------------- */

static void
take_apart(struct primary *primary, int status)
{
	struct supervisor *supervisor = primary->supervisor;
	bool alone = supervisor != NULL ?
	    list_is_empty(&supervisor->processes) :
	    !primary->ground.survivors;

	if (supervisor != NULL)
		daemon_tell(&primary->ground.daemon_fd,
		    status != 0 ? status : 1,
		    status != 0 ? supervisor->verdict :
				  "it was stopped before it was ready");
	if (primary->ground.page != NULL)
		primary->ground.page->primary_pid = 0;
	if (primary->ground.lock_fd >= 0 && alone)
		ground_clean(&primary->ground);
	if (primary->control != NULL)
		control_stopped(primary->control, status,
		    status == 0 ? "stopped" : supervisor->verdict);
	control_free(primary->control);
	if (supervisor != NULL)
		signals_stop(&primary->signals, primary->loop);
	supervisor_free(supervisor);
	if (primary->loop != NULL)
		ev_loop_destroy(primary->loop);
	ground_release(&primary->ground);
	config_free(primary->config);
}

int
primary_run(const struct primary_start *start)
{
	struct primary primary = { .start = start, .config = start->config };
	int rc;

	sched_prefer_batches(); /* workers inherit it */
	rc = ground_lay(&primary.ground, start->config);
	if (rc == 0 && spawn_init() != 0)
		rc = ground_refuse(&primary.ground, EXIT_FAILURE,
		    "/proc/self/exe cannot be read");
	if (rc == 0) {
		primary.loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
		if (primary.loop == NULL)
			rc = ground_refuse(&primary.ground, EXIT_FAILURE,
			    "no event loop");
	}
	if (rc == 0)
		rc = make_supervisor(&primary);
	if (rc == 0)
		rc = go(&primary);
	if (rc == 0)
		log_info("stopped");
	take_apart(&primary, rc);
	return rc;
}

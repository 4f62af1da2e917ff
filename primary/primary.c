/*
 * primary.c - puts the primary together, runs it and takes it apart.
 *
 * The lock comes first: a second primary must not touch anything.  The way up
 * is primary_up.c or, in the place of another program, takeover.c.
 */
#include "primary/primary.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sched.h"
#include "pm2/pm2_channel.h"
#include "primary/daemon.h"
#include "primary/handover.h"
#include "primary/primary_internal.h"
#include "primary/spawn.h"
#include "primary/stop_times.h"

enum {
	EXIT_USAGE = 2
};

/* ---- what the supervisor, signals and the control socket call ---------- */

static void
on_change(void *arg)
{
	struct primary *primary = arg;

	jobs_check(&primary->jobs);
	notify_check(&primary->notify);
}

static void
on_ready(void *arg)
{
	struct primary *primary = arg;

	daemon_tell(&primary->ground.daemon_fd, EXIT_SUCCESS, "");
	pm2_ready(primary->pm2);
	/* Workers of an earlier primary: too many, or not up to date? */
	if (scale_is_due(primary->supervisor))
		(void)!jobs_add(&primary->jobs, JOB_SCALE,
		    (int)primary->supervisor->wanted, NULL);
	else
		activation_settle(&primary->supervisor->now->listeners,
		    primary->supervisor->wanted);
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

static void
stop_for_pm2(void *arg)
{
	stop(arg, false);
}

/* The workers stay; a primary of the same name will find them. */
static void
let_go(void *arg)
{
	struct primary *primary = arg;

	primary->supervisor->exit_status = EXIT_FAILURE;
	ev_break(primary->loop, EVBREAK_ALL);
}

static const struct pm2_calls pm2_calls = {
	.stop = stop_for_pm2,
	.let_go = let_go,
};

/*
 * What does not go along to another program.  The backplane has a moment for
 * what is queued; clients of the Redis door are cut off by the exec.
 */
static void
let_go_for_upgrade(void *arg)
{
	struct primary *primary = arg;

	sync_close(primary->supervisor->sync, SYNC_CLOSE_MS);
	primary->supervisor->sync = NULL;
	if (primary->pm2 != NULL)
		pm2_give(primary->pm2);
}

/* The exec has failed. */
static void
take_back_after_upgrade(void *arg)
{
	struct primary *primary = arg;

	if (primary->pm2 != NULL)
		(void)
		    pm2_channel_claim(); /* the same one, out of sight again */
	if (primary_join_backplane(primary) != 0)
		log_warnx("no backplane until the next start");
}

void
primary_wire(struct primary *primary)
{
	primary->supervisor->arg = primary;
	primary->supervisor->on_change = on_change;
	primary->supervisor->on_ready = on_ready;
	primary->supervisor->on_stopped = on_stopped;
	jobs_init(&primary->jobs, primary->supervisor, primary->start->argc,
	    primary->start->argv);
	primary->jobs.notify = &primary->notify;
	stop_times_limit(primary->supervisor, pm2_kill_timeout());
	primary->pm2 =
	    pm2_new(primary->pm2_fd, &primary->jobs, &pm2_calls, primary);
	primary->pm2_fd = -1;
	primary->upgrade = (struct upgrade){
		.jobs = &primary->jobs,
		.ground = &primary->ground,
		.start = primary->start,
		.let_go = let_go_for_upgrade,
		.take_back = take_back_after_upgrade,
		.arg = primary,
	};
	upgrade_init(&primary->upgrade);
	primary->jobs.upgrade = &primary->upgrade;
}

int
primary_take_control(struct primary *primary, int fd)
{
	primary->control = control_new(primary->loop, fd, &primary->jobs,
	    &control_calls, primary);
	if (primary->control == NULL)
		return ground_refuse(&primary->ground, EXIT_FAILURE,
		    "out of memory");
	primary->upgrade.control = primary->control;
	return 0;
}

void
primary_take_signals(struct primary *primary)
{
	sigset_t none;

	/* Before the loop has it, and for the time after. */
	(void)signal(SIGPIPE, SIG_IGN);
	primary->signals.supervisor = primary->supervisor;
	primary->signals.jobs = &primary->jobs;
	primary->signals.stop = stop;
	primary->signals.reopen = reopen;
	primary->signals.arg = primary;
	orphans_init(&primary->signals.orphans, primary->supervisor);
	signals_start(&primary->signals, primary->loop);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail */
}

/* ---- and down ---------------------------------------------------------- */

static void
take_apart(struct primary *primary, int status)
{
	struct supervisor *supervisor = primary->supervisor;
	bool alone = !primary->half_built &&
	    (supervisor != NULL ? list_is_empty(&supervisor->processes) :
				  !primary->ground.survivors);

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
	if (supervisor != NULL)
		upgrade_release(&primary->upgrade);
	control_free(primary->control);
	pm2_free(primary->pm2);
	notify_stop(&primary->notify);
	activation_release(&primary->passed);
	if (supervisor != NULL)
		signals_stop(&primary->signals, primary->loop);
	supervisor_free(supervisor);
	if (primary->loop != NULL)
		ev_loop_destroy(primary->loop);
	ground_release(&primary->ground);
	config_free(primary->config);
}

static int
lay(struct primary *primary, const struct handover_state *state)
{
	int rc;

	primary->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (primary->loop == NULL)
		return ground_refuse(&primary->ground, EXIT_FAILURE,
		    "no event loop");
	if (state != NULL)
		return primary_take_over(primary, state);
	rc = primary_make(primary);
	return rc == 0 ? primary_go(primary) : rc;
}

/* Start anew, perhaps after a program whose state could not be used. */
static int
start_anew(struct primary *primary, bool replaces)
{
	char why[256];
	int rc, passed;

	if (primary->config == NULL)
		return EXIT_USAGE; /* what is wrong has been said */
	if (replaces)
		primary->config->daemon = false; /* we are there already */
	passed = activation_take(&primary->passed, why, sizeof(why));
	rc = ground_lay(&primary->ground, primary->config);
	if (rc == 0 && passed != 0)
		rc = ground_refuse(&primary->ground, EXIT_USAGE, "%s", why);
	if (rc == 0 && spawn_init() != 0)
		rc = ground_refuse(&primary->ground, EXIT_FAILURE,
		    "/proc/self/exe cannot be read");
	return rc == 0 ? lay(primary, NULL) : rc;
}

bool
primary_replaces(void)
{
	return getenv(HANDOVER_ENVIRONMENT) != NULL;
}

int
primary_run(const struct primary_start *start)
{
	struct primary primary = { .start = start,
		.config = start->config,
		.pm2_fd = -1 };
	bool replaces = primary_replaces();
	struct handover_state state;
	const char *why;
	int rc, found;

	ground_init(&primary.ground);
	found = handover_open(&state, &why);
	if (found < 0)
		log_warnx("the state of the program before us is of no use: "
			  "%s; its workers are expected back",
		    why);
	primary.pm2_fd = pm2_channel_claim();
	sched_prefer_batches(); /* workers inherit it */
	notify_init(&primary.notify);
	if (found > 0) {
		rc = spawn_init() == 0 ? lay(&primary, &state) : EXIT_FAILURE;
		handover_close(&state);
	} else {
		rc = start_anew(&primary, replaces);
	}
	if (rc == 0)
		log_info("stopped");
	take_apart(&primary, rc);
	pm2_flush_output();
	return rc;
}

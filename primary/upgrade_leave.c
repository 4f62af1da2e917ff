/*
 * upgrade_leave.c - write everything down and become another program.
 *
 * Signals are blocked one turn before: what had come by then is handled in that
 * turn, and what comes later waits in the kernel for the new program, which
 * unblocks them when it listens.  So not one of them is lost.
 */
#include "primary/upgrade_leave.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/ground.h"
#include "primary/handover_parts.h"
#include "primary/hub_move.h"
#include "primary/software.h"
#include "primary/upgrade.h"

enum {
	LEAVING_MS = 5000 /* until no socket is in the hub's hands */
};

static void
write_down(struct upgrade *upgrade, struct handover_out *out)
{
	struct supervisor *supervisor = upgrade->jobs->supervisor;
	struct handover_primary primary;

	memset(&primary, 0, sizeof(primary));
	primary.spawn = supervisor->spawn;
	primary.wanted = supervisor->wanted;
	primary.program_generation = supervisor->program_generation;
	primary.began_ms = clock_now_ms();
	primary.lock_fd = handover_put_fd(out, upgrade->ground->lock_fd);
	handover_put_hub(out, supervisor->hub, &primary);
	handover_put_control(out, upgrade->control, &primary);
	primary.door_fd = primary.door_tcp_fd = HANDOVER_NONE;
	if (supervisor->door != NULL)
		redis_door_fds(supervisor->door, &primary.door_fd,
		    &primary.door_tcp_fd);
	(void)handover_put_fd(out, primary.door_fd);
	(void)handover_put_fd(out, primary.door_tcp_fd);
	handover_put(out, HANDOVER_PRIMARY, &primary, software_version,
	    strlen(software_version), NULL, 0);
	handover_put_settings(out, supervisor->now);
	handover_put_listeners(out, &supervisor->now->listeners);
	handover_put_nodes(out, supervisor->hub);
	handover_put_supervisor(out, supervisor);
	handover_put_peers(out, upgrade->jobs, upgrade->control);
}

/* Become the new program.  Returns on failure only, a negative errno. */
static int
leave_with_state(struct upgrade *upgrade, char **words)
{
	struct handover_out *out = handover_out_new();
	int fd, rc;

	if (out == NULL)
		return -ENOMEM;
	write_down(upgrade, out);
	rc = handover_finish(out);
	fd = rc == 0 ? handover_seal(out) : rc;
	if (fd < 0) {
		handover_out_free(out);
		return fd;
	}
	log_info("version %s hands over to \"%s\"", software_version,
	    upgrade->path);
	upgrade->let_go(upgrade->arg);
	rc = handover_exec(out, fd, upgrade->path, words);
	upgrade->take_back(upgrade->arg);
	(void)close(fd); /* of use to nobody */
	handover_out_free(out);
	return rc;
}

/*
 * The same without a state: all descriptors close, so who waits is answered
 * before.  Returns when it did not work.
 */
static void
leave_alone(struct upgrade *upgrade, char **words)
{
	struct stats_hub *stats = &upgrade->jobs->supervisor->page->hub;

	jobs_done(upgrade->jobs, 0,
	    "\"%s\" starts anew and replaces all workers; the log says how "
	    "it goes",
	    upgrade->path);
	upgrade->let_go(upgrade->arg);
	control_flush(upgrade->control);
	/* It is told that it is no start of its own: no going into background. */
	if (setenv(HANDOVER_ENVIRONMENT, "none", 1) == 0)
		(void)execv(upgrade->path, words); /* returns on failure only */
	log_warn("execute \"%s\"", upgrade->path);
	(void)unsetenv(HANDOVER_ENVIRONMENT);
	stats_add(&stats->upgrades_failed, 1);
	upgrade->take_back(upgrade->arg);
	upgrade_stay(upgrade);
}

static void
leave(struct upgrade *upgrade)
{
	char **words = upgrade_words(upgrade, false), why[256];
	int rc = -ENOMEM;

	if (words != NULL && upgrade->with_state)
		rc = leave_with_state(upgrade, words);
	if (words != NULL && !upgrade->with_state) {
		leave_alone(upgrade, words);
		free(words);
		return;
	}
	free(words);
	upgrade_stay(upgrade);
	(void)snprintf(why, sizeof(why), "%s",
	    rc == -ENOBUFS ? "too much waits for nodes that do not read" :
			     strerror(-rc));
	upgrade_fail(upgrade, why);
}

static void
on_turn_end(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	struct upgrade *upgrade = watcher->data;
	struct jobs *jobs = upgrade->jobs;
	struct supervisor *supervisor = jobs->supervisor;

	(void)loop;
	(void)events;
	if (jobs->running == NULL || jobs->running->kind != JOB_UPGRADE ||
	    supervisor->stopping != STOP_NOT) {
		upgrade_stay(upgrade); /* one of the signals was to stop */
		return;
	}
	if (++upgrade->turns < 2) {
		supervisor_touch(supervisor); /* the next one comes at once */
		return;
	}
	handover_rest_hub(supervisor->hub);
	if (hub_moves_idle(supervisor->hub)) {
		leave(upgrade);
	} else if (jobs->time_is_up) {
		upgrade_stay(upgrade);
		upgrade_fail(upgrade, "clients are being moved all the time");
	}
}

void
upgrade_leave_soon(struct upgrade *upgrade)
{
	struct ev_loop *loop = upgrade->jobs->supervisor->loop;
	sigset_t all;

	jobs_phase(upgrade->jobs, JOB_LEAVING, LEAVING_MS);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &upgrade->mask); /* cannot fail */
	upgrade->blocked = true;
	upgrade->turns = 0;
	ev_prepare_init(&upgrade->turn_end, on_turn_end);
	upgrade->turn_end.data = upgrade;
	/* Behind all others that end their turn. */
	ev_set_priority(&upgrade->turn_end, EV_MINPRI);
	ev_prepare_start(loop, &upgrade->turn_end);
	supervisor_touch(upgrade->jobs->supervisor);
}

void
upgrade_stay(struct upgrade *upgrade)
{
	if (!upgrade->blocked)
		return;
	upgrade->blocked = false;
	ev_prepare_stop(upgrade->jobs->supervisor->loop, &upgrade->turn_end);
	(void)sigprocmask(SIG_SETMASK, &upgrade->mask, NULL); /* cannot fail */
}

/*
 * takeover.c - the way up in the place of another program; see upgrade.h.
 *
 * We are the process that it was: the lock is ours, workers are our children,
 * their links are open.  Everything is put back in the order in which it is
 * needed; what fails now ends the process (there is no way back), and the
 * workers live on and knock at the next primary, as ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "primary/admit.h"
#include "primary/handover_parts.h"
#include "primary/primary_internal.h"
#include "primary/sync/redis_door.h"

static int
take_ground(struct primary *primary, const struct handover_state *state,
    int lock_fd)
{
	struct settings *settings;
	uint64_t started_ms;
	char why[256];
	int rc;

	settings = handover_take_settings(state, why, sizeof(why));
	if (settings == NULL)
		return ground_refuse(&primary->ground, EXIT_FAILURE, "%s", why);
	rc = ground_take_over(&primary->ground, settings->config, lock_fd);
	if (rc != 0) {
		settings_free(settings);
		return rc;
	}
	primary_raise_limit(primary, settings);
	started_ms = primary->ground.page->started_ms;
	ground_claim_page(&primary->ground, settings->config);
	primary->ground.page->started_ms = started_ms; /* the process did */
	primary->supervisor = supervisor_new(primary->loop,
	    primary->ground.page, primary->ground.page_fd,
	    primary->ground.rundir.path, primary->start->spawn, settings);
	if (primary->supervisor == NULL)
		return ground_refuse(&primary->ground, EXIT_FAILURE,
		    "out of memory");
	primary_wire(primary);
	return 0;
}

static int
take_parts(struct primary *primary, const struct handover_state *state,
    const struct handover_primary *from)
{
	struct supervisor *supervisor = primary->supervisor;
	int rc;

	rc = handover_take_hub(state, supervisor->hub);
	if (rc == 0)
		rc = hub_listen(supervisor->hub, from->hub_fd);
	if (rc == 0)
		rc =
		    handover_take_listeners(state, &supervisor->now->listeners);
	if (rc == 0)
		rc = handover_take_supervisor(state, supervisor);
	if (rc == 0 && primary_take_control(primary, from->control_fd) != 0)
		rc = -ENOMEM;
	if (rc == 0)
		rc = handover_take_control(state, &primary->jobs,
		    primary->control);
	if (rc != 0)
		return ground_refuse(&primary->ground, EXIT_FAILURE,
		    "the state cannot be put back: %s", strerror(-rc));
	return 0;
}

/* Its clients were cut off; they find the same sockets. */
static void
take_door(struct primary *primary, const struct handover_primary *from)
{
	struct supervisor *supervisor = primary->supervisor;
	char why[256];

	if (from->door_fd == HANDOVER_NONE)
		return;
	supervisor->door = redis_door_again(primary->loop, supervisor->hub,
	    &supervisor->page->hub, supervisor->page->host,
	    supervisor->now->config, from->door_fd, from->door_tcp_fd, why,
	    sizeof(why));
	if (supervisor->door == NULL)
		log_warnx("no redis door: %s", why);
}

int
primary_take_over(struct primary *primary, const struct handover_state *state)
{
	struct handover_primary from;
	int rc;

	primary->half_built = true;
	handover_read_primary(state, &from, NULL, 0);
	rc = take_ground(primary, state, from.lock_fd);
	if (rc == 0)
		rc = take_parts(primary, state, &from);
	if (rc != 0)
		return rc;
	primary->half_built = false;
	/* It was there before: without it fewer come in, and none goes. */
	(void)!admit_group(&primary->ground, primary->supervisor->hub,
	    primary->supervisor->now->config);
	take_door(primary, &from);
	notify_start(&primary->notify, primary->loop, primary->supervisor);
	pm2_ready(primary->pm2);
	/* Without a backplane the bus of this host goes on. */
	if (primary_join_backplane(primary) != 0)
		log_warnx("no backplane until the next start");
	handover_wake_hub(primary->supervisor->hub);
	primary_take_signals(primary);
	supervisor_reap(primary->supervisor); /* who died meanwhile */
	upgrade_arrived(&primary->jobs, state);
	ev_run(primary->loop, 0);
	return primary->supervisor->exit_status;
}

/*
 * primary_up.c - the way up of a primary that starts anew.
 *
 * Order matters: the statistics page says who survived an earlier primary, then
 * come addresses, workers and the sockets that others come by.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "clusterbus/version.h"
#include "pm2/pm2_channel.h"
#include "primary/admit.h"
#include "primary/adopt.h"
#include "primary/primary_internal.h"
#include "primary/stop_times.h"

enum {
	EXIT_USAGE = 2
};

void
primary_raise_limit(const struct primary *primary,
    const struct settings *settings)
{
	const struct config *config = settings->config;
	struct rlimit limit;
	rlim_t need;

	need = 64 + config->max_programs +
	    (config->redis_door ? config->redis_clients : 0) +
	    settings_slots(settings, primary->start->spawn) *
		(3 + 2 * settings->listeners.count);
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

int
primary_make(struct primary *primary)
{
	struct config_errors errors = { .text = NULL };
	struct settings *settings;
	char why[256] = "out of memory";
	bool outdated;
	int rc = 0, status = EXIT_FAILURE;

	settings = settings_new(primary->config, NULL,
	    primary->ground.survivors ? primary->ground.page->listen : NULL,
	    &errors, why, sizeof(why));
	if (settings == NULL)
		return refuse_settings(primary, &errors, why);
	primary_raise_limit(primary, settings);
	if (!primary->ground.survivors) {
		rc = activation_apply(&primary->passed, &settings->listeners,
		    &primary->notify.store, why, sizeof(why));
		status = rc != 0 ? EXIT_USAGE : EXIT_FAILURE;
		if (rc == 0)
			rc = listeners_probe(&settings->listeners, NULL, why,
			    sizeof(why));
	}
	if (rc != 0) {
		primary->config = NULL;
		settings_free(settings);
		return ground_refuse(&primary->ground, status, "%s", why);
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
	primary_wire(primary);
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
	int fd, rc;

	fd = ground_listen(&primary->ground, "hub.sock");
	if (fd < 0 || hub_listen(primary->supervisor->hub, fd) != 0)
		return EXIT_FAILURE;
	rc = admit_group(&primary->ground, primary->supervisor->hub,
	    primary->supervisor->now->config);
	if (rc != 0)
		return rc;
	fd = ground_listen(&primary->ground, "control.sock");
	if (fd < 0)
		return EXIT_FAILURE;
	rc = primary_take_control(primary, fd);
	return rc != 0 ? rc : open_door(primary);
}

int
primary_join_backplane(struct primary *primary)
{
	struct supervisor *supervisor = primary->supervisor;
	char why[512];

	if (sync_start(primary->loop, supervisor->hub, supervisor->page,
		supervisor->now->config, &supervisor->sync, why,
		sizeof(why)) != 0)
		return ground_refuse(&primary->ground, EXIT_USAGE, "sync: %s",
		    why);
	if (supervisor->sync != NULL && supervisor->door != NULL)
		redis_door_set_instance(supervisor->door,
		    sync_id(supervisor->sync));
	return 0;
}

int
primary_go(struct primary *primary)
{
	char why[256];
	int rc;

	primary_take_signals(primary);
	if (primary->ground.survivors)
		(void)adopt_survivors(primary->supervisor);
	if (activation_apply(&primary->passed,
		&primary->supervisor->now->listeners, &primary->notify.store,
		why, sizeof(why)) != 0)
		return ground_refuse(&primary->ground, EXIT_USAGE, "%s", why);
	notify_start(&primary->notify, primary->loop, primary->supervisor);
	rc = open_sockets(primary);
	if (rc != 0)
		return rc;
	rc = primary_join_backplane(primary);
	if (rc != 0)
		return rc;
	if (supervisor_start(primary->supervisor, why, sizeof(why)) != 0)
		return ground_refuse(&primary->ground, EXIT_FAILURE, "%s", why);
	ev_run(primary->loop, 0);
	return primary->supervisor->exit_status;
}

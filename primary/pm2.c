/* pm2.c - see pm2.h. */
#include "primary/pm2.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "primary/pm2_internal.h"

static void
on_shutdown(void *arg)
{
	struct pm2 *pm2 = arg;

	log_info("PM2 says shutdown: stop");
	pm2->calls->stop(pm2->arg);
}

static void
on_gone(void *arg)
{
	struct pm2 *pm2 = arg;

	if (pm2->supervisor->stopping != STOP_NOT)
		return;
	log_warnx("PM2 has gone: the workers serve on without a primary, until "
		  "`pm2 resurrect` or for orphan-timeout");
	pm2->calls->let_go(pm2->arg);
}

static void
on_tick(void *arg)
{
	struct pm2 *pm2 = arg;
	struct stats_hub *stats = &pm2->supervisor->page->hub;
	uint64_t bad, dropped;

	pm2_channel_counts(pm2->channel, &bad, &dropped);
	stats_add(&stats->pm2_bad, bad);
	stats_add(&stats->pm2_dropped, dropped);
	pm2_tell_figures(pm2);
}

struct pm2 *
pm2_new(int fd, struct jobs *jobs, const struct pm2_calls *calls, void *arg)
{
	static struct pm2_events events = { .on_shutdown = on_shutdown,
		.on_gone = on_gone,
		.on_tick = on_tick };
	struct pm2 *pm2;

	if (fd == -1)
		return NULL;
	pm2 = calloc(1, sizeof(*pm2));
	if (pm2 == NULL) {
		(void)close(fd); /* PM2 sees that we do not speak */
		return NULL;
	}
	pm2->jobs = jobs;
	pm2->supervisor = jobs->supervisor;
	pm2->calls = calls;
	pm2->arg = arg;
	list_init(&pm2->requests);
	events.actions = pm2_actions;
	events.action_count = pm2_action_count;
	pm2->channel = pm2_channel_new(pm2->supervisor->loop, fd, &events, pm2);
	if (pm2->channel == NULL) {
		free(pm2);
		return NULL;
	}
	return pm2;
}

void
pm2_ready(struct pm2 *pm2)
{
	if (pm2 != NULL)
		pm2_channel_ready(pm2->channel);
}

void
pm2_give(const struct pm2 *pm2)
{
	if (pm2 != NULL)
		pm2_channel_give(pm2->channel);
}

void
pm2_free(struct pm2 *pm2)
{
	if (pm2 == NULL)
		return;
	pm2_requests_release(pm2);
	pm2_channel_free(pm2->channel);
	free(pm2);
}

/* pm2.c - see pm2.h. */
#include "worker/pm2.h"

#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pm2/pm2_channel.h"
#include "worker/runtime.h"

struct worker_pm2 {
	struct runtime *p;           /* borrowed */
	struct pm2_channel *channel; /* owned */
	uint64_t at_ms;              /* of the last figures; 0: none yet */
	uint64_t messages;
	uint64_t frames;
};

/* ---- what PM2 asks ----------------------------------------------------- */

/* As if TERM had come: one way out for all. */
static void
leave(struct worker_pm2 *pm2)
{
	ev_feed_signal_event(pm2->p->worker.loop, SIGTERM);
}

static void
on_shutdown(void *arg)
{
	struct worker_pm2 *pm2 = arg;

	log_info("PM2 says shutdown: leaving");
	runtime_killed_in(pm2->p, pm2_kill_timeout());
	leave(pm2);
}

static void
on_gone(void *arg)
{
	log_info("PM2 has gone: leaving");
	leave(arg);
}

static void
run_drain(void *arg, const char *words)
{
	struct worker_pm2 *pm2 = arg;

	(void)words;
	pm2_channel_reply(pm2->channel, "drain", true,
	    "its clients are asked to go, then it ends; PM2 starts it again "
	    "unless `pm2 stop` follows");
	leave(pm2);
}

static void
run_status(void *arg, const char *words)
{
	struct worker_pm2 *pm2 = arg;
	const struct worker *worker = &pm2->p->worker;
	char text[192];

	(void)words;
	(void)snprintf(text, sizeof(text),
	    "{\"node\":\"%s\",\"ready\":%s,\"hub\":%s,\"clients\":%llu}",
	    worker->node, worker->ready ? "true" : "false",
	    link_state(worker->link) == LINK_UP ? "true" : "false",
	    (unsigned long long)worker->stats->clients);
	pm2_channel_reply_json(pm2->channel, "status", text);
}

static const struct pm2_action actions[] = {
	{ "drain", false, run_drain },
	{ "status", false, run_status },
};

/* ---- figures ----------------------------------------------------------- */

static uint64_t
drops_of(const struct stats_worker *stats)
{
	const uint64_t *values = (const uint64_t *)stats;
	uint64_t sum = 0;

	for (size_t i = 0; i < STATS_WORKER_COUNT; i++) {
		if (strncmp(stats_worker_fields[i].field, "drop_", 5) == 0)
			sum += values[i];
	}
	return sum;
}

static double
a_second(uint64_t now, uint64_t before, uint64_t ms)
{
	return ms != 0 && now > before ?
	    (double)(now - before) * 1000.0 / (double)ms :
	    0.0;
}

static void
on_tick(void *arg)
{
	struct worker_pm2 *pm2 = arg;
	const struct worker *worker = &pm2->p->worker;
	struct stats_worker *stats = worker->stats;
	uint64_t now_ms = clock_now_ms(), bad, dropped;
	uint64_t ms = pm2->at_ms != 0 ? now_ms - pm2->at_ms : 0;

	pm2_channel_counts(pm2->channel, &bad, &dropped);
	stats_add(&stats->pm2_bad, bad);
	stats_add(&stats->pm2_dropped, dropped);
	pm2_channel_metric_text(pm2->channel, "Node",
	    worker->ready ? worker->node : "none yet");
	pm2_channel_metric_text(pm2->channel, "Hub",
	    link_state(worker->link) == LINK_UP ? "there" : "away");
	pm2_channel_metric(pm2->channel, "Clients", "conn",
	    (double)stats->clients);
	pm2_channel_metric(pm2->channel, "Subscriptions", "topics",
	    (double)stats->subscriptions);
	pm2_channel_metric(pm2->channel, "Messages in", "msg/s",
	    a_second(stats->messages_in, pm2->messages, ms));
	pm2_channel_metric(pm2->channel, "Frames out", "frames/s",
	    a_second(stats->frames_out, pm2->frames, ms));
	pm2_channel_metric(pm2->channel, "Dropped", "messages",
	    (double)drops_of(stats));
	pm2_channel_metric(pm2->channel, "Outboxes", "bytes",
	    (double)stats->outbox_bytes);
	pm2_channel_metric(pm2->channel, "Loop lag", "ms",
	    (double)stats->loop_lag_us / 1000.0);
	pm2->at_ms = now_ms;
	pm2->messages = stats->messages_in;
	pm2->frames = stats->frames_out;
}

/* ---- life -------------------------------------------------------------- */

static const struct pm2_events events = {
	.actions = actions,
	.action_count = ARRAY_LEN(actions),
	.on_shutdown = on_shutdown,
	.on_gone = on_gone,
	.on_tick = on_tick,
};

struct worker_pm2 *
worker_pm2_new(struct runtime *p)
{
	struct worker_pm2 *pm2;
	int fd = pm2_channel_claim();

	if (fd == -1)
		return NULL;
	pm2 = calloc(1, sizeof(*pm2));
	if (pm2 == NULL) {
		(void)close(fd); /* PM2 sees that we do not speak */
		return NULL;
	}
	pm2->p = p;
	pm2->channel = pm2_channel_new(p->worker.loop, fd, &events, pm2);
	if (pm2->channel == NULL) {
		free(pm2);
		return NULL;
	}
	return pm2;
}

void
worker_pm2_heartbeat(struct worker_pm2 *pm2)
{
	if (pm2 != NULL && pm2->p->worker.ready)
		pm2_channel_ready(pm2->channel);
}

void
worker_pm2_free(struct worker_pm2 *pm2)
{
	if (pm2 == NULL)
		return;
	pm2_channel_free(pm2->channel);
	free(pm2);
}

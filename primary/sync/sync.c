/* sync.c - the bridge comes, has troubles and goes; see sync.h. */
#include "primary/sync/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/sync/sync_internal.h"

enum {
	LOG_EVERY_MS = 10000
};

/* A version 4 UUID, as crypto.randomUUID() makes them.  0 or -errno. */
static int
draw_id(char *id, size_t size)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	b[6] = (unsigned char)(0x40 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	(void)snprintf(id, size,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
	    b[11], b[12], b[13], b[14], b[15]);
	return 0;
}

/* ---- troubles ---------------------------------------------------------- */

static const char *
stage_name(enum cbus_sync_stage stage)
{
	switch (stage) {
	case CBUS_SYNC_SUBSCRIBE:
		return "subscribe";
	case CBUS_SYNC_PUBLISH:
		return "publish";
	case CBUS_SYNC_DELIVERY:
		break;
	}
	return "delivery";
}

static void
log_trouble(struct sync *sync, enum cbus_sync_stage stage, const char *text)
{
	struct sync_trouble *trouble = &sync->troubles[stage];
	uint64_t now = clock_now_ms();

	if (trouble->told_ms != 0 && now - trouble->told_ms < LOG_EVERY_MS) {
		trouble->left_out++;
		return;
	}
	if (trouble->left_out != 0)
		log_warnx("backplane %s, %s: %s (and %u more)",
		    sync->driver->name, stage_name(stage), text,
		    trouble->left_out);
	else
		log_warnx("backplane %s, %s: %s", sync->driver->name,
		    stage_name(stage), text);
	trouble->told_ms = now;
	trouble->left_out = 0;
}

void
sync_fail(struct sync *sync, enum cbus_sync_stage stage, int code,
    const char *text)
{
	/* That it is away was said when it went. */
	if (code != -ENOTCONN)
		log_trouble(sync, stage, text);
	hub_fault(sync->hub, stage_name(stage), code, sync->driver->name, text);
}

static void
on_error(void *arg, enum cbus_sync_stage stage, int code, const char *text)
{
	struct sync *sync = arg;

	if ((unsigned)stage >= SYNC_STAGES)
		stage = CBUS_SYNC_DELIVERY;
	if (stage == CBUS_SYNC_DELIVERY)
		stats_add(&sync->stats->sync_bad, 1);
	log_trouble(sync, stage, text);
	hub_fault(sync->hub, stage_name(stage), code, sync->driver->name, text);
}

static void
on_lost(void *arg, size_t count)
{
	struct sync *sync = arg;

	stats_add(&sync->stats->drop_sync_away, count);
}

static void
on_state(void *arg, bool connected)
{
	struct sync *sync = arg;

	if (connected == sync->connected)
		return;
	sync->connected = connected;
	stats_set(&sync->stats->sync_connected, connected);
	if (!connected) {
		log_warnx("backplane %s: away; this host goes on alone",
		    sync->driver->name);
		return;
	}
	if (sync->was_connected)
		stats_add(&sync->stats->sync_reconnects, 1);
	log_info("backplane %s: %s", sync->driver->name,
	    sync->was_connected ? "back" : "connected");
	sync->was_connected = true;
	/* The next trouble is a new one. */
	memset(sync->troubles, 0, sizeof(sync->troubles));
}

/* ---- life -------------------------------------------------------------- */

/* Nothing is joined, so nothing comes. */
static void
on_nothing(void *arg, const struct ipc_envelope *envelope)
{
	(void)arg;
	(void)envelope;
}

/* The bridge's place on the hub.  0, -ENOMEM, -ENOBUFS. */
static int
attach(struct sync *sync)
{
	const struct ipc_node_id id = { sync->host, SYNC_SLOT, 1 };

	sync->sink = hub_sink_new(sync->hub, &id, on_nothing, sync);
	if (sync->sink == NULL)
		return -ENOMEM;
	return hub_add_tap(sync->hub, sync_send, sync, sync->sink);
}

static int
open_driver(struct sync *sync, struct ev_loop *loop,
    const struct sync_options *options, char *why, size_t size)
{
	static const struct cbus_sync_events events = {
		.deliver = sync_take,
		.on_error = on_error,
		.on_lost = on_lost,
		.on_state = on_state,
	};
	const struct cbus_sync_params params = {
		.url = options->url,
		.channel = options->channel,
		.id = sync->id,
		.loop = loop,
		.queue_max = options->queue_max,
		.backoff_min_ms = SYNC_BACKOFF_MIN_MS,
		.backoff_max_ms = SYNC_BACKOFF_MAX_MS,
		.events = &events,
		.arg = sync,
	};

	return sync->driver->open(&params, &sync->handle, why, size);
}

struct sync *
sync_open(struct ev_loop *loop, struct hub *hub, struct stats_hub *stats,
    const struct cbus_sync_driver *driver, const struct sync_options *options,
    char *why, size_t size)
{
	struct sync *sync = calloc(1, sizeof(*sync));

	(void)snprintf(why, size, "out of memory");
	if (sync == NULL)
		return NULL;
	sync->hub = hub;
	sync->stats = stats;
	sync->driver = driver;
	sync->host = options->host;
	sync->topic_max = options->topic_max;
	sync->namespace_ = strdup(options->namespace_);
	if (sync->namespace_ == NULL)
		goto fail;
	sync->namespace_len = strlen(sync->namespace_);
	if (draw_id(sync->id, sizeof(sync->id)) != 0) {
		(void)snprintf(why, size, "no random numbers");
		goto fail;
	}
	if (attach(sync) != 0)
		goto fail;
	if (open_driver(sync, loop, options, why, size) != 0)
		goto fail;
	return sync;
fail:
	sync_close(sync, 0);
	return NULL;
}

const char *
sync_id(const struct sync *sync)
{
	return sync->id;
}

void
sync_set_topic_max(struct sync *sync, size_t bytes)
{
	sync->topic_max = bytes;
}

void
sync_close(struct sync *sync, uint32_t timeout_ms)
{
	if (sync == NULL)
		return;
	/* No envelope while it closes: the driver is half gone then. */
	hub_remove_tap(sync->hub, sync_send, sync);
	if (sync->handle != NULL)
		sync->driver->close(sync->handle, timeout_ms);
	hub_sink_close(sync->sink);
	stats_set(&sync->stats->sync_connected, 0);
	free(sync->namespace_);
	free(sync);
}

/*
 * driver_redis.c - the driver for Redis: what sync.h asks of a driver.
 *
 *	--sync redis://HOST:6379 --channel my-app
 *
 * PUBLISH channel envelope; SUBSCRIBE channel, verbatim.  The envelope is that
 * of crossws, whose redis() driver speaks on the same channel.  What waits is
 * counted from publish() to the server's answer, so that a server that stands
 * still costs queue_max bytes and no more; see driver_redis.h for the parts.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primary/sync/driver_redis.h"

enum {
	/* What a message costs besides its bytes. */
	MESSAGE_COST = 64,
	MESSAGE_MAX = 1 << 28,
};

static int
check(const char *text, const char *channel, char *why, size_t size)
{
	struct redis_tls *tls = NULL;
	struct redis_url url;
	int err;

	if (channel[0] == '\0') {
		(void)snprintf(why, size, "a channel is needed");
		return -EINVAL;
	}
	if (strlen(channel) > CBUS_SYNC_CHANNEL_MAX) {
		(void)snprintf(why, size, "the channel is longer than %d bytes",
		    (int)CBUS_SYNC_CHANNEL_MAX);
		return -EINVAL;
	}
	err = redis_url_parse(text, &url, why, size);
	if (err == 0) {
		if (url.tls)
			err = redis_tls_new(&url, &tls, why, size);
		redis_tls_free(tls);
		redis_url_release(&url);
	}
	if (err == -ENOMEM)
		(void)snprintf(why, size, "no memory");
	return err;
}

static void
release(struct cbus_sync *sync)
{
	redis_tls_free(sync->tls);
	redis_url_release(&sync->url);
	free(sync->channel);
	free(sync);
}

static int
open_sync(const struct cbus_sync_params *params, struct cbus_sync **ret_sync,
    char *why, size_t size)
{
	struct cbus_sync *sync = calloc(1, sizeof(*sync));
	int err = check(params->url, params->channel, why, size);

	if (err == 0 && sync == NULL)
		err = -ENOMEM;
	if (err == 0)
		err = redis_url_parse(params->url, &sync->url, why, size);
	if (err == 0 && sync->url.tls)
		err = redis_tls_new(&sync->url, &sync->tls, why, size);
	if (err == 0) {
		sync->channel = strdup(params->channel);
		if (sync->channel == NULL)
			err = -ENOMEM;
	}
	if (err != 0) {
		if (err == -ENOMEM)
			(void)snprintf(why, size, "no memory");
		if (sync != NULL)
			release(sync);
		return err;
	}
	sync->loop = params->loop;
	sync->events = params->events;
	sync->arg = params->arg;
	sync->channel_len = strlen(sync->channel);
	memcpy(sync->id, params->id, sizeof(sync->id));
	sync->queue_max = params->queue_max;
	sync->backoff_min_ms = params->backoff_min_ms;
	sync->backoff_max_ms = params->backoff_max_ms;
	redis_link_init(&sync->publisher, sync, false);
	redis_link_init(&sync->subscriber, sync, true);
	redis_life_start(sync);
	*ret_sync = sync;
	return 0;
}

static int
publish(struct cbus_sync *sync, const struct cbus_sync_message *message)
{
	const char *words[] = { "PUBLISH", sync->channel, NULL };
	size_t lens[] = { 7, sync->channel_len, 0 };
	size_t cost;
	char *text;
	int err;

	if (sync->state != REDIS_UP)
		return -ENOTCONN;
	if (message->len > MESSAGE_MAX || message->len > sync->queue_max)
		return -EMSGSIZE;
	/* Before the work of encoding: with a full queue it would be lost. */
	if (sync->queued + message->len + MESSAGE_COST > sync->queue_max &&
	    sync->queued > 0)
		return -ENOBUFS;
	err = cbus_envelope_encode(sync->id, sizeof(sync->id), message, &text,
	    &lens[2]);
	if (err != 0)
		return err;
	words[2] = text;
	cost = lens[2] + sync->channel_len + MESSAGE_COST;
	if (lens[2] > MESSAGE_MAX || cost > sync->queue_max)
		err = -EMSGSIZE;
	else if (sync->queued + cost > sync->queue_max)
		err = -ENOBUFS;
	else
		err = redis_link_ask(&sync->publisher, REDIS_ASK_PUBLISH,
		    (uint32_t)cost, 3, words, lens);
	if (err == 0)
		sync->queued += cost;
	free(text);
	return err;
}

static void
close_sync(struct cbus_sync *sync, uint32_t timeout_ms)
{
	if (sync == NULL)
		return;
	redis_life_end(sync, timeout_ms);
	release(sync);
}

const struct cbus_sync_driver cbus_sync_driver = {
	.version = CBUS_SYNC_VERSION,
	.name = "redis",
	.aliases = "rediss unix redis+unix",
	.channel_max = CBUS_SYNC_CHANNEL_MAX,
	.check = check,
	.open = open_sync,
	.publish = publish,
	.close = close_sync,
};

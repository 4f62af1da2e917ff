/*
 * driver_pgsql.c - hosts joined by PostgreSQL's LISTEN and NOTIFY.
 *
 *	--sync postgres://user@host/database?channel=my-app
 *
 * The channel is listened to under its name, and every message is a
 * notification with crossws's envelope as its payload.  A payload has to be
 * shorter than 8000 bytes and a channel's name than 64: that is PostgreSQL's
 * limit.  The connection is our own and does nothing else.
 *
 * driver_pgsql_link.c has the connection, driver_pgsql_talk.c what is said on
 * it, driver_pgsql_queue.c what waits, driver_pgsql_url.c the URL.
 */
#include "primary/sync/driver_pgsql.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static int
check_channel(const char *channel, char *why, size_t size)
{
	size_t len = strlen(channel);

	if (len == 0 || len > PGSQL_CHANNEL_MAX) {
		(void)snprintf(why, size,
		    "PostgreSQL's channels have 1 to %d bytes, this has %zu",
		    PGSQL_CHANNEL_MAX, len);
		return -EINVAL;
	}
	return 0;
}

static int
pgsql_check(const char *url, const char *channel, char *why, size_t size)
{
	struct pgsql_url parsed;
	int rc = check_channel(channel, why, size);

	if (rc != 0)
		return rc;
	rc = pgsql_url_parse(&parsed, url, why, size);
	if (rc == 0)
		pgsql_url_release(&parsed);
	return rc;
}

static void
set_names(struct cbus_sync *sync, const struct cbus_sync_params *params)
{
	const char *from;
	char *to = sync->quoted;

	(void)snprintf(sync->channel, sizeof(sync->channel), "%s",
	    params->channel);
	*to++ = '"';
	for (from = sync->channel; *from != '\0'; from++) {
		if (*from == '"')
			*to++ = '"';
		*to++ = *from;
	}
	*to++ = '"';
	*to = '\0';
	(void)snprintf(sync->id, sizeof(sync->id), "%s", params->id);
	(void)snprintf(sync->own, sizeof(sync->own), "{\"id\":\"%s\",",
	    sync->id);
}

static int
pgsql_open(const struct cbus_sync_params *params, struct cbus_sync **ret_sync,
    char *why, size_t size)
{
	struct cbus_sync *sync;
	int rc = check_channel(params->channel, why, size);

	if (rc != 0)
		return rc;
	sync = calloc(1, sizeof(*sync));
	if (sync == NULL)
		goto no_memory;
	rc = pgsql_url_parse(&sync->url, params->url, why, size);
	if (rc != 0)
		goto fail;
	rc = pgsql_queue_init(&sync->queue, params->queue_max);
	if (rc != 0) {
		pgsql_url_release(&sync->url);
		goto no_memory;
	}
	set_names(sync, params);
	sync->loop = params->loop;
	sync->events = params->events;
	sync->arg = params->arg;
	sync->backoff_min_ms = params->backoff_min_ms;
	sync->backoff_max_ms = params->backoff_max_ms;
	pgsql_link_init(sync);
	*ret_sync = sync;
	return 0;
no_memory:
	(void)snprintf(why, size, "out of memory");
	rc = -ENOMEM;
fail:
	free(sync);
	return rc;
}

static int
pgsql_publish(struct cbus_sync *sync, const struct cbus_sync_message *message)
{
	char *text;
	size_t len;
	int rc;

	if (sync->state != PGSQL_READY)
		return -ENOTCONN;
	if (message->len > PGSQL_PAYLOAD_MAX)
		return -EMSGSIZE;
	rc = cbus_envelope_encode(sync->id, strlen(sync->id), message, &text,
	    &len);
	if (rc != 0)
		return rc;
	if (len > PGSQL_PAYLOAD_MAX) {
		free(text);
		return -EMSGSIZE;
	}
	rc = pgsql_queue_put(&sync->queue, text, len);
	if (rc == 0)
		pgsql_talk_send(sync);
	return rc;
}

/* Without the loop: until nothing is on its way any more, or the time is up. */
static void
finish(struct cbus_sync *sync, uint64_t end_ms)
{
	struct pollfd pollfd;
	uint64_t now = clock_now_ms();
	int rc = 0;

	while (rc == 0 && sync->query != PGSQL_NONE && now < end_ms &&
	    !sync->broken) {
		pollfd.fd = PQsocket(sync->conn);
		pollfd.events = POLLIN;
		if ((sync->io.events & EV_WRITE) != 0)
			pollfd.events |= POLLOUT;
		if (poll(&pollfd, 1, (int)(end_ms - now)) > 0)
			rc = pgsql_talk_turn(sync);
		now = clock_now_ms();
	}
}

static void
pgsql_close(struct cbus_sync *sync, uint32_t timeout_ms)
{
	uint64_t end_ms = clock_now_ms() + timeout_ms;
	char text[sizeof(sync->quoted) + 16];

	if (sync == NULL)
		return;
	sync->closing = true;
	if (sync->state == PGSQL_READY) {
		finish(sync, end_ms);
		(void)snprintf(text, sizeof(text), "UNLISTEN %s", sync->quoted);
		if (sync->query == PGSQL_NONE && !sync->broken &&
		    pgsql_talk_ask(sync, PGSQL_UNLISTEN, text) == 0)
			finish(sync, end_ms);
	}
	pgsql_link_release(sync);
	pgsql_queue_release(&sync->queue);
	pgsql_url_release(&sync->url);
	free(sync);
}

const struct cbus_sync_driver cbus_sync_driver = {
	.version = CBUS_SYNC_VERSION,
	.name = "pgsql",
	.aliases = "postgres postgresql",
	.channel_max = PGSQL_CHANNEL_MAX,
	.check = pgsql_check,
	.open = pgsql_open,
	.publish = pgsql_publish,
	.close = pgsql_close,
};

/*
 * driver_redis_life.c - the two connections together; see driver_redis.h.
 *
 * One timer serves all states: AWAY it is the back-off, RESOLVING the look at
 * the resolver, otherwise the tick at which both connections are asked for a
 * sign of life and one that was silent for too long is given up.  Ticks are
 * counted, not time: who was stopped for a minute does not blame the server.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "primary/sync/driver_redis.h"

enum {
	LOOK_MS = 20
};

static void
set_timer(struct cbus_sync *sync, uint32_t after_ms, uint32_t every_ms)
{
	ev_timer_stop(sync->loop, &sync->timer);
	ev_timer_set(&sync->timer, after_ms / 1000., every_ms / 1000.);
	ev_timer_start(sync->loop, &sync->timer);
}

/* Full jitter: anything up to a limit that doubles. */
static uint32_t
backoff_ms(const struct cbus_sync *sync)
{
	uint64_t limit = sync->backoff_min_ms;
	uint32_t random = 0;

	for (uint32_t i = 1; i < sync->attempt && limit < sync->backoff_max_ms;
	     i++)
		limit *= 2;
	if (limit > sync->backoff_max_ms)
		limit = sync->backoff_max_ms;
	/* Without randomness the longest wait is as good. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) == -1)
		return (uint32_t)limit;
	return (uint32_t)(random % (limit + 1));
}

/* Messages that were sent and not answered; forget them. */
static uint32_t
count_lost(struct redis_asks *asks)
{
	enum redis_ask ask;
	uint32_t bytes, lost = 0;

	while (redis_asks_take(asks, &ask, &bytes))
		lost += ask == REDIS_ASK_PUBLISH;
	return lost;
}

void
redis_life_fail(struct cbus_sync *sync, const struct redis_link *link, int code,
    const char *why)
{
	const struct cbus_sync_events *events = sync->events;
	bool was_up = sync->state == REDIS_UP;
	uint32_t lost = count_lost(&sync->publisher.asks);
	char text[2 * REDIS_WHY_MAX], where[REDIS_WHY_MAX];

	redis_resolver_free(sync->resolver);
	sync->resolver = NULL;
	redis_link_close(&sync->publisher);
	redis_link_close(&sync->subscriber);
	sync->queued = 0;
	if (sync->state == REDIS_CLOSING)
		return;
	sync->state = REDIS_AWAY;
	sync->attempt++;
	set_timer(sync, backoff_ms(sync), 0);
	redis_url_show(&sync->url, where, sizeof(where));
	(void)snprintf(text, sizeof(text), "%s: %s%s", where,
	    link == NULL         ? "" :
		link->subscriber ? "subscriber: " :
				   "publisher: ",
	    why);
	if (was_up)
		events->on_state(sync->arg, false);
	events->on_error(sync->arg, CBUS_SYNC_SUBSCRIBE, code, text);
	if (lost > 0) {
		events->on_lost(sync->arg, lost);
		(void)snprintf(text, sizeof(text),
		    "%s: connection lost with "
		    "%u message%s not answered",
		    where, (unsigned)lost, lost == 1 ? "" : "s");
		events->on_error(sync->arg, CBUS_SYNC_PUBLISH, code, text);
	}
}

void
redis_life_ready(struct cbus_sync *sync)
{
	if (sync->state != REDIS_CONNECTING || !sync->publisher.ready ||
	    !sync->subscriber.ready)
		return;
	sync->state = REDIS_UP;
	sync->events->on_state(sync->arg, true);
}

/* ---- the timer ---------------------------------------------------------- */

static void
connect_both(struct cbus_sync *sync)
{
	socklen_t len;
	const struct sockaddr *sa =
	    redis_resolver_address(sync->resolver, sync->attempt, &len);
	struct redis_link *link = &sync->subscriber;
	int err;

	sync->state = REDIS_CONNECTING;
	set_timer(sync, REDIS_TICK_MS, REDIS_TICK_MS);
	err = redis_link_connect(link, sa, len);
	if (err == 0) {
		link = &sync->publisher;
		err = redis_link_connect(link, sa, len);
	}
	if (err != 0) {
		redis_life_fail(sync, NULL, err, strerror(-err));
		return;
	}
	redis_resolver_free(sync->resolver);
	sync->resolver = NULL;
}

static void
look_at_resolver(struct cbus_sync *sync)
{
	char why[REDIS_WHY_MAX];
	int err = redis_resolver_look(sync->resolver, why, sizeof(why));

	if (err == -EINPROGRESS)
		return;
	if (err != 0)
		redis_life_fail(sync, NULL, err, why);
	else
		connect_both(sync);
}

static void
begin(struct cbus_sync *sync)
{
	int err = redis_resolve(&sync->url, &sync->resolver);

	if (err != 0) {
		redis_life_fail(sync, NULL, err, strerror(-err));
		return;
	}
	sync->state = REDIS_RESOLVING;
	set_timer(sync, LOOK_MS, LOOK_MS);
	look_at_resolver(sync);
}

/* False: it is dead. */
static bool
is_alive(struct redis_link *link)
{
	link->silent++;
	if (link->silent > REDIS_SILENT_TICKS)
		return false;
	/* One question at a time is enough, whatever was asked besides. */
	if (!link->ready || link->asks.count > 0)
		return true;
	return redis_talk_alive(link) == 0;
}

static void
tick(struct cbus_sync *sync)
{
	struct redis_link *links[] = { &sync->subscriber, &sync->publisher };

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (is_alive(links[i]))
			continue;
		redis_life_fail(sync, links[i], -ETIMEDOUT,
		    links[i]->connected ? "the server does not answer" :
					  "the server cannot be reached");
		return;
	}
	/* Not before: a server that greets and closes is backed off from. */
	if (sync->state == REDIS_UP)
		sync->attempt = 0;
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct cbus_sync *sync = timer->data;

	(void)loop;
	(void)events;
	switch (sync->state) {
	case REDIS_AWAY:
		begin(sync);
		break;
	case REDIS_RESOLVING:
		look_at_resolver(sync);
		break;
	case REDIS_CONNECTING:
	case REDIS_UP:
		tick(sync);
		break;
	case REDIS_CLOSING:
		break;
	}
}

void
redis_life_start(struct cbus_sync *sync)
{
	ev_init(&sync->timer, on_timer);
	sync->timer.data = sync;
	set_timer(sync, 0, 0);
}

/* ---- the end ------------------------------------------------------------ */

/* Write and read without the loop, until all is answered. */
static void
flush(struct redis_link *link, uint64_t until_ms)
{
	char why[REDIS_WHY_MAX];
	uint64_t now = clock_now_ms();
	int err = 0;

	while (err == 0 && link->asks.count > 0 && now < until_ms) {
		struct pollfd pfd = { .fd = link->context->fd,
			.events = POLLIN };

		if (ev_is_active(&link->writable))
			pfd.events |= POLLOUT;
		if (poll(&pfd, 1, (int)(until_ms - now)) == -1 &&
		    errno != EINTR)
			return;
		if ((pfd.revents & POLLOUT) != 0)
			err = redis_link_write(link, why, sizeof(why));
		if (err == 0 && (pfd.revents & (POLLIN | POLLHUP | POLLERR)))
			err = redis_link_read(link, why, sizeof(why));
		now = clock_now_ms();
	}
}

void
redis_life_end(struct cbus_sync *sync, uint32_t timeout_ms)
{
	const char *words[] = { "UNSUBSCRIBE", sync->channel };
	const size_t lens[] = { strlen(words[0]), sync->channel_len };
	bool was_up = sync->state == REDIS_UP;
	char why[REDIS_WHY_MAX];
	int err;

	sync->state = REDIS_CLOSING;
	ev_timer_stop(sync->loop, &sync->timer);
	if (was_up) {
		flush(&sync->publisher, clock_now_ms() + timeout_ms);
		/* A courtesy: that the socket closes says the same. */
		err = redis_link_ask(&sync->subscriber, REDIS_ASK_ALIVE, 0, 2,
		    words, lens);
		if (err == 0)
			err = redis_link_write(&sync->subscriber, why,
			    sizeof(why));
		(void)err; /* it is over anyway */
	}
	redis_link_close(&sync->publisher);
	redis_link_close(&sync->subscriber);
	redis_resolver_free(sync->resolver);
	sync->resolver = NULL;
}

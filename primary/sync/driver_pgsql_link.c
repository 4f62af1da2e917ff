/*
 * driver_pgsql_link.c - one connection to PostgreSQL comes and goes.
 *
 * It is looked up, made, used (driver_pgsql_talk.c) and, whatever goes wrong,
 * ends in lost(): it is closed, what waited is forgotten, and after a pause the
 * next one is tried.  The timer has a meaning in every state.
 *
 * Nothing here may wait.
 */
#include "primary/sync/driver_pgsql.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void
pgsql_link_timer(struct cbus_sync *sync, uint32_t ms)
{
	ev_timer_stop(sync->loop, &sync->timer);
	ev_timer_set(&sync->timer, ms / 1000.0, 0.);
	ev_timer_start(sync->loop, &sync->timer);
}

void
pgsql_link_tell(struct cbus_sync *sync, enum cbus_sync_stage stage, int code,
    const char *text)
{
	if (!sync->closing)
		sync->events->on_error(sync->arg, stage, code, text);
}

void
pgsql_link_lose(struct cbus_sync *sync, size_t count, int code,
    const char *text)
{
	if (sync->closing)
		return;
	sync->events->on_lost(sync->arg, count);
	sync->events->on_error(sync->arg, CBUS_SYNC_PUBLISH, code, text);
}

/* Between 0 and a limit that doubles with every attempt. */
static uint32_t
pause_ms(struct cbus_sync *sync)
{
	uint64_t limit = sync->backoff_min_ms;
	uint32_t number = 0;
	uint32_t i;

	for (i = 0; i < sync->attempts && limit < sync->backoff_max_ms; i++)
		limit *= 2;
	if (limit > sync->backoff_max_ms)
		limit = sync->backoff_max_ms;
	/* Early after the machine's start there may be none: then no pause. */
	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return (uint32_t)(number % (limit + 1));
}

static void
disconnect(struct cbus_sync *sync)
{
	pgsql_resolver_stop(&sync->resolver);
	ev_io_stop(sync->loop, &sync->io);
	if (sync->conn != NULL)
		PQfinish(sync->conn);
	sync->conn = NULL;
	sync->query = PGSQL_NONE;
	sync->broken = false;
}

/* Close, tell, and try again later. */
static void
lost(struct cbus_sync *sync, int code, const char *text)
{
	char words[PGSQL_WHY_MAX];
	bool was_ready = sync->state == PGSQL_READY;
	size_t left;

	pgsql_words(words, sizeof(words), text);
	disconnect(sync);
	sync->state = PGSQL_WAITING;
	if (was_ready &&
	    (ev_now(sync->loop) - sync->ready_at) * 1000 > sync->backoff_max_ms)
		sync->attempts = 0;
	pgsql_link_timer(sync, pause_ms(sync));
	sync->attempts++;
	left = pgsql_queue_clear(&sync->queue);
	if (was_ready && !sync->closing)
		sync->events->on_state(sync->arg, false);
	pgsql_link_tell(sync, CBUS_SYNC_SUBSCRIBE, code, words);
	if (left > 0) {
		(void)snprintf(words, sizeof(words),
		    "%zu message%s lost with the connection", left,
		    left == 1 ? " was" : "s were");
		pgsql_link_lose(sync, left, -ECONNRESET, words);
	}
}

static void
lost_in_words_of_libpq(struct cbus_sync *sync, int code)
{
	char words[PGSQL_WHY_MAX];

	pgsql_words(words, sizeof(words), PQerrorMessage(sync->conn));
	lost(sync, code, words);
}

static void
watch(struct cbus_sync *sync, int events)
{
	ev_io_set(&sync->io, PQsocket(sync->conn), events);
	ev_io_start(sync->loop, &sync->io);
}

static void
connect_on(struct cbus_sync *sync)
{
	ev_io_stop(sync->loop, &sync->io); /* libpq may take another socket */
	switch (PQconnectPoll(sync->conn)) {
	case PGRES_POLLING_READING:
		watch(sync, EV_READ);
		return;
	case PGRES_POLLING_WRITING:
		watch(sync, EV_WRITE);
		return;
	case PGRES_POLLING_OK:
		if (PQsetnonblocking(sync->conn, 1) != 0)
			break;
		watch(sync, EV_READ);
		pgsql_talk_begin(sync);
		return;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		break;
	}
	lost_in_words_of_libpq(sync, -ECONNREFUSED);
}

static void
on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct cbus_sync *sync = io->data;
	int rc;

	(void)loop;
	(void)events;
	if (sync->state == PGSQL_CONNECTING) {
		connect_on(sync);
		return;
	}
	rc = pgsql_talk_turn(sync);
	if (rc == -EPROTO)
		lost(sync, rc, sync->why);
	else if (rc != 0)
		lost_in_words_of_libpq(sync, rc);
}

static void
ignore_notice(void *arg, const char *text)
{
	(void)arg;
	(void)text; /* libpq would print it */
}

void
pgsql_addresses_found(struct cbus_sync *sync)
{
	if (sync->address_count == 0) {
		lost(sync, -ENOENT, "no address is known for the host");
		return;
	}
	sync->conn = pgsql_addresses_connect(sync);
	if (sync->conn == NULL) {
		lost(sync, -ENOMEM, "out of memory");
		return;
	}
	(void)PQsetNoticeProcessor(sync->conn, ignore_notice, NULL);
	if (PQstatus(sync->conn) == CONNECTION_BAD) {
		lost_in_words_of_libpq(sync, -ECONNREFUSED);
		return;
	}
	sync->state = PGSQL_CONNECTING;
	watch(sync, EV_WRITE);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct cbus_sync *sync = timer->data;

	(void)loop;
	(void)events;
	if (sync->state == PGSQL_WAITING) {
		sync->state = PGSQL_RESOLVING;
		pgsql_link_timer(sync, sync->url.connect_ms);
		pgsql_addresses_find(sync);
	} else if (sync->broken) {
		lost_in_words_of_libpq(sync, -ECONNRESET);
	} else if (sync->state == PGSQL_RESOLVING) {
		lost(sync, -ETIMEDOUT, "no answer about the host's address");
	} else if (sync->state != PGSQL_READY) {
		lost(sync, -ETIMEDOUT, "no connection in time");
	} else if (sync->query != PGSQL_NONE) {
		lost(sync, -ETIMEDOUT, "the server does not answer");
	} else {
		(void)pgsql_talk_ask(sync, PGSQL_SIGN_OF_LIFE, "SELECT 1");
	}
}

void
pgsql_link_init(struct cbus_sync *sync)
{
	sync->state = PGSQL_WAITING;
	ev_init(&sync->io, on_io);
	sync->io.data = sync;
	ev_init(&sync->timer, on_timer);
	sync->timer.data = sync;
	pgsql_link_timer(sync, 0);
}

void
pgsql_link_release(struct cbus_sync *sync)
{
	disconnect(sync);
	ev_timer_stop(sync->loop, &sync->timer);
	pgsql_addresses_clear(sync);
}

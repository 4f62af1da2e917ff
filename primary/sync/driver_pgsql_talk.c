/*
 * driver_pgsql_talk.c - what is said on a connection to PostgreSQL.
 *
 * First LISTEN, then notifications in both directions, and a question now and
 * then whether the server is still there.  One query at a time; its answer
 * lets the next batch go.
 *
 * Nothing here may wait, and nothing here ends the connection: sending is
 * called from publish(), where nobody may be told of anything, and so the timer
 * does it.  One turn reads at most what libpq's buffer holds.
 */
#include "primary/sync/driver_pgsql.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

void
pgsql_words(char *out, size_t size, const char *text)
{
	size_t len = strcspn(text, "\n");

	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(out, text, len);
	out[len] = '\0';
}

/* Write what is queued in libpq, and watch for what is needed. */
static int
write_out(struct cbus_sync *sync)
{
	int rc = PQflush(sync->conn);
	int events = rc == 1 ? EV_READ | EV_WRITE : EV_READ;

	if (rc == -1)
		return -EIO;
	if (sync->io.events != events) {
		ev_io_stop(sync->loop, &sync->io);
		ev_io_set(&sync->io, PQsocket(sync->conn), events);
		ev_io_start(sync->loop, &sync->io);
	}
	return 0;
}

/* A query has been handed to libpq, or could not be. */
static int
begun(struct cbus_sync *sync, enum pgsql_query query, int sent)
{
	if (sent != 1 || write_out(sync) != 0) {
		/* Perhaps inside publish(), so the timer does the rest. */
		sync->broken = true;
		pgsql_link_timer(sync, 0);
		return -EIO;
	}
	sync->query = query;
	sync->query_failed = false;
	if (sync->state == PGSQL_READY)
		pgsql_link_timer(sync, PGSQL_ANSWER_MS);
	return 0;
}

int
pgsql_talk_ask(struct cbus_sync *sync, enum pgsql_query query, const char *text)
{
	return begun(sync, query, PQsendQuery(sync->conn, text));
}

void
pgsql_talk_send(struct cbus_sync *sync)
{
	const char *values[2] = { sync->channel, NULL };
	const int formats[2] = { 0, 1 };
	int lens[2] = { 0, 0 };

	if (sync->query != PGSQL_NONE || sync->broken)
		return;
	values[1] = pgsql_queue_batch(&sync->queue, &lens[1]);
	if (values[1] == NULL)
		return;
	(void)begun(sync, PGSQL_NOTIFY,
	    PQsendQueryPrepared(sync->conn, "clusterbus", 2, values, lens,
		formats, 0)); /* the timer will see */
}

/*
 * LISTEN is in force when its transaction is.  A notification need not survive
 * a crash of the server, so its commit does not wait for the disk.  The
 * function is called once for each element.
 */
void
pgsql_talk_begin(struct cbus_sync *sync)
{
	char text[sizeof(sync->quoted) + 256];

	(void)snprintf(text, sizeof(text),
	    "SET synchronous_commit TO off; LISTEN %s; "
	    "PREPARE clusterbus (text, text[]) AS "
	    "SELECT pg_catalog.count(pg_catalog.pg_notify($1, p)) "
	    "FROM pg_catalog.unnest($2) AS p",
	    sync->quoted);
	sync->state = PGSQL_SETUP;
	(void)pgsql_talk_ask(sync, PGSQL_LISTEN, text); /* the timer */
}

/* The query has its answer.  0, or -EPROTO: without it there is no use. */
static int
query_ended(struct cbus_sync *sync)
{
	enum pgsql_query query = sync->query;

	sync->query = PGSQL_NONE;
	if (query == PGSQL_LISTEN) {
		if (sync->query_failed)
			return -EPROTO;
		sync->state = PGSQL_READY;
		sync->ready_at = ev_now(sync->loop);
		if (!sync->closing)
			sync->events->on_state(sync->arg, true);
	} else if (query == PGSQL_NOTIFY && !sync->query_failed) {
		pgsql_queue_done(&sync->queue);
	} else if (query == PGSQL_NOTIFY && !pgsql_queue_failed(&sync->queue)) {
		pgsql_queue_done(&sync->queue);
		pgsql_link_lose(sync, 1, -EPROTO, sync->why);
	}
	if (sync->query == PGSQL_NONE)
		pgsql_link_timer(sync, PGSQL_SILENCE_MS);
	return 0;
}

static int
take_answers(struct cbus_sync *sync)
{
	PGresult *result;
	ExecStatusType status;
	int rc = 0;

	while (rc == 0 && sync->query != PGSQL_NONE && !PQisBusy(sync->conn)) {
		result = PQgetResult(sync->conn);
		if (result == NULL) {
			rc = query_ended(sync);
			continue;
		}
		status = PQresultStatus(result);
		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
			sync->query_failed = true;
			pgsql_words(sync->why, sizeof(sync->why),
			    PQresultErrorMessage(result));
		}
		PQclear(result);
		if (PQstatus(sync->conn) == CONNECTION_BAD)
			rc = -ECONNRESET;
	}
	return rc;
}

static void
deliver(struct cbus_sync *sync, const char *text)
{
	struct cbus_envelope envelope;
	int rc;

	/* Our own comes back, and most of what comes may be that. */
	if (sync->closing || strncmp(text, sync->own, strlen(sync->own)) == 0)
		return;
	rc = cbus_envelope_decode(text, strlen(text), &envelope);
	if (rc == -ENOMEM)
		pgsql_link_tell(sync, CBUS_SYNC_DELIVERY, rc, "out of memory");
	if (rc != 0)
		return; /* somebody else uses the channel, too */
	if (envelope.id_len != CBUS_SYNC_ID_LEN ||
	    memcmp(envelope.id, sync->id, CBUS_SYNC_ID_LEN) != 0)
		sync->events->deliver(sync->arg, &envelope.message);
	cbus_envelope_release(&envelope);
}

int
pgsql_talk_turn(struct cbus_sync *sync)
{
	PGnotify *notify;
	int rc;

	if (PQconsumeInput(sync->conn) != 1)
		return -ECONNRESET;
	rc = take_answers(sync);
	while (rc == 0 && (notify = PQnotifies(sync->conn)) != NULL) {
		deliver(sync, notify->extra);
		PQfreemem(notify);
	}
	if (rc == 0 && write_out(sync) != 0)
		rc = -ECONNRESET;
	if (rc == 0 && sync->state == PGSQL_READY)
		pgsql_talk_send(sync);
	return rc;
}

/*
 * driver_pgsql_facts.c - what a PostgreSQL says of itself, for `busctl
 * doctor`.
 *
 * A connection of its own that waits for its answers: this never runs in a
 * primary.  What the user may not ask is left out.
 */
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "primary/sync/driver_pgsql.h"

enum {
	LIST_MAX = 4096,
	TEXT_MAX = 256,
	WORDS = PGSQL_WORDS_MAX + 7 /* those below, and the end */
};

struct asker {
	PGconn *conn;
	cbus_sync_fact_fn *fact;
	void *arg;
};

static void
ignore_notice(void *arg, const char *text)
{
	(void)arg;
	(void)text; /* libpq would print it */
}

/* The one value of an answer; false: there is none. */
static bool
ask(struct asker *asker, const char *query, char *value, size_t size)
{
	PGresult *result = PQexec(asker->conn, query);
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK &&
	    PQntuples(result) == 1 && PQnfields(result) >= 1;

	if (ok)
		(void)snprintf(value, size, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return ok;
}

static void PRINTF_LIKE(5, 6) tell(struct asker *asker, bool fine,
    const char *name, const char *advice, const char *fmt, ...)
{
	char text[2 * TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	asker->fact(asker->arg, fine ? CBUS_SYNC_FINE : CBUS_SYNC_DOUBTFUL,
	    name, fine ? NULL : advice, text);
}

static void
tell_server(struct asker *asker)
{
	char value[TEXT_MAX];

	if (ask(asker, "SHOW server_version", value, sizeof(value)))
		tell(asker, true, "server", NULL, "PostgreSQL %s", value);
	if (ask(asker, "SHOW server_encoding", value, sizeof(value)) &&
	    strcmp(value, "UTF8") != 0)
		tell(asker, false, "server encoding",
		    "what it cannot write stays on its host: use a database in "
		    "UTF8",
		    "%s", value);
	tell(asker, true, "payload limit", NULL,
	    "an envelope has at most %d bytes", PGSQL_PAYLOAD_MAX);
}

static void
tell_queue(struct asker *asker)
{
	char value[TEXT_MAX];
	double used;

	if (!ask(asker, "SELECT pg_catalog.pg_notification_queue_usage()",
		value, sizeof(value)))
		return;
	used = strtod(value, NULL) * 100;
	tell(asker, used < 50, "notify queue",
	    "a session that listens is in a long transaction: find the oldest "
	    "xact_start in pg_stat_activity and end it",
	    "%.4g %% used", used);
}

static void
tell_others(struct asker *asker, unsigned own)
{
	char value[TEXT_MAX];
	long others;

	if (!ask(asker,
		"SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity"
		" WHERE application_name = 'clusterbus'"
		" AND datname = pg_catalog.current_database()",
		value, sizeof(value)))
		return;
	others = strtol(value, NULL, 10) - (long)own;
	tell(asker, true, "others", NULL,
	    "%ld more of clusterbus in this database, on any channel",
	    others > 0 ? others : 0);
}

/* Put one more at the end of a list with commas between. */
static void
append(char *list, bool first, const char *text)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, LIST_MAX - len, "%s%s", first ? "" : ",",
	    text);
}

static PGconn *
join(const struct pgsql_url *url)
{
	const char *keywords[WORDS], *values[WORDS];
	char names[LIST_MAX] = "", addresses[LIST_MAX] = "";
	char ports[LIST_MAX] = "";
	size_t count = 0;

	if (url->host_count > 1) {
		keywords[count] = "target_session_attrs";
		values[count++] = "read-write";
	}
	for (size_t i = 0; i < url->count; i++) {
		keywords[count] = url->keywords[i];
		values[count++] = url->values[i];
	}
	for (size_t i = 0; i < url->host_count; i++) {
		append(names, i == 0, url->hosts[i].name);
		append(addresses, i == 0, url->hosts[i].address);
		append(ports, i == 0, url->hosts[i].port);
	}
	/* Of two with the same keyword the last one counts. */
	keywords[count] = "host";
	values[count++] = names;
	keywords[count] = "hostaddr";
	values[count++] = addresses;
	keywords[count] = "port";
	values[count++] = ports;
	keywords[count] = "connect_timeout";
	values[count++] = "3";
	keywords[count] = "application_name";
	values[count++] = "busctl doctor";
	keywords[count] = NULL;
	values[count] = NULL;
	return PQconnectdbParams(keywords, values, 0);
}

void
cbus_sync_facts(const struct cbus_sync_params *params, unsigned own,
    cbus_sync_fact_fn *fact, void *arg)
{
	struct asker asker = { .fact = fact, .arg = arg };
	struct pgsql_url url;
	char why[PGSQL_WHY_MAX];

	if (pgsql_url_parse(&url, params->url, why, sizeof(why)) != 0)
		return;
	asker.conn = join(&url);
	(void)PQsetNoticeProcessor(asker.conn, ignore_notice, NULL);
	if (PQstatus(asker.conn) == CONNECTION_OK) {
		PQclear(PQexec(asker.conn, "SET statement_timeout = 3000"));
		tell_server(&asker);
		tell_queue(&asker);
		tell_others(&asker, own);
	}
	PQfinish(asker.conn);
	pgsql_url_release(&url);
}

/*
 * driver_pgsql_address.c - the hosts of a URL, as libpq gets them.
 *
 * libpq tries several hosts one after the other.  A name with several addresses
 * is given to it as so many hosts of that name (which TLS checks), each with
 * its address, so that it never looks anything up itself.  Every attempt begins
 * with the next one: where a host does not answer at all, the time is up before
 * libpq comes to its neighbour.
 */
#include "primary/sync/driver_pgsql.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WORDS = PGSQL_WORDS_MAX + 6 /* hosts, addresses, ports, two, the end */
};

void
pgsql_addresses_clear(struct cbus_sync *sync)
{
	struct pgsql_host *host;

	for (; sync->address_count > 0; sync->address_count--) {
		host = &sync->addresses[sync->address_count - 1];
		free(host->name);
		free(host->address);
		free(host->port);
	}
}

/* Without memory, or room, there is one address less to try. */
static void
add_address(struct cbus_sync *sync, const struct pgsql_host *from,
    const char *text, size_t len)
{
	struct pgsql_host *host = &sync->addresses[sync->address_count];

	if (sync->address_count == PGSQL_ADDRESSES_MAX)
		return;
	host->name = strdup(from->name);
	host->address = strndup(text, len);
	host->port = strdup(from->port);
	if (host->name != NULL && host->address != NULL && host->port != NULL) {
		sync->address_count++;
		return;
	}
	free(host->name);
	free(host->address);
	free(host->port);
}

static void
next_host(struct cbus_sync *sync)
{
	const struct pgsql_host *host;

	for (; sync->host < sync->url.host_count; sync->host++) {
		host = &sync->url.hosts[sync->host];
		if (!pgsql_host_is_name(host)) {
			add_address(sync, host, host->address,
			    strlen(host->address));
			continue;
		}
		if (pgsql_resolver_start(&sync->resolver, host->name) == 0)
			return;
	}
	pgsql_addresses_found(sync);
}

static void
on_resolved(void *arg, const char *lines)
{
	struct cbus_sync *sync = arg;
	const struct pgsql_host *host = &sync->url.hosts[sync->host];
	size_t len;

	/* A line without its end has been cut off. */
	for (; strchr(lines, '\n') != NULL; lines += len + 1) {
		len = strcspn(lines, "\n");
		add_address(sync, host, lines, len);
	}
	sync->host++;
	next_host(sync);
}

void
pgsql_addresses_find(struct cbus_sync *sync)
{
	pgsql_addresses_clear(sync);
	pgsql_resolver_init(&sync->resolver, sync->loop, on_resolved, sync);
	sync->host = 0;
	next_host(sync);
}

static char *
join(const struct cbus_sync *sync, size_t offset)
{
	size_t i, at;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	char *const *word;
	bool failed;

	if (out == NULL)
		return NULL;
	for (i = 0; i < sync->address_count; i++) {
		at = (i + sync->turn) % sync->address_count;
		word = (char *const *)(const void
			*)((const char *)&sync->addresses[at] + offset);
		(void)fprintf(out, i > 0 ? ",%s" : "%s", *word);
	}
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

struct pg_conn *
pgsql_addresses_connect(struct cbus_sync *sync)
{
	const char *keywords[WORDS], *values[WORDS];
	char *names = join(sync, offsetof(struct pgsql_host, name));
	char *addresses = join(sync, offsetof(struct pgsql_host, address));
	char *ports = join(sync, offsetof(struct pgsql_host, port));
	struct pg_conn *conn = NULL;
	size_t count = 0;

	/* Who has several servers has one that can be written to. */
	if (sync->url.host_count > 1) {
		keywords[count] = "target_session_attrs";
		values[count++] = "read-write";
	}
	for (size_t i = 0; i < sync->url.count; i++) {
		keywords[count] = sync->url.keywords[i];
		values[count++] = sync->url.values[i];
	}
	keywords[count] = "host";
	values[count++] = names;
	keywords[count] = "hostaddr";
	values[count++] = addresses;
	keywords[count] = "port";
	values[count++] = ports;
	keywords[count] = NULL;
	values[count] = NULL;
	if (names != NULL && addresses != NULL && ports != NULL)
		conn = PQconnectStartParams(keywords, values, 0);
	free(names);
	free(addresses);
	free(ports);
	sync->turn++;
	return conn;
}

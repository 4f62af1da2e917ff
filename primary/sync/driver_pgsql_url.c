/*
 * driver_pgsql_url.c - a PostgreSQL URL, as libpq reads it.
 *
 * libpq takes the URL apart; what concerns hosts is taken out of it, because
 * names are to be looked up without waiting, and what the URL leaves open and
 * a bus cares for is added.  Whatever else libpq knows (sslmode, passfile,
 * PGUSER and so on) works as everywhere.
 *
 * A password with an unescaped '@', ':' or '/' in it ends up in other places
 * of the URL.  So no text made here repeats any part of it.
 */
#include "primary/sync/driver_pgsql.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a bus wants unless the URL says otherwise. */
static const struct {
	const char *keyword, *value;
} wanted[] = {
	{ "application_name", "clusterbus" },
	{ "keepalives_idle", "10" },
	{ "keepalives_interval", "5" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "10000" },
	/* Looking for a ticket may ask a name server, and wait for it. */
	{ "gssencmode", "disable" },
};

/* What is not handed on as it is; client_encoding is ours. */
static const char *const apart[] = { "host", "hostaddr", "port",
	"client_encoding", "connect_timeout" };

static int
mistake(char *why, size_t size, const char *text)
{
	(void)snprintf(why, size, "%s", text);
	return -EINVAL;
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options != NULL && options->keyword != NULL; options++) {
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	}
	return NULL;
}

static int
add_word(struct pgsql_url *url, const char *keyword, const char *value)
{
	if (url->count == PGSQL_WORDS_MAX)
		return -E2BIG;
	url->keywords[url->count] = strdup(keyword);
	url->values[url->count] = strdup(value);
	url->count++;
	if (url->keywords[url->count - 1] == NULL ||
	    url->values[url->count - 1] == NULL)
		return -ENOMEM;
	return 0;
}

static int
take_words(struct pgsql_url *url, const PQconninfoOption *options)
{
	const PQconninfoOption *option;
	size_t i;
	int rc = 0;

	for (option = options; option->keyword != NULL && rc == 0; option++) {
		if (option->val == NULL)
			continue;
		for (i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
			if (strcmp(option->keyword, apart[i]) == 0)
				break;
		}
		if (i == sizeof(apart) / sizeof(apart[0]))
			rc = add_word(url, option->keyword, option->val);
	}
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && rc == 0; i++) {
		if (value_of(options, wanted[i].keyword) == NULL)
			rc = add_word(url, wanted[i].keyword, wanted[i].value);
	}
	return rc != 0 ? rc : add_word(url, "client_encoding", "UTF8");
}

/* How many words with commas between; none is one empty word. */
static size_t
words_in(const char *list)
{
	size_t count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

/* Word number n, owned by the caller; the only word stands for all. */
static char *
word_of(const char *list, size_t n)
{
	if (words_in(list) == 1)
		n = 0;
	for (; n > 0; n--)
		list = strchr(list, ',') + 1;
	return strndup(list, strcspn(list, ","));
}

static bool
is_port(const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	return *text == '\0' || (*end == '\0' && port > 0 && port < 65536);
}

static bool
is_numeric(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 ||
	    inet_pton(AF_INET6, text, address) == 1 ||
	    (strchr(text, ':') != NULL && strchr(text, '%') != NULL);
}

bool
pgsql_host_is_name(const struct pgsql_host *host)
{
	return host->address[0] == '\0' && host->name[0] != '\0' &&
	    host->name[0] != '/' && host->name[0] != '@';
}

static int
take_host(struct pgsql_host *host, char *why, size_t size)
{
	if (host->name == NULL || host->address == NULL || host->port == NULL)
		return -ENOMEM;
	if (!is_port(host->port))
		return mistake(why, size,
		    "the port is not one of 1 to 65535 "
		    "(a ':' in a password is written %3A, a '/' %2F)");
	if (host->name[0] != '@' && strchr(host->name, '@') != NULL)
		return mistake(why, size,
		    "the host has an '@' in it "
		    "(in a password it is written %40)");
	if (host->address[0] != '\0' && !is_numeric(host->address))
		return mistake(why, size, "hostaddr is not a numeric address");
	if (host->address[0] == '\0' && is_numeric(host->name)) {
		free(host->address);
		host->address = strdup(host->name);
		if (host->address == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int
take_hosts(struct pgsql_url *url, const char *names, const char *addresses,
    const char *ports, char *why, size_t size)
{
	size_t count = words_in(addresses[0] != '\0' ? addresses : names);
	size_t i;
	int rc;

	if (count > PGSQL_HOSTS_MAX)
		return mistake(why, size, "more than 16 hosts");
	if ((names[0] != '\0' && words_in(names) != count) ||
	    (words_in(ports) != 1 && words_in(ports) != count))
		return mistake(why, size,
		    "numbers of hosts, addresses and ports differ");
	for (i = 0; i < count; i++) {
		url->hosts[i].name = word_of(names, i);
		url->hosts[i].address = word_of(addresses, i);
		url->hosts[i].port = word_of(ports, i);
		url->host_count++;
		rc = take_host(&url->hosts[i], why, size);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* As for libpq, nothing and 0 are the default. */
static int
take_timeout(struct pgsql_url *url, const char *text, char *why, size_t size)
{
	char *end;
	long seconds;

	url->connect_ms = PGSQL_CONNECT_MS;
	if (text == NULL || *text == '\0')
		return 0;
	seconds = strtol(text, &end, 10);
	if (*end != '\0' || seconds < 0 || seconds > 600)
		return mistake(why, size,
		    "connect_timeout is not a number from 0 to 600");
	if (seconds != 0)
		url->connect_ms = (uint32_t)seconds * 1000;
	return 0;
}

/* What the URL leaves open comes from PGHOST and so on. */
static int
take_options(struct pgsql_url *url, const PQconninfoOption *options, char *why,
    size_t size)
{
	PQconninfoOption *defaults = PQconndefaults();
	const char *names = value_of(options, "host");
	const char *addresses = value_of(options, "hostaddr");
	const char *ports = value_of(options, "port");
	const char *seconds = value_of(options, "connect_timeout");
	int rc;

	if (defaults == NULL)
		return -ENOMEM;
	if (names == NULL && addresses == NULL) {
		names = value_of(defaults, "host");
		addresses = value_of(defaults, "hostaddr");
	}
	if (ports == NULL)
		ports = value_of(defaults, "port");
	if (seconds == NULL)
		seconds = value_of(defaults, "connect_timeout");
	rc = take_timeout(url, seconds, why, size);
	if (rc == 0)
		rc = take_hosts(url, names != NULL ? names : "",
		    addresses != NULL ? addresses : "",
		    ports != NULL ? ports : "", why, size);
	PQconninfoFree(defaults);
	return rc != 0 ? rc : take_words(url, options);
}

int
pgsql_url_parse(struct pgsql_url *url, const char *text, char *why, size_t size)
{
	PQconninfoOption *options;
	const char *database;
	char *error = NULL;
	int rc;

	memset(url, 0, sizeof(*url));
	if (strncmp(text, "postgres://", 11) != 0 &&
	    strncmp(text, "postgresql://", 13) != 0)
		return mistake(why, size,
		    "the URL must begin with postgres:// or postgresql://");
	options = PQconninfoParse(text, &error);
	if (options == NULL) {
		if (error == NULL)
			return -ENOMEM;
		/* What is quoted in it may be a piece of a password. */
		error[strcspn(error, "\":\n")] = '\0';
		(void)snprintf(why, size, "the URL is wrong: %s", error);
		PQfreemem(error);
		return -EINVAL;
	}
	database = value_of(options, "dbname");
	if (database != NULL && strchr(database, '@') != NULL)
		rc = mistake(why, size,
		    "the database has an '@' in it "
		    "(a '/' in a password is written %2F)");
	else if (value_of(options, "service") != NULL)
		rc = mistake(why, size,
		    "a service is not supported; "
		    "write the host into the URL");
	else
		rc = take_options(url, options, why, size);
	PQconninfoFree(options);
	if (rc == -E2BIG)
		rc = mistake(why, size, "too many parameters");
	if (rc == -ENOMEM)
		(void)snprintf(why, size, "out of memory");
	if (rc != 0)
		pgsql_url_release(url);
	return rc;
}

void
pgsql_url_release(struct pgsql_url *url)
{
	size_t i;

	for (i = 0; i < url->count; i++) {
		free(url->keywords[i]);
		free(url->values[i]);
	}
	for (i = 0; i < url->host_count; i++) {
		free(url->hosts[i].name);
		free(url->hosts[i].address);
		free(url->hosts[i].port);
	}
	memset(url, 0, sizeof(*url));
}

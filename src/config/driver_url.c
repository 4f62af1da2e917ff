/* driver_url.c - the URL of a backplane and the channel in it; see driver.h. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/net.h"
#include "base/rundir.h"
#include "base/utf8.h"
#include "config/driver.h"

bool
driver_relays(const struct config *config)
{
	return strcmp(config->sync, "local") != 0;
}

bool
driver_is_wanted(const struct config *config)
{
	return driver_relays(config) && strcmp(config->sync, "cluster") != 0;
}

static int PRINTF_LIKE(3, 4) wrong(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Who speaks it, where that is not the scheme itself. */
static const char *
name_of(const char *scheme)
{
	static const struct {
		const char *scheme, *name;
	} others[] = {
		{ "rediss", "redis" },
		{ "unix", "redis" },
		{ "redis+unix", "redis" },
		{ "postgres", "pgsql" },
		{ "postgresql", "pgsql" },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (strcmp(scheme, others[i].scheme) == 0)
			return others[i].name;
	}
	return scheme;
}

/* "scheme://": letters, digits, '+', '-', '.'. */
static int
take_scheme(const char *sync, struct driver_url *url)
{
	size_t len = 0;

	while (isalnum((unsigned char)sync[len]) ||
	    (len != 0 && strchr("+-.", sync[len]) != NULL && sync[len] != '\0'))
		len++;
	if (len == 0 || len >= sizeof(url->scheme) ||
	    strncmp(sync + len, "://", 3) != 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		url->scheme[i] = (char)tolower((unsigned char)sync[i]);
	url->scheme[len] = '\0';
	(void)snprintf(url->name, sizeof(url->name), "%s",
	    name_of(url->scheme));
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What %XX and so on mean; '+' is a plus.  False: too long, or no text. */
static bool
decode(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;
	int c;

	for (size_t i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (c == '%') {
			if (len - i < 3 || hex_digit(text[i + 1]) < 0 ||
			    hex_digit(text[i + 2]) < 0)
				return false;
			c = hex_digit(text[i + 1]) << 4 |
			    hex_digit(text[i + 2]);
			i += 2;
		}
		if (c == 0 || n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return true;
}

/*
 * Copy the URL without its channel=; that goes to channel, the last one
 * counts.  False: too long, or no text.
 */
static bool
take_channel(const char *sync, struct driver_url *url)
{
	const char *query = strchr(sync, '?'), *at, *end;
	size_t len, n = query != NULL ? (size_t)(query - sync) : strlen(sync);
	char joint = '?';

	if (strlen(sync) >= sizeof(url->url))
		return false;
	memcpy(url->url, sync, n);
	for (at = query; at != NULL; at = end) {
		at++;
		end = strchr(at, '&');
		len = end != NULL ? (size_t)(end - at) : strlen(at);
		if (strncmp(at, "channel=", 8) == 0) {
			if (!decode(at + 8, len - 8, url->channel,
				sizeof(url->channel)))
				return false;
			continue;
		}
		url->url[n++] = joint;
		memcpy(url->url + n, at, len);
		n += len;
		joint = '&';
	}
	url->url[n] = '\0';
	return true;
}

static bool
is_printable(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return utf8_valid(text, len);
}

int
driver_url(const struct config *config, struct driver_url *ret_url, char *why,
    size_t size)
{
	struct driver_url url = { .url = "" };

	if (take_scheme(config->sync, &url) != 0)
		return wrong(why, size,
		    "must be local, cluster or the URL of a backplane, like "
		    "redis://127.0.0.1:6379?channel=NAME");
	if (!take_channel(config->sync, &url))
		return wrong(why, size,
		    "the channel in the URL is no text of "
		    "at most 255 bytes");
	if (config->channel[0] != '\0' && url.channel[0] != '\0' &&
	    strcmp(config->channel, url.channel) != 0)
		return wrong(why, size,
		    "the URL says channel '%s' and the option channel '%s'",
		    url.channel, config->channel);
	if (url.channel[0] == '\0')
		(void)snprintf(url.channel, sizeof(url.channel), "%s",
		    config->channel);
	if (url.channel[0] == '\0')
		return wrong(why, size,
		    "needs a channel (--channel NAME, or ?channel=NAME in the "
		    "URL): it keeps clusters on one server apart");
	if (!is_printable(url.channel))
		return wrong(why, size,
		    "the channel has control characters, "
		    "or is not UTF-8");
	*ret_url = url;
	return 0;
}

/* ---- the bus's own door ------------------------------------------------- */

static bool
is_same_file(const char *a, const char *b)
{
	struct stat one, two;

	return stat(a, &one) == 0 && stat(b, &two) == 0 &&
	    one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/*
 * Is it redis.sock in our run directory?  Before the start there may be no such
 * file, or no such directory.
 */
static bool
is_own_socket(const struct config *config, const char *at)
{
	char path[DRIVER_URL_MAX], own[RUNDIR_MAX + 16];
	struct rundir rundir;
	char *slash;

	if (rundir_path(&rundir, config->run_dir, config->name) != 0)
		return false;
	rundir_file(&rundir, "redis.sock", own, sizeof(own));
	at = strchr(at, '/');
	if (at == NULL || !decode(at, strcspn(at, "?"), path, sizeof(path)))
		return false;
	if (strcmp(path, own) == 0 || is_same_file(path, own))
		return true;
	slash = strrchr(path, '/');
	if (strcmp(slash + 1, "redis.sock") != 0)
		return false;
	*slash = '\0';
	return is_same_file(path, rundir.path);
}

/* Is it where our door listens on a loopback address? */
static bool
is_own_address(const struct config *config, const char *at)
{
	char host[NET_ADDRESS_MAX], theirs[NET_ADDRESS_MAX],
	    ours[NET_ADDRESS_MAX];
	size_t len = strcspn(at, "/?");
	const char *user = memrchr(at, '@', len);
	struct net_address address;

	if (net_parse(config->redis_listen, &address) != 0)
		return false;
	net_format(&address, ours, sizeof(ours));
	if (user != NULL) {
		len -= (size_t)(user + 1 - at);
		at = user + 1;
	}
	(void)snprintf(host, sizeof(host), "%.*s%s", (int)len, at,
	    memchr(at, ':', len) != NULL && at[len - 1] != ']' ? "" : ":6379");
	if (len >= sizeof(host) - 8 || net_parse(host, &address) != 0)
		return false;
	net_format(&address, theirs, sizeof(theirs));
	return strcmp(ours, theirs) == 0;
}

bool
driver_is_own_door(const struct config *config, const struct driver_url *url)
{
	const char *at = strstr(url->url, "://");

	if (!config->redis_door || at == NULL)
		return false;
	if (strcmp(url->scheme, "unix") == 0 ||
	    strcmp(url->scheme, "redis+unix") == 0)
		return is_own_socket(config, at + 3);
	return strcmp(url->scheme, "redis") == 0 &&
	    config->redis_listen[0] != '\0' && is_own_address(config, at + 3);
}

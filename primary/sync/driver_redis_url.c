/*
 * driver_redis_url.c - the URL of a Redis server; see driver_redis.h.
 *
 *	redis://[USER:PASSWORD@]HOST[:PORT][/DB]     rediss: with TLS
 *	unix://[USER:PASSWORD@]/PATH[?db=N]          redis+unix: the same
 *
 * User and password are percent-decoded.  "redis://:PASSWORD@HOST" is the
 * password of a server without users.  TLS takes ?ca=, cert= and key=, names
 * of files.  An unknown parameter is a mistake: a misspelt one would otherwise
 * go unnoticed.  Messages quote nothing that could be part of a password.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "primary/sync/driver_redis.h"

enum {
	DB_MAX = 1 << 24
};

struct text {
	char *why;
	size_t size;
};

static int PRINTF_LIKE(2, 3)
    mistake(const struct text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text->why, text->size, fmt, ap); /* may be cut off */
	va_end(ap);
	return -EINVAL;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode into a string of its own.  -EINVAL: a bad escape, or a zero byte. */
static int
decode(const char *from, size_t len, char **ret_text)
{
	char *text = malloc(len + 1);
	size_t n = 0;

	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		char c = from[i];

		if (c == '%') {
			int high = i + 2 < len ? hex(from[i + 1]) : -1;
			int low = high >= 0 ? hex(from[i + 2]) : -1;

			if (low < 0 || (high == 0 && low == 0)) {
				free(text);
				return -EINVAL;
			}
			c = (char)(high << 4 | low);
			i += 2;
		}
		text[n++] = c;
	}
	text[n] = '\0';
	free(*ret_text); /* given twice: the last one counts */
	*ret_text = text;
	return 0;
}

static int
parse_number(const char *from, size_t len, uint32_t max, uint32_t *ret_number)
{
	uint32_t number = 0;

	if (len == 0 || len > 8)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (from[i] < '0' || from[i] > '9')
			return -EINVAL;
		number = number * 10 + (uint32_t)(from[i] - '0');
	}
	if (number > max)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

/* USER:PASSWORD, :PASSWORD; a user alone has no password. */
static int
parse_who(struct redis_url *url, const char *from, size_t len,
    const struct text *text)
{
	const char *colon = memchr(from, ':', len);
	size_t user_len = colon != NULL ? (size_t)(colon - from) : len;
	int err = 0;

	if (colon == NULL)
		return mistake(text,
		    "a user without a password: "
		    "write USER:PASSWORD@ or :PASSWORD@");
	if (user_len > 0)
		err = decode(from, user_len, &url->user);
	if (err == 0)
		err = decode(colon + 1, len - user_len - 1, &url->password);
	if (err == -EINVAL)
		return mistake(text,
		    "'%%' in the user or password is not "
		    "followed by two hexadecimal digits");
	if (err == 0 && url->password[0] == '\0')
		return mistake(text, "the password is empty");
	return err;
}

static int
parse_host(struct redis_url *url, const char *from, size_t len,
    const struct text *text)
{
	const char *end = from + len, *host_end, *port = NULL;
	uint32_t number = 6379;
	int err;

	if (len > 0 && from[0] == '[') {
		host_end = memchr(from, ']', len);
		if (host_end == NULL)
			return mistake(text, "no ']' after the address");
		from++;
		if (host_end + 1 < end && host_end[1] != ':')
			return mistake(text, "something behind the ']'");
		if (host_end + 1 < end)
			port = host_end + 2;
	} else {
		host_end = memchr(from, ':', len);
		if (host_end != NULL)
			port = host_end + 1;
		else
			host_end = end;
	}
	if (host_end == from)
		return mistake(text,
		    "no host; redis://HOST:PORT is wanted, "
		    "or unix:///PATH");
	if (port != NULL &&
	    (parse_number(port, (size_t)(end - port), 65535, &number) != 0 ||
		number == 0))
		return mistake(text,
		    "the port is not a number from 1 to "
		    "65535");
	url->port = (uint16_t)number;
	err = decode(from, (size_t)(host_end - from), &url->host);
	return err != -EINVAL ? err : mistake(text, "'%%' in the host");
}

static int
parse_db(struct redis_url *url, const char *from, size_t len,
    const struct text *text)
{
	if (parse_number(from, len, DB_MAX, &url->db) != 0)
		return mistake(text, "the database is not a number");
	return 0;
}

/* One NAME=VALUE of the query. */
static int
parse_parameter(struct redis_url *url, const char *from, size_t len,
    const struct text *text)
{
	const char *equals = memchr(from, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - from) : len;
	const char *value = equals != NULL ? equals + 1 : from + len;
	size_t value_len = (size_t)(from + len - value);

	const struct {
		const char *name;
		char **ret_file;
	} files[] = {
		{ "ca", &url->ca },
		{ "cert", &url->cert },
		{ "key", &url->key },
	};

	int err;

	if (name_len == 2 && memcmp(from, "db", 2) == 0)
		return parse_db(url, value, value_len, text);
	for (size_t i = 0; url->tls && i < ARRAY_LEN(files); i++) {
		if (strlen(files[i].name) != name_len ||
		    memcmp(files[i].name, from, name_len) != 0)
			continue;
		err = decode(value, value_len, files[i].ret_file);
		return err != -EINVAL ?
		    err :
		    mistake(text, "'%%' in %s", files[i].name);
	}
	return equals != NULL ?
	    mistake(text, "unknown parameter '%.*s'", (int)name_len, from) :
	    mistake(text, "a parameter without a value");
}

static int
parse_query(struct redis_url *url, const char *query, const struct text *text)
{
	while (*query != '\0') {
		size_t len = strcspn(query, "&");
		int err = len > 0 ? parse_parameter(url, query, len, text) : 0;

		if (err != 0)
			return err;
		query += len + (query[len] == '&');
	}
	return 0;
}

/* What follows the "//": authority, path. */
static int
parse_rest(struct redis_url *url, bool is_unix, const char *from, size_t len,
    const struct text *text)
{
	const char *slash = memchr(from, '/', len);
	const char *end = from + len, *at = NULL;
	size_t head_len = slash != NULL ? (size_t)(slash - from) : len;
	int err = 0;

	/* The last one: an '@' in a password that nobody wrote as %40. */
	for (size_t i = 0; i < head_len; i++)
		at = from[i] == '@' ? from + i : at;
	if (at != NULL)
		err = parse_who(url, from, (size_t)(at - from), text);
	if (err != 0)
		return err;
	if (at != NULL) {
		head_len -= (size_t)(at - from) + 1;
		from = at + 1;
	}
	if (!is_unix) {
		err = parse_host(url, from, head_len, text);
		if (err == 0 && slash != NULL && slash + 1 < end)
			err = parse_db(url, slash + 1,
			    (size_t)(end - slash) - 1, text);
		return err;
	}
	if (head_len != 0 || slash == NULL || slash + 1 == end)
		return mistake(text, "no path; unix:///PATH is wanted");
	err = decode(slash, (size_t)(end - slash), &url->path);
	if (err == -EINVAL)
		return mistake(text,
		    "'%%' in the path is not followed by two "
		    "hexadecimal digits");
	if (err == 0 &&
	    strlen(url->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return mistake(text, "the path is too long for a socket");
	return err;
}

int
redis_url_parse(const char *url_text, struct redis_url *ret_url, char *why,
    size_t size)
{
	static const struct {
		const char *scheme;
		bool tls, is_unix;
	} schemes[] = {
		{ "redis://", false, false },
		{ "rediss://", true, false },
		{ "unix://", false, true },
		{ "redis+unix://", false, true },
	};
	const struct text text = { why, size };
	const char *at = strrchr(url_text, '@'), *host;
	struct redis_url url = { 0 };
	int err = -1;

	host = strstr(url_text, "://");
	if (strchr(url_text, '#') != NULL)
		return mistake(&text, "'#' has to be written %%23");
	if (at != NULL && host != NULL &&
	    at > host + 3 + strcspn(host + 3, "/?"))
		return mistake(&text,
		    "'/' and '?' in the user or password, "
		    "and '@' after it, have to be written %%2F, %%3F and %%40");
	for (size_t i = 0; i < ARRAY_LEN(schemes) && err == -1; i++) {
		const char *from = url_text + strlen(schemes[i].scheme);
		size_t len;

		if (strncmp(url_text, schemes[i].scheme,
			(size_t)(from - url_text)) != 0)
			continue;
		len = strcspn(from, "?");
		url.tls = schemes[i].tls;
		err = parse_rest(&url, schemes[i].is_unix, from, len, &text);
		if (err == 0 && from[len] == '?')
			err = parse_query(&url, from + len + 1, &text);
	}
	if (err == -1)
		err = mistake(&text,
		    "redis://, rediss:// or unix:// is "
		    "wanted");
	if (err != 0)
		redis_url_release(&url);
	else
		*ret_url = url;
	return err;
}

void
redis_url_release(struct redis_url *url)
{
	free(url->host);
	free(url->path);
	free(url->user);
	if (url->password != NULL)
		explicit_bzero(url->password, strlen(url->password));
	free(url->password);
	free(url->ca);
	free(url->cert);
	free(url->key);
	memset(url, 0, sizeof(*url));
}

void
redis_url_show(const struct redis_url *url, char *text, size_t size)
{
	if (url->path != NULL)
		(void)snprintf(text, size, "%s", url->path);
	else
		(void)snprintf(text, size,
		    strchr(url->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
		    url->host, (unsigned)url->port);
}

/* resp.c - see resp.h. */
#include "primary/sync/resp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primary/sync/resp_line.h"

enum {
	FIRST_ARGS = 8,
	ARGS_KEEP = 1024, /* so many are kept for the next command */
	NUMBER_MAX = 20,  /* characters of the longest one */
};

void
resp_parser_init(struct resp_parser *parser, size_t bulk_max)
{
	*parser = (struct resp_parser){ .bulk_max = bulk_max };
}

void
resp_parser_release(struct resp_parser *parser)
{
	free(parser->args);
	parser->args = NULL;
	parser->cap = parser->count = 0;
}

int
resp_number(const char *text, size_t len, int64_t *ret_value)
{
	bool negative = len != 0 && text[0] == '-';
	size_t at = negative ? 1 : 0;
	uint64_t value = 0, max = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	unsigned digit;

	if (at == len || len > NUMBER_MAX ||
	    (text[at] == '0' && len != 1)) /* nor -0 */
		return -EINVAL;
	for (; at < len; at++) {
		digit = (unsigned)(unsigned char)text[at] - '0';
		if (digit > 9 || value > (max - digit) / 10)
			return -EINVAL;
		value = value * 10 + digit;
	}
	*ret_value = (int64_t)(negative ? 0 - value : value);
	return 0;
}

int
resp_add_arg(struct resp_parser *parser, size_t offset, size_t len)
{
	size_t cap = parser->cap != 0 ? parser->cap * 2 : FIRST_ARGS;
	struct resp_arg *args;

	if (parser->count == parser->cap) {
		args = realloc(parser->args, cap * sizeof(args[0]));
		if (args == NULL)
			return -ENOMEM;
		parser->args = args;
		parser->cap = cap;
	}
	parser->args[parser->count++] =
	    (struct resp_arg){ .offset = offset, .len = len };
	return 0;
}

static ssize_t
complain(char *ret_why, size_t size, const char *why)
{
	(void)snprintf(ret_why, size, "Protocol error: %s", why);
	return -EPROTO;
}

/*
 * The line at parser->at without its end: 1 and its length; 0: not complete;
 * -EPROTO.
 */
static ssize_t
read_line(const struct resp_parser *parser, const char *data, size_t len,
    const char *what, size_t *ret_len, char *ret_why, size_t size)
{
	const char *start = data + parser->at, *end;
	char why[64];

	if (parser->at == len)
		return 0;
	end = memchr(start, '\r', len - parser->at);
	if (end == NULL && len - parser->at > RESP_LINE_MAX) {
		(void)snprintf(why, sizeof(why), "too big %s count string",
		    what);
		return complain(ret_why, size, why);
	}
	if (end == NULL || end + 1 == data + len)
		return 0;
	*ret_len = (size_t)(end - start);
	return 1;
}

/* "*3": how many strings follow. */
static ssize_t
read_head(struct resp_parser *parser, const char *data, size_t len,
    char *ret_why, size_t size)
{
	int64_t count;
	size_t line = 0;
	ssize_t rc;

	rc = read_line(parser, data, len, "mbulk", &line, ret_why, size);
	if (rc <= 0)
		return rc;
	if (resp_number(data + 1, line - 1, &count) != 0 ||
	    count > RESP_ARGS_MAX)
		return complain(ret_why, size, "invalid multibulk length");
	if (count > RESP_STRANGER_ARGS && parser->stranger)
		return complain(ret_why, size,
		    "unauthenticated multibulk length");
	parser->at = line + 2;
	parser->left = count > 0 ? (uint32_t)count : 0;
	return 1;
}

/* "$5": how long the next string is. */
static ssize_t
read_bulk_head(struct resp_parser *parser, const char *data, size_t len,
    char *ret_why, size_t size)
{
	const char *start = data + parser->at;
	char why[32];
	int64_t bulk;
	size_t line = 0;
	ssize_t rc;

	rc = read_line(parser, data, len, "bulk", &line, ret_why, size);
	if (rc <= 0)
		return rc;
	if (start[0] != '$') {
		(void)snprintf(why, sizeof(why), "expected '$', got '%c'",
		    start[0]);
		return complain(ret_why, size, why);
	}
	if (resp_number(start + 1, line - 1, &bulk) != 0 || bulk < 0 ||
	    (uint64_t)bulk > parser->bulk_max)
		return complain(ret_why, size, "invalid bulk length");
	if (bulk > RESP_STRANGER_BULK && parser->stranger)
		return complain(ret_why, size, "unauthenticated bulk length");
	parser->at += line + 2;
	parser->bulk = (size_t)bulk;
	parser->in_bulk = true;
	return 1;
}

static ssize_t
read_bulk(struct resp_parser *parser, const char *data, size_t len,
    char *ret_why, size_t size)
{
	ssize_t rc;

	if (!parser->in_bulk) {
		rc = read_bulk_head(parser, data, len, ret_why, size);
		if (rc <= 0)
			return rc;
	}
	if (len - parser->at < parser->bulk + 2)
		return 0;
	rc = resp_add_arg(parser, parser->at, parser->bulk);
	if (rc != 0)
		return rc;
	parser->at += parser->bulk + 2;
	parser->in_bulk = false;
	parser->left--;
	return 1;
}

/* The command is whole: say where its arguments are, and begin anew. */
static ssize_t
finish(struct resp_parser *parser, const char *data)
{
	size_t done = parser->at;

	for (size_t i = 0; i < parser->count; i++)
		parser->args[i].at = data + parser->args[i].offset;
	parser->at = 0;
	return (ssize_t)done;
}

static ssize_t
read_array(struct resp_parser *parser, const char *data, size_t len,
    char *ret_why, size_t size)
{
	ssize_t rc = 1;

	if (parser->at == 0)
		rc = read_head(parser, data, len, ret_why, size);
	while (rc == 1 && parser->left != 0)
		rc = read_bulk(parser, data, len, ret_why, size);
	return rc == 1 ? finish(parser, data) : rc;
}

static ssize_t
read_inline(struct resp_parser *parser, char *data, size_t len, char *ret_why,
    size_t size)
{
	const char *end = memchr(data, '\n', len);
	size_t line;
	int rc;

	if (end == NULL && len > RESP_LINE_MAX)
		return complain(ret_why, size, "too big inline request");
	if (end == NULL)
		return 0;
	line = (size_t)(end - data);
	parser->at = line + 1;
	if (line != 0 && data[line - 1] == '\r')
		line--;
	rc = resp_split_line(parser, data, line);
	if (rc == -EINVAL)
		return complain(ret_why, size, "unbalanced quotes in request");
	return rc == 0 ? finish(parser, data) : rc;
}

ssize_t
resp_parse(struct resp_parser *parser, char *data, size_t len, char *ret_why,
    size_t size)
{
	if (len == 0)
		return 0;
	if (parser->at == 0)
		parser->count = 0;
	if (parser->at == 0 && parser->cap > ARGS_KEEP)
		resp_parser_release(parser);
	if (data[0] == '*')
		return read_array(parser, data, len, ret_why, size);
	return read_inline(parser, data, len, ret_why, size);
}

size_t
resp_missing(const struct resp_parser *parser, size_t len)
{
	size_t end = parser->in_bulk ? parser->at + parser->bulk + 2 : 0;

	return end > len ? end - len : 1;
}

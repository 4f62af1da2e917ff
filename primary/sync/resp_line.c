/* resp_line.c - see resp_line.h. */
#include "primary/sync/resp_line.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Where a word is read from, and where its bytes go. */
struct cursor {
	char *line;
	size_t at, len, to;
};

/* By hand: the locale must not matter. */
static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
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

static char
escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'a':
		return '\a';
	default:
		return c;
	}
}

/* What stands after a backslash between double quotes. */
static void
take_escape(struct cursor *c)
{
	const char *p = c->line + c->at + 1;
	int high, low;

	if (c->len - c->at >= 4 && p[0] == 'x') {
		high = hex_digit(p[1]);
		low = hex_digit(p[2]);
		if (high >= 0 && low >= 0) {
			c->line[c->to++] = (char)(high * 16 + low);
			c->at += 4;
			return;
		}
	}
	c->line[c->to++] = escaped(p[0]);
	c->at += 2;
}

/* From the opening quote to the closing one, which ends the word. */
static int
take_quoted(struct cursor *c)
{
	char quote = c->line[c->at++], this;
	bool more;

	while (c->at < c->len) {
		this = c->line[c->at];
		more = c->at + 1 < c->len;
		if (this == quote) {
			c->at++;
			return more && !is_blank(c->line[c->at]) ? -EINVAL : 0;
		}
		if (quote == '"' && this == '\\' && more) {
			take_escape(c);
			continue;
		}
		if (quote == '\'' && this == '\\' && more &&
		    c->line[c->at + 1] == '\'')
			c->at++;
		c->line[c->to++] = c->line[c->at++];
	}
	return -EINVAL;
}

static int
take_word(struct cursor *c)
{
	char this;

	while (c->at < c->len) {
		this = c->line[c->at];
		if (is_blank(this))
			return 0;
		if (this == '"' || this == '\'')
			return take_quoted(c);
		c->line[c->to++] = c->line[c->at++];
	}
	return 0;
}

int
resp_split_line(struct resp_parser *parser, char *line, size_t len)
{
	struct cursor c = { .line = line, .len = strnlen(line, len) };
	size_t start;
	int rc;

	for (;;) {
		while (c.at < c.len && is_blank(line[c.at]))
			c.at++;
		if (c.at == c.len)
			return 0;
		start = c.to = c.at;
		rc = take_word(&c);
		if (rc == 0)
			rc = resp_add_arg(parser, start, c.to - start);
		if (rc != 0)
			return rc;
	}
}

/* resp_out.c - see resp_out.h. */
#include "primary/sync/resp_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	HEAD_MAX = 24, /* a type, a number, the end of the line */
	ERROR_MAX = 1024,
};

void
resp_out_init(struct resp_out *out, unsigned version, size_t max)
{
	*out = (struct resp_out){ .version = version };
	buf_init(&out->buf, max);
}

void
resp_out_release(struct resp_out *out)
{
	buf_release(&out->buf);
}

void
resp_raw(struct resp_out *out, const void *data, size_t len)
{
	if (out->error == 0)
		out->error = buf_append(&out->buf, data, len);
}

/*
 * A type and a number.  By hand: there are three of them in every message to
 * every subscriber.
 */
static size_t
write_head(char *to, char type, int64_t value)
{
	char digits[HEAD_MAX], *p = digits + sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t len;

	*--p = '\n';
	*--p = '\r';
	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (value < 0)
		*--p = '-';
	*--p = type;
	len = (size_t)(digits + sizeof(digits) - p);
	memcpy(to, p, len);
	return len;
}

static void
put_head(struct resp_out *out, char type, size_t value)
{
	char head[HEAD_MAX];

	resp_raw(out, head, write_head(head, type, (int64_t)value));
}

void
resp_simple(struct resp_out *out, const char *text)
{
	resp_raw(out, "+", 1);
	resp_raw(out, text, strlen(text));
	resp_raw(out, "\r\n", 2);
}

void
resp_error(struct resp_out *out, const char *fmt, ...)
{
	char text[ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	}
	resp_raw(out, "-", 1);
	resp_raw(out, text, strlen(text));
	resp_raw(out, "\r\n", 2);
}

void
resp_integer(struct resp_out *out, int64_t value)
{
	char head[HEAD_MAX];

	resp_raw(out, head, write_head(head, ':', value));
}

void
resp_null(struct resp_out *out)
{
	if (out->version == 2)
		resp_raw(out, "$-1\r\n", 5);
	else
		resp_raw(out, "_\r\n", 3);
}

void
resp_bulk(struct resp_out *out, const void *data, size_t len)
{
	unsigned char *to;
	size_t head;

	if (out->error != 0)
		return;
	to = buf_reserve(&out->buf, HEAD_MAX + len + 2, &out->error);
	if (to == NULL)
		return;
	head = write_head((char *)to, '$', (int64_t)len);
	if (len != 0)
		memcpy(to + head, data, len);
	memcpy(to + head + len, "\r\n", 2);
	buf_commit(&out->buf, head + len + 2);
}

void
resp_text(struct resp_out *out, const char *text)
{
	resp_bulk(out, text, strlen(text));
}

void
resp_verbatim(struct resp_out *out, const char *text, size_t len)
{
	if (out->version == 2) {
		resp_bulk(out, text, len);
		return;
	}
	put_head(out, '=', len + 4);
	resp_raw(out, "txt:", 4);
	resp_raw(out, text, len);
	resp_raw(out, "\r\n", 2);
}

void
resp_array(struct resp_out *out, size_t count)
{
	put_head(out, '*', count);
}

void
resp_set(struct resp_out *out, size_t count)
{
	put_head(out, out->version == 2 ? '*' : '~', count);
}

void
resp_map(struct resp_out *out, size_t pairs)
{
	if (out->version == 2)
		put_head(out, '*', pairs * 2);
	else
		put_head(out, '%', pairs);
}

void
resp_push(struct resp_out *out, size_t count)
{
	put_head(out, out->version == 2 ? '*' : '>', count);
}

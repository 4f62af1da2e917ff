/* json_row.c - see json_row.h. */
#include "worker/json_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum {
	/* An item leaves this much for what must follow a list. */
	LIST_RESERVE = 256
};

static void
put(struct row *row, const char *text, size_t len)
{
	if (row->err == 0)
		row->err = buf_append(row->out, text, len);
}

static void
put_string(struct row *row, const char *text, size_t len)
{
	size_t room = 6 * len + 2, need;
	unsigned char *at;

	if (row->err != 0)
		return;
	if (row->out->max - row->out->len < room)
		/* The worst case does not fit; the true one may. */
		room = json_string_encode(text, len, NULL, 0);
	at = buf_reserve(row->out, room, &row->err);
	if (at == NULL)
		return;
	need = json_string_encode(text, len, (char *)at, room);
	buf_commit(row->out, need);
}

static void
put_key(struct row *row, const char *key)
{
	if (row->comma)
		put(row, ",\"", 2);
	else
		put(row, "\"", 1);
	put(row, key, strlen(key));
	put(row, "\":", 2);
	row->comma = true;
}

void
row_start(struct row *row, struct buf *out)
{
	*row = (struct row){ .out = out, .start = out->len };
	put(row, "{", 1);
}

int
row_end(struct row *row)
{
	put(row, "}\n", 2);
	if (row->err != 0)
		row->out->len = row->start;
	return row->err;
}

void
row_string(struct row *row, const char *key, const char *text, size_t len)
{
	put_key(row, key);
	put_string(row, text, len);
}

void
row_text(struct row *row, const char *key, const char *text)
{
	row_string(row, key, text, strlen(text));
}

void
row_raw(struct row *row, const char *key, const char *json, size_t len)
{
	put_key(row, key);
	put(row, json, len);
}

void
row_number(struct row *row, const char *key, uint64_t number)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, number);

	row_raw(row, key, text, (size_t)len);
}

void
row_bool(struct row *row, const char *key, bool value)
{
	row_raw(row, key, value ? "true" : "false", value ? 4 : 5);
}

void
row_more(struct row *row, const char *json, size_t len)
{
	put(row, json, len);
}

void
row_open(struct row *row, const char *key, char bracket)
{
	if (key != NULL)
		put_key(row, key);
	else if (row->comma)
		put(row, ",", 1);
	put(row, &bracket, 1);
	row->comma = false;
}

void
row_close(struct row *row, char bracket)
{
	put(row, &bracket, 1);
	row->comma = true;
}

bool
row_item(struct row *row, const char *text, size_t len)
{
	struct buf *out = row->out;
	size_t before = out->len;
	bool comma = row->comma;

	if (row->err != 0)
		return false;
	if (comma)
		put(row, ",", 1);
	put_string(row, text, len);
	if (row->err == 0 && out->max - out->len >= LIST_RESERVE) {
		row->comma = true;
		return true;
	}
	out->len = before;
	row->comma = comma;
	row->err = 0;
	return false;
}

/*
 * json_row.h - one JSON object is written into a buf, member by member.
 *
 * For rows of answers and answers of the HTTP API.  What does not fit is found
 * out at the end: row_end() takes the whole object back then.
 */
#ifndef WORKER_JSON_ROW_H
#define WORKER_JSON_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

struct row {
	struct buf *out;
	size_t start; /* length of out before it */
	int err;      /* the first failure */
	bool comma;   /* something stands before the next member or item */
};

/* Begin an object at the end of out. */
void row_start(struct row *row, struct buf *out);

/*
 * End it, with a line feed behind it.  0; -ENOBUFS or -ENOMEM: out is as it
 * was before row_start().
 */
WARN_UNUSED int row_end(struct row *row);

/* A member whose value is a string: UTF-8 of this length, or up to its NUL. */
void row_string(struct row *row, const char *key, const char *text, size_t len);
void row_text(struct row *row, const char *key, const char *text);

/* A number; true or false; JSON text as it is. */
void row_number(struct row *row, const char *key, uint64_t number);
void row_bool(struct row *row, const char *key, bool value);
void row_raw(struct row *row, const char *key, const char *json, size_t len);

/*
 * A member (or, with key NULL, an item) that is an object '{' or a list '[',
 * up to row_close() with the other bracket.
 */
void row_open(struct row *row, const char *key, char bracket);
void row_close(struct row *row, char bracket);

/*
 * A string in a list.  False when it did not fit: it is not in the list then,
 * and the list is sound.
 */
bool row_item(struct row *row, const char *text, size_t len);

/* More JSON text, as it is. */
void row_more(struct row *row, const char *json, size_t len);

#endif /* WORKER_JSON_ROW_H */

/*
 * rows.h - rows of an answer (JSON objects, wire/query.h) as a table for
 * people, or one object on a line.
 *
 * Every worker answers for its own clients.  Where a column adds up, rows that
 * are equal in all others become one: a topic with subscribers on three
 * workers is one row.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/table.h"

enum {
	ROWS_COLUMNS_MAX = 8
};

enum row_type {
	ROW_TEXT,
	ROW_NUMBER,
	ROW_SUM, /* a number that adds up */
	ROW_AGE, /* milliseconds, shown as a duration */
};

struct row_column {
	const char *key;
	const char *heading;
	enum row_type type;
};

struct rows {
	const struct row_column *columns; /* borrowed */
	size_t column_count;
	struct rows_line **lines; /* owned, as they came */
	size_t count, cap;
	struct table by_key; /* where something adds up */
	bool failed;         /* out of memory */
};

/* No rows yet.  At most ROWS_COLUMNS_MAX columns. */
void rows_init(struct rows *rows, const struct row_column *columns,
    size_t count);

/* Free them. */
void rows_release(struct rows *rows);

/* Take a row in; without memory rows->failed says so. */
void rows_add(struct rows *rows, const char *json, size_t len);

/*
 * Print them on standard output, sorted by their columns: a table with
 * headings, or JSON.
 */
void rows_print(struct rows *rows, bool json);

/* The sum of a column of numbers. */
uint64_t rows_total(const struct rows *rows, size_t column);

/* The row at this place as it came, or NULL; not where something adds up. */
const char *rows_json(const struct rows *rows, size_t at);

/* A text for a terminal, which must not obey it; padded to width characters. */
void rows_print_text(const char *text, size_t width);

#endif /* CLI_ROWS_H */

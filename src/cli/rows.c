/* rows.c - see rows.h. */
#include "cli/rows.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/status.h"

enum {
	CELL_MAX = 513, /* bytes of a text, its NUL too */
};

/* One row. */
struct rows_line {
	struct table_entry by_key;
	const struct rows *rows;
	char *key;  /* owned: its texts, each with a '\0' */
	char *json; /* owned: as it came; NULL where something adds up */
	const char *texts[ROWS_COLUMNS_MAX]; /* in key */
	uint64_t numbers[ROWS_COLUMNS_MAX];
};

static bool
adds_up(const struct rows *rows)
{
	for (size_t i = 0; i < rows->column_count; i++) {
		if (rows->columns[i].type == ROW_SUM)
			return true;
	}
	return false;
}

void
rows_init(struct rows *rows, const struct row_column *columns, size_t count)
{
	assert(count <= ROWS_COLUMNS_MAX);
	*rows = (struct rows){ .columns = columns, .column_count = count };
	table_init(&rows->by_key);
}

static void
line_free(struct rows_line *line)
{
	free(line->key);
	free(line->json);
	free(line);
}

void
rows_release(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		line_free(rows->lines[i]);
	free(rows->lines);
	table_release(&rows->by_key);
}

/* Read the columns.  False: no memory. */
static bool
line_read(struct rows_line *line, struct json_span row)
{
	const struct rows *rows = line->rows;
	char texts[ROWS_COLUMNS_MAX * CELL_MAX];
	size_t len = 0;

	for (size_t i = 0; i < rows->column_count; i++) {
		if (rows->columns[i].type != ROW_TEXT) {
			line->numbers[i] =
			    api_row_number(row, rows->columns[i].key);
			continue;
		}
		api_row_text(row, rows->columns[i].key, texts + len, CELL_MAX);
		len += strlen(texts + len) + 1;
	}
	line->key = malloc(len + 1);
	if (line->key == NULL)
		return false;
	memcpy(line->key, texts, len);
	line->by_key.key = line->key;
	line->by_key.key_len = len;
	line->by_key.hash = hash_bytes(line->key, len);
	len = 0;
	for (size_t i = 0; i < rows->column_count; i++) {
		if (rows->columns[i].type != ROW_TEXT)
			continue;
		line->texts[i] = line->key + len;
		len += strlen(line->key + len) + 1;
	}
	return true;
}

static bool
make_room(struct rows *rows)
{
	size_t cap = rows->cap == 0 ? 64 : 2 * rows->cap;
	struct rows_line **bigger;

	if (rows->count < rows->cap)
		return true;
	bigger = realloc(rows->lines, cap * sizeof(*bigger));
	if (bigger == NULL)
		return false;
	rows->lines = bigger;
	rows->cap = cap;
	return true;
}

/* Is it one that we have?  Then its numbers are added there. */
static bool
merge(struct rows *rows, const struct rows_line *line)
{
	struct table_entry *entry = table_find(&rows->by_key, line->key,
	    line->by_key.key_len, line->by_key.hash);
	struct rows_line *there;

	if (entry == NULL)
		return false;
	there = CONTAINER_OF(entry, struct rows_line, by_key);
	for (size_t i = 0; i < rows->column_count; i++)
		there->numbers[i] += line->numbers[i];
	return true;
}

void
rows_add(struct rows *rows, const char *json, size_t len)
{
	struct json_span row = { json, len };
	struct rows_line *line = calloc(1, sizeof(*line));
	bool sums = adds_up(rows), ok;

	if (line == NULL) {
		rows->failed = true;
		return;
	}
	line->rows = rows;
	ok = line_read(line, row) && make_room(rows);
	if (ok && !sums) {
		line->json = strndup(json, len);
		ok = line->json != NULL;
	}
	if (ok && sums && merge(rows, line)) {
		line_free(line);
		return;
	}
	if (ok && sums)
		ok = table_insert(&rows->by_key, &line->by_key) == 0;
	if (ok) {
		rows->lines[rows->count++] = line;
	} else {
		rows->failed = true;
		line_free(line);
	}
}

/* ---- printing ---------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct rows_line *x = *(struct rows_line *const *)a;
	const struct rows_line *y = *(struct rows_line *const *)b;
	int order = 0;

	for (size_t i = 0; i < x->rows->column_count && order == 0; i++) {
		if (x->texts[i] != NULL)
			order = strcmp(x->texts[i], y->texts[i]);
	}
	return order;
}

static void
print_string(const char *text)
{
	char quoted[CELL_MAX * 6 + 2];
	size_t len =
	    json_string_encode(text, strlen(text), quoted, sizeof(quoted));

	(void)printf("%.*s", (int)len, quoted);
}

static void
print_json(const struct rows_line *line)
{
	const struct rows *rows = line->rows;

	if (line->json != NULL) {
		(void)puts(line->json);
		return;
	}
	for (size_t i = 0; i < rows->column_count; i++) {
		(void)printf("%c\"%s\":", i == 0 ? '{' : ',',
		    rows->columns[i].key);
		if (line->texts[i] != NULL)
			print_string(line->texts[i]);
		else
			(void)printf("%" PRIu64, line->numbers[i]);
	}
	(void)puts("}");
}

/* Characters, not bytes. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void
rows_print_text(const char *text, size_t width)
{
	size_t used = width_of(text);

	for (; *text != '\0'; text++)
		(void)putchar(
		    (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
	for (; used < width; used++)
		(void)putchar(' ');
}

/* A cell as it is shown. */
static const char *
show(const struct rows_line *line, size_t i, char *text, size_t size)
{
	if (line->texts[i] != NULL)
		return line->texts[i][0] != '\0' ? line->texts[i] : "-";
	if (line->rows->columns[i].type == ROW_AGE)
		status_duration(line->numbers[i], text, size);
	else
		(void)snprintf(text, size, "%" PRIu64, line->numbers[i]);
	return text;
}

static void
print_cell(const char *text, size_t width, bool is_text, bool is_last)
{
	if (is_text) {
		rows_print_text(text, is_last ? 0 : width);
	} else {
		(void)printf("%*s", (int)width, text);
	}
	(void)fputs(is_last ? "\n" : "  ", stdout);
}

static void
print_table(const struct rows *rows)
{
	size_t widths[ROWS_COLUMNS_MAX], n = rows->column_count;
	char text[32];
	const char *cell;

	for (size_t i = 0; i < n; i++) {
		widths[i] = width_of(rows->columns[i].heading);
		for (size_t at = 0; at < rows->count; at++) {
			cell = show(rows->lines[at], i, text, sizeof(text));
			if (width_of(cell) > widths[i])
				widths[i] = width_of(cell);
		}
	}
	for (size_t i = 0; i < n; i++)
		print_cell(rows->columns[i].heading, widths[i],
		    rows->columns[i].type == ROW_TEXT, i + 1 == n);
	for (size_t at = 0; at < rows->count; at++) {
		for (size_t i = 0; i < n; i++)
			print_cell(show(rows->lines[at], i, text, sizeof(text)),
			    widths[i], rows->columns[i].type == ROW_TEXT,
			    i + 1 == n);
	}
}

void
rows_print(struct rows *rows, bool json)
{
	if (rows->count != 0)
		qsort(rows->lines, rows->count, sizeof(struct rows_line *),
		    compare);
	if (!json) {
		print_table(rows);
		return;
	}
	for (size_t at = 0; at < rows->count; at++)
		print_json(rows->lines[at]);
}

uint64_t
rows_total(const struct rows *rows, size_t column)
{
	uint64_t total = 0;

	for (size_t at = 0; at < rows->count; at++)
		total += rows->lines[at]->numbers[column];
	return total;
}

const char *
rows_json(const struct rows *rows, size_t at)
{
	return at < rows->count ? rows->lines[at]->json : NULL;
}

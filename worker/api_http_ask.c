/*
 * api_http_ask.c - workers are asked, and their rows made one answer.
 *
 * Rows are collected as they come, {"cut":N} lines taken out and added up.
 * More than API_ANSWER_MAX bytes of them are not kept: the rest is cut, too.
 * When they outgrow --api-output they end the request.
 * A client that has gone takes its question back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "worker/api_http_internal.h"
#include "worker/json_row.h"
#include "worker/state.h"

enum {
	/* Room for what stands around the rows. */
	AROUND_BYTES = 1024
};

/* A question under way. */
struct api_ask {
	struct api_http *http;
	enum api_rows kind;
	const char *sum_name;
	uint64_t sum; /* of API_SUM */
	uint64_t cut;
	size_t count; /* rows */
	bool full;    /* no more of them are kept */
	struct buf rows;
};

/* The number of a row's member; 0 when it has none of that name. */
static uint64_t
number_of(const char *row, size_t len, const char *name)
{
	struct json_member members[API_MEMBERS_MAX];
	uint64_t value = 0;
	size_t offset;
	ssize_t n = json_object(row, len, members, ARRAY_LEN(members), &offset);

	for (ssize_t i = 0; i < n; i++) {
		if (members[i].type == JSON_NUMBER &&
		    json_span_is(members[i].key, name)) {
			for (size_t d = 0; d < members[i].value.len; d++)
				value = value * 10 +
				    (uint64_t)(members[i].value.at[d] - '0');
		}
	}
	return value;
}

/* Rows have outgrown --api-output: false, and ask is freed. */
static bool
may_keep(struct api_ask *ask, size_t len)
{
	struct api_http *http = ask->http;
	struct worker *worker = http->worker;

	if (api_output_has_room(worker, len))
		return true;
	stats_add(&worker->stats->api_refused, 1);
	api_ask_free(http);
	api_output_hold(worker, &http->held, 0);
	api_http_fail(http, 503, ERR_RATE_LIMITED, API_OUTPUT_FULL);
	return false;
}

/* False: it was the end, and ask is freed. */
static bool
take_row(struct api_ask *ask, const char *row, size_t len)
{
	static const char cut[] = "{\"cut\":";

	if (len > sizeof(cut) - 1 && memcmp(row, cut, sizeof(cut) - 1) == 0) {
		ask->cut += number_of(row, len, "cut");
		return true;
	}
	if (ask->kind == API_SUM) {
		ask->sum += number_of(row, len, ask->sum_name);
		return true;
	}
	if (!ask->full && !may_keep(ask, len + 1))
		return false;
	/* After the first that does not fit none is taken: no odd holes. */
	if (ask->full || buf_append(&ask->rows, row, len) != 0 ||
	    buf_append(&ask->rows, "\n", 1) != 0) {
		ask->full = true;
		ask->cut++;
		return true;
	}
	api_output_hold(ask->http->worker, &ask->http->held, ask->rows.len);
	ask->count++;
	return true;
}

static void
on_rows(void *arg, const struct ipc_node_id *node, const char *rows, size_t len)
{
	struct api_ask *ask = arg;
	const char *line;

	(void)node;
	while (len != 0) {
		line = memchr(rows, '\n', len);
		if (line == NULL)
			return; /* a line has its end, or is none */
		if (!take_row(ask, rows, (size_t)(line - rows)))
			return;
		len -= (size_t)(line - rows) + 1;
		rows = line + 1;
	}
}

/* The lines as the elements of a list. */
static void
lines_to_list(struct buf *rows)
{
	char *at = (char *)buf_data(rows), *end;

	if (rows->len == 0)
		return;
	rows->len--; /* the last has nothing behind it */
	end = at + rows->len;
	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL)
		*at++ = ',';
}

static int
write_answer(struct api_ask *ask, const struct ipc_queried *end)
{
	struct buf *out = &ask->http->out;
	struct row row;

	row_start(&row, out);
	if (ask->kind == API_SUM) {
		row_bool(&row, "ok", true);
		row_number(&row, ask->sum_name, ask->sum);
	} else {
		if (ask->kind == API_COUNT)
			row_number(&row, "count", ask->count + ask->cut);
		lines_to_list(&ask->rows);
		row_open(&row, "rows", '[');
		row_more(&row, (const char *)buf_data(&ask->rows),
		    ask->rows.len);
		row_close(&row, ']');
	}
	row_number(&row, "asked", end->asked);
	row_number(&row, "answered", end->answered);
	row_number(&row, "gone", end->gone);
	row_number(&row, "late", end->late);
	if (ask->kind != API_SUM)
		row_number(&row, "cut", ask->cut);
	return row_end(&row);
}

static void
on_end(void *arg, const struct ipc_queried *end)
{
	struct api_ask *ask = arg;
	struct api_http *http = ask->http;
	enum client_error code;
	const char *why;
	int status = 0, err = 0;

	if (end == NULL) {
		status = api_http_errno(-EPIPE, &code, &why);
	} else if (end->late == IPC_QUERIED_REFUSED) {
		status = api_http_errno(-EBUSY, &code, &why);
	} else if (ask->kind == API_ONE && ask->count == 0) {
		status = 404;
		code = ERR_NOT_FOUND;
		why = end->late != 0 ? "its worker does not answer" :
				       "there is no such connection";
		if (end->late != 0) {
			status = 504;
			code = ERR_TIMEOUT;
		}
	} else {
		if (ask->kind == API_MERGE)
			err = api_merge(&ask->rows, &ask->count);
		if (err == 0)
			err = write_answer(ask, end);
		if (err != 0)
			status = api_http_errno(err, &code, &why);
	}
	http->ask = NULL;
	buf_release(&ask->rows);
	free(ask);
	if (status != 0)
		api_http_fail(http, status, code, why);
	else
		api_http_ok(http);
}

void
api_ask(struct api_http *http, enum query_kind kind, uint16_t slot,
    const struct query_args *args, enum api_rows rows, const char *sum)
{
	struct api_ask *ask = calloc(1, sizeof(*ask));
	enum client_error code;
	const char *why;
	int err = -ENOMEM;

	if (ask != NULL) {
		ask->http = http;
		ask->kind = rows;
		ask->sum_name = sum;
		buf_init(&ask->rows, API_ANSWER_MAX - AROUND_BYTES);
		http->ask = ask;
		err = api_query(http->worker->bus, kind, slot, args, on_rows,
		    on_end, ask);
	}
	if (err == 0)
		return;
	http->ask = NULL;
	free(ask);
	err = api_http_errno(err, &code, &why);
	api_http_fail(http, err, code, why);
}

void
api_ask_free(struct api_http *http)
{
	struct api_ask *ask = http->ask;

	if (ask == NULL)
		return;
	api_query_cancel(http->worker->bus, ask);
	http->ask = NULL;
	buf_release(&ask->rows);
	free(ask);
}

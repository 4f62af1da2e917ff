/*
 * metrics.c - see metrics.h.
 *
 * The page is written by others while we read it.  A number is read whole, so
 * the worst that can happen is that two numbers are not from the same instant.
 * Its texts are copied with a bound, for nothing promises a NUL.
 *
 * A metric's lines must stand together, below its HELP and TYPE: so all slots
 * are summed first, then walked once for each column.  The lines of a bus with
 * 256 workers are more than ten thousand, hence no printf for them.
 */
#include "worker/metrics.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/stats.h"

enum {
	NAME_MAX_BYTES = 80,
	HEAD_LINES_MAX = 512,
	DIGITS_MAX = 20
};

static_assert(sizeof(struct stats_worker) ==
	STATS_WORKER_COUNT * sizeof(uint64_t),
    "a stats_worker is a row of numbers");
static_assert(sizeof(struct stats_hub) == STATS_HUB_COUNT * sizeof(uint64_t),
    "a stats_hub is a row of numbers");

/* What is shown of one slot, taken from the page once. */
struct row {
	uint32_t slot;
	const struct stats_slot *page;
	bool has_heartbeat;
	uint64_t heartbeat_age_ms;
	uint64_t sum[STATS_WORKER_COUNT];
};

struct writer {
	struct buf *out;
	int err; /* the first failure; nothing is written after it */
	const struct row *rows;
	size_t row_count;
};

static void
put(struct writer *w, const char *text, size_t len)
{
	if (w->err == 0)
		w->err = buf_append(w->out, text, len);
}

static size_t
format_number(char digits[DIGITS_MAX], uint64_t value)
{
	char reversed[DIGITS_MAX];
	size_t n = 0;

	do {
		reversed[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	for (size_t i = 0; i < n; i++)
		digits[i] = reversed[n - 1 - i];
	return n;
}

/* HELP and TYPE; name is without prefix. */
static void
put_head(struct writer *w, const char *name, bool counter, const char *help)
{
	const char *suffix = counter ? "_total" : "";
	char text[HEAD_LINES_MAX];
	int n;

	n = snprintf(text, sizeof(text),
	    "# HELP clusterbus_%s%s %s\n# TYPE clusterbus_%s%s %s\n", name,
	    suffix, help, name, suffix, counter ? "counter" : "gauge");
	assert(n > 0 && (size_t)n < sizeof(text));
	put(w, text, (size_t)n);
}

/* "prefix" "number" "middle" "value" newline; prefix is a name and '{'. */
static void
put_line(struct writer *w, const char *prefix, size_t prefix_len, uint32_t slot,
    uint64_t value)
{
	char line[NAME_MAX_BYTES + 2 * DIGITS_MAX + 8];
	size_t n = prefix_len;

	memcpy(line, prefix, prefix_len);
	n += format_number(line + n, slot);
	memcpy(line + n, "\"} ", 3);
	n += 3;
	n += format_number(line + n, value);
	line[n++] = '\n';
	put(w, line, n);
}

/* One gauge or counter without labels. */
static void
put_single(struct writer *w, const char *name, bool counter, const char *help,
    uint64_t value)
{
	char text[NAME_MAX_BYTES + DIGITS_MAX + 8];
	int n;

	put_head(w, name, counter, help);
	n = snprintf(text, sizeof(text), "clusterbus_%s%s %llu\n", name,
	    counter ? "_total" : "", (unsigned long long)value);
	assert(n > 0 && (size_t)n < sizeof(text));
	put(w, text, (size_t)n);
}

/* The start of a line with a label for the worker; returns its length. */
static size_t
worker_prefix(char prefix[NAME_MAX_BYTES], const char *name, bool counter)
{
	int n = snprintf(prefix, NAME_MAX_BYTES, "clusterbus_%s%s{worker=\"",
	    name, counter ? "_total" : "");

	assert(n > 0 && n < NAME_MAX_BYTES);
	return (size_t)n;
}

/* A page's text as a label's value: bounded, quotes and such escaped. */
static void
put_label(struct writer *w, const char *name, const char *text, size_t size)
{
	put(w, name, strlen(name));
	put(w, "=\"", 2);
	for (size_t i = 0; i < size && text[i] != '\0'; i++) {
		if (text[i] == '\n') {
			put(w, "\\n", 2);
			continue;
		}
		if (text[i] == '"' || text[i] == '\\')
			put(w, "\\", 1);
		put(w, text + i, 1);
	}
	put(w, "\"", 1);
}

static void
put_bus(struct writer *w, const struct stats_page *page, uint32_t slot,
    uint64_t now_ms)
{
	uint64_t started_ms = stats_get(&page->started_ms);

	put_head(w, "build_info", false, "the program and the bus; always 1");
	put(w, "clusterbus_build_info{", strlen("clusterbus_build_info{"));
	put_label(w, "version", page->software, sizeof(page->software));
	put(w, ",", 1);
	put_label(w, "name", page->name, sizeof(page->name));
	put(w, "} 1\n", 4);
	put_single(w, "answering_worker", false,
	    "the worker that answered this request", slot);
	put_single(w, "workers_wanted", false, "workers that shall run",
	    __atomic_load_n(&page->slot_count, __ATOMIC_RELAXED));
	put_single(w, "config_generation", false,
	    "how often the configuration was replaced",
	    stats_get(&page->config_generation));
	put_single(w, "uptime_seconds", false, "since the primary started",
	    now_ms > started_ms ? (now_ms - started_ms) / 1000 : 0);
}

static void
put_hub(struct writer *w, const struct stats_page *page)
{
	uint64_t hub[STATS_HUB_COUNT];

#define X(field, name, type, help) stats_get(&page->hub.field),
	memcpy(hub, (const uint64_t[]){ STATS_HUB(X) }, sizeof(hub));
#undef X
	for (size_t i = 0; i < STATS_HUB_COUNT; i++)
		put_single(w, stats_hub_fields[i].name,
		    stats_hub_fields[i].type == STATS_COUNTER,
		    stats_hub_fields[i].help, hub[i]);
}

/* How many slots are in each state. */
static void
put_states(struct writer *w)
{
	size_t count[SLOT_STATE_COUNT] = { 0 };

	for (size_t i = 0; i < w->row_count; i++) {
		uint32_t state =
		    __atomic_load_n(&w->rows[i].page->state, __ATOMIC_RELAXED);

		if (state < SLOT_STATE_COUNT)
			count[state]++;
	}
	put_head(w, "workers", false, "workers by state");
	for (uint32_t state = 0; state < SLOT_STATE_COUNT; state++) {
		char line[NAME_MAX_BYTES + DIGITS_MAX];
		int n = snprintf(line, sizeof(line),
		    "clusterbus_workers{state=\"%s\"} %zu\n",
		    slot_state_name(state), count[state]);

		assert(n > 0 && (size_t)n < sizeof(line));
		put(w, line, (size_t)n);
	}
}

static void
put_slots(struct writer *w)
{
	static const struct {
		const char *name, *help;
		size_t offset;
		bool counter;
	} columns[] = {
		{ "worker_state",
		    "0 empty, 1 starting, 2 running, 3 draining, 4 waiting "
		    "to be started again",
		    offsetof(struct stats_slot, state), false },
		{ "slot_restarts",
		    "workers started in this place of one that died",
		    offsetof(struct stats_slot, restarts), true },
		{ "slot_crash_loop", "1 while they keep dying early",
		    offsetof(struct stats_slot, crash_loop), false },
	};

	char prefix[NAME_MAX_BYTES];
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		put_head(w, columns[i].name, columns[i].counter,
		    columns[i].help);
		len =
		    worker_prefix(prefix, columns[i].name, columns[i].counter);
		for (size_t r = 0; r < w->row_count; r++) {
			const char *slot = (const char *)w->rows[r].page;
			const void *field = slot + columns[i].offset;

			put_line(w, prefix, len, w->rows[r].slot,
			    __atomic_load_n((const uint32_t *)field,
				__ATOMIC_RELAXED));
		}
	}
	put_head(w, "heartbeat_age_ms", false,
	    "milliseconds since the worker moved last");
	len = worker_prefix(prefix, "heartbeat_age_ms", false);
	for (size_t r = 0; r < w->row_count; r++)
		if (w->rows[r].has_heartbeat)
			put_line(w, prefix, len, w->rows[r].slot,
			    w->rows[r].heartbeat_age_ms);
}

static void
put_workers(struct writer *w)
{
	for (size_t i = 0; i < STATS_WORKER_COUNT; i++) {
		const struct stats_field *field = &stats_worker_fields[i];
		bool counter = field->type == STATS_COUNTER;
		char prefix[NAME_MAX_BYTES];
		size_t len = worker_prefix(prefix, field->name, counter);

		put_head(w, field->name, counter, field->help);
		for (size_t r = 0; r < w->row_count; r++)
			put_line(w, prefix, len, w->rows[r].slot,
			    w->rows[r].sum[i]);
	}
}

/* The age of the slot's present process' heartbeat. */
static void
take_heartbeat(const struct stats_page *page, uint64_t now_ms, struct row *row)
{
	uint32_t pid = __atomic_load_n(&row->page->pid, __ATOMIC_RELAXED);

	for (size_t i = 0; pid != 0 && i < STATS_SECTIONS_MAX; i++) {
		const struct stats_section *section = &page->sections[i];
		uint64_t beat;

		if (!section->used || section->slot != row->slot ||
		    section->pid != pid)
			continue;
		beat = stats_get(&section->heartbeat_ms);
		if (beat == 0)
			continue; /* it has not moved yet */
		row->has_heartbeat = true;
		row->heartbeat_age_ms = now_ms > beat ? now_ms - beat : 0;
		return;
	}
}

static bool
is_used(const struct stats_page *page, uint32_t slot)
{
	return slot < __atomic_load_n(&page->slot_count, __ATOMIC_RELAXED) ||
	    __atomic_load_n(&page->page_generation[slot], __ATOMIC_RELAXED);
}

/* Fill rows (room for all slots); returns how many there are. */
static size_t
take_rows(const struct stats_page *page, uint64_t now_ms, struct row *rows)
{
	size_t n = 0;

	for (uint32_t slot = 0; slot < STATS_SLOTS_MAX; slot++) {
		struct row *row = &rows[n];
		struct stats_worker sum;

		if (!is_used(page, slot))
			continue;
		*row = (struct row){ .slot = slot, .page = &page->slots[slot] };
		stats_sum_slot(page, slot, &sum);
		memcpy(row->sum, &sum, sizeof(row->sum));
		take_heartbeat(page, now_ms, row);
		n++;
	}
	return n;
}

int
metrics_write(const struct stats_page *page, uint32_t slot, uint64_t now_ms,
    struct buf *out)
{
	struct row *rows;
	struct writer w;

	rows = malloc(STATS_SLOTS_MAX * sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	w = (struct writer){ .out = out, .rows = rows };
	w.row_count = take_rows(page, now_ms, rows);
	put_bus(&w, page, slot, now_ms);
	put_hub(&w, page);
	put_states(&w);
	put_slots(&w);
	put_workers(&w);
	free(rows);
	return w.err;
}

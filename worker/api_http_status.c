/*
 * api_http_status.c - GET /api/status: the statistics page as JSON, in the
 * words of `busctl status --json`.
 *
 * Every worker sees the whole bus there.  Whether the primary is alive it
 * knows from its own end of the hub socket.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "worker/api_http_internal.h"
#include "worker/json_row.h"
#include "worker/link.h"
#include "worker/state.h"

static uint64_t
age(uint64_t now_ms, uint64_t since_ms)
{
	return now_ms > since_ms ? now_ms - since_ms : 0;
}

static void
put_fields(struct row *row, const struct stats_field *fields, size_t count,
    const uint64_t *values)
{
	for (size_t i = 0; i < count; i++)
		row_number(row, fields[i].field, stats_get(&values[i]));
}

static void
put_worker(struct row *row, const struct stats_page *page, uint32_t slot,
    const struct stats_worker *sum, uint64_t now_ms)
{
	const struct stats_slot *at = &page->slots[slot];
	uint64_t uptime_ms = 0, heartbeat_ms = 0;

	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		const struct stats_section *section = &page->sections[i];

		if (section->used != 0 && section->slot == slot &&
		    section->pid == at->pid) {
			uptime_ms = age(now_ms, section->started_ms);
			heartbeat_ms = age(now_ms, section->heartbeat_ms);
			break;
		}
	}
	row_open(row, NULL, '{');
	row_number(row, "slot", slot);
	row_text(row, "state", slot_state_name(at->state));
	row_number(row, "pid", at->pid);
	row_number(row, "generation", at->generation);
	row_number(row, "restarts", at->restarts);
	row_bool(row, "crash_loop", at->crash_loop != 0);
	row_number(row, "uptime_ms", uptime_ms);
	row_number(row, "heartbeat_age_ms", heartbeat_ms);
	put_fields(row, stats_worker_fields, STATS_WORKER_COUNT,
	    (const uint64_t *)sum);
	row_close(row, '}');
}

static void
put_workers(struct row *row, const struct stats_page *page, uint64_t now_ms)
{
	struct stats_worker total = { 0 }, sum;

	row_open(row, "workers", '[');
	for (uint32_t slot = 0; slot < STATS_SLOTS_MAX; slot++) {
		const struct stats_slot *at = &page->slots[slot];

		stats_sum_slot(page, slot, &sum);
		stats_worker_add(&total, &sum, true);
		if (slot < page->slot_count || at->state != SLOT_EMPTY ||
		    at->pid != 0)
			put_worker(row, page, slot, &sum, now_ms);
	}
	row_close(row, ']');
	row_open(row, "total", '{');
	put_fields(row, stats_worker_fields, STATS_WORKER_COUNT,
	    (const uint64_t *)&total);
	row_close(row, '}');
}

/* The addresses stand in one string, a blank between. */
static void
put_listen(struct row *row, const struct stats_page *page)
{
	char text[STATS_LISTEN_MAX];
	const char *at = text;
	size_t len;

	(void)snprintf(text, sizeof(text), "%.*s", STATS_LISTEN_MAX - 1,
	    page->listen);
	row_open(row, "listen", '[');
	while (*(at += strspn(at, " ")) != '\0') {
		len = strcspn(at, " ");
		(void)row_item(row, at, len); /* the whole is checked */
		at += len;
	}
	row_close(row, ']');
}

void
api_status(const struct api_call *call)
{
	struct api_http *http = call->http;
	const struct worker *worker = http->worker;
	const struct stats_page *page = worker->page;
	char text[STATS_SYNC_MAX];
	struct row row;
	bool alive;

	if (page == NULL) {
		api_http_fail(http, 503, ERR_INTERNAL,
		    "this worker has no statistics page yet");
		return;
	}
	alive = link_state(worker->link) == LINK_UP;
	row_start(&row, &http->out);
	(void)snprintf(text, sizeof(text), "%.*s", STATS_NAME_MAX - 1,
	    page->name);
	row_text(&row, "name", text);
	(void)snprintf(text, sizeof(text), "%.*s", STATS_NAME_MAX - 1,
	    page->software);
	row_text(&row, "version", text);
	(void)snprintf(text, sizeof(text), "%.*s", STATS_SYNC_MAX - 1,
	    page->sync);
	row_text(&row, "sync", text);
	row_text(&row, "node", worker->node);
	row_open(&row, "primary", '{');
	row_number(&row, "pid", page->primary_pid);
	row_bool(&row, "alive", alive);
	row_number(&row, "uptime_ms",
	    alive ? age(worker->now_ms, page->started_ms) : 0);
	row_close(&row, '}');
	put_listen(&row, page);
	row_number(&row, "config_generation",
	    stats_get(&page->config_generation));
	row_number(&row, "workers_wanted", page->slot_count);
	put_workers(&row, page, worker->now_ms);
	row_open(&row, "hub", '{');
	put_fields(&row, stats_hub_fields, STATS_HUB_COUNT,
	    (const uint64_t *)&page->hub);
	row_close(&row, '}');
	if (row_end(&row) == 0)
		api_http_ok(http);
	else
		api_http_fail(http, 500, ERR_INTERNAL, "out of memory");
}

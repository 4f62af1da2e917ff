/*
 * status.c - `busctl status`: read the statistics page and add it up.
 *
 * Nothing is asked of anybody: only the page and the lock on primary.pid are
 * looked at, so it works when the primary hangs or has gone.
 */
#include "cli/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/place.h"

static uint64_t
age(uint64_t now_ms, uint64_t then_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* Is there anything to say about this slot? */
static bool
is_shown(const struct stats_page *page, uint32_t slot)
{
	return slot < page->slot_count ||
	    page->slots[slot].state != SLOT_EMPTY || page->slots[slot].pid != 0;
}

static void
add_worker(struct status *status, uint32_t slot, uint64_t now_ms)
{
	const struct stats_page *page = status->page;
	const struct stats_section *section;
	struct status_worker *worker;
	struct stats_worker sum;

	stats_sum_slot(page, slot, &sum);
	stats_worker_add(&status->total, &sum, true);
	if (!is_shown(page, slot))
		return;
	worker = &status->workers[status->worker_count++];
	*worker = (struct status_worker){ .slot = slot, .sum = sum };
	section = stats_section_of(page, slot);
	if (section == NULL)
		return;
	worker->uptime_ms = age(now_ms, section->started_ms);
	worker->heartbeat_age_ms = age(now_ms, section->heartbeat_ms);
}

static bool
has_survivors(const struct stats_page *page)
{
	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		if (stats_section_alive(&page->sections[i]))
			return true;
	}
	return false;
}

static int
show(const struct place *place, const struct stats_page *page, bool json)
{
	struct status *status = calloc(1, sizeof(*status));
	uint64_t now_ms = clock_now_ms();
	int rc;

	if (status == NULL) {
		cli_say("out of memory");
		return CLI_FAILED;
	}
	status->page = page;
	status->primary_alive = rundir_primary(&place->rundir) > 0;
	if (status->primary_alive)
		status->uptime_ms = age(now_ms, page->started_ms);
	for (uint32_t i = 0; i < STATS_SLOTS_MAX; i++)
		add_worker(status, i, now_ms);
	rc = json ? status_print_json(status) : (status_print(status), 0);
	free(status);
	if (rc != 0)
		cli_say("out of memory");
	return rc == 0 ? CLI_OK : CLI_FAILED;
}

static int
find_and_show(const struct place *place, bool json)
{
	const struct stats_page *page;
	char path[RUNDIR_MAX + 16];
	int rc;

	rundir_file(&place->rundir, "stats", path, sizeof(path));
	rc = stats_open(path, &page);
	if (rc == -EACCES) {
		cli_say("the bus in '%s' belongs to somebody else",
		    place->rundir.path);
		return CLI_FAILED;
	}
	if (rc == -EINVAL) {
		cli_say("'%s' is of another version of clusterbus", path);
		return CLI_FAILED;
	}
	if (rc == 0 && rundir_primary(&place->rundir) <= 0 &&
	    !has_survivors(page)) {
		stats_unmap(page);
		rc = -ENOENT;
	}
	if (rc != 0) {
		cli_say("no bus '%s' is running (looked in '%s')",
		    place->config->name, place->rundir.path);
		return CLI_FAILED;
	}
	rc = show(place, page, json);
	stats_unmap(page);
	return rc;
}

int
cli_status(int argc, char **argv)
{
	struct place place;
	int rc, count;
	bool json;

	rc = place_find(argc, argv, &place, &count);
	if (rc != CLI_OK)
		return rc;
	json = cli_take_flag(&count, argv + 1, "--json");
	rc = cli_no_words(argv[0], count, argv + 1);
	if (rc == CLI_OK)
		rc = find_and_show(&place, json);
	place_release(&place);
	return rc;
}

/*
 * doctor_bus.c - what is wrong with the running bus?  See doctor.h.
 *
 * The statistics page tells most of it, also of a bus that stands still; the
 * hub is asked for answers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "cli/doctor.h"
#include "wire/stats.h"

enum {
	HEARTBEAT_MS = 5000, /* workers write it a few times a second */
	ATTACH_MS = 3000,
	HUB_MS = 2000,
};

/* ---- the hub -------------------------------------------------------------- */

static void
ignore_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	(void)error; /* the backplane's; it is looked at elsewhere */
}

static void
look_at_hub(struct doctor *doctor, const struct place *place)
{
	static const char *const advice = "look into its log; if it stands "
					  "still, kill it and start it again: "
					  "the workers go on";
	struct cbus_attach_opts opts = { .run_dir = place->rundir.path,
		.label = "busctl doctor",
		.timeout_ms = ATTACH_MS };
	uint64_t us[DOCTOR_TRIPS], began;
	struct cbus *bus;
	char why[256] = "";
	int rc = cbus_attach(&opts, &bus, why, sizeof(why));

	if (rc != 0) {
		doctor_say(doctor, DOCTOR_FAIL, "hub", advice, "%s",
		    why[0] != '\0' ? why : strerror(-rc));
		return;
	}
	cbus_on_error(bus, ignore_error, NULL);
	for (size_t i = 0; i < DOCTOR_TRIPS && rc == 0; i++) {
		began = clock_now_ns();
		rc = cbus_sync(bus, HUB_MS);
		us[i] = (clock_now_ns() - began) / 1000;
	}
	cbus_detach(bus);
	if (rc != 0)
		doctor_say(doctor, DOCTOR_FAIL, "hub", advice,
		    "does not answer: %s", strerror(-rc));
	else
		doctor_say_trips(doctor, "hub", us, DOCTOR_TRIPS);
}

/* ---- workers --------------------------------------------------------------- */

/* True: it takes clients. */
static bool
look_at_worker(struct doctor *doctor, const struct stats_page *page, uint32_t i)
{
	const struct stats_slot *slot = &page->slots[i];
	const struct stats_section *section = stats_section_of(page, i);
	uint64_t now = clock_now_ms();

	if (slot->crash_loop != 0) {
		doctor_say(doctor, DOCTOR_FAIL, "worker",
		    "the log says how it died",
		    "worker %u dies soon after each start", i);
		return false;
	}
	if (section == NULL || slot->state != SLOT_RUNNING) {
		doctor_say(doctor, DOCTOR_WARN, "worker",
		    "look again in a few seconds", "worker %u is %s", i,
		    slot_state_name(slot->state));
		return false;
	}
	if (now > section->heartbeat_ms + HEARTBEAT_MS) {
		doctor_say(doctor, DOCTOR_FAIL, "worker",
		    "a callback of the application that does not return?",
		    "worker %u (process %u) has not moved for %" PRIu64 " s", i,
		    slot->pid, (now - section->heartbeat_ms) / 1000);
		return false;
	}
	if (stats_get(&section->now.hub_connected) == 0)
		doctor_say(doctor, DOCTOR_WARN, "worker",
		    "it reaches its own clients only; the log says why",
		    "worker %u has no hub", i);
	return stats_get(&section->now.ready) != 0;
}

static void
look_at_workers(struct doctor *doctor, const struct stats_page *page)
{
	uint32_t wanted = page->slot_count, ready = 0;

	if (wanted > STATS_SLOTS_MAX)
		wanted = STATS_SLOTS_MAX;
	for (uint32_t i = 0; i < wanted; i++)
		ready += look_at_worker(doctor, page, i);
	doctor_say(doctor, wanted > 0 && ready == 0 ? DOCTOR_FAIL : DOCTOR_OK,
	    "workers", wanted > 0 && ready == 0 ? "nobody takes clients" : NULL,
	    "%u of %u ready", ready, wanted);
}

/* ---- the primary's numbers -------------------------------------------------- */

static void
warn_of(struct doctor *doctor, uint64_t count, const char *check,
    const char *advice, const char *what)
{
	if (count != 0)
		doctor_say(doctor, DOCTOR_WARN, check, advice, "%" PRIu64 " %s",
		    count, what);
}

static void
look_at_door(struct doctor *doctor, const struct stats_hub *hub)
{
	uint64_t clients = stats_get(&hub->door_clients);

	if (clients != 0 || stats_get(&hub->door_commands) != 0)
		doctor_say(doctor, DOCTOR_OK, "redis door", NULL,
		    "%" PRIu64 " client%s, %" PRIu64 " commands", clients,
		    clients == 1 ? "" : "s", stats_get(&hub->door_commands));
	warn_of(doctor, stats_get(&hub->door_cut), "redis door",
	    "they did not read; redis-output is what may wait for one",
	    "clients were cut off");
	warn_of(doctor, stats_get(&hub->door_refused), "redis door",
	    "redis-clients is how many may come; others' are turned away",
	    "clients were turned away");
}

static void
look_at_numbers(struct doctor *doctor, const struct stats_page *page)
{
	const struct stats_hub *hub = &page->hub;

	warn_of(doctor, stats_get(&hub->drop_slow), "hub",
	    "a node did not read; `busctl status` tells which have gaps",
	    "envelopes dropped since the bus was started");
	look_at_door(doctor, hub);
	if (page->sync[0] == '\0')
		return;
	if (stats_get(&hub->sync_connected) != 0)
		doctor_say(doctor, DOCTOR_OK, "bus and backplane", NULL,
		    "%.*s: connected, %" PRIu64 " in, %" PRIu64 " out, %" PRIu64
		    " reconnects",
		    STATS_SYNC_MAX, page->sync, stats_get(&hub->sync_in),
		    stats_get(&hub->sync_out),
		    stats_get(&hub->sync_reconnects));
	else
		doctor_say(doctor, DOCTOR_FAIL, "bus and backplane",
		    "other hosts hear nothing; the log says why", "%.*s: away",
		    STATS_SYNC_MAX, page->sync);
	warn_of(doctor, stats_get(&hub->drop_sync_away), "bus and backplane",
	    "nothing is kept while it is away",
	    "messages dropped: the backplane was away");
	warn_of(doctor, stats_get(&hub->drop_sync_full), "bus and backplane",
	    "the backplane is too slow; a larger sync-queue helps with bursts",
	    "messages dropped: sync-queue was full");
	warn_of(doctor, stats_get(&hub->drop_sync_large), "bus and backplane",
	    "send less in one, or use a backplane that takes more",
	    "messages dropped: too large for the backplane");
	warn_of(doctor, stats_get(&hub->sync_bad), "bus and backplane",
	    "the log says what; who else sends on this channel?",
	    "messages were no good");
}

/* ---- the whole --------------------------------------------------------------- */

static void
look_at_page(struct doctor *doctor, const struct place *place,
    const struct stats_page *page, struct doctor_found *found)
{
	(void)snprintf(found->sync, sizeof(found->sync), "%.*s",
	    STATS_SYNC_MAX - 1, page->sync);
	doctor_say(doctor, DOCTOR_OK, "primary", NULL,
	    "bus '%.*s', process %d, version %.*s", STATS_NAME_MAX, page->name,
	    found->primary, STATS_NAME_MAX, page->software);
	look_at_hub(doctor, place);
	look_at_workers(doctor, page);
	look_at_numbers(doctor, page);
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

/* There is no primary: is that as it should be? */
static void
say_none(struct doctor *doctor, const struct place *place, bool survivors)
{
	if (survivors)
		doctor_say(doctor, DOCTOR_FAIL, "primary",
		    "start it again with the same words: it takes them over",
		    "has gone; workers of bus '%s' go on without",
		    place->config->name);
	else
		doctor_say(doctor,
		    driver_is_wanted(place->config) ? DOCTOR_WARN : DOCTOR_FAIL,
		    "primary",
		    "start it with busctl start, or say which bus "
		    "(--name, --run-dir)",
		    "no bus '%s' is running (looked in '%s')",
		    place->config->name, place->rundir.path);
}

void
doctor_bus(struct doctor *doctor, const struct place *place,
    struct doctor_found *ret_found)
{
	const struct stats_page *page = NULL;
	char path[RUNDIR_MAX + 16];
	int rc, pid;

	*ret_found = (struct doctor_found){ .primary = 0 };
	rundir_file(&place->rundir, "stats", path, sizeof(path));
	rc = stats_open(path, &page);
	pid = rundir_primary(&place->rundir);
	if (pid > 0)
		ret_found->primary = pid;
	if (rc == -EACCES || pid == -EACCES)
		doctor_say(doctor, DOCTOR_FAIL, "primary",
		    "be the user that runs it, or root",
		    "the bus in '%s' belongs to somebody else",
		    place->rundir.path);
	else if (rc == -EINVAL)
		doctor_say(doctor, DOCTOR_FAIL, "primary",
		    "use the busctl that has started it",
		    "'%s' is of another version of clusterbus", path);
	else if (pid <= 0)
		say_none(doctor, place, rc == 0 && has_survivors(page));
	else if (rc != 0)
		doctor_say(doctor, DOCTOR_FAIL, "primary",
		    "if it does not go away, restart the bus",
		    "process %d has no statistics: %s", pid, strerror(-rc));
	else
		look_at_page(doctor, place, page, ret_found);
	stats_unmap(page);
}

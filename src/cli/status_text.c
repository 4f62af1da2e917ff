/* status_text.c - the status as people like to read it; see status.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/status.h"

void
status_duration(uint64_t ms, char *text, size_t size)
{
	uint64_t s = ms / 1000;

	if (s >= 86400)
		(void)snprintf(text, size, "%" PRIu64 "d %" PRIu64 "h",
		    s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		(void)snprintf(text, size, "%" PRIu64 "h %" PRIu64 "m",
		    s / 3600, s / 60 % 60);
	else if (s >= 60)
		(void)snprintf(text, size, "%" PRIu64 "m %" PRIu64 "s", s / 60,
		    s % 60);
	else
		(void)snprintf(text, size, "%" PRIu64 "s", s);
}

void
status_number(uint64_t number, char *text, size_t size)
{
	static const char units[] = "kMGTPE";
	uint64_t tenths = number / 100;
	size_t unit = 0;

	if (number < 10000) {
		(void)snprintf(text, size, "%" PRIu64, number);
		return;
	}
	while (tenths >= 10000 && units[unit + 1] != '\0') {
		tenths /= 1000;
		unit++;
	}
	(void)snprintf(text, size, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10,
	    tenths % 10, units[unit]);
}

static bool
is_drop(const struct stats_field *field)
{
	return strncmp(field->field, "drop_", 5) == 0;
}

static uint64_t
drops_of(const struct stats_worker *worker)
{
	const uint64_t *values = (const uint64_t *)worker;
	uint64_t sum = 0;

	for (size_t i = 0; i < STATS_WORKER_COUNT; i++) {
		if (is_drop(&stats_worker_fields[i]))
			sum += values[i];
	}
	return sum;
}

static void
print_numbers(const struct stats_worker *worker)
{
	const uint64_t numbers[] = { worker->clients, worker->subscriptions,
		worker->messages_in, worker->frames_out, drops_of(worker) };
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		status_number(numbers[i], text, sizeof(text));
		(void)printf(" %8s", text);
	}
}

static void
print_backplane(const struct stats_page *page)
{
	const struct stats_hub *hub = &page->hub;
	char in[32], out[32], lost[32];

	if (page->sync[0] == '\0')
		return;
	status_number(hub->sync_in, in, sizeof(in));
	status_number(hub->sync_out, out, sizeof(out));
	status_number(hub->drop_sync_away + hub->drop_sync_full +
		hub->drop_sync_large,
	    lost, sizeof(lost));
	(void)printf("backplane %.*s: %s, %s in, %s out, %s dropped, "
		     "%" PRIu64 " reconnect%s\n",
	    STATS_SYNC_MAX, page->sync,
	    hub->sync_connected != 0 ? "connected" : "AWAY", in, out, lost,
	    hub->sync_reconnects, hub->sync_reconnects == 1 ? "" : "s");
}

/* Who speaks the Redis protocol, if ever anybody did. */
static void
print_door(const struct stats_hub *hub)
{
	char commands[32];

	if (hub->door_clients == 0 && hub->door_commands == 0 &&
	    hub->door_refused == 0)
		return;
	status_number(hub->door_commands, commands, sizeof(commands));
	(void)printf("redis door: %" PRIu64 " client%s, %s commands, %" PRIu64
		     " cut off, %" PRIu64 " turned away\n",
	    hub->door_clients, hub->door_clients == 1 ? "" : "s", commands,
	    hub->door_cut, hub->door_refused);
}

static void
print_head(const struct status *status)
{
	const struct stats_page *page = status->page;
	char up[32];

	status_duration(status->uptime_ms, up, sizeof(up));
	(void)printf("bus '%.*s'", STATS_NAME_MAX, page->name);
	if (status->primary_alive)
		(void)printf(", primary %" PRIu32 " up %s", page->primary_pid,
		    up);
	else
		(void)printf(", PRIMARY GONE (was %" PRIu32 ")",
		    page->primary_pid);
	(void)printf(", version %.*s, %" PRIu64 " reload%s\n", STATS_NAME_MAX,
	    page->software, page->config_generation,
	    page->config_generation == 1 ? "" : "s");
	(void)printf("listening on %.*s\n", STATS_LISTEN_MAX, page->listen);
	print_backplane(page);
	print_door(&page->hub);
	(void)putchar('\n');
}

static void
print_worker(const struct stats_page *page, const struct status_worker *worker)
{
	const struct stats_slot *slot = &page->slots[worker->slot];
	char pid[16] = "-", up[32] = "-";

	if (slot->pid != 0) {
		(void)snprintf(pid, sizeof(pid), "%" PRIu32, slot->pid);
		status_duration(worker->uptime_ms, up, sizeof(up));
	}
	(void)printf("%4" PRIu32 " %-8s %8s %8s", worker->slot,
	    slot_state_name(slot->state), pid, up);
	print_numbers(&worker->sum);
	if (slot->restarts != 0)
		(void)printf("  %" PRIu32 " restart%s", slot->restarts,
		    slot->restarts == 1 ? "" : "s");
	if (slot->crash_loop != 0)
		(void)printf("  CRASH LOOP");
	(void)putchar('\n');
}

static void
print_cause(const char *help, uint64_t count)
{
	if (count != 0)
		(void)printf("%12" PRIu64 " %s\n", count, help);
}

/* What was lost, and why: only causes that have happened. */
static void
print_causes(const struct status *status)
{
	const uint64_t *values = (const uint64_t *)&status->total;

	for (size_t i = 0; i < STATS_WORKER_COUNT; i++) {
		if (is_drop(&stats_worker_fields[i]))
			print_cause(stats_worker_fields[i].help, values[i]);
	}
	print_cause("envelopes dropped by the hub: a worker's queue was full",
	    stats_get(&status->page->hub.drop_slow));
	print_cause("envelopes found missing by their sequence numbers",
	    status->total.gaps);
	print_cause("clients closed in the middle of a move",
	    status->total.moves_lost + status->total.moves_dropped);
}

/* Clients that went from worker to worker, and what they noticed. */
static void
print_moves(const struct stats_worker *total)
{
	if (total->moved_in == 0)
		return;
	(void)printf("%12" PRIu64 " clients moved to another worker; the "
		     "longest waited %" PRIu64 " us\n",
	    total->moved_in, total->move_stall_max_us);
}

void
status_print(const struct status *status)
{
	print_head(status);
	(void)printf("%4s %-8s %8s %8s %8s %8s %8s %8s %8s\n", "slot", "state",
	    "pid", "uptime", "clients", "subs", "in", "out", "drops");
	for (size_t i = 0; i < status->worker_count; i++)
		print_worker(status->page, &status->workers[i]);
	(void)printf("%-31s", "total");
	print_numbers(&status->total);
	(void)putchar('\n');
	print_moves(&status->total);
	print_causes(status);
}

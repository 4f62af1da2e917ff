/*
 * pm2_figures.c - the figures of the whole bus, for `pm2 monit`.
 *
 * PM2 itself looks at the primary alone, which does next to nothing.  Counters
 * come from the statistics page; memory and time from the kernel, the sum of
 * the primary and all workers.  Memory is what is theirs alone: the program's
 * text, which they share, would be counted once for each.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "primary/pm2_internal.h"

/* The numbers of a /proc file of one line; how many were read. */
static int
read_numbers(uint32_t pid, const char *file, char *line, size_t size)
{
	char path[48];
	FILE *stream;
	bool got;

	(void)snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	stream = fopen(path, "re");
	if (stream == NULL)
		return -1;
	got = fgets(line, (int)size, stream) != NULL;
	(void)fclose(stream); /* only read */
	return got ? 0 : -1;
}

/* Bytes that are this process's alone; 0 when it has gone. */
static uint64_t
memory_of(uint32_t pid)
{
	unsigned long resident, shared;
	char line[256];

	if (read_numbers(pid, "statm", line, sizeof(line)) != 0 ||
	    sscanf(line, "%*u %lu %lu", &resident, &shared) != 2)
		return 0;
	return (uint64_t)(resident > shared ? resident - shared : 0) *
	    (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Ticks of CPU that it used since it was looked at last. */
static uint64_t
ticks_since(struct pm2_usage *usage, uint32_t pid)
{
	unsigned long user, system;
	uint64_t ticks, since;
	char line[1024];
	const char *p;

	if (read_numbers(pid, "stat", line, sizeof(line)) != 0)
		return 0;
	p = strrchr(line, ')'); /* the name may have anything in it */
	if (p == NULL ||
	    sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&system) != 2)
		return 0;
	ticks = (uint64_t)user + system;
	since = usage->pid == pid && ticks > usage->ticks ?
	    ticks - usage->ticks :
	    0;
	usage->pid = pid;
	usage->ticks = ticks;
	return since;
}

static uint64_t
drops_of(const uint64_t *values, const struct stats_field *fields, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (strncmp(fields[i].field, "drop_", 5) == 0)
			sum += stats_get(&values[i]);
	}
	return sum;
}

static double
a_second(uint64_t now, uint64_t before, uint64_t ms)
{
	return ms != 0 && now > before ?
	    (double)(now - before) * 1000.0 / (double)ms :
	    0.0;
}

static void
tell_usage(struct pm2 *pm2, uint64_t ms)
{
	const struct stats_page *page = pm2->supervisor->page;
	struct pm2_figures *figures = &pm2->figures;
	uint32_t own = (uint32_t)getpid();
	uint64_t memory = memory_of(own);
	uint64_t ticks = ticks_since(&figures->primary, own);

	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		if (page->sections[i].used == 0 || page->sections[i].pid == 0)
			continue;
		memory += memory_of(page->sections[i].pid);
		ticks +=
		    ticks_since(&figures->sections[i], page->sections[i].pid);
	}
	pm2_channel_metric(pm2->channel, "Memory of all", "MB",
	    (double)(memory * 10 >> 20) / 10.0);
	pm2_channel_metric(pm2->channel, "CPU of all", "%",
	    ms == 0 ? 0.0 :
		      (double)ticks * 100.0 * 1000.0 /
		    ((double)sysconf(_SC_CLK_TCK) * (double)ms));
}

void
pm2_tell_figures(struct pm2 *pm2)
{
	const struct supervisor *supervisor = pm2->supervisor;
	const struct stats_page *page = supervisor->page;
	struct pm2_figures *figures = &pm2->figures;
	uint64_t now_ms = clock_now_ms();
	uint64_t ms = figures->at_ms != 0 ? now_ms - figures->at_ms : 0;
	struct stats_worker all, one;
	unsigned running = 0;
	char text[32];

	memset(&all, 0, sizeof(all));
	for (uint32_t i = 0; i < page->slot_count; i++) {
		stats_sum_slot(page, i, &one);
		stats_worker_add(&all, &one, true);
		running += page->slots[i].state == SLOT_RUNNING;
	}
	(void)snprintf(text, sizeof(text), "%u/%u", running, page->slot_count);
	pm2_channel_metric(pm2->channel, "Clients", "conn",
	    (double)all.clients);
	pm2_channel_metric_text(pm2->channel, "Workers", text);
	pm2_channel_metric(pm2->channel, "Messages in", "msg/s",
	    a_second(all.messages_in, figures->messages, ms));
	pm2_channel_metric(pm2->channel, "Frames out", "frames/s",
	    a_second(all.frames_out, figures->frames, ms));
	pm2_channel_metric(pm2->channel, "Dropped", "messages",
	    (double)(drops_of((const uint64_t *)&all, stats_worker_fields,
			 STATS_WORKER_COUNT) +
		drops_of((const uint64_t *)&page->hub, stats_hub_fields,
		    STATS_HUB_COUNT)));
	tell_usage(pm2, ms);
	pm2_channel_metric(pm2->channel, "Loop lag", "ms",
	    (double)all.loop_lag_us / 1000.0);
	pm2_channel_metric(pm2->channel, "Restarts", "workers",
	    (double)page->hub.restarts);
	pm2_channel_metric(pm2->channel, "Hub queue", "bytes",
	    (double)page->hub.queue_bytes);
	figures->at_ms = now_ms;
	figures->messages = all.messages_in;
	figures->frames = all.frames_out;
}

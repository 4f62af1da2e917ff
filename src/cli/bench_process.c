/*
 * bench_process.c - see bench_process.h.
 *
 * All of /proc is read once into an array; then members of a tree are marked
 * until nothing new is found.  It runs four times in a benchmark, never while
 * something is measured.
 */
#include "bench_process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	pid_t pid;
	pid_t parent;
	uint64_t ticks;
	bool wanted;
};

/* Fields of /proc/PID/stat after the command's name. */
static int
read_stat(pid_t pid, struct process *ret_process)
{
	char path[64];
	char line[1024];
	unsigned long times[4];
	const char *rest;
	FILE *file;
	bool got;
	int parent;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return -errno;
	got = fgets(line, sizeof(line), file) != NULL;
	(void)fclose(file); /* only read from */
	if (!got)
		return -ESRCH;

	/* The name may hold anything, so look for its end from the right. */
	rest = strrchr(line, ')');
	if (rest == NULL)
		return -EPROTO;
	if (sscanf(rest + 1,
		" %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
		&parent, &times[0], &times[1], &times[2], &times[3]) != 5)
		return -EPROTO;

	ret_process->pid = pid;
	ret_process->parent = parent;
	ret_process->ticks =
	    (uint64_t)times[0] + times[1] + times[2] + times[3];
	ret_process->wanted = false;
	return 0;
}

static int
read_all(struct process **ret_all, size_t *ret_count)
{
	struct process *all = NULL;
	struct process *grown;
	const struct dirent *entry;
	size_t count = 0;
	size_t cap = 0;
	DIR *dir;
	long pid;

	dir = opendir("/proc");
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		pid = strtol(entry->d_name, NULL, 10);
		if (pid <= 0)
			continue;
		if (count == cap) {
			cap = cap == 0 ? 256 : cap * 2;
			grown = realloc(all, cap * sizeof(*all));
			if (grown == NULL) {
				free(all);
				(void)closedir(dir); /* only read from */
				return -ENOMEM;
			}
			all = grown;
		}
		/* One that has ended since costs nothing any more. */
		if (read_stat((pid_t)pid, &all[count]) == 0)
			count++;
	}
	(void)closedir(dir); /* only read from */
	*ret_all = all;
	*ret_count = count;
	return 0;
}

static int
mark(struct process *all, size_t count, const pid_t *pids, size_t pid_count)
{
	bool found;

	for (size_t i = 0; i < pid_count; i++) {
		found = false;
		for (size_t j = 0; j < count; j++) {
			if (all[j].pid == pids[i]) {
				all[j].wanted = true;
				found = true;
			}
		}
		if (!found)
			return -ESRCH;
	}
	do {
		found = false;
		for (size_t i = 0; i < count; i++) {
			for (size_t j = 0; j < count && !all[i].wanted; j++) {
				if (all[j].wanted &&
				    all[j].pid == all[i].parent) {
					all[i].wanted = true;
					found = true;
				}
			}
		}
	} while (found);
	return 0;
}

static uint64_t
read_pss(pid_t pid)
{
	char path[64];
	char line[256];
	unsigned long kib = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Pss: %lu kB", &kib) == 1)
			break;
	(void)fclose(file); /* only read from */
	return (uint64_t)kib * 1024;
}

int
bench_process_cost(const pid_t *pids, size_t count, bool memory,
    struct bench_cost *ret_cost)
{
	struct bench_cost cost = { 0 };
	struct process *all = NULL;
	size_t all_count = 0;
	uint64_t tick_ns;
	int err;

	err = read_all(&all, &all_count);
	if (err != 0)
		return err;
	err = mark(all, all_count, pids, count);
	if (err != 0)
		goto out;

	tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	for (size_t i = 0; i < all_count; i++) {
		if (!all[i].wanted)
			continue;
		cost.cpu_ns += all[i].ticks * tick_ns;
		if (memory)
			cost.pss_bytes += read_pss(all[i].pid);
		cost.processes++;
	}
	*ret_cost = cost;
out:
	free(all);
	return err;
}

/* adopt.c - see adopt.h. */
#include "primary/adopt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/attach.h"
#include "primary/moves.h"
#include "primary/sections.h"
#include "primary/stop_times.h"
#include "primary/supervisor.h"

/*
 * Is pid a worker of this bus?  The number may be somebody else's by now; only
 * a worker has the page mapped.
 */
static bool
has_page(pid_t pid, int page_fd)
{
	char path[32], line[512];
	unsigned long inode;
	struct stat st;
	bool found = false;
	FILE *maps;

	(void)snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	if (fstat(page_fd, &st) == -1)
		return false;
	maps = fopen(path, "re");
	if (maps == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), maps) != NULL)
		found = sscanf(line, "%*s %*s %*s %*s %lu", &inode) == 1 &&
		    inode == st.st_ino && strstr(line, "/stats") != NULL;
	(void)fclose(maps); /* only read */
	return found;
}

static bool
is_alive(const struct stats_section *section, int page_fd)
{
	pid_t pid = (pid_t)section->pid;

	return section->used != 0 && pid > 0 && pid != getpid() &&
	    section->slot < STATS_SLOTS_MAX && kill(pid, 0) == 0 &&
	    has_page(pid, page_fd);
}

bool
adopt_is_needed(const struct stats_page *page, int page_fd)
{
	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		if (is_alive(&page->sections[i], page_fd))
			return true;
	}
	return false;
}

/* ---- survivors --------------------------------------------------------- */

/* A process for a section whose pid is alive.  NULL: cannot be watched. */
static struct process *
expect(struct supervisor *supervisor, uint32_t index)
{
	const struct stats_section *section =
	    &supervisor->page->sections[index];
	struct slot *slot = &supervisor->slots[section->slot];
	struct process *process;
	int rc;

	process = process_new(supervisor->loop, slot,
	    supervisor->spawn ? worker_gone : attach_gone);
	if (process == NULL)
		return NULL;
	process->pid = (pid_t)section->pid;
	process->section = index;
	process->generation = (uint16_t)section->generation;
	process->started_ms = section->started_ms;
	process->unlinked_ms = clock_now_ms();
	process->attached = !supervisor->spawn;
	process->survivor = true;
	rc = process_watch(process);
	if (rc != 0) {
		errno = -rc;
		log_warn("slot %u: worker %ld of an earlier primary cannot "
			 "be watched",
		    slot->index, (long)process->pid);
		process_free(process);
		return NULL;
	}
	list_append(&supervisor->processes, &process->link);
	return process;
}

/*
 * Of several in a slot the newest that accepts clients is the current one; the
 * others were leaving already (or had not come far) and are asked again.
 */
static void
place(struct process *process, bool accepts)
{
	struct slot *slot = process->slot;
	const struct config *config = slot->supervisor->now->config;
	struct process *other = slot->next;

	if (!accepts) {
		other = process;
	} else if (other == NULL || other->generation < process->generation) {
		slot->next = process;
	} else {
		other = process;
	}
	if (other == NULL)
		return;
	list_append(&slot->leaving, &other->slot_link);
	process_expect_exit(other, config->drain_timeout, config->kill_timeout);
}

/* Times of death decide in which order the kernel closed their sockets. */
static void
forget_dead(struct supervisor *supervisor, uint32_t *dead, size_t count)
{
	const struct stats_section *sections = supervisor->page->sections;
	uint32_t index;
	size_t j;

	for (size_t i = 1; i < count; i++) {
		index = dead[i];
		for (j = i; j > 0 &&
		     sections[dead[j - 1]].heartbeat_ms >
			 sections[index].heartbeat_ms;
		     j--)
			dead[j] = dead[j - 1];
		dead[j] = index;
	}
	for (size_t i = 0; i < count; i++) {
		index = sections[dead[i]].slot;
		sections_retire(supervisor->page, dead[i]);
		if (index < STATS_SLOTS_MAX &&
		    supervisor->slots[index].next == NULL &&
		    list_is_empty(&supervisor->slots[index].leaving))
			listeners_close(&supervisor->now->listeners, index);
	}
}

unsigned
adopt_survivors(struct supervisor *supervisor)
{
	struct stats_page *page = supervisor->page;
	struct listeners *listeners = &supervisor->now->listeners;
	uint32_t dead[STATS_SECTIONS_MAX];
	size_t dead_count = 0;
	struct process *process;
	unsigned count = 0;

	for (unsigned i = 0; i < page->slot_count && i < STATS_SLOTS_MAX; i++)
		listeners_expect(listeners, i);
	for (uint32_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		if (page->sections[i].used == 0)
			continue;
		process = is_alive(&page->sections[i], supervisor->page_fd) ?
		    expect(supervisor, i) :
		    NULL;
		if (process == NULL) {
			dead[dead_count++] = i;
			continue;
		}
		listeners_expect(listeners, process->slot->index);
		place(process, stats_get(&page->sections[i].now.ready) != 0);
		count++;
	}
	forget_dead(supervisor, dead, dead_count);
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++) {
		if (supervisor->slots[i].next != NULL)
			slot_event(&supervisor->slots[i], SLOT_EV_SPAWN);
		else if (list_is_empty(&supervisor->slots[i].leaving))
			listeners_close(listeners, i);
	}
	if (count > 0)
		log_info("%u workers of an earlier primary are expected back",
		    count);
	return count;
}

static struct process *
find_unlinked(struct supervisor *supervisor, pid_t pid, uint32_t section)
{
	struct list *pos, *tmp;
	struct process *process;

	list_for_each_safe(pos, tmp, &supervisor->processes) {
		process = LIST_ENTRY(pos, struct process, link);
		if (process->pid == pid && process->section == section &&
		    process->node == NULL)
			return process;
	}
	return NULL;
}

/* Its listening sockets are its slot's, unless the slot has its own. */
static void
take_sockets(struct process *process, const int *fds, size_t fd_count)
{
	struct supervisor *supervisor = process->slot->supervisor;
	struct listeners *listeners = &supervisor->now->listeners;
	unsigned index = process->slot->index;
	size_t taken = 0;
	char why[192];

	for (size_t i = 0; i < fd_count; i++)
		taken += listeners_take(listeners, index, fds[i]);
	if (process->child)
		return; /* a link that broke; the sockets are ours */
	/* One that leaves has closed its own. */
	if (process->stage == PROCESS_ALIVE &&
	    (fd_count != listeners->count || taken != listeners->count))
		supervisor->roll_adopted = true;
	if (listeners_open(listeners, index, why, sizeof(why)) != 0)
		log_warnx("slot %u: %s", index, why);
}

/*
 * It is back, but what its clients want comes now, after its HELLO: until its
 * READY, for which it has the time of a start, the slot stays STARTING.  Nobody
 * is told too early that the bus is whole.
 */
static void
await_ready(struct process *process)
{
	process->returning = true;
	process->ready_ms = clock_now_ms();
	ev_timer_stop(process->loop, &process->start_timer);
	worker_arm_start(process);
}

static void
adopt(struct process *process, struct hub_node *node, const int *fds,
    size_t fd_count)
{
	struct slot *slot = process->slot;
	struct supervisor *supervisor = slot->supervisor;
	struct stop_times times;
	bool was_known = process->ready;

	take_sockets(process, fds, fd_count);
	worker_welcome(process, node, true);
	if (!was_known)
		stats_add(&supervisor->page->hub.adopted, 1);
	log_info("slot %u: worker %ld is back, with %llu clients", slot->index,
	    (long)process->pid,
	    (unsigned long long)stats_get(
		&supervisor->page->sections[process->section].now.clients));
	process->ready = true;
	if (process == slot->current && slot->state == SLOT_STARTING) {
		await_ready(process);
	} else if (process != slot->current &&
	    process->stage == PROCESS_ALIVE) {
		worker_drain(process);
	} else if (process->stage == PROCESS_DRAINING) {
		stop_times_get(supervisor, &times);
		moves_send_away(process);
		hub_send_drain(node, times.window_ms, true);
	}
	supervisor_touch(supervisor);
}

void
adopt_hello(struct supervisor *supervisor, struct hub_node *node,
    const struct ipc_hello *hello, const char *name, pid_t pid, const int *fds,
    size_t fd_count)
{
	struct process *process;

	process = find_unlinked(supervisor, pid, hello->section);
	if (hello->id.slot != IPC_SLOT_NONE && process != NULL &&
	    process->slot->index == hello->id.slot &&
	    process->generation == hello->id.generation) {
		adopt(process, node, fds, fd_count);
		return;
	}
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]); /* of no use to us */
	if (hello->id.slot != IPC_SLOT_NONE)
		hub_refuse(node, 0, "this worker has no place on the bus");
	else
		attach_worker(supervisor, node, name, pid);
}

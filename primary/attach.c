/* attach.c - see attach.h. */
#include "primary/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/sections.h"
#include "primary/supervisor.h"

enum {
	ATTACH_RETRY_MS = 1000
};

/* A worker that looks for another bus has knocked at the wrong socket. */
static bool
is_our_name(const struct supervisor *supervisor, const struct hub_node *node,
    char *why, size_t size)
{
	const char *name = supervisor->now->config->name;
	const char *wanted = hub_node_bus(node);

	if (*wanted == '\0' || strcmp(wanted, name) == 0)
		return true;
	(void)snprintf(why, size, "this is the bus \"%s\", not \"%s\"", name,
	    wanted);
	return false;
}

void
attach_gone(struct process *process, int status)
{
	struct slot *slot = process->slot;
	const struct stats_page *page = slot->supervisor->page;

	if (process == slot->current && slot->state == SLOT_RUNNING &&
	    stats_get(&page->sections[process->section].now.ready) == 0)
		slot_event(slot, SLOT_EV_DRAIN);
	worker_gone(process, status);
}

static struct slot *
find_empty(struct supervisor *supervisor)
{
	struct slot *slot;

	for (unsigned i = 0; i < supervisor->wanted; i++) {
		slot = &supervisor->slots[i];
		if (slot->state == SLOT_EMPTY && slot->next == NULL)
			return slot;
	}
	return NULL;
}

/*
 * The number was the peer's when it connected.  Has the process that is watched
 * by it now the same user?  If not, the peer has gone and the number is another
 * one's, who is not to be signalled.
 */
static bool
has_user(pid_t pid, uid_t uid)
{
	char path[32], line[128];
	unsigned long user = 0;
	bool found = false;
	FILE *status;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	status = fopen(path, "re");
	if (status == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), status) != NULL)
		found = sscanf(line, "Uid: %*u %lu", &user) == 1;
	(void)fclose(status); /* only read */
	return found && user == (unsigned long)uid;
}

/* Does this process have a place already?  One is enough for each. */
static bool
has_place(const struct supervisor *supervisor, pid_t pid)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &supervisor->processes) {
		if (LIST_ENTRY(pos, struct process, link)->pid == pid)
			return true;
	}
	return false;
}

/* A place for an attached worker.  0, or -errno with the reason in why. */
static int
make_place(struct slot *slot, const struct hub_node *node, pid_t pid, char *why,
    size_t size)
{
	struct supervisor *supervisor = slot->supervisor;
	struct process *process;
	int section, rc;

	rc =
	    listeners_open(&supervisor->now->listeners, slot->index, why, size);
	if (rc != 0)
		return rc;
	(void)snprintf(why, size, "the primary cannot watch it");
	process = process_new(supervisor->loop, slot, attach_gone);
	if (process == NULL)
		return -ENOMEM;
	process->pid = pid;
	process->attached = true;
	process->started_ms = clock_now_ms();
	rc = process_watch(process);
	if (rc == 0 && !has_user(pid, hub_node_uid(node)))
		rc = -ESRCH;
	section = rc == 0 ? sections_take(supervisor->page, slot->index) : rc;
	if (section < 0) {
		process_free(process);
		return section;
	}
	process->section = (uint32_t)section;
	process->generation =
	    (uint16_t)supervisor->page->sections[section].generation;
	supervisor->page->sections[section].pid = (uint32_t)pid;
	list_append(&supervisor->processes, &process->link);
	slot->next = process;
	return 0;
}

void
attach_worker(struct supervisor *supervisor, struct hub_node *node,
    const char *name, pid_t pid)
{
	struct slot *slot = find_empty(supervisor);
	char why[192];

	if (!is_our_name(supervisor, node, why, sizeof(why))) {
		hub_refuse(node, 0, why);
		return;
	}
	if (supervisor->stopping != STOP_NOT) {
		/* The next one may have a place. */
		hub_refuse(node, ATTACH_RETRY_MS, "the bus is stopping");
		return;
	}
	if (has_place(supervisor, pid)) {
		hub_refuse(node, ATTACH_RETRY_MS,
		    "this process has a place already");
		return;
	}
	if (slot == NULL) {
		(void)snprintf(why, sizeof(why),
		    "no slot is free, %u of %u have a worker",
		    supervisor->wanted, supervisor->wanted);
		hub_refuse(node, ATTACH_RETRY_MS, why);
		return;
	}
	if (make_place(slot, node, pid, why, sizeof(why)) != 0) {
		log_warnx("slot %u: worker %ld cannot attach: %s", slot->index,
		    (long)pid, why);
		hub_refuse(node, ATTACH_RETRY_MS, why);
		return;
	}
	log_info("slot %u: worker %ld (\"%s\") attaches", slot->index,
	    (long)pid, name);
	slot_event(slot, SLOT_EV_SPAWN); /* makes it current */
	worker_arm_start(slot->current);
	worker_welcome(slot->current, node, false);
}

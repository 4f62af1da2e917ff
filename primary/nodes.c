/*
 * nodes.c - what nodes say to the hub, as far as it concerns their place.
 *
 * A spawned worker is known by its socket.  Who comes from outside is known by
 * what the kernel says of it; what it says itself is only a claim.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/adopt.h"
#include "primary/moves.h"
#include "primary/supervisor.h"

enum {
	PROGRAM_RETRY_MS = 5000
};

static struct process *
process_of(struct hub_node *node)
{
	enum peer_kind *kind = hub_node_data(node);

	return kind != NULL && *kind == PEER_PROCESS ? (void *)kind : NULL;
}

static struct program *
program_of(struct hub_node *node)
{
	enum peer_kind *kind = hub_node_data(node);

	return kind != NULL && *kind == PEER_PROGRAM ? (void *)kind : NULL;
}

static void
welcome_program(struct supervisor *supervisor, struct hub_node *node,
    const char *name)
{
	const struct settings *settings = supervisor->now;
	struct ipc_welcome welcome;
	struct program *program;
	size_t n = 0;

	while (n < settings->config->max_programs &&
	    n < SUPERVISOR_PROGRAMS_MAX && supervisor->programs[n].used)
		n++;
	if (n >= settings->config->max_programs ||
	    n == SUPERVISOR_PROGRAMS_MAX) {
		hub_refuse(node, PROGRAM_RETRY_MS,
		    "max-programs are attached already");
		return;
	}
	program = &supervisor->programs[n];
	program->used = true;
	program->node = node;
	memset(&welcome, 0, sizeof(welcome));
	welcome.id.host = supervisor->page->host;
	welcome.id.slot = (uint16_t)(IPC_PROGRAM_SLOT + n);
	welcome.id.generation = ++supervisor->program_generation;
	welcome.section = UINT32_MAX;
	hub_node_set_data(node, program);
	log_debug("program \"%s\" attached (pid %ld)", name,
	    (long)hub_node_pid(node));
	if (hub_welcome(node, &welcome, supervisor->run_dir, NULL) == 0)
		worker_tell(node, settings);
}

static void
on_hello(void *arg, struct hub_node *node, const struct ipc_hello *hello,
    const char *name, pid_t pid, const int *fds, size_t fd_count)
{
	struct supervisor *supervisor = arg;
	struct process *process = process_of(node);
	char why[64];

	if (hello->version == IPC_VERSION && process == NULL &&
	    hello->kind == IPC_KIND_WORKER) {
		adopt_hello(supervisor, node, hello, name, pid, fds, fd_count);
		return;
	}
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]); /* nobody asked for them */
	if (hello->version != IPC_VERSION) {
		(void)snprintf(why, sizeof(why),
		    "it speaks version %u, the hub %d", hello->version,
		    IPC_VERSION);
		hub_refuse(node, 0, why);
	} else if (hello->kind == IPC_KIND_WORKER) {
		worker_welcome(process, node, false);
	} else if (hello->kind != IPC_KIND_PROGRAM || process != NULL) {
		hub_refuse(node, 0, "neither a worker nor a program");
	} else if (supervisor->stopping != STOP_NOT) {
		hub_refuse(node, 0, "the bus is stopping");
	} else {
		welcome_program(supervisor, node, name);
	}
}

static void
on_ready(void *arg, struct hub_node *node)
{
	struct process *process = process_of(node);

	(void)arg;
	/* Programs are ready when they say so; nobody waits for it. */
	if (process == NULL || (process->ready && !process->returning))
		return;
	process->returning = false;
	log_debug("slot %u: worker %ld is ready", process->slot->index,
	    (long)process->pid);
	worker_is_ready(process);
	moves_renew(process->slot->supervisor);
}

/* Its supervisor, which is not us, wants it to go. */
static void
on_leaving(void *arg, struct hub_node *node)
{
	struct process *process = process_of(node);
	struct slot *slot = process != NULL ? process->slot : NULL;

	(void)arg;
	if (process == NULL)
		return;
	if (process->stage != PROCESS_ALIVE || !process->ready) {
		moves_send_away(process); /* whom it knew have gone */
		return;
	}
	log_info("slot %u: worker %ld leaves", slot->index, (long)process->pid);
	if (process == slot->current && slot->state == SLOT_RUNNING)
		slot_event(slot, SLOT_EV_DRAIN);
	else
		worker_drain(process);
}

static void
on_applied(void *arg, struct hub_node *node, bool ok, const char *why)
{
	struct supervisor *supervisor = arg;
	struct process *process = process_of(node);

	if (process == NULL)
		return;
	if (!ok)
		log_warnx("slot %u: worker %ld keeps its old configuration: "
			  "%s",
		    process->slot->index, (long)process->pid, why);
	process->applying = false;
	process->refused = !ok;
	supervisor_touch(supervisor);
}

static void
on_gone(void *arg, struct hub_node *node, const char *why)
{
	struct supervisor *supervisor = arg;
	struct process *process = process_of(node);
	struct program *program = program_of(node);

	if (program != NULL)
		program->used = false;
	if (process == NULL)
		return;
	process->node = NULL;
	process->applying = false;
	process->unlinked_ms = clock_now_ms();
	log_debug("slot %u: link of worker %ld: %s", process->slot->index,
	    (long)process->pid, why);
	supervisor_touch(supervisor);
}

const struct hub_events supervisor_hub_events = {
	.on_hello = on_hello,
	.on_ready = on_ready,
	.on_leaving = on_leaving,
	.on_applied = on_applied,
	.on_gone = on_gone,
};

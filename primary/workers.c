/*
 * workers.c - one worker: started, ready, replaced, gone.
 *
 * What a slot's transitions ask for is done here.  A process that is started
 * is slot->next at first; it becomes slot->current when the slot has none, or
 * when it is READY and so replaces the one that is.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/moves.h"
#include "primary/sections.h"
#include "primary/spawn.h"
#include "primary/stop_times.h"
#include "primary/supervisor.h"

/* Exit statuses after which the same configuration is not tried again. */
enum {
	EXIT_USAGE = 2,
	EXIT_CONFIG = 78
};

struct settings *
worker_settings(const struct process *process)
{
	struct supervisor *supervisor = process->slot->supervisor;

	return process->fresh && supervisor->next != NULL ? supervisor->next :
							    supervisor->now;
}

void
worker_drain(struct process *process)
{
	const struct supervisor *supervisor = process->slot->supervisor;
	struct stop_times times;

	stop_times_get(supervisor, &times);
	if (supervisor->stopping >= STOP_FAST) {
		moves_stop(process);
		process_hasten(process, times.kill_ms);
		return;
	}
	moves_send_away(process);
	process_drain(process, times.window_ms, times.timeout_ms,
	    times.kill_ms);
	moves_renew(process->slot->supervisor);
}

static void
on_start_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct process *process = timer->data;
	struct slot *slot = process->slot;

	(void)loop;
	(void)events;
	process->late = true;
	if (process == slot->current && slot->state == SLOT_STARTING)
		slot_event(slot, SLOT_EV_TIMEOUT);
	else
		process_kill(process);
	supervisor_touch(slot->supervisor);
}

void
worker_arm_start(struct process *process)
{
	uint64_t ms = worker_settings(process)->config->start_timeout;

	ev_timer_init(&process->start_timer, on_start_timeout,
	    (double)ms / 1000.0, 0.0);
	process->start_timer.data = process;
	ev_timer_start(process->loop, &process->start_timer);
}

/* Fork and exec process, which has its section already.  0 or -errno. */
static int
launch(struct process *process)
{
	struct supervisor *supervisor = process->slot->supervisor;
	pid_t pid;
	int fd;

	pid = spawn_worker(process->slot->index,
	    worker_settings(process)->config->name, supervisor->run_dir,
	    worker_settings(process)->config->worker_program, &fd);
	if (pid < 0)
		return (int)pid;
	process->pid = pid;
	process->child = true;
	supervisor->page->sections[process->section].pid = (uint32_t)pid;
	list_append(&supervisor->processes, &process->link);
	worker_arm_start(process);
	process->node = hub_add(supervisor->hub, fd, pid);
	if (process->node == NULL) {
		/* It sees the end of its socket; SIGCHLD will follow. */
		log_warnx("slot %u: no place in the hub for worker %ld",
		    process->slot->index, (long)pid);
		process_kill(process);
		return 0;
	}
	hub_node_set_data(process->node, process);
	return 0;
}

int
worker_start(struct slot *slot, bool fresh)
{
	struct supervisor *supervisor = slot->supervisor;
	struct process *process;
	int section, rc;

	assert(slot->next == NULL);
	process = process_new(supervisor->loop, slot, worker_gone);
	if (process == NULL)
		return -ENOMEM;
	process->fresh = fresh;
	section = sections_take(supervisor->page, slot->index);
	if (section < 0) {
		process_free(process);
		return section;
	}
	process->section = (uint32_t)section;
	process->generation =
	    (uint16_t)supervisor->page->sections[section].generation;
	process->started_ms = clock_now_ms();
	rc = launch(process);
	if (rc != 0) {
		sections_retire(supervisor->page, process->section);
		process_free(process);
		return rc;
	}
	slot->next = process;
	log_debug("slot %u: started worker %ld", slot->index,
	    (long)process->pid);
	supervisor_touch(supervisor);
	return 0;
}

void
worker_tell(struct hub_node *node, const struct settings *settings)
{
	hub_send_contract(node, settings->contract, settings->contract_len);
	hub_send_config(node, settings->text, settings->text_len);
}

void
worker_welcome(struct process *process, struct hub_node *node, bool adopted)
{
	struct supervisor *supervisor = process->slot->supervisor;
	struct settings *settings = worker_settings(process);
	struct ipc_welcome welcome;
	int fds[IPC_FDS_MAX];
	size_t count = 0;

	memset(&welcome, 0, sizeof(welcome));
	welcome.id.host = supervisor->page->host;
	welcome.id.slot = (uint16_t)process->slot->index;
	welcome.id.generation = process->generation;
	welcome.section = process->section;
	welcome.adopted = adopted;
	if (!adopted) {
		count = listeners_fds(&settings->listeners,
		    process->slot->index, fds);
		welcome.fd_count = (uint32_t)count;
		welcome.has_page = 1;
		fds[count] = supervisor->page_fd;
	}
	hub_node_set_data(node, process);
	process->node = node;
	process->unlinked_ms = 0;
	if (hub_welcome(node, &welcome, supervisor->run_dir, fds) == 0)
		worker_tell(node, settings);
}

/* ---- transitions ------------------------------------------------------- */

static void
on_rest_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct slot *slot = timer->data;

	(void)loop;
	(void)events;
	slot_event(slot, SLOT_EV_TIMEOUT);
}

void
worker_rest(struct slot *slot)
{
	uint64_t now = clock_now_ms();
	uint64_t ms = slot->until_ms > now ? slot->until_ms - now : 0;

	ev_timer_init(&slot->rest, on_rest_over, (double)ms / 1000.0, 0.0);
	slot->rest.data = slot;
	ev_timer_start(slot->supervisor->loop, &slot->rest);
}

static void
rest(struct slot *slot)
{
	slot->until_ms = clock_now_ms() + slot->rest_ms;
	if (slot->rest_ms == 0)
		slot_event(slot, SLOT_EV_TIMEOUT);
	else
		worker_rest(slot);
}

/* A death, or a start that did not even get that far. */
static void
note_death(struct slot *slot, bool ready, uint64_t lived_ms)
{
	const struct config *config = slot->supervisor->now->config;
	bool was_looping = slot->crash_loop;

	slot->died = true;
	slot->rest_ms = slot_note_death(slot, ready, lived_ms,
	    config->stable_after, config->backoff_min, config->backoff_max);
	if (slot->crash_loop && !was_looping)
		log_warnx("slot %u: crash loop, %u workers died early in a row",
		    slot->index, slot->early_deaths);
}

static void
start(struct slot *slot)
{
	struct supervisor *supervisor = slot->supervisor;
	char why[sizeof(slot->why)];
	int rc = 0;

	if (slot->next == NULL) {
		/* They are open, but for those that a survivor had. */
		rc = listeners_open(&supervisor->now->listeners, slot->index,
		    why, sizeof(why));
		if (rc == 0)
			rc = worker_start(slot, slot->fresh);
	}
	slot->current = slot->next;
	slot->next = NULL;
	slot->gave_up = false;
	if (rc != 0) {
		(void)snprintf(slot->why, sizeof(slot->why),
		    "cannot start a worker: %s", strerror(-rc));
		note_death(slot, false, 0);
		log_warnx("slot %u: %s, again in %llu ms", slot->index,
		    slot->why, (unsigned long long)slot->rest_ms);
		slot_event(slot, SLOT_EV_GONE);
		return;
	}
	if (slot->died) {
		slot->died = false;
		supervisor->page->slots[slot->index].restarts++;
		stats_add(&supervisor->page->hub.restarts, 1);
	}
}

void
slot_act(struct slot *slot, enum slot_action action)
{
	struct supervisor *supervisor = slot->supervisor;

	/* Even if it is over already and only waits for its turn. */
	if (slot->state != SLOT_BACKOFF)
		ev_timer_stop(supervisor->loop, &slot->rest);
	switch (action) {
	case SLOT_NOTHING:
		break;
	case SLOT_START:
		start(slot);
		break;
	case SLOT_DRAIN:
		worker_drain(slot->current);
		break;
	case SLOT_KILL:
		process_kill(slot->current);
		break;
	case SLOT_REST:
		rest(slot);
		break;
	case SLOT_NEVER: /* slot_event() asserts that it does not come */
		break;
	}
	supervisor_touch(supervisor);
}

/* ---- ready, gone ------------------------------------------------------- */

void
worker_is_ready(struct process *process)
{
	struct slot *slot = process->slot;
	struct process *old = slot->current;

	ev_timer_stop(process->loop, &process->start_timer);
	process->ready = true;
	process->ready_ms = clock_now_ms();
	supervisor_touch(slot->supervisor);
	if (process == slot->current) {
		slot_event(slot, SLOT_EV_READY);
		return;
	}
	if (process != slot->next)
		return;
	if (old == NULL) {
		/* What it was to replace has died meanwhile. */
		slot_event(slot, SLOT_EV_SPAWN); /* makes it current */
		slot_event(slot, SLOT_EV_READY);
		return;
	}
	slot->next = NULL;
	slot->current = process;
	list_append(&slot->leaving, &old->slot_link);
	worker_drain(old);
	if (slot->state == SLOT_STARTING)
		slot_event(slot, SLOT_EV_READY);
}

/* What the log says of a death. */
static void
describe(struct process *process, int status)
{
	struct slot *slot = process->slot;
	char how[96];

	process_status_text(status, how, sizeof(how));
	(void)snprintf(slot->why, sizeof(slot->why), "worker %ld %s%s",
	    (long)process->pid, how,
	    process->late                           ? ", not ready in time" :
		process->ready || process->survivor ? "" :
						      " before it was ready");
}

static void
current_gone(struct process *process, int status)
{
	struct slot *slot = process->slot;
	struct supervisor *supervisor = slot->supervisor;
	bool over;

	slot->current = NULL;
	slot->gave_up = status != PROCESS_STATUS_UNKNOWN && WIFEXITED(status) &&
	    (WEXITSTATUS(status) == EXIT_USAGE ||
		WEXITSTATUS(status) == EXIT_CONFIG);
	over = slot->gave_up || supervisor->stopping != STOP_NOT ||
	    slot->index >= supervisor->wanted || !supervisor->spawn;
	if (slot->state == SLOT_DRAINING) {
		log_info("slot %u: %s", slot->index, slot->why);
		slot_event(slot, SLOT_EV_GONE);
		/* Somebody told it to leave, who will not start another one. */
		if (!over && !process->attached)
			slot_event(slot, SLOT_EV_SPAWN);
		return;
	}
	note_death(slot, process->ready || process->survivor,
	    clock_now_ms() - process->started_ms);
	if (slot->gave_up)
		log_warnx("slot %u: %s: not tried again", slot->index,
		    slot->why);
	else if (over)
		log_warnx("slot %u: %s", slot->index, slot->why);
	else if (slot->rest_ms == 0)
		log_warnx("slot %u: %s, respawning at once", slot->index,
		    slot->why);
	else
		log_warnx("slot %u: %s, respawning in %llu ms", slot->index,
		    slot->why, (unsigned long long)slot->rest_ms);
	slot_event(slot, over ? SLOT_EV_OVER : SLOT_EV_GONE);
}

void
worker_gone(struct process *process, int status)
{
	struct slot *slot = process->slot;
	struct supervisor *supervisor = slot->supervisor;

	/* The hub reads to the end what it still said, and closes the node. */
	if (process->node != NULL)
		hub_node_set_data(process->node, NULL);
	supervisor->page->slots[slot->index].last_status = status;
	sections_retire(supervisor->page, process->section);
	describe(process, status);
	if (process == slot->next) {
		slot->next = NULL;
		log_warnx("slot %u: %s; the old worker stays", slot->index,
		    slot->why);
	} else if (process == slot->current) {
		current_gone(process, status);
	} else {
		log_info("slot %u: %s", slot->index, slot->why);
	}
	process_free(process);
	supervisor_touch(supervisor);
}

/* supervisor.c - the whole: start, stop, watch; see supervisor.h. */
#include "primary/supervisor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/driver.h"
#include "primary/watch.h"

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events);

struct supervisor *
supervisor_new(struct ev_loop *loop, struct stats_page *page, int page_fd,
    const char *run_dir, bool spawn, struct settings *settings)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));

	if (supervisor == NULL)
		goto fail;
	supervisor->loop = loop;
	supervisor->page = page;
	supervisor->page_fd = page_fd;
	supervisor->run_dir = run_dir;
	supervisor->spawn = spawn;
	supervisor->hub =
	    hub_new(loop, &page->hub, &supervisor_hub_events, supervisor);
	if (supervisor->hub == NULL)
		goto fail;
	supervisor->now = settings;
	supervisor->wanted = settings_slots(settings, spawn);
	/* Programs of an earlier primary had other ids, most likely. */
	supervisor->program_generation = (uint16_t)time(NULL);
	list_init(&supervisor->processes);
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		slot_init(&supervisor->slots[i], supervisor, i);
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS_MAX; i++)
		supervisor->programs[i].kind = PEER_PROGRAM;
	ev_timer_init(&supervisor->turn, on_turn, 0.0, 0.0);
	supervisor->turn.data = supervisor;
	watch_start(supervisor);
	supervisor_apply(supervisor);
	return supervisor;
fail:
	free(supervisor);
	settings_free(settings);
	return NULL;
}

void
supervisor_free(struct supervisor *supervisor)
{
	struct list *pos, *tmp;

	if (supervisor == NULL)
		return;
	ev_timer_stop(supervisor->loop, &supervisor->tick);
	ev_timer_stop(supervisor->loop, &supervisor->turn);
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++) {
		ev_timer_stop(supervisor->loop, &supervisor->slots[i].rest);
	}
	list_for_each_safe(pos, tmp, &supervisor->processes)
		process_free(LIST_ENTRY(pos, struct process, link));
	redis_door_free(supervisor->door);
	sync_close(supervisor->sync, SYNC_CLOSE_MS);
	hub_free(supervisor->hub);
	settings_free(supervisor->next);
	settings_free(supervisor->now);
	free(supervisor);
}

void
supervisor_apply(struct supervisor *supervisor)
{
	const struct config *config = supervisor->now->config;

	supervisor->page->roll_hash = settings_roll_hash(supervisor->now);
	log_set_level((enum log_level)config->log_level);
	hub_set_queue_max(supervisor->hub, config->hub_queue);
	hub_set_channels_max(supervisor->hub, config->max_channels);
	hub_set_query_timeout(supervisor->hub, config->query_timeout);
	if (supervisor->door != NULL)
		redis_door_apply(supervisor->door, config);
	if (supervisor->sync != NULL)
		sync_set_topic_max(supervisor->sync, config->max_topic);
	hub_set_local(supervisor->hub, !driver_relays(config));
	watch_start(supervisor);
}

int
supervisor_start(struct supervisor *supervisor, char *why, size_t size)
{
	struct slot *slot;
	unsigned count;
	int rc;

	/* Those who attach bring the others to life. */
	count = supervisor->spawn ? supervisor->wanted : 1;
	for (unsigned i = 0; i < count; i++) {
		slot = &supervisor->slots[i];
		if (slot->state != SLOT_EMPTY)
			continue; /* its worker survived and brings them */
		rc = listeners_open(&supervisor->now->listeners, i, why, size);
		if (rc != 0)
			return rc;
	}
	for (unsigned i = 0; supervisor->spawn && i < count; i++) {
		if (supervisor->slots[i].state == SLOT_EMPTY)
			slot_event(&supervisor->slots[i], SLOT_EV_SPAWN);
	}
	supervisor_touch(supervisor);
	return 0;
}

/* ---- once per turn ----------------------------------------------------- */

void
supervisor_touch(struct supervisor *supervisor)
{
	if (!ev_is_active(&supervisor->turn) &&
	    !ev_is_pending(&supervisor->turn)) {
		ev_timer_set(&supervisor->turn, 0.0, 0.0);
		ev_timer_start(supervisor->loop, &supervisor->turn);
	}
}

static void
publish_slot(struct slot *slot, uint64_t now_ms)
{
	struct supervisor *supervisor = slot->supervisor;
	struct stats_slot *shown = &supervisor->page->slots[slot->index];
	const struct process *process = slot->current;

	if (shown->state != (uint32_t)slot->state) {
		shown->state = slot->state;
		shown->since_ms = now_ms;
	}
	shown->pid = process != NULL ? (uint32_t)process->pid : 0;
	if (process != NULL)
		shown->generation = process->generation;
	shown->crash_loop = slot->crash_loop;
	shown->next_ms = slot->state == SLOT_BACKOFF ? slot->until_ms : 0;
}

/* Where any number of workers may attach, those up to the last one. */
static unsigned
slots_shown(const struct supervisor *supervisor)
{
	unsigned count = supervisor->wanted;

	if (supervisor->spawn || supervisor->now->config->workers != 0)
		return count;
	while (count > 1 && supervisor->slots[count - 1].state == SLOT_EMPTY)
		count--;
	return count;
}

static void
publish(struct supervisor *supervisor)
{
	struct stats_page *page = supervisor->page;
	uint64_t now_ms = clock_now_ms();

	page->slot_count = slots_shown(supervisor);
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		publish_slot(&supervisor->slots[i], now_ms);
	listeners_text(&supervisor->now->listeners, " ", page->listen,
	    sizeof(page->listen));
}

/* A roll is still to replace its worker. */
static bool
is_rolled_later(const struct supervisor *supervisor, unsigned slot)
{
	return slot >= supervisor->roll_from && slot < supervisor->roll_end;
}

/* New connections go where somebody accepts them, and will go on doing so. */
static void
steer(struct supervisor *supervisor)
{
	const struct process *process;
	const struct slot *slot;
	bool *open = supervisor->steered;
	unsigned count = 0, staying = 0;

	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++) {
		slot = &supervisor->slots[i];
		process = slot->current;
		open[i] = slot->state == SLOT_RUNNING && process != NULL &&
		    process->stage == PROCESS_ALIVE && !process->sluggish &&
		    i < supervisor->wanted;
		count += open[i];
		staying += open[i] && !is_rolled_later(supervisor, i);
	}
	for (unsigned i = 0; staying > 0 && i < STATS_SLOTS_MAX; i++)
		open[i] = open[i] && !is_rolled_later(supervisor, i);
	supervisor->page->accepting = staying > 0 ? staying : count;
	listeners_steer(&supervisor->now->listeners, open);
	if (supervisor->next != NULL)
		listeners_steer(&supervisor->next->listeners, open);
}

static void
check_ready(struct supervisor *supervisor)
{
	char addresses[STATS_LISTEN_MAX];
	unsigned running = 0;

	for (unsigned i = 0; i < supervisor->wanted; i++) {
		if (supervisor->slots[i].state == SLOT_RUNNING)
			running++;
	}
	if (supervisor->was_ready || supervisor->stopping != STOP_NOT ||
	    (supervisor->spawn && running < supervisor->wanted))
		return;
	supervisor->was_ready = true;
	listeners_text(&supervisor->now->listeners, ",", addresses,
	    sizeof(addresses));
	if (supervisor->now->contract_len == 0)
		log_info("the bus is open: without --contract clients may "
			 "publish anything on any topic");
	log_info("ready: %u workers on %s", running, addresses);
	if (supervisor->on_ready != NULL)
		supervisor->on_ready(supervisor->arg);
}

/* Is there any slot left in which a worker could ever be? */
static void
check_hope(struct supervisor *supervisor)
{
	unsigned gave_up = 0, failed = 0;
	const struct slot *slot;

	if (!supervisor->spawn || supervisor->stopping != STOP_NOT ||
	    supervisor->wanted == 0)
		return;
	for (unsigned i = 0; i < supervisor->wanted; i++) {
		slot = &supervisor->slots[i];
		if (slot->gave_up && slot->state == SLOT_EMPTY)
			gave_up++;
		else if (slot->failed_starts >= SLOT_CRASH_LOOP)
			failed++;
	}
	if (gave_up == supervisor->wanted)
		supervisor_fail(supervisor, 78,
		    "no worker can work with this configuration: %s",
		    supervisor->slots[0].why);
	else if (gave_up + failed == supervisor->wanted)
		supervisor_fail(supervisor, 1, "no worker becomes ready: %s",
		    supervisor->slots[0].why);
}

static void
on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct supervisor *supervisor = timer->data;

	(void)loop;
	(void)events;
	publish(supervisor);
	steer(supervisor);
	check_ready(supervisor);
	check_hope(supervisor);
	if (supervisor->on_change != NULL)
		supervisor->on_change(supervisor->arg);
	if (supervisor->stopping != STOP_NOT &&
	    list_is_empty(&supervisor->processes) &&
	    supervisor->on_stopped != NULL)
		supervisor->on_stopped(supervisor->arg);
}

/* ---- stop -------------------------------------------------------------- */

void
supervisor_stop(struct supervisor *supervisor, enum stop_how how)
{
	struct list *pos, *tmp;
	struct process *process;
	struct slot *slot;

	if (how <= supervisor->stopping)
		return;
	supervisor->stopping = how;
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++) {
		slot = &supervisor->slots[i];
		if (slot->state != SLOT_EMPTY)
			slot_event(slot, SLOT_EV_DRAIN);
	}
	list_for_each_safe(pos, tmp, &supervisor->processes) {
		process = LIST_ENTRY(pos, struct process, link);
		if (how == STOP_KILL)
			process_kill(process);
		else
			worker_drain(process);
	}
	supervisor_touch(supervisor);
}

void
supervisor_fail(struct supervisor *supervisor, int exit_status, const char *fmt,
    ...)
{
	va_list ap;

	if (supervisor->exit_status != 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(supervisor->verdict, sizeof(supervisor->verdict), fmt,
	    ap);
	va_end(ap);
	log_warnx("%s", supervisor->verdict);
	supervisor->exit_status = exit_status;
	supervisor_stop(supervisor, STOP_FAST);
}

/* ---- all processes ----------------------------------------------------- */

void
supervisor_reap(struct supervisor *supervisor)
{
	struct list *pos, *tmp;

	/*
	 * One death may start a process (at the end of the list) and frees
	 * its own only.
	 */
	list_for_each_safe(pos, tmp, &supervisor->processes)
		(void)process_reap(LIST_ENTRY(pos, struct process, link));
}

void
supervisor_reopen(struct supervisor *supervisor)
{
	struct list *pos, *tmp;
	struct process *process;

	list_for_each_safe(pos, tmp, &supervisor->processes) {
		process = LIST_ENTRY(pos, struct process, link);
		if (process->node != NULL && process->ready)
			hub_send_reopen(process->node);
	}
}

/* watch.c - see watch.h. */
#include "primary/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "primary/moves.h"
#include "primary/supervisor.h"

enum {
	WATCH_MIN_MS = 50,
	WATCH_MAX_MS = 250
};

uint64_t
watch_silence_ms(const struct supervisor *supervisor,
    const struct process *process, uint64_t now_ms)
{
	uint64_t last = stats_get(
	    &supervisor->page->sections[process->section].heartbeat_ms);

	if (last < process->ready_ms)
		last = process->ready_ms;
	if (last < supervisor->awake_ms)
		last = supervisor->awake_ms;
	return now_ms > last ? now_ms - last : 0;
}

static void
check_heartbeat(struct supervisor *supervisor, struct process *process,
    uint64_t now_ms)
{
	uint64_t silence = watch_silence_ms(supervisor, process, now_ms);
	bool accepts =
	    stats_get(
		&supervisor->page->sections[process->section].now.ready) != 0;
	bool sluggish = silence >= SUPERVISOR_SLUGGISH_MS || !accepts;

	if (!process->ready || process->stage == PROCESS_KILLED)
		return;
	if (sluggish != process->sluggish) {
		process->sluggish = sluggish;
		supervisor_touch(supervisor);
	}
	if (silence < supervisor->now->config->stall_timeout)
		return;
	log_warnx("slot %u: worker %ld has not moved for %llu ms, killing it",
	    process->slot->index, (long)process->pid,
	    (unsigned long long)silence);
	stats_add(&supervisor->page->hub.stalled, 1);
	process_kill(process);
}

static void
check_link(struct process *process, uint64_t now_ms)
{
	if (process->unlinked_ms == 0 || process->stage != PROCESS_ALIVE ||
	    now_ms < process->unlinked_ms + SUPERVISOR_LINK_MS)
		return;
	log_warnx("slot %u: worker %ld has no link any more, replacing it",
	    process->slot->index, (long)process->pid);
	if (process->ready)
		worker_drain(process);
	else
		process_kill(process);
}

static void
check_stable(struct slot *slot, uint64_t now_ms)
{
	if (slot->state != SLOT_RUNNING || slot->current == NULL ||
	    slot->early_deaths == 0 ||
	    now_ms < slot->current->started_ms +
		    slot->supervisor->now->config->stable_after)
		return;
	if (slot->crash_loop)
		log_info("slot %u: worker %ld stays, the crash loop is over",
		    slot->index, (long)slot->current->pid);
	slot_note_stable(slot);
	supervisor_touch(slot->supervisor);
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct supervisor *supervisor = timer->data;
	uint64_t now_ms = clock_now_ms();
	struct list *pos, *tmp;
	struct process *process;

	(void)loop;
	(void)events;
	/*
	 * Late ourselves: the host slept, or a terminal stopped all of us.
	 * Then an old heartbeat says nothing about the worker.
	 */
	if (now_ms - supervisor->ticked_ms > 4 * WATCH_MAX_MS)
		supervisor->awake_ms = now_ms;
	supervisor->ticked_ms = now_ms;
	list_for_each_safe(pos, tmp, &supervisor->processes) {
		process = LIST_ENTRY(pos, struct process, link);
		check_heartbeat(supervisor, process, now_ms);
		check_link(process, now_ms);
	}
	for (unsigned i = 0; i < supervisor->wanted; i++)
		check_stable(&supervisor->slots[i], now_ms);
	if (supervisor->job_waits)
		supervisor_touch(supervisor);
	moves_balance(supervisor);
}

void
watch_start(struct supervisor *supervisor)
{
	uint64_t ms = supervisor->now->config->stall_timeout / 8;

	if (ms < WATCH_MIN_MS)
		ms = WATCH_MIN_MS;
	if (ms > WATCH_MAX_MS)
		ms = WATCH_MAX_MS;
	ev_timer_stop(supervisor->loop, &supervisor->tick);
	supervisor->ticked_ms = clock_now_ms();
	ev_timer_init(&supervisor->tick, on_tick, (double)ms / 1000.0,
	    (double)ms / 1000.0);
	supervisor->tick.data = supervisor;
	ev_timer_start(supervisor->loop, &supervisor->tick);
}

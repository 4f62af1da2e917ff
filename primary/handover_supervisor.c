/*
 * handover_supervisor.c - slots, workers and programs on their way to the next
 * program.
 *
 * Children stay children of the same process.  Timers go on with what was left
 * of them.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "primary/handover_parts.h"

/* ---- writing ----------------------------------------------------------- */

static int64_t
left_ms(struct ev_loop *loop, ev_timer *timer)
{
	ev_tstamp left;

	if (!ev_is_active(timer))
		return -1;
	left = ev_timer_remaining(loop, timer);
	return left > 0.0 ? (int64_t)(left * 1000.0) : 0;
}

static void
put_process(struct handover_out *out, struct process *process,
    enum handover_place place)
{
	struct handover_process record;

	memset(&record, 0, sizeof(record));
	record.slot = process->slot->index;
	record.place = place;
	record.pid = (int32_t)process->pid;
	record.pid_fd = handover_put_fd(out, process->pid_fd);
	record.node = handover_node_index(process->node);
	record.section = process->section;
	record.stage = process->stage;
	record.generation = process->generation;
	record.child = process->child;
	record.attached = process->attached;
	record.survivor = process->survivor;
	record.ready = process->ready;
	record.hasty = process->hasty;
	record.late = process->late;
	record.sluggish = process->sluggish;
	record.returning = process->returning;
	record.started_ms = process->started_ms;
	record.ready_ms = process->ready_ms;
	record.unlinked_ms = process->unlinked_ms;
	record.kill_timeout_ms = process->kill_timeout_ms;
	record.start_left_ms = left_ms(process->loop, &process->start_timer);
	record.ladder_left_ms = left_ms(process->loop, &process->ladder);
	handover_put(out, HANDOVER_PROCESS, &record, NULL, 0, NULL, 0);
}

static void
put_slot(struct handover_out *out, const struct slot *slot)
{
	struct list *pos;
	struct handover_slot record;

	memset(&record, 0, sizeof(record));
	record.index = slot->index;
	record.state = (uint32_t)slot->state;
	record.rest_ms = slot->rest_ms;
	record.until_ms = slot->until_ms;
	record.early_deaths = slot->early_deaths;
	record.failed_starts = slot->failed_starts;
	record.fresh = slot->fresh;
	record.died = slot->died;
	record.crash_loop = slot->crash_loop;
	record.gave_up = slot->gave_up;
	handover_put(out, HANDOVER_SLOT, &record, slot->why, strlen(slot->why),
	    NULL, 0);
	if (slot->current != NULL)
		put_process(out, slot->current, HANDOVER_CURRENT);
	if (slot->next != NULL)
		put_process(out, slot->next, HANDOVER_NEXT);
	for (pos = slot->leaving.next; pos != &slot->leaving; pos = pos->next)
		put_process(out, LIST_ENTRY(pos, struct process, slot_link),
		    HANDOVER_LEAVING);
}

void
handover_put_supervisor(struct handover_out *out,
    const struct supervisor *supervisor)
{
	struct handover_program record;
	const struct program *program;

	for (size_t i = 0; i < STATS_SLOTS_MAX; i++)
		put_slot(out, &supervisor->slots[i]);
	for (uint32_t i = 0; i < SUPERVISOR_PROGRAMS_MAX; i++) {
		program = &supervisor->programs[i];
		if (!program->used)
			continue;
		record.index = i;
		record.node = handover_node_index(program->node);
		handover_put(out, HANDOVER_PROGRAM, &record, NULL, 0, NULL, 0);
	}
}

/* ---- reading ----------------------------------------------------------- */

static void
take_slot(struct supervisor *supervisor, const struct handover_record *record)
{
	struct handover_slot from;
	struct slot *slot;

	memcpy(&from, record->body, sizeof(from));
	slot = &supervisor->slots[from.index];
	slot->state = (enum slot_state)from.state;
	slot->rest_ms = from.rest_ms;
	slot->until_ms = from.until_ms;
	slot->early_deaths = from.early_deaths;
	slot->failed_starts = from.failed_starts;
	slot->fresh = from.fresh;
	slot->died = from.died;
	slot->crash_loop = from.crash_loop;
	slot->gave_up = from.gave_up;
	(void)snprintf(slot->why, sizeof(slot->why), "%.*s",
	    (int)record->tail_len, (const char *)record->tail);
	if (slot->state == SLOT_BACKOFF)
		worker_rest(slot);
}

static void
put_in_place(struct process *process, enum handover_place place)
{
	struct slot *slot = process->slot;

	if (place == HANDOVER_CURRENT)
		slot->current = process;
	else if (place == HANDOVER_NEXT)
		slot->next = process;
	else
		list_append(&slot->leaving, &process->slot_link);
	list_append(&slot->supervisor->processes, &process->link);
}

static int
take_process(struct supervisor *supervisor,
    const struct handover_record *record)
{
	struct handover_process from;
	struct process *process;

	memcpy(&from, record->body, sizeof(from));
	process = process_new(supervisor->loop, &supervisor->slots[from.slot],
	    worker_gone);
	if (process == NULL)
		return -ENOMEM;
	process->pid = (pid_t)from.pid;
	process->child = from.child;
	process->attached = from.attached;
	process->survivor = from.survivor;
	process->ready = from.ready;
	process->hasty = from.hasty;
	process->late = from.late;
	process->sluggish = from.sluggish;
	process->returning = from.returning;
	process->stage = (enum process_stage)from.stage;
	process->section = from.section;
	process->generation = from.generation;
	process->started_ms = from.started_ms;
	process->ready_ms = from.ready_ms;
	process->unlinked_ms = from.unlinked_ms;
	process->kill_timeout_ms = from.kill_timeout_ms;
	if (from.node != HUB_NODES_MAX) {
		process->node = handover_node(supervisor->hub, from.node);
		hub_node_set_data(process->node, process);
	}
	put_in_place(process, (enum handover_place)from.place);
	process_go_on(process, from.pid_fd, from.ladder_left_ms);
	if (from.start_left_ms >= 0)
		worker_arm_start(process);
	return 0;
}

static void
take_program(struct supervisor *supervisor,
    const struct handover_record *record)
{
	struct handover_program from;
	struct program *program;

	memcpy(&from, record->body, sizeof(from));
	program = &supervisor->programs[from.index];
	program->used = true;
	program->node = handover_node(supervisor->hub, from.node);
	hub_node_set_data(program->node, program);
}

int
handover_take_supervisor(const struct handover_state *state,
    struct supervisor *supervisor)
{
	struct handover_primary primary;
	struct handover_record record;
	size_t pos = 0;
	int rc = 0;

	handover_read_primary(state, &primary, NULL, 0);
	supervisor->wanted = primary.wanted;
	supervisor->program_generation = (uint16_t)primary.program_generation;
	supervisor->was_ready = true;
	while (handover_next(state, &pos, HANDOVER_SLOT, &record))
		take_slot(supervisor, &record);
	pos = 0;
	while (rc == 0 && handover_next(state, &pos, HANDOVER_PROCESS, &record))
		rc = take_process(supervisor, &record);
	pos = 0;
	while (rc == 0 && handover_next(state, &pos, HANDOVER_PROGRAM, &record))
		take_program(supervisor, &record);
	supervisor->awake_ms = clock_now_ms(); /* heartbeats are not late */
	supervisor_touch(supervisor);
	return rc;
}

/* moves.c - see moves.h. */
#include "primary/moves.h"

#include <stddef.h>

#include "config/driver.h"
#include "primary/hub.h"
#include "primary/supervisor.h"

/* Can this slot's worker take clients? */
static struct process *
taker(const struct slot *slot)
{
	struct process *process = slot->current;

	return process != NULL && process->ready && process->node != NULL &&
		process->stage == PROCESS_ALIVE && !process->sluggish ?
	    process :
	    NULL;
}

static bool
allowed(const struct supervisor *supervisor)
{
	return supervisor->now->config->move_clients &&
	    supervisor->stopping == STOP_NOT;
}

void
moves_stop(struct process *process)
{
	if (process->node != NULL && process->ready)
		hub_send_move(process->node, 0, 0, NULL, 0);
}

/* The one that replaces it; else all others. */
static size_t
takers_for(const struct process *process, struct hub_node **targets)
{
	const struct supervisor *supervisor = process->slot->supervisor;
	struct process *other = taker(process->slot);
	size_t count = 0;

	if (other != NULL && other != process) {
		targets[0] = other->node;
		return 1;
	}
	for (unsigned i = 0; i < supervisor->wanted; i++) {
		other = taker(&supervisor->slots[i]);
		if (other != NULL && other != process)
			targets[count++] = other->node;
	}
	return count;
}

/* Is a worker on its way that may take clients soon? */
static bool
is_expected(const struct supervisor *supervisor)
{
	const struct slot *slot;

	for (unsigned i = 0; i < supervisor->wanted; i++) {
		slot = &supervisor->slots[i];
		if (slot->state == SLOT_STARTING || slot->next != NULL ||
		    (slot->current != NULL && slot->current->node == NULL))
			return true;
	}
	return false;
}

void
moves_send_away(struct process *process)
{
	const struct supervisor *supervisor = process->slot->supervisor;
	struct hub_node *targets[STATS_SLOTS_MAX];
	size_t count = 0;

	if (process->node == NULL || !process->ready || process->hasty)
		return;
	if (allowed(supervisor))
		count = takers_for(process, targets);
	if (count == 0 && allowed(supervisor) && is_expected(supervisor))
		return; /* moves_renew() comes when it is ready */
	hub_send_move(process->node, count != 0 ? UINT32_MAX : 0, 0, targets,
	    count);
}

void
moves_renew(struct supervisor *supervisor)
{
	struct process *process;

	for (struct list *pos = supervisor->processes.next;
	     pos != &supervisor->processes; pos = pos->next) {
		process = LIST_ENTRY(pos, struct process, link);
		if (process->stage == PROCESS_DRAINING)
			moves_send_away(process);
	}
}

/* ---- balance ----------------------------------------------------------- */

/* What is known of the workers at this tick. */
struct survey {
	struct process *workers[STATS_SLOTS_MAX];
	uint64_t clients[STATS_SLOTS_MAX];
	size_t count;
	uint64_t total, most, least;
	uint64_t moved; /* by all of them, ever */
	bool moving;
};

static void
survey(const struct supervisor *supervisor, struct survey *s)
{
	const struct stats_worker *stats;
	struct process *process;

	*s = (struct survey){ .least = UINT64_MAX };
	for (unsigned i = 0; i < supervisor->wanted; i++) {
		process = taker(&supervisor->slots[i]);
		if (process == NULL)
			continue;
		stats = &supervisor->page->sections[process->section].now;
		s->workers[s->count] = process;
		s->clients[s->count++] = stats->clients;
		s->total += stats->clients;
		s->moved += stats->moved_out;
		s->moving = s->moving || stats->moving != 0;
		if (stats->clients > s->most)
			s->most = stats->clients;
		if (stats->clients < s->least)
			s->least = stats->clients;
	}
}

static uint64_t
room_below(const struct survey *s, uint64_t mean)
{
	uint64_t room = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->clients[i] < mean)
			room += mean - s->clients[i];
	}
	return room;
}

/*
 * Those that have room, each as often as its share of it: the giver goes
 * through the list by turns.
 */
static size_t
receivers(const struct survey *s, uint64_t mean, struct hub_node **targets)
{
	uint64_t room = room_below(s, mean), share;
	size_t count = 0;

	for (size_t i = 0; i < s->count && room != 0; i++) {
		if (s->clients[i] >= mean)
			continue;
		/* Half of the list, so that rounding up does not fill it. */
		share = (mean - s->clients[i]) * (IPC_TARGETS_MAX / 4) / room;
		for (share++; share > 0 && count < IPC_TARGETS_MAX; share--)
			targets[count++] = s->workers[i]->node;
	}
	return count;
}

static size_t
common_divisor(size_t a, size_t b)
{
	size_t rest;

	while (b != 0) {
		rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Neighbours in the list are different workers where that is possible. */
static void
spread(struct hub_node **targets, size_t count)
{
	struct hub_node *mixed[IPC_TARGETS_MAX];
	size_t step = count * 618 / 1000 + 1, at = 0;

	while (common_divisor(count, step) != 1)
		step--; /* only then each place is visited once */
	for (size_t i = 0; i < count; i++) {
		mixed[i] = targets[at];
		at = (at + step) % count;
	}
	for (size_t i = 0; i < count; i++)
		targets[i] = mixed[i];
}

static bool
is_even(const struct survey *s)
{
	uint64_t apart = s->most - s->least;

	return apart <= 1 || apart * 100 <= s->most * MOVES_BALANCE_PERCENT;
}

void
moves_balance(struct supervisor *supervisor)
{
	const struct config *config = supervisor->now->config;
	struct hub_node *targets[IPC_TARGETS_MAX];
	uint64_t mean, surplus, room;
	struct survey s;
	size_t count;

	/* Where each worker is for itself, who is where is the clients' choice. */
	if (!allowed(supervisor) || !config->balance || supervisor->job_waits ||
	    !driver_relays(config))
		return;
	survey(supervisor, &s);
	if (s.count < 2 || s.moving || is_even(&s))
		return;
	/* Clients that cannot be moved are not asked for at every tick. */
	if (s.moved == supervisor->moved && supervisor->balance_rest > 0) {
		supervisor->balance_rest--;
		return;
	}
	supervisor->balance_rest =
	    s.moved == supervisor->moved ? MOVES_BALANCE_REST : 1;
	supervisor->moved = s.moved;
	mean = (s.total + s.count - 1) / s.count;
	/* Nobody has more than the mean rounded up, but somebody far less. */
	if (s.most <= mean)
		mean = s.total / s.count;
	room = room_below(&s, mean);
	count = receivers(&s, mean, targets);
	if (count == 0)
		return;
	spread(targets, count);
	for (size_t i = 0; i < s.count; i++) {
		surplus = s.clients[i] > mean ? s.clients[i] - mean : 0;
		if (surplus > config->balance_rate)
			surplus = config->balance_rate;
		if (surplus > room)
			surplus = room;
		room -= surplus;
		if (surplus != 0)
			hub_send_move(s.workers[i]->node, (uint32_t)surplus,
			    (uint32_t)config->balance_rate, targets, count);
	}
}

/* slot.c - the table of states and events, and the back-off; see slot.h. */
#include "primary/slot.h"

#include <assert.h>
#include <string.h>

struct transition {
	enum slot_state to;
	enum slot_action action;
};

/* clang-format off */
#define STAY(state) { SLOT_##state, SLOT_NOTHING }
#define BUG(state)  { SLOT_##state, SLOT_NEVER }

static const struct transition table[SLOT_STATE_COUNT][SLOT_EVENT_COUNT] = {
	[SLOT_EMPTY] = {
		[SLOT_EV_SPAWN]   = { SLOT_STARTING, SLOT_START },
		[SLOT_EV_READY]   = BUG(EMPTY),
		[SLOT_EV_DRAIN]   = STAY(EMPTY),
		[SLOT_EV_GONE]    = BUG(EMPTY),
		[SLOT_EV_OVER]    = STAY(EMPTY),
		[SLOT_EV_TIMEOUT] = BUG(EMPTY),
	},
	[SLOT_STARTING] = {
		[SLOT_EV_SPAWN]   = STAY(STARTING),
		[SLOT_EV_READY]   = { SLOT_RUNNING, SLOT_NOTHING },
		[SLOT_EV_DRAIN]   = { SLOT_DRAINING, SLOT_DRAIN },
		[SLOT_EV_GONE]    = { SLOT_BACKOFF, SLOT_REST },
		[SLOT_EV_OVER]    = STAY(EMPTY),
		[SLOT_EV_TIMEOUT] = { SLOT_STARTING, SLOT_KILL },
	},
	[SLOT_RUNNING] = {
		[SLOT_EV_SPAWN]   = STAY(RUNNING),
		[SLOT_EV_READY]   = STAY(RUNNING),
		[SLOT_EV_DRAIN]   = { SLOT_DRAINING, SLOT_DRAIN },
		[SLOT_EV_GONE]    = { SLOT_BACKOFF, SLOT_REST },
		[SLOT_EV_OVER]    = STAY(EMPTY),
		[SLOT_EV_TIMEOUT] = BUG(RUNNING),
	},
	[SLOT_DRAINING] = {
		[SLOT_EV_SPAWN]   = STAY(DRAINING),
		[SLOT_EV_READY]   = STAY(DRAINING), /* crossed the DRAIN */
		[SLOT_EV_DRAIN]   = STAY(DRAINING),
		[SLOT_EV_GONE]    = STAY(EMPTY),
		[SLOT_EV_OVER]    = STAY(EMPTY),
		[SLOT_EV_TIMEOUT] = BUG(DRAINING),
	},
	[SLOT_BACKOFF] = {
		[SLOT_EV_SPAWN]   = { SLOT_STARTING, SLOT_START },
		[SLOT_EV_READY]   = BUG(BACKOFF),
		[SLOT_EV_DRAIN]   = STAY(EMPTY),
		[SLOT_EV_GONE]    = BUG(BACKOFF),
		[SLOT_EV_OVER]    = STAY(EMPTY),
		[SLOT_EV_TIMEOUT] = { SLOT_STARTING, SLOT_START },
	},
};

/* clang-format on */

void
slot_init(struct slot *slot, struct supervisor *supervisor, unsigned index)
{
	memset(slot, 0, sizeof(*slot));
	slot->supervisor = supervisor;
	slot->index = index;
	slot->state = SLOT_EMPTY;
	ev_init(&slot->rest, NULL);
	list_init(&slot->leaving);
}

enum slot_state
slot_next(enum slot_state state, enum slot_event event,
    enum slot_action *ret_action)
{
	assert(state < SLOT_STATE_COUNT && event < SLOT_EVENT_COUNT);
	*ret_action = table[state][event].action;
	return table[state][event].to;
}

void
slot_event(struct slot *slot, enum slot_event event)
{
	enum slot_action action;

	slot->state = slot_next(slot->state, event, &action);
	assert(action != SLOT_NEVER);
	slot_act(slot, action);
}

uint64_t
slot_note_death(struct slot *slot, bool ready, uint64_t lived_ms,
    uint64_t stable_ms, uint64_t min_ms, uint64_t max_ms)
{
	uint64_t delay = min_ms;
	uint32_t doublings;

	slot->failed_starts = ready ? 0 : slot->failed_starts + 1;
	if (ready && lived_ms >= stable_ms) {
		slot_note_stable(slot);
		return 0;
	}
	slot->early_deaths++;
	if (slot->early_deaths >= SLOT_CRASH_LOOP)
		slot->crash_loop = true;
	if (ready && slot->early_deaths == 1)
		return 0;
	doublings = slot->early_deaths - (ready ? 2 : 1);
	while (doublings-- > 0 && delay < max_ms)
		delay *= 2;
	return delay < max_ms ? delay : max_ms;
}

void
slot_note_stable(struct slot *slot)
{
	slot->early_deaths = 0;
	slot->failed_starts = 0;
	slot->crash_loop = false;
}

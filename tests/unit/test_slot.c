/* test_slot.c - the states of a slot, and how long it rests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "primary/slot.h"

static enum slot_action last_action;
static unsigned actions;

/* The supervisor's part: only note what was asked for. */
void
slot_act(struct slot *slot, enum slot_action action)
{
	(void)slot;
	last_action = action;
	actions++;
}

static void
step(struct slot *slot, enum slot_event event, enum slot_state state,
    enum slot_action action)
{
	actions = 0;
	slot_event(slot, event);
	assert_int_equal(slot->state, state);
	assert_int_equal(last_action, action);
	assert_int_equal(actions, 1);
}

static void
a_worker_starts_runs_drains_and_goes(void **state)
{
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 3);
	assert_int_equal(slot.index, 3);
	assert_int_equal(slot.state, SLOT_EMPTY);
	step(&slot, SLOT_EV_SPAWN, SLOT_STARTING, SLOT_START);
	step(&slot, SLOT_EV_READY, SLOT_RUNNING, SLOT_NOTHING);
	step(&slot, SLOT_EV_DRAIN, SLOT_DRAINING, SLOT_DRAIN);
	step(&slot, SLOT_EV_GONE, SLOT_EMPTY, SLOT_NOTHING);
}

static void
a_death_rests_and_starts_again(void **state)
{
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 0);
	step(&slot, SLOT_EV_SPAWN, SLOT_STARTING, SLOT_START);
	step(&slot, SLOT_EV_READY, SLOT_RUNNING, SLOT_NOTHING);
	step(&slot, SLOT_EV_GONE, SLOT_BACKOFF, SLOT_REST);
	step(&slot, SLOT_EV_TIMEOUT, SLOT_STARTING, SLOT_START);
	step(&slot, SLOT_EV_GONE, SLOT_BACKOFF, SLOT_REST);
	step(&slot, SLOT_EV_SPAWN, SLOT_STARTING, SLOT_START);
}

static void
a_start_that_takes_too_long_is_killed_and_its_end_awaited(void **state)
{
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 0);
	step(&slot, SLOT_EV_SPAWN, SLOT_STARTING, SLOT_START);
	step(&slot, SLOT_EV_TIMEOUT, SLOT_STARTING, SLOT_KILL);
	step(&slot, SLOT_EV_GONE, SLOT_BACKOFF, SLOT_REST);
}

static void
a_drain_ends_a_rest_and_a_start(void **state)
{
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 0);
	step(&slot, SLOT_EV_SPAWN, SLOT_STARTING, SLOT_START);
	step(&slot, SLOT_EV_GONE, SLOT_BACKOFF, SLOT_REST);
	step(&slot, SLOT_EV_DRAIN, SLOT_EMPTY, SLOT_NOTHING);
	step(&slot, SLOT_EV_SPAWN, SLOT_STARTING, SLOT_START);
	step(&slot, SLOT_EV_DRAIN, SLOT_DRAINING, SLOT_DRAIN);
	/* Its READY crossed the order to leave. */
	step(&slot, SLOT_EV_READY, SLOT_DRAINING, SLOT_NOTHING);
}

static void
over_leads_to_empty_from_every_state(void **state)
{
	enum slot_action action;

	(void)state;
	for (int from = 0; from < SLOT_STATE_COUNT; from++) {
		assert_int_equal(slot_next((enum slot_state)from, SLOT_EV_OVER,
				     &action),
		    SLOT_EMPTY);
		assert_int_equal(action, SLOT_NOTHING);
	}
}

/* Only what cannot come may be forbidden; then the state stays. */
static void
events_that_cannot_come_are_marked_in_the_table(void **state)
{
	static const bool never[SLOT_STATE_COUNT][SLOT_EVENT_COUNT] = {
		[SLOT_EMPTY] = { [SLOT_EV_READY] = true,
		    [SLOT_EV_GONE] = true,
		    [SLOT_EV_TIMEOUT] = true },
		[SLOT_RUNNING] = { [SLOT_EV_TIMEOUT] = true },
		[SLOT_DRAINING] = { [SLOT_EV_TIMEOUT] = true },
		[SLOT_BACKOFF] = { [SLOT_EV_READY] = true,
		    [SLOT_EV_GONE] = true },
	};
	enum slot_action action;
	enum slot_state to;

	(void)state;
	for (int from = 0; from < SLOT_STATE_COUNT; from++) {
		for (int event = 0; event < SLOT_EVENT_COUNT; event++) {
			to = slot_next((enum slot_state)from,
			    (enum slot_event)event, &action);
			assert_int_equal(action == SLOT_NEVER,
			    never[from][event]);
			if (action == SLOT_NEVER)
				assert_int_equal(to, from);
		}
	}
}

static uint64_t
die(struct slot *slot, bool ready, uint64_t lived_ms)
{
	return slot_note_death(slot, ready, lived_ms, 5000, 100, 1000);
}

static void
the_first_death_after_a_ready_is_followed_at_once(void **state)
{
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 0);
	assert_int_equal(die(&slot, true, 10), 0);
	assert_int_equal(slot.early_deaths, 1);
	assert_int_equal(die(&slot, true, 10), 100);
	assert_int_equal(die(&slot, true, 10), 200);
}

static void
a_long_life_is_followed_at_once_and_forgives(void **state)
{
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 0);
	for (int i = 0; i < SLOT_CRASH_LOOP; i++)
		(void)die(&slot, true, 10);
	assert_true(slot.crash_loop);
	assert_int_equal(die(&slot, true, 5000), 0);
	assert_false(slot.crash_loop);
	assert_int_equal(slot.early_deaths, 0);
	assert_int_equal(die(&slot, true, 10), 0);
}

static void
early_deaths_rest_twice_as_long_up_to_the_maximum(void **state)
{
	static const uint64_t delays[] = { 100, 200, 400, 800, 1000, 1000 };
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
		assert_int_equal(die(&slot, false, 1), delays[i]);
		assert_int_equal(slot.failed_starts, i + 1);
		assert_int_equal(slot.crash_loop, i + 1 >= SLOT_CRASH_LOOP);
	}
	/* For a day and longer: no overflow, never more than the maximum. */
	for (int i = 0; i < 100000; i++)
		assert_int_equal(die(&slot, false, 1), 1000);
}

static void
a_long_start_that_fails_is_an_early_death(void **state)
{
	struct slot slot;

	(void)state;
	slot_init(&slot, NULL, 0);
	assert_int_equal(die(&slot, false, 60000), 100);
	assert_int_equal(slot.failed_starts, 1);
	assert_int_equal(die(&slot, true, 60000), 0);
	assert_int_equal(slot.failed_starts, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_starts_runs_drains_and_goes),
		cmocka_unit_test(a_death_rests_and_starts_again),
		cmocka_unit_test(
		    a_start_that_takes_too_long_is_killed_and_its_end_awaited),
		cmocka_unit_test(a_drain_ends_a_rest_and_a_start),
		cmocka_unit_test(over_leads_to_empty_from_every_state),
		cmocka_unit_test(
		    events_that_cannot_come_are_marked_in_the_table),
		cmocka_unit_test(
		    the_first_death_after_a_ready_is_followed_at_once),
		cmocka_unit_test(a_long_life_is_followed_at_once_and_forgives),
		cmocka_unit_test(
		    early_deaths_rest_twice_as_long_up_to_the_maximum),
		cmocka_unit_test(a_long_start_that_fails_is_an_early_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

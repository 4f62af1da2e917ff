/*
 * test_roll.c - new workers in place of old ones, one slot at a time.
 *
 * A roll is driven by the test itself, turn by turn of the loop; the workers are
 * fakes (fake_worker.h).
 */
#include "fake_worker.h"
#include "primary_rig.h"

#include "primary/roll.h"

static const char *const flags[] = { "-n", "3", "--backoff-min", "1h",
	"--backoff-max", "1h", "--drain-window", "0", "--kill-timeout", "100ms",
	NULL };

static struct rig rig;
static struct roll roll;
static enum roll_result result;

static int
set_up(void **state)
{
	rig_up(&rig, true, flags);
	*state = &rig;
	return 0;
}

/* How many slots have a process that is to replace another one. */
static unsigned
being_replaced(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		count += rig.supervisor->slots[i].next != NULL;
	return count;
}

static bool
check(void)
{
	result = roll_check(&roll);
	assert_true(being_replaced() <= 1);
	return result != ROLL_BUSY;
}

static enum roll_result
run(unsigned first, unsigned end)
{
	roll_start(&roll, rig.supervisor, first, end, false);
	rig_until(&rig, check());
	return result;
}

static void
each_slot_gets_a_new_worker_one_after_the_other(void **state)
{
	pid_t pids[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		pids[i] = rig_pid(&rig, i);
	assert_int_equal(run(0, 3), ROLL_DONE);
	assert_int_equal(roll.at, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_not_equal(rig_pid(&rig, i), pids[i]);
		assert_int_equal(rig.page->page_generation[i], 2);
	}
	assert_int_equal(rig_running(&rig), 3);
	assert_int_equal(rig.page->hub.restarts, 0); /* nobody died */
}

static void
nothing_is_done_before_the_check(void **state)
{
	(void)state;
	roll_start(&roll, rig.supervisor, 0, 3, false);
	for (int i = 0; i < 3; i++)
		rig_turn(&rig);
	assert_int_equal(being_replaced(), 0);
	assert_int_equal(rig.page->page_generation[0], 1);
	assert_int_equal(roll_check(&roll), ROLL_BUSY);
	assert_int_equal(being_replaced(), 1);
	rig_until(&rig, check());
}

static void
the_old_worker_serves_until_the_new_one_is_ready(void **state)
{
	const struct slot *slot = &rig.supervisor->slots[1];
	pid_t pid = rig_pid(&rig, 1);

	(void)state;
	fakes_are("mute");
	roll_start(&roll, rig.supervisor, 1, 2, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(roll_check(&roll), ROLL_BUSY);
		rig_turn(&rig);
	}
	assert_int_equal(rig_pid(&rig, 1), pid);
	assert_int_equal(slot->state, SLOT_RUNNING);
	assert_int_equal(slot->current->stage, PROCESS_ALIVE);
	assert_int_equal(slot->next->generation, roll.generation);
}

/* Or they would be asked to go as soon as they have come. */
static void
new_clients_go_where_no_worker_is_about_to_leave(void **state)
{
	const bool *steered = rig.supervisor->steered;

	(void)state;
	rig.supervisor->now->config->start_timeout = 100;
	fakes_are("mute");
	roll_start(&roll, rig.supervisor, 1, 3, false);
	assert_int_equal(roll_check(&roll), ROLL_BUSY);
	rig_turn(&rig);
	assert_true(steered[0] && !steered[1] && !steered[2]);
	assert_int_equal(rig.page->accepting, 1);
	rig_until(&rig, check());
	assert_int_equal(result, ROLL_FAILED);
	rig_until(&rig, steered[0] && steered[1] && steered[2]);
	assert_int_equal(rig.page->accepting, 3);
}

static void
while_all_are_about_to_leave_all_get_new_clients(void **state)
{
	const bool *steered = rig.supervisor->steered;

	(void)state;
	fakes_are("mute");
	roll_start(&roll, rig.supervisor, 0, 3, false);
	assert_int_equal(roll_check(&roll), ROLL_BUSY);
	rig_turn(&rig);
	assert_true(steered[0] && steered[1] && steered[2]);
	assert_int_equal(rig.page->accepting, 3);
}

static void
a_roll_has_only_the_slots_that_were_asked_for(void **state)
{
	pid_t first = rig_pid(&rig, 0), last = rig_pid(&rig, 2);

	(void)state;
	assert_int_equal(run(1, 2), ROLL_DONE);
	assert_int_equal(rig_pid(&rig, 0), first);
	assert_int_equal(rig_pid(&rig, 2), last);
	assert_int_equal(rig.page->page_generation[1], 2);
	/* None, and those that are no slots of this bus: nothing to do. */
	assert_int_equal(run(2, 2), ROLL_DONE);
	assert_int_equal(run(3, 9), ROLL_DONE);
	assert_int_equal(rig_pid(&rig, 2), last);
}

/* ---- failing ----------------------------------------------------------- */

static void
one_that_exits_ends_the_roll_and_touches_nobody_else(void **state)
{
	pid_t pids[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		pids[i] = rig_pid(&rig, i);
	fakes_are("exit7");
	assert_int_equal(run(1, 3), ROLL_FAILED);
	assert_int_equal(roll.at, 1);
	assert_non_null(strstr(roll.why, "status 7"));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig_pid(&rig, i), pids[i]);
	assert_int_equal(rig_running(&rig), 3);
	assert_int_equal(rig.page->page_generation[0], 1);
	assert_int_equal(rig.page->page_generation[2], 1);
	assert_int_equal(being_replaced(), 0);
}

static void
one_that_is_not_ready_in_time_ends_the_roll(void **state)
{
	pid_t pid = rig_pid(&rig, 0);

	(void)state;
	rig.supervisor->now->config->start_timeout = 100;
	fakes_are("mute");
	assert_int_equal(run(0, 3), ROLL_FAILED);
	assert_int_equal(roll.at, 0);
	assert_non_null(strstr(roll.why, "not ready in time"));
	assert_int_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig.supervisor->slots[0].state, SLOT_RUNNING);
}

/* ---- slots that do not run --------------------------------------------- */

static void
a_slot_that_rests_gets_its_worker_at_once(void **state)
{
	struct slot *slot = &rig.supervisor->slots[2];

	(void)state;
	fakes_are("exit1");
	assert_int_equal(kill(rig_pid(&rig, 2), SIGKILL), 0);
	rig_until(&rig, slot->state == SLOT_BACKOFF && slot->rest_ms > 0);
	fakes_are("good");
	assert_int_equal(run(0, 3), ROLL_DONE);
	assert_int_equal(slot->state, SLOT_RUNNING);
}

static void
a_slot_that_rests_and_fails_again_ends_the_roll(void **state)
{
	struct slot *slot = &rig.supervisor->slots[0];

	(void)state;
	fakes_are("exit1");
	assert_int_equal(kill(rig_pid(&rig, 0), SIGKILL), 0);
	rig_until(&rig, slot->state == SLOT_BACKOFF && slot->rest_ms > 0);
	assert_int_equal(run(0, 3), ROLL_FAILED);
	assert_int_equal(roll.at, 0);
	assert_int_equal(rig.page->page_generation[1], 1);
}

static void
the_old_one_may_die_while_the_new_one_starts(void **state)
{
	pid_t pid = rig_pid(&rig, 0);

	(void)state;
	roll_start(&roll, rig.supervisor, 0, 1, false);
	assert_int_equal(roll_check(&roll), ROLL_BUSY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	rig_until(&rig, check());
	assert_int_equal(result, ROLL_DONE);
	assert_int_not_equal(rig_pid(&rig, 0), pid);
	rig_until(&rig, rig_running(&rig) == 3);
	/* The one that was started anyway is its successor. */
	assert_int_equal(rig.page->page_generation[0], 2);
}

/*
 * A worker that starts with settings other than those that the roll brings is
 * not waited for: it is replaced, whichever way the roll goes.
 */
static void
a_worker_that_starts_with_other_settings_is_replaced(bool fresh)
{
	struct slot *slot = &rig.supervisor->slots[0];
	pid_t pid;

	fakes_are("mute");
	rig.supervisor->now->config->backoff_min = 10;
	rig.supervisor->now->config->backoff_max = 10;
	slot->fresh = !fresh;
	assert_int_equal(kill(rig_pid(&rig, 0), SIGKILL), 0);
	rig_until(&rig,
	    slot->state == SLOT_STARTING && slot->current->fresh == !fresh);
	pid = slot->current->pid;
	fakes_are("good");
	roll_start(&roll, rig.supervisor, 0, 1, fresh);
	rig_until(&rig, check());
	assert_int_equal(result, ROLL_DONE);
	assert_int_not_equal(slot->current->pid, pid);
	assert_int_equal(slot->current->fresh, fresh);
}

static void
a_worker_that_starts_with_the_old_settings_is_replaced(void **state)
{
	(void)state;
	a_worker_that_starts_with_other_settings_is_replaced(true);
}

static void
a_worker_that_starts_with_the_new_settings_goes_back(void **state)
{
	(void)state;
	a_worker_that_starts_with_other_settings_is_replaced(false);
}

/* ---- limits ------------------------------------------------------------ */

static void
not_more_than_eight_drain_in_one_slot(void **state)
{
	const struct slot *slot = &rig.supervisor->slots[0];

	(void)state;
	rig.supervisor->now->config->drain_timeout = 3600000;
	fakes_are("deaf");
	for (int i = 0; i < 9; i++)
		assert_int_equal(run(0, 1), ROLL_DONE);
	/* The first one heard its DRAIN; the eight after it do not. */
	roll_start(&roll, rig.supervisor, 0, 1, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(roll_check(&roll), ROLL_BUSY);
		assert_null(slot->next);
		rig_turn(&rig);
	}
	/* One that goes makes room. */
	assert_int_equal(kill(LIST_ENTRY(slot->leaving.next, struct process,
				  slot_link)
				  ->pid,
			     SIGKILL),
	    0);
	rig_until(&rig, check());
	assert_int_equal(result, ROLL_DONE);
}

static void
without_a_free_section_a_roll_waits(void **state)
{
	bool taken[STATS_SECTIONS_MAX] = { false };

	(void)state;
	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		taken[i] = rig.page->sections[i].used == 0;
		rig.page->sections[i].used = 1;
	}
	roll_start(&roll, rig.supervisor, 0, 3, false);
	assert_int_equal(roll_check(&roll), ROLL_BUSY);
	assert_int_equal(being_replaced(), 0);
	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		if (taken[i])
			rig.page->sections[i].used = 0;
	}
	rig_until(&rig, check());
	assert_int_equal(result, ROLL_DONE);
}

#define ROLL_TEST(name)                                                        \
	cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ROLL_TEST(each_slot_gets_a_new_worker_one_after_the_other),
		ROLL_TEST(nothing_is_done_before_the_check),
		ROLL_TEST(the_old_worker_serves_until_the_new_one_is_ready),
		ROLL_TEST(new_clients_go_where_no_worker_is_about_to_leave),
		ROLL_TEST(while_all_are_about_to_leave_all_get_new_clients),
		ROLL_TEST(a_roll_has_only_the_slots_that_were_asked_for),
		ROLL_TEST(one_that_exits_ends_the_roll_and_touches_nobody_else),
		ROLL_TEST(one_that_is_not_ready_in_time_ends_the_roll),
		ROLL_TEST(a_slot_that_rests_gets_its_worker_at_once),
		ROLL_TEST(a_slot_that_rests_and_fails_again_ends_the_roll),
		ROLL_TEST(the_old_one_may_die_while_the_new_one_starts),
		ROLL_TEST(
		    a_worker_that_starts_with_the_old_settings_is_replaced),
		ROLL_TEST(a_worker_that_starts_with_the_new_settings_goes_back),
		ROLL_TEST(not_more_than_eight_drain_in_one_slot),
		ROLL_TEST(without_a_free_section_a_roll_waits),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_adopt.c - workers that survived an earlier primary. */
#include "adopt_rig.h"

/* ---- who is a survivor ------------------------------------------------- */

static void
only_a_process_that_has_the_page_is_a_survivor(void **state)
{
	const struct stats_page *page = rig.page;

	(void)state;
	assert_false(adopt_is_needed(page, rig.page_fd));
	(void)leave_section(0, child(false), true); /* the number is reused */
	(void)leave_section(0, getpid(), true);
	rig.page->sections[leave_section(0, 0, true)].now.deliveries = 7;
	rig.page->sections[leave_section(1, child(true), true)].slot =
	    STATS_SLOTS_MAX;
	assert_false(adopt_is_needed(page, rig.page_fd));
	assert_int_equal(adopt_survivors(rig.supervisor), 0);
	assert_int_equal(sections_free_count(page), STATS_SECTIONS_MAX);
	assert_true(list_is_empty(&rig.supervisor->processes));
	/* What the dead have counted is kept. */
	assert_int_equal(page->slots[0].retired.deliveries, 7);
	(void)leave_section(1, child(true), true);
	assert_true(adopt_is_needed(page, rig.page_fd));
}

static void
a_survivor_goes_on_as_if_nothing_had_happened(void **state)
{
	pid_t pid = child(true);
	uint32_t section = leave_section(1, pid, true);
	struct ipc_hello hello = claim_of(section);
	const struct slot *slot = &rig.supervisor->slots[1];
	int fd;

	(void)state;
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	assert_int_equal(slot->state, SLOT_STARTING);
	assert_int_equal(slot->current->pid, pid);
	fd = say_hello(hello, pid, NULL, 0);
	is_welcome(fd, 1, true);
	say_ready(fd);
	rig_until(&rig, slot->state == SLOT_RUNNING);
	assert_int_equal(slot->current->pid, pid);
	assert_int_equal(rig.page->hub.adopted, 1);
	assert_int_equal(rig.page->page_generation[1], 1);
}

/* The ready line must not come before what the clients want is known. */
static void
the_bus_is_ready_when_a_survivor_has_said_what_its_clients_want(void **state)
{
	const struct slot *slot = &rig.supervisor->slots[1];
	pid_t pids[2] = { child(true), child(true) };
	struct ipc_hello hellos[2];
	int fds[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		hellos[i] = claim_of(leave_section(i, pids[i], true));
	assert_int_equal(adopt_survivors(rig.supervisor), 2);
	rig_start(&rig);
	for (unsigned i = 0; i < 2; i++) {
		fds[i] = say_hello(hellos[i], pids[i], NULL, 0);
		is_welcome(fds[i], i, true);
	}
	say_ready(fds[0]);
	rig_until(&rig, rig.supervisor->slots[0].state == SLOT_RUNNING);
	assert_int_equal(slot->state, SLOT_STARTING);
	assert_int_equal(rig.ready, 0);
	say_join(fds[1], "t:chat");
	say_ready(fds[1]);
	rig_until(&rig, rig.ready > 0);
	assert_int_equal(slot->state, SLOT_RUNNING);
	assert_int_equal(rig.page->hub.interests, 1);
	/* Nothing is done twice when it says READY once more. */
	say_ready(fds[1]);
	say_join(fds[1], "t:news");
	rig_until(&rig, rig.page->hub.interests == 2);
	assert_int_equal(slot->state, SLOT_RUNNING);
}

static void
a_survivor_that_was_not_ready_has_the_time_of_a_start(void **state)
{
	pid_t pid = child(true);
	struct ipc_hello hello = claim_of(leave_section(0, pid, false));
	struct ipc_drain drain;
	struct ipc_move move;
	char config[1];
	int fd;

	/* It accepted nobody: it is asked to leave, and replaced. */
	(void)state;
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	fd = say_hello(hello, pid, NULL, 0);
	is_welcome(fd, 0, true);
	assert_int_equal(hear(fd, config, 1), IPC_CONTRACT);
	assert_int_equal(hear(fd, config, 1), IPC_CONFIG);
	/* There is nobody else to whom its clients could go. */
	assert_int_equal(hear(fd, &move, sizeof(move)), IPC_MOVE);
	assert_int_equal(move.count, 0);
	assert_int_equal(hear(fd, &drain, sizeof(drain)), IPC_DRAIN);
	assert_null(rig.supervisor->slots[0].current);
}

static void
of_several_in_a_slot_the_newest_stays_and_the_others_leave(void **state)
{
	pid_t old_pid = child(true), new_pid = child(true);
	struct ipc_hello old_hello, new_hello;
	const struct slot *slot = &rig.supervisor->slots[0];
	struct ipc_drain drain;
	char config[1];
	int fd;

	(void)state;
	old_hello = claim_of(leave_section(0, old_pid, true));
	new_hello = claim_of(leave_section(0, new_pid, true));
	assert_int_equal(adopt_survivors(rig.supervisor), 2);
	assert_int_equal(slot->current->pid, new_pid);
	fd = say_hello(old_hello, old_pid, NULL, 0);
	is_welcome(fd, 0, true);
	assert_int_equal(hear(fd, config, 1), IPC_CONTRACT);
	assert_int_equal(hear(fd, config, 1), IPC_CONFIG);
	assert_int_equal(hear(fd, &drain, sizeof(drain)), IPC_DRAIN);
	assert_int_equal(drain.leave, 1);
	assert_int_equal(slot->state, SLOT_STARTING);
	fd = say_hello(new_hello, new_pid, NULL, 0);
	is_welcome(fd, 0, true);
	say_ready(fd);
	rig_until(&rig, slot->state == SLOT_RUNNING);
}

static void
a_survivor_that_dies_before_it_is_back_is_replaced(void **state)
{
	pid_t pid = child(true);

	(void)state;
	(void)leave_section(0, pid, true);
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	rig_start(&rig);
	rig_until(&rig, rig.supervisor->slots[1].state == SLOT_RUNNING);
	assert_int_equal(rig.ready, 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	rig_until(&rig, rig.ready > 0);
	assert_int_not_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig.page->page_generation[0], 2);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ADOPT_TEST(only_a_process_that_has_the_page_is_a_survivor),
		ADOPT_TEST(a_survivor_goes_on_as_if_nothing_had_happened),
		ADOPT_TEST(
		    the_bus_is_ready_when_a_survivor_has_said_what_its_clients_want),
		ADOPT_TEST(
		    a_survivor_that_was_not_ready_has_the_time_of_a_start),
		ADOPT_TEST(
		    of_several_in_a_slot_the_newest_stays_and_the_others_leave),
		ADOPT_TEST(a_survivor_that_dies_before_it_is_back_is_replaced),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return RIG_RUN_WITH_PIDFD(tests);
}

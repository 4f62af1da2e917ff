/*
 * test_hub_crowd.c - more questions, answers and presence than a queue holds:
 * whoever only stands in the way keeps its link.
 */
#include "hub_query_rig.h"

enum {
	QUEUE = 64 << 10,
	NAME_LEN = 500,
};

static void
a_worker_that_is_behind_is_late_at_once_and_keeps_its_link(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *asker = peer_new_program(f);
	struct ipc_query query = { .slot = IPC_SLOT_NONE, .timeout_ms = 1 };
	static char args[IPC_QUERY_MAX];
	struct ipc_queried queried = { 0 };
	uint32_t over = 0;

	hub_set_queue_max(f->hub, QUEUE);
	/* It reads nothing, and each question is over in no time. */
	for (int i = 0; i < 1000 && worker->node != NULL; i++) {
		query.token++;
		peer_say(f, asker, IPC_QUERY, &query, sizeof(query), args,
		    sizeof(args));
		peer_expect(f, asker, IPC_QUERIED, &queried, sizeof(queried));
		over++;
		assert_int_equal(queried.token, query.token);
		assert_int_equal(queried.asked, 1);
		assert_int_equal(queried.late, 1);
	}
	assert_non_null(worker->node);
	assert_int_equal(f->stats.queries_late, over);
	assert_true(f->stats.queue_bytes <= QUEUE);
	assert_int_equal(asker->node->asking, 0);
}

static void
answers_without_room_are_late_and_the_asker_keeps_its_link(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *other = peer_new_ready(f);
	struct peer *asker = peer_new_program(f);
	static char part[IPC_ANSWER_MAX];
	struct ipc_answer head = { .last = 0 };
	struct ipc_queried queried;
	struct ipc_message message;
	int parts = 0;

	hub_set_queue_max(f->hub, QUEUE);
	hub_set_query_timeout(f->hub, 60000);
	ask(f, asker);
	head.token = expect_query(f, worker);
	assert_int_equal(expect_query(f, other), head.token);
	for (int i = 0; i < 200 && asker->node != NULL; i++) {
		head.last = i == 199;
		peer_say(f, worker, IPC_ANSWER, &head, sizeof(head), part,
		    sizeof(part));
		hub_turns(f, 2);
		assert_true(f->stats.queue_bytes <= 2 * QUEUE);
	}
	assert_non_null(asker->node);
	assert_int_equal(f->stats.queries_late, 1);
	assert_true(f->stats.answers_late > 0);
	/* What there was room for comes, and the other's answer after it. */
	while ((message = peer_next(f, asker)).type == IPC_ANSWER) {
		memcpy(&head, message.body, sizeof(head));
		if (head.node.slot == 0)
			assert_int_equal(head.last, 0);
		else
			break;
		if (++parts + (int)f->stats.answers_late == 200)
			answer(f, other, f->hub->queries.last_token, true, "");
	}
	assert_int_equal(head.node.slot, 1);
	peer_expect(f, asker, IPC_QUERIED, &queried, sizeof(queried));
	assert_int_equal(queried.asked, 2);
	assert_int_equal(queried.answered, 1);
	assert_int_equal(queried.late, 1);
	peer_join(f, asker, "t:still-here");
}

static void
a_worker_gets_on_the_bus_however_much_is_wanted(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *program = peer_new_program(f), *worker;
	struct ipc_join join = { .token = 0 };
	size_t wanted = 2 * hub_backlog_max(QUEUE) / NAME_LEN;
	char name[NAME_LEN + 1];

	hub_set_queue_max(f->hub, QUEUE);
	for (size_t i = 0; i < wanted; i++) {
		(void)snprintf(name, sizeof(name), "p:t:%0*zu", NAME_LEN - 4,
		    i);
		peer_say(f, program, IPC_JOIN, &join, sizeof(join), name,
		    NAME_LEN);
	}
	peer_join(f, program, "p:t:last");
	worker = peer_new(f);
	for (size_t i = 0; i <= wanted; i++)
		peer_expect(f, worker, IPC_WANTED, NULL, 0);
	peer_expect_nothing(f, worker);
	assert_non_null(worker->node);
	/* The allowance is gone with what it was for. */
	hub_turns(f, 2);
	assert_int_equal(worker->node->backlog.max, hub_backlog_max(QUEUE));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    a_worker_that_is_behind_is_late_at_once_and_keeps_its_link),
		TEST(
		    answers_without_room_are_late_and_the_asker_keeps_its_link),
		TEST(a_worker_gets_on_the_bus_however_much_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

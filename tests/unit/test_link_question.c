/* test_link_question.c - questions, answers, presence and contract on a link. */
#include "worker/link.c"
#include "worker/link_hear.c"
#include "worker/link_messages.c"
#include "worker/link_move.c"
#include "worker/link_say.c"

#include "link_fixture.h"

static void
what_the_hub_says_arrives_with_its_figures(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_query query = { .token = 7, .kind = 3 };
	struct ipc_answer answer = { .token = 8, .last = 1 };
	struct ipc_queried queried = { .token = 9, .late = 2 };
	struct ipc_wanted wanted = { .wanted = 1 };
	struct ipc_gone gone = { .node = { 1, 5, 1 } };
	struct ipc_fault fault = { -EPIPE, 7, 5 };

	link_is_up(f);
	hub_says(f, IPC_CONTRACT, NULL, 0, "{}", 2);
	assert_string_equal(f->text, "{}");
	hub_says(f, IPC_QUERY, &query, sizeof(query), "args", 4);
	assert_string_equal(f->text, "args");
	assert_int_equal(f->number, 7);
	assert_int_equal(f->flag, 3);
	hub_says(f, IPC_ANSWER, &answer, sizeof(answer), "{}\n", 3);
	assert_string_equal(f->text, "{}\n");
	assert_int_equal(f->number, 8);
	assert_int_equal(f->flag, 1);
	hub_says(f, IPC_QUERIED, &queried, sizeof(queried), NULL, 0);
	assert_int_equal(f->number, 9);
	assert_int_equal(f->flag, 2);
	hub_says(f, IPC_WANTED, &wanted, sizeof(wanted), "p:r:x", 5);
	assert_string_equal(f->text, "p:r:x");
	assert_int_equal(f->flag, 1);
	wanted.wanted = 0;
	hub_says(f, IPC_WANTED, &wanted, sizeof(wanted), "p:r:y", 5);
	assert_int_equal(f->flag, 0);
	hub_says(f, IPC_GONE, &gone, sizeof(gone), NULL, 0);
	assert_int_equal(f->number, 5);
	hub_says(f, IPC_FAULT, &fault, sizeof(fault), "publishredisoh", 14);
	assert_string_equal(f->text + sizeof(fault), "publishredisoh");
	assert_string_equal(f->log, "WTQSUNNGX");
}

static void
questions_and_answers_reach_the_hub_as_they_are(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_query query = { .token = 7, .slot = IPC_SLOT_NONE };
	struct ipc_answer answer = { .token = 8, .last = 1 };
	struct ipc_message message;

	link_is_up(f);
	assert_int_equal(link_query(f->link, &query, "args", 4), 0);
	assert_int_equal(link_answer(f->link, &answer, "{}\n", 3), 0);
	message = hub_expects(f, IPC_QUERY);
	assert_int_equal(message.len, sizeof(query) + 4);
	assert_memory_equal(message.body, &query, sizeof(query));
	message = hub_expects(f, IPC_ANSWER);
	assert_memory_equal(message.body + sizeof(answer), "{}\n", 3);
}

static void
without_a_hub_nothing_is_asked(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_query query = { .token = 7 };
	struct ipc_answer answer = { .token = 8 };

	link_is_up(f);
	hub_closes(f);
	wait_for_log(f, "WA");
	assert_int_equal(link_query(f->link, &query, "", 0), -EPIPE);
	assert_int_equal(link_answer(f->link, &answer, "", 0), -EPIPE);
}

/* The rest of the queue's room is for others, and for the last part. */
static void
an_answer_that_finds_no_room_is_counted_and_can_still_be_ended(void **state)
{
	static char rows[IPC_ANSWER_MAX];
	struct link_fixture *f = *state;
	struct ipc_answer answer = { .token = 8 };
	struct ipc_query query = { .token = 7 };
	size_t parts = 0;

	link_is_up(f);
	while (link_answer(f->link, &answer, rows, sizeof(rows)) == 0)
		parts++;
	assert_in_range(parts, 10,
	    (LINK_QUEUE + LINK_COMMAND_ROOM / 4) / sizeof(rows));
	assert_int_equal(f->stats.answers_cut, 1);
	answer.last = 1;
	assert_int_equal(link_answer(f->link, &answer, rows, sizeof(rows)), 0);
	assert_true(link_has_room(f->link));
	assert_true(link_join(f->link, 1, "t:a", 3));
	assert_int_equal(link_query(f->link, &query, "", 0), 0);
	assert_int_equal(link_state(f->link), LINK_UP);
}

static void
questions_stop_where_joins_do(void **state)
{
	static char args[IPC_QUERY_MAX];
	struct link_fixture *f = *state;
	struct ipc_query query = { .token = 7 };
	int rc;

	link_is_up(f);
	do {
		rc = link_query(f->link, &query, args, sizeof(args));
	} while (rc == 0);
	assert_int_equal(rc, -ENOBUFS);
	assert_false(f->link->overflow); /* the hub is not given up for it */
	link_ready(f->link);
	assert_false(f->link->overflow);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, link_setup, link_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_the_hub_says_arrives_with_its_figures),
		TEST(questions_and_answers_reach_the_hub_as_they_are),
		TEST(without_a_hub_nothing_is_asked),
		TEST(
		    an_answer_that_finds_no_room_is_counted_and_can_still_be_ended),
		TEST(questions_stop_where_joins_do),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

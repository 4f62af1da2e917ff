/* test_ask.c - questions to the workers: cbus_ask(), cbus_count(). */
#include "presence_rig.h"

static void
parts_of_an_answer_become_one(void **state)
{
	(void)state;
	assert_int_equal(ask(CBUS_MEMBERS, "x"), 0);
	assert_string_equal(t.channel, "t:x");
	answer(0, "1");
	cut(0);
	answer(1, "");
	answer(1, "2");
	assert_int_equal(t.answers, 0);
	queried(3, 1);
	assert_int_equal(t.answers, 1);
	assert_int_equal(t.answer.error, 0);
	assert_int_equal(t.answer.count, 2);
	assert_int_equal(t.answer.cut, 7);
	assert_int_equal(t.answer.asked, 3);
	assert_int_equal(t.answer.answered, 2);
	assert_int_equal(t.answer.late, 1);
	assert_non_null(strstr(t.rows, "1-1-2\",\"user\":\"u2\""));
	assert_null(strstr(t.rows, "cut"));
	queried(3, 1); /* nobody waits for it any more */
	assert_int_equal(t.answers, 1);
}

static void
counts_add_up(void **state)
{
	static const char rows[] = "{\"count\":3,\"listeners\":1}\n";
	struct ipc_answer head;

	(void)state;
	assert_int_equal(cbus_count(&t.bus, CBUS_ROOM, "x", on_answer, NULL),
	    0);
	assert_int_equal(t.kind, QUERY_COUNT);
	assert_string_equal(t.channel, "r:x");
	head = (struct ipc_answer){ .token = t.token, .last = 1 };
	api_on_answer(&t.bus, &head, rows, strlen(rows));
	api_on_answer(&t.bus, &head, rows, strlen(rows));
	queried(2, 0);
	assert_int_equal(t.answer.count, 6);
}

static void
questions_end_when_the_hub_goes(void **state)
{
	(void)state;
	assert_int_equal(ask(CBUS_CLIENTS, NULL), 0);
	assert_string_equal(t.channel, "");
	assert_int_equal(ask(CBUS_TOPICS, NULL), 0);
	answer(0, "1");
	api_on_away(&t.bus);
	assert_int_equal(t.answers, 2);
	assert_int_equal(t.answer.error, -EPIPE);
	assert_int_equal(t.answer.len, 0);
	t.rc = -EPIPE;
	assert_int_equal(ask(CBUS_ROOMS, NULL), -EPIPE);
	assert_int_equal(t.answers, 2);
}

static void
more_questions_than_the_hub_takes_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < IPC_QUERIES_MAX; i++)
		assert_int_equal(ask(CBUS_USERS, NULL), 0);
	assert_int_equal(ask(CBUS_USERS, NULL), -EBUSY);
	queried(0, IPC_QUERIED_REFUSED);
	assert_int_equal(t.answer.error, -EBUSY);
	assert_int_equal(ask(CBUS_USERS, NULL), 0);
	assert_int_equal(ask(CBUS_COUNT, NULL), -EINVAL);
	assert_int_equal(ask(CBUS_MEMBERS, "a\n"), -EINVAL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(parts_of_an_answer_become_one),
		TEST(counts_add_up),
		TEST(questions_end_when_the_hub_goes),
		TEST(more_questions_than_the_hub_takes_are_refused),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

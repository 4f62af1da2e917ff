/* test_hub_query.c - questions to the workers, and who owes an answer. */
#include "hub_query_rig.h"

#include "torture.h"

/* ---- who is asked ------------------------------------------------------ */

static void
all_workers_are_asked_and_their_answers_come_with_who_gave_them(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);
	struct peer *asker = peer_new_program(f);
	uint32_t token;

	ask(f, asker);
	token = expect_query(f, a);
	assert_int_equal(expect_query(f, b), token);
	answer(f, b, token, false, "{\"b\":1}\n");
	expect_answer(f, asker, 1, false, "{\"b\":1}\n");
	answer(f, a, token, true, "{\"a\":1}\n");
	expect_answer(f, asker, 0, true, "{\"a\":1}\n");
	peer_expect_nothing(f, asker);
	answer(f, b, token, true, "");
	expect_answer(f, asker, 1, true, "");
	expect_queried(f, asker, 2, 2, 0, 0);
	assert_int_equal(f->stats.queries, 1);
	assert_int_equal(f->stats.answers_late, 0);
	assert_int_equal(f->stats.violations, 0);
}

static void
the_worker_that_asks_is_asked_too(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f);
	uint32_t token;

	ask(f, a);
	token = expect_query(f, a);
	answer(f, a, token, true, "x");
	expect_answer(f, a, 0, true, "x");
	expect_queried(f, a, 1, 1, 0, 0);
}

static void
a_worker_that_asks_the_others_is_not_asked(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);

	ask_as(f, a, TOKEN, IPC_SLOT_OTHERS, 0);
	answer(f, b, expect_query(f, b), true, "b");
	expect_answer(f, a, 1, true, "b");
	expect_queried(f, a, 1, 1, 0, 0);
}

static void
neither_programs_nor_workers_that_only_start_are_asked(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *starting = peer_new(f), *program = peer_new_program(f);
	struct peer *asker = peer_new_program(f);

	peer_say(f, program, IPC_READY, NULL, 0, NULL, 0);
	ask(f, asker);
	expect_queried(f, asker, 0, 0, 0, 0); /* at once */
	peer_expect_nothing(f, starting);
	peer_expect_nothing(f, program);
}

static void
a_worker_that_survived_its_primary_is_asked(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *asker = peer_new_program(f), *survivor;

	f->adopted = true;
	survivor = peer_new(f);
	ask(f, asker);
	answer(f, survivor, expect_query(f, survivor), true, "");
	expect_answer(f, asker, 1, true, "");
	expect_queried(f, asker, 1, 1, 0, 0);
}

static void
one_slot_can_be_asked_alone(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);
	struct peer *asker = peer_new_program(f);

	ask_as(f, asker, TOKEN, 1, 0);
	answer(f, b, expect_query(f, b), true, "b");
	expect_answer(f, asker, 1, true, "b");
	expect_queried(f, asker, 1, 1, 0, 0);
	peer_expect_nothing(f, a);
	ask_as(f, asker, TOKEN, 17, 0); /* there is no such slot */
	expect_queried(f, asker, 0, 0, 0, 0);
	ask_as(f, asker, TOKEN, asker->node->id.slot, 0); /* a program's */
	expect_queried(f, asker, 0, 0, 0, 0);
}

static void
questions_of_two_with_the_same_token_are_kept_apart(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f);
	struct peer *one = peer_new_program(f), *two = peer_new_program(f);
	uint32_t first, second;

	ask(f, one);
	ask(f, two);
	first = expect_query(f, worker);
	second = expect_query(f, worker);
	assert_int_not_equal(first, second);
	answer(f, worker, second, true, "two");
	expect_answer(f, two, 0, true, "two");
	expect_queried(f, two, 1, 1, 0, 0);
	peer_expect_nothing(f, one);
	answer(f, worker, first, true, "one");
	expect_answer(f, one, 0, true, "one");
	expect_queried(f, one, 1, 1, 0, 0);
}

/* ---- time -------------------------------------------------------------- */

static void
who_does_not_answer_in_time_is_late(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);
	struct peer *asker = peer_new_program(f);
	uint64_t start = clock_now_ms(), took;
	uint32_t token;

	hub_set_query_timeout(f->hub, TIMEOUT_MS);
	ask(f, asker);
	token = expect_query(f, a);
	answer(f, b, token, true, "b");
	expect_answer(f, asker, 1, true, "b");
	expect_queried(f, asker, 2, 1, 0, 1);
	took = clock_now_ms() - start;
	assert_in_range(took, TIMEOUT_MS, 100 * TIMEOUT_MS);
	assert_int_equal(f->stats.queries_late, 1);
	/* Then it answers after all: that is normal. */
	answer(f, a, token, true, "a");
	peer_expect_nothing(f, asker);
	assert_int_equal(f->stats.answers_late, 1);
	peer_join(f, a, "t:still-here");
}

static void
a_question_may_ask_for_less_time_and_not_for_more(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *asker = peer_new_program(f);
	struct ipc_queried queried;
	struct ipc_query query;

	hub_set_query_timeout(f->hub, 60000);
	ask_as(f, asker, 1, IPC_SLOT_NONE, 0);
	peer_expect(f, worker, IPC_QUERY, &query, sizeof(query));
	assert_int_equal(query.timeout_ms, 60000);
	ask_as(f, asker, 2, IPC_SLOT_NONE, 60001);
	peer_expect(f, worker, IPC_QUERY, &query, sizeof(query));
	assert_int_equal(query.timeout_ms, 60000);
	/* The one that has least time is over first. */
	ask_as(f, asker, TOKEN, IPC_SLOT_NONE, 20);
	peer_expect(f, worker, IPC_QUERY, &query, sizeof(query));
	assert_int_equal(query.timeout_ms, 20);
	assert_int_equal(asker->node->asking, 3);
	peer_expect(f, asker, IPC_QUERIED, &queried, sizeof(queried));
	assert_int_equal(queried.token, TOKEN);
	assert_int_equal(queried.late, 1);
	assert_int_equal(asker->node->asking, 2);
}

/* ---- floods ------------------------------------------------------------ */

static void
only_so_many_questions_of_one_node_are_under_way(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *asker = peer_new_program(f);
	struct peer *other = peer_new_program(f);
	struct ipc_queried queried;
	uint32_t tokens[IPC_QUERIES_MAX];

	for (uint32_t i = 0; i < IPC_QUERIES_MAX; i++) {
		ask_as(f, asker, i, IPC_SLOT_NONE, 0);
		tokens[i] = expect_query(f, worker);
	}
	ask_as(f, asker, 999, IPC_SLOT_NONE, 0);
	peer_expect(f, asker, IPC_QUERIED, &queried, sizeof(queried));
	assert_int_equal(queried.token, 999);
	assert_int_equal(queried.asked, 0);
	assert_int_equal(queried.late, IPC_QUERIED_REFUSED);
	peer_expect_nothing(f, worker);
	/* Others may still ask, and this one again when one is over. */
	ask(f, other);
	(void)expect_query(f, worker);
	answer(f, worker, tokens[3], true, "");
	peer_expect(f, asker, IPC_ANSWER, NULL, 0);
	peer_expect(f, asker, IPC_QUERIED, &queried, sizeof(queried));
	assert_int_equal(queried.token, 3);
	ask_as(f, asker, 1000, IPC_SLOT_NONE, 0);
	(void)expect_query(f, worker);
	assert_int_equal(f->stats.violations, 0);
}

static void
answers_that_were_not_asked_for_are_counted_and_forgotten(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);
	struct peer *asker = peer_new_program(f);
	uint32_t token;

	answer(f, a, 1, true, "out of the blue");
	assert_int_equal(f->stats.answers_late, 1);
	ask_as(f, asker, TOKEN, 0, 0);
	token = expect_query(f, a);
	answer(f, b, token, true, "not asked");
	answer(f, asker, token, true, "nor a worker");
	answer(f, a, token, true, "");
	answer(f, a, token, true, "once more");
	assert_int_equal(f->stats.answers_late, 4);
	expect_answer(f, asker, 0, true, "");
	expect_queried(f, asker, 1, 1, 0, 0);
	peer_expect_nothing(f, asker);
}

static void
a_question_without_memory_costs_its_asker_only(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *asker;
	struct ipc_query query = { .slot = IPC_SLOT_NONE };
	struct buf out;

	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append(&out, IPC_QUERY, &query, sizeof(query),
			     NULL, 0, NULL, 0),
	    0);
	for (long passes = 0; passes < 2; passes++) {
		asker = peer_new_program(f);
		assert_int_equal(write(asker->fd, buf_data(&out), out.len),
		    out.len);
		torture_fail_after(passes);
		hub_turns(f, 2);
		torture_off();
		assert_null(asker->node);
		assert_int_equal(f->hub->queries.by_token.count, 0);
	}
	buf_release(&out);
	peer_expect_nothing(f, worker);
	peer_join(f, worker, "t:still-here");
}

static void
a_hub_may_be_freed_with_questions_under_way(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *asker = peer_new_program(f);

	ask(f, asker);
	ask(f, worker);
	assert_int_equal(f->hub->queries.by_token.count, 2);
	/* The teardown frees it; the sanitizer and valgrind look. */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    all_workers_are_asked_and_their_answers_come_with_who_gave_them),
		TEST(the_worker_that_asks_is_asked_too),
		TEST(a_worker_that_asks_the_others_is_not_asked),
		TEST(neither_programs_nor_workers_that_only_start_are_asked),
		TEST(a_worker_that_survived_its_primary_is_asked),
		TEST(one_slot_can_be_asked_alone),
		TEST(questions_of_two_with_the_same_token_are_kept_apart),
		TEST(who_does_not_answer_in_time_is_late),
		TEST(a_question_may_ask_for_less_time_and_not_for_more),
		TEST(only_so_many_questions_of_one_node_are_under_way),
		TEST(answers_that_were_not_asked_for_are_counted_and_forgotten),
		TEST(a_question_without_memory_costs_its_asker_only),
		TEST(a_hub_may_be_freed_with_questions_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

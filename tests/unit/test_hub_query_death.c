/* test_hub_query_death.c - askers and workers die at any moment. */
#include "hub_query_rig.h"

/* ---- who dies ---------------------------------------------------------- */

static void
a_worker_that_dies_before_its_answer_is_not_waited_for(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);
	struct peer *asker = peer_new_program(f);

	ask(f, asker);
	answer(f, b, expect_query(f, b), true, "b");
	expect_answer(f, asker, 1, true, "b");
	assert_int_equal(shutdown(a->fd, SHUT_RDWR), 0);
	expect_queried(f, asker, 2, 1, 1, 0);
	assert_int_equal(f->stats.queries_late, 0);
}

static void
what_a_worker_answered_before_it_died_arrives(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *asker = peer_new_program(f);
	struct ipc_answer head = { .last = 0 };
	struct buf out;

	ask(f, asker);
	head.token = expect_query(f, a);
	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append(&out, IPC_ANSWER, &head, sizeof(head),
			     "part", 4, NULL, 0),
	    0);
	assert_int_equal(write(a->fd, buf_data(&out), out.len), out.len);
	buf_release(&out);
	/* It does not even read what waits for it. */
	(void)close(a->fd);
	a->fd = -1;
	hub_send_config(a->node, "x", 1);
	expect_answer(f, asker, 0, false, "part");
	expect_queried(f, asker, 1, 0, 1, 0);
}

static void
a_worker_that_dies_after_its_last_answer_changes_nothing(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);
	struct peer *asker = peer_new_program(f);
	uint32_t token;

	ask(f, asker);
	token = expect_query(f, a);
	answer(f, a, token, true, "a");
	expect_answer(f, asker, 0, true, "a");
	assert_int_equal(shutdown(a->fd, SHUT_RDWR), 0);
	peer_expect_nothing(f, asker);
	answer(f, b, token, true, "");
	expect_answer(f, asker, 1, true, "");
	expect_queried(f, asker, 2, 2, 0, 0);
}

static void
an_asker_that_dies_is_forgotten_and_answers_to_it_are_late(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *worker = peer_new_ready(f), *asker = peer_new_program(f);
	uint32_t token;

	ask(f, asker);
	token = expect_query(f, worker);
	assert_int_equal(shutdown(asker->fd, SHUT_RDWR), 0);
	hub_turns(f, 2);
	assert_null(asker->node);
	assert_int_equal(f->hub->queries.by_token.count, 0);
	answer(f, worker, token, true, "x");
	assert_int_equal(f->stats.answers_late, 1);
	assert_int_equal(f->stats.violations, 0);
	peer_join(f, worker, "t:still-here");
}

static void
a_worker_that_asks_and_dies_leaves_nothing_behind(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new_ready(f), *b = peer_new_ready(f);

	ask(f, a);
	ask_as(f, b, TOKEN, IPC_SLOT_NONE, 0);
	(void)expect_query(f, b);
	answer(f, b, expect_query(f, b), true, "");
	expect_answer(f, b, 1, true, "");
	assert_int_equal(shutdown(a->fd, SHUT_RDWR), 0);
	expect_queried(f, b, 2, 1, 1, 0);
	assert_int_equal(f->hub->queries.by_token.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_worker_that_dies_before_its_answer_is_not_waited_for),
		TEST(what_a_worker_answered_before_it_died_arrives),
		TEST(a_worker_that_dies_after_its_last_answer_changes_nothing),
		TEST(
		    an_asker_that_dies_is_forgotten_and_answers_to_it_are_late),
		TEST(a_worker_that_asks_and_dies_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

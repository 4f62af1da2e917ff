/*
 * test_move_presence.c - a move that is called off, and who follows presence.
 */
#include "take_rig.h"

#include "worker/presence.h"

static void
one_that_was_counted_and_did_not_come_makes_followers_ask(void **state)
{
	struct pair *p = *state;

	prepare(p);
	presence_wanted(p->b, "p:t:x", 5, true);
	hear_offer(p);
	hear_kind(p, IPC_STEP_NO);
	assert_null(strstr(fake_link_said(p->b->link), "here"));
	hear_offer(p);
	hear_kind(p, IPC_STEP_CUT); /* now it is in rows of this worker */
	hear_kind(p, IPC_STEP_NO);
	assert_non_null(strstr(fake_link_said(p->b->link), " here {}"));
	check_nothing(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(
		    one_that_was_counted_and_did_not_come_makes_followers_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

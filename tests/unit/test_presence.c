/* test_presence.c - a watch: who is there, who comes, who has gone. */
#include "presence_rig.h"

static void
a_watch_joins_first_and_then_asks(void **state)
{
	(void)state;
	t.rc = -EPIPE; /* leaves the join as the last thing recorded */
	follow(on_presence);
	assert_int_equal(t.joins, 1);
	assert_string_equal(t.channel, "p:r:room");
	t.rc = 0;
	api_on_back(&t.bus);
	assert_int_equal(t.asked, 1);
	assert_int_equal(t.kind, QUERY_MEMBERS);
	assert_string_equal(t.channel, "r:room");
	queried(0, 0);
	assert_told("! ");
	cbus_presence_unwatch(t.watch);
	assert_int_equal(t.leaves, 1);
}

static void
who_is_there_is_told_and_then_ready(void **state)
{
	(void)state;
	follow_three();
	assert_int_equal(cbus_presence_count(t.watch), 3);
	event(PRESENCE_JOIN, 1, '4');
	event(PRESENCE_LEAVE, 0, '1');
	event(PRESENCE_LEAVE, 0, '1');
	event(PRESENCE_JOIN, 1, '4');
	assert_told("+4 -1 ");
	assert_int_equal(cbus_presence_count(t.watch), 3);
}

static void
an_event_before_the_answer_counts_once(void **state)
{
	(void)state;
	follow(on_presence);
	event(PRESENCE_JOIN, 0, '1');
	answer(0, "1 2");
	event(PRESENCE_LEAVE, 0, '2');
	queried(1, 0);
	assert_told("+1 +2 -2 ! ");
}

static void
an_older_row_does_not_bring_back_who_has_left(void **state)
{
	(void)state;
	follow(on_presence);
	event(PRESENCE_JOIN, 0, '1');
	event(PRESENCE_LEAVE, 0, '1');
	event(PRESENCE_LEAVE, 0, '2'); /* never heard of */
	answer(0, "1 2 3");
	queried(1, 0);
	assert_told("+1 -1 +3 ! ");
	/* In the next round they may be there again. */
	event(PRESENCE_JOIN, 0, '1');
	assert_told("+1 ");
	assert_int_equal(cbus_presence_count(t.watch), 2);
}

static void
an_older_answer_does_not_send_away_who_has_come(void **state)
{
	(void)state;
	follow_three();
	later(120000);
	assert_int_equal(t.asked, 2);
	event(PRESENCE_JOIN, 0, '5');
	answer(0, "1 2");
	answer(1, "3");
	queried(2, 0);
	assert_told("+5 ");
}

static void
with_a_worker_all_its_members_go(void **state)
{
	struct ipc_node_id gone = node(0), other = node(7);

	(void)state;
	follow_three();
	api_on_gone(&t.bus, &other);
	assert_told("");
	api_on_gone(&t.bus, &gone);
	assert_int_equal(strlen(t.log), 6);
	assert_non_null(strstr(t.log, "-1 "));
	assert_non_null(strstr(t.log, "-2 "));
	t.log[0] = '\0';
	assert_int_equal(cbus_presence_count(t.watch), 1);
	api_on_gone(&t.bus, &gone);
	assert_told("");
}

static void
after_a_gap_it_asks_anew_and_tells_the_difference(void **state)
{
	struct ipc_node_id from = node(0);

	(void)state;
	follow_three();
	api_on_gap(&t.bus, "p:r:other", 9, &from, 1);
	api_on_gap(&t.bus, "t:room", 6, &from, 1);
	assert_int_equal(t.asked, 1);
	api_on_gap(&t.bus, "p:r:room", 8, &from, 1);
	assert_int_equal(t.asked, 2);
	answer(0, "2 4");
	answer(1, "3");
	queried(2, 0);
	assert_told("+4 -1 ");
	/* A gap during a round: one more after it. */
	api_on_gap(&t.bus, "p:r:room", 8, &from, 1);
	answer(0, "2");
	api_on_gap(&t.bus, "p:r:room", 8, &from, 1);
	answer(1, "3");
	queried(2, 0);
	assert_told(""); /* this round is not believed */
	assert_int_equal(t.asked, 4);
	answer(0, "2");
	answer(1, "3");
	queried(2, 0);
	assert_told("-4 ");
	assert_int_equal(t.asked, 4);
}

static void
a_late_worker_keeps_its_members_and_is_asked_again(void **state)
{
	(void)state;
	follow_three();
	later(120000);
	answer(1, "3");
	queried(2, 1);
	assert_told("");
	assert_int_equal(t.asked, 2);
	later(1000);
	assert_int_equal(t.asked, 3);
	answer(0, "2");
	answer(1, "3");
	queried(2, 0);
	assert_told("-1 ");
}

static void
ready_does_not_wait_for_a_worker_that_hangs(void **state)
{
	(void)state;
	follow(on_presence);
	answer(1, "3");
	queried(2, 1);
	assert_told("+3 ! ");
	later(1000);
	answer(0, "1");
	answer(1, "3");
	queried(2, 0);
	assert_told("+1 ");
}

static void
when_the_hub_is_back_nobody_is_missed_before_the_grace_is_over(void **state)
{
	(void)state;
	follow_three();
	api_on_away(&t.bus);
	assert_told("");
	api_on_back(&t.bus);
	assert_int_equal(t.asked, 2);
	answer(1, "3 4");
	queried(1, 0); /* worker 0 is not back yet */
	assert_told("+4 ");
	event(PRESENCE_HERE, 0, '0');
	assert_int_equal(t.asked, 3);
	answer(0, "2");
	answer(1, "3 4");
	queried(2, 0);
	assert_told("");
	assert_true(api_presence_due(&t.bus) <= clock_now_ms() + 3000);
}

static void
a_question_that_the_hub_did_not_take_is_put_again(void **state)
{
	(void)state;
	t.rc = -ENOMEM;
	follow(on_presence);
	assert_int_equal(t.asked, 0);
	later(1000);
	assert_int_equal(t.asked, 0);
	t.rc = 0;
	later(2000);
	assert_int_equal(t.asked, 1);
	queried(0, IPC_QUERIED_REFUSED);
	assert_told(""); /* nobody was asked */
	assert_int_equal(t.asked, 1);
	later(1000);
	assert_int_equal(t.asked, 2);
	api_on_away(&t.bus);
	later(120000);
	assert_int_equal(t.asked, 2); /* nobody to ask */
}

static void
rows_that_were_left_out_send_nobody_away_and_are_told(void **state)
{
	(void)state;
	follow_three();
	later(120000);
	answer(0, "1");
	cut(0);
	answer(1, "");
	queried(2, 0);
	assert_told("");
	assert_int_equal(t.errors, 1);
	assert_int_equal(t.error, -ENOBUFS);
}

static void
unwatch_inside(void *arg, enum cbus_presence_event what,
    const struct cbus_member *member)
{
	on_presence(arg, what, member);
	cbus_presence_unwatch(t.watch);
}

static void
no_call_comes_after_unwatch_not_even_inside_one(void **state)
{
	struct ipc_node_id gone = node(0);

	(void)state;
	follow(unwatch_inside);
	answer(0, "1 2");
	queried(1, 0);
	event(PRESENCE_JOIN, 0, '3');
	assert_told("+1 ");
	assert_true(list_is_empty(&t.bus.watches));
	assert_int_equal(t.bus.query_count, 0);
	follow(on_presence);
	answer(0, "1 2");
	cbus_presence_unwatch(t.watch);
	queried(1, 0);
	api_on_gone(&t.bus, &gone);
	assert_told("+1 +2 ");
	cbus_presence_unwatch(NULL);
}

/* Whoever it sees first makes many others come, all at once. */
static void
bring_many(void *arg, enum cbus_presence_event what,
    const struct cbus_member *member)
{
	on_presence(arg, what, member);
	for (unsigned i = 0; member->user[0] == 'u' && i < 3000; i++) {
		if (strcmp(member->user, "u1") == 0)
			event(PRESENCE_JOIN, 0, '2');
	}
}

static void
when_more_come_inside_a_call_than_wait_it_asks_anew(void **state)
{
	(void)state;
	follow(bring_many);
	queried(0, 0);
	assert_int_equal(t.asked, 1);
	event(PRESENCE_JOIN, 0, '1');
	assert_told("! +1 +2 ");
	assert_int_equal(t.asked, 2);
	assert_int_equal(t.errors, 0);
	answer(0, "1 2 3");
	queried(1, 0);
	assert_told("+3 ");
}

static void
names_are_looked_at(void **state)
{
	struct cbus_watch *watch;
	char longest[CBUS_NAME_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[CBUS_NAME_MAX + 1] = '\0';
	assert_int_equal(cbus_presence_watch(&t.bus, CBUS_ROOM, "", on_presence,
			     NULL, &watch),
	    -EINVAL);
	assert_int_equal(cbus_presence_watch(&t.bus, CBUS_ROOM, longest,
			     on_presence, NULL, &watch),
	    -EINVAL);
	assert_int_equal(cbus_presence_watch(&t.bus, CBUS_ROLE_TOPIC, "x",
			     on_presence, NULL, &watch),
	    -EINVAL);
	assert_int_equal(cbus_presence_watch(&t.bus, CBUS_ROOM, "x", NULL, NULL,
			     &watch),
	    -EINVAL);
	longest[CBUS_NAME_MAX] = '\0';
	assert_int_equal(cbus_presence_watch(&t.bus, CBUS_ROOM, longest,
			     on_presence, NULL, &watch),
	    0);
}

static int
follow_and_ask(void)
{
	int rc;

	(void)setup(NULL);
	rc = cbus_presence_watch(&t.bus, CBUS_ROOM, "room", on_presence, NULL,
	    &t.watch);
	if (rc == 0) {
		answer(0, "1 2");
		queried(1, 0);
		event(PRESENCE_JOIN, 0, '3');
		rc = ask(CBUS_CLIENTS, NULL);
	}
	if (rc == 0) {
		answer(0, "1 2 3");
		queried(1, 0);
		rc = strcmp(t.log, "+1 +2 ! +3 ") == 0 && t.answer.cut == 0 ?
		    0 :
		    -ENOMEM;
	}
	if (rc != 0 && t.watch != NULL && t.bus.query_count == 0 &&
	    t.errors != 0) {
		/* Who could not be noted is found in the next round. */
		torture_off();
		later(1000);
		answer(0, "1 2 3");
		queried(1, 0);
		assert_int_equal(cbus_presence_count(t.watch), 3);
	}
	api_release(&t.bus);
	return rc;
}

static void
without_memory_it_is_told_and_made_good_later(void **state)
{
	(void)state;
	torture_malloc(follow_and_ask);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_watch_joins_first_and_then_asks),
		TEST(who_is_there_is_told_and_then_ready),
		TEST(an_event_before_the_answer_counts_once),
		TEST(an_older_row_does_not_bring_back_who_has_left),
		TEST(an_older_answer_does_not_send_away_who_has_come),
		TEST(with_a_worker_all_its_members_go),
		TEST(after_a_gap_it_asks_anew_and_tells_the_difference),
		TEST(a_late_worker_keeps_its_members_and_is_asked_again),
		TEST(ready_does_not_wait_for_a_worker_that_hangs),
		TEST(
		    when_the_hub_is_back_nobody_is_missed_before_the_grace_is_over),
		TEST(a_question_that_the_hub_did_not_take_is_put_again),
		TEST(rows_that_were_left_out_send_nobody_away_and_are_told),
		TEST(no_call_comes_after_unwatch_not_even_inside_one),
		TEST(when_more_come_inside_a_call_than_wait_it_asks_anew),
		TEST(names_are_looked_at),
		cmocka_unit_test(without_memory_it_is_told_and_made_good_later),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

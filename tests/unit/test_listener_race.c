/* test_listener_race.c - what listeners may do while they are called. */
#include "listener_rig.h"

/* ---- changes while listeners are called -------------------------------- */

static struct cbus_sub *subs[3];

static int
take_out(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct cbus_sub **sub = arg;

	(void)info;
	put("take", data, len);
	cbus_unsubscribe(*sub);
	cbus_unsubscribe(*sub); /* it is still there to be asked */
	return 0;
}

static void
one_may_take_out_itself(void **state)
{
	(void)state;
	subs[0] = listen_to("t:a", NULL, take_out, &subs[0]);
	subs[1] = listen_to("t:a", NULL, say_data, "b");
	said[0] = '\0';
	fire("t:a", NULL, "1");
	fire("t:a", NULL, "2");
	assert_said("take1 b1 b2 ");
}

static void
no_call_comes_after_another_has_taken_it_out(void **state)
{
	(void)state;
	subs[0] = listen_to("t:a", NULL, take_out, &subs[1]);
	subs[1] = listen_to("t:a", NULL, say_data, "never");
	subs[2] = listen_to("t:a", NULL, say_data, "c");
	said[0] = '\0';
	fire("t:a", NULL, "1");
	assert_said("take1 c1 ");
}

static int
take_out_all(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	(void)arg;
	(void)data;
	(void)len;
	(void)info;
	for (int i = 0; i < 3; i++)
		cbus_unsubscribe(subs[i]);
	return 0;
}

static void
all_may_be_taken_out_at_once(void **state)
{
	(void)state;
	subs[0] = listen_to("t:a", NULL, say_data, "a");
	subs[1] = listen_to("t:a", NULL, take_out_all, NULL);
	subs[2] = listen_to("t:a", NULL, say_data, "c");
	said[0] = '\0';
	fire("t:a", NULL, "1");
	assert_said("a1 -t:a ");
	assert_int_equal(bus.listeners.count, 0);
}

static int
add_one(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)arg;
	(void)info;
	put("add", data, len);
	if (subs[1] == NULL)
		subs[1] = listen_to("t:a", NULL, say_data, "new");
	return 0;
}

static void
who_comes_during_a_message_hears_the_next(void **state)
{
	(void)state;
	subs[1] = NULL;
	(void)listen_to("t:a", NULL, add_one, NULL);
	said[0] = '\0';
	fire("t:a", NULL, "1");
	assert_said("add1 ");
	fire("t:a", NULL, "2");
	assert_said("add2 new2 ");
}

static int
move_over(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)arg;
	(void)info;
	put("old", data, len);
	cbus_unsubscribe(subs[0]);
	(void)listen_to("t:a", NULL, say_data, "new");
	return 0;
}

static void
the_last_may_leave_and_another_come_in_one_call(void **state)
{
	(void)state;
	subs[0] = listen_to("t:a", NULL, move_over, NULL);
	said[0] = '\0';
	fire("t:a", NULL, "1");
	assert_said("old1 -t:a +t:a ");
	fire("t:a", NULL, "2");
	assert_said("new2 ");
}

/* ---- messages that come out of messages -------------------------------- */

static int
answer_once(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	(void)info;
	put("a", data, len);
	if (memcmp(data, "1", 1) == 0)
		fire(arg, NULL, "2");
	return 0;
}

static void
what_a_listener_publishes_overtakes_nothing(void **state)
{
	(void)state;
	(void)listen_to("t:a", NULL, answer_once, "t:a");
	(void)listen_to("t:a", NULL, say_data, "b");
	said[0] = '\0';
	fire("t:a", NULL, "1");
	assert_said("a1 b1 a2 b2 ");
}

static void
what_is_published_elsewhere_comes_at_once(void **state)
{
	(void)state;
	(void)listen_to("t:a", NULL, answer_once, "t:b");
	(void)listen_to("t:a", NULL, say_data, "c");
	(void)listen_to("t:b", NULL, say_data, "b");
	said[0] = '\0';
	fire("t:a", NULL, "1");
	assert_said("a1 b2 c1 ");
}

static unsigned calls;

static int
echo(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)data;
	(void)len;
	(void)info;
	calls++;
	fire(arg, NULL, "x");
	return 0;
}

static void
listeners_that_answer_each_other_come_to_an_end(void **state)
{
	(void)state;
	calls = 0;
	(void)listen_to("t:a", NULL, echo, "t:b");
	(void)listen_to("t:b", NULL, echo, "t:a");
	said[0] = '\0';
	fire("t:a", NULL, "x");
	assert_in_range(calls, 100, 10000);
	assert_int_equal(bus.errors > 0, true);
	assert_non_null(strstr(said, "/listener/-40/")); /* ELOOP */
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_may_take_out_itself),
		TEST(no_call_comes_after_another_has_taken_it_out),
		TEST(all_may_be_taken_out_at_once),
		TEST(who_comes_during_a_message_hears_the_next),
		TEST(the_last_may_leave_and_another_come_in_one_call),
		TEST(what_a_listener_publishes_overtakes_nothing),
		TEST(what_is_published_elsewhere_comes_at_once),
		TEST(listeners_that_answer_each_other_come_to_an_end),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

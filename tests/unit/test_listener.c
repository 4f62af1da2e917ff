/* test_listener.c - who listens is called, and nobody else. */
#include "listener_rig.h"
#include "torture.h"

static int
fail_always(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	(void)arg;
	(void)data;
	(void)len;
	(void)info;
	return -EIO;
}

/* ---- tests ------------------------------------------------------------- */

static void
listeners_of_the_channel_are_called_with_name_and_origin(void **state)
{
	(void)state;
	(void)listen_to("t:a", NULL, say_it, "A");
	(void)listen_to("t:b", NULL, say_it, "B");
	assert_said("+t:a +t:b ");
	fire("t:a", NULL, "1");
	assert_said("A(1 a 0000002a-2-5 7) ");
	fire("t:c", NULL, "1");
	assert_said("");
}

static void
interest_is_told_for_the_first_and_the_last_only(void **state)
{
	struct cbus_sub *one, *two;

	(void)state;
	one = listen_to("t:a", NULL, say_data, "1");
	two = listen_to("t:a", NULL, say_data, "2");
	assert_said("+t:a ");
	cbus_unsubscribe(one);
	fire("t:a", NULL, "x");
	assert_said("2x ");
	cbus_unsubscribe(two);
	assert_said("-t:a ");
	fire("t:a", NULL, "x");
	assert_said("");
	cbus_unsubscribe(NULL);
	assert_int_equal(bus.listeners.count, 0);
	assert_int_equal(bus.listener_count, 0);
}

static void
a_listener_of_an_event_hears_this_event_only(void **state)
{
	(void)state;
	(void)listen_to("a:", "tick", say_data, "t");
	(void)listen_to("a:", "tock", say_data, "T");
	assert_said("+a: ");
	fire("a:", "tick", "1");
	fire("a:", "tock", "2");
	fire("a:", "tic", "3");
	assert_said("t1 T2 ");
}

static void
a_broadcast_to_clients_of_this_node_has_no_listeners(void **state)
{
	const struct api_push push = { .channel = "a:",
		.channel_len = 2,
		.name = "tick",
		.name_len = 4,
		.data = "1",
		.len = 1,
		.local_only = true };

	(void)state;
	(void)listen_to("a:", "tick", say_data, "t");
	said[0] = '\0';
	api_fire(&bus, &push, &there, 0);
	assert_said("");
}

static void
one_that_fails_is_told_and_the_others_go_on(void **state)
{
	(void)state;
	(void)listen_to("t:a", NULL, fail_always, NULL);
	(void)listen_to("t:a", NULL, say_data, "2");
	said[0] = '\0';
	fire("t:a", NULL, "x");
	assert_said("!topic/a/listener/-5/0000002a-2-5 2x ");
	assert_int_equal(bus.errors, 1);
}

static void
what_cannot_be_joined_is_not_listened_to(void **state)
{
	struct cbus_sub *sub = NULL;

	(void)state;
	join_result = -ENOSPC;
	assert_int_equal(api_listen(&bus, "t:a", 3, NULL, say_data, NULL, &sub),
	    -ENOSPC);
	assert_null(sub);
	assert_int_equal(bus.listeners.count, 0);
	assert_int_equal(bus.listener_count, 0);
}

/* ---- memory ------------------------------------------------------------ */

static int
listen_and_leave(void)
{
	struct cbus_sub *sub;
	int rc = api_listen(&bus, "t:m", 3, NULL, say_data, NULL, &sub);

	if (rc == 0)
		cbus_unsubscribe(sub);
	else
		assert_int_equal(rc, -ENOMEM);
	assert_int_equal(bus.listeners.count, 0);
	assert_int_equal(bus.listener_count, 0);
	return rc;
}

static void
without_memory_nobody_listens(void **state)
{
	(void)state;
	torture_malloc(listen_and_leave);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(listeners_of_the_channel_are_called_with_name_and_origin),
		TEST(interest_is_told_for_the_first_and_the_last_only),
		TEST(a_listener_of_an_event_hears_this_event_only),
		TEST(a_broadcast_to_clients_of_this_node_has_no_listeners),
		TEST(one_that_fails_is_told_and_the_others_go_on),
		TEST(what_cannot_be_joined_is_not_listened_to),
		TEST(without_memory_nobody_listens),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

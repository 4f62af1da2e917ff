/*
 * test_bus_role.c - events that roles have apart, what is told as an error, and
 * listeners of the same worker.
 */
#include "push_rig.h"

/* ---- roles ------------------------------------------------------------- */

static const char roles[] =
    "{\"shared\":{\"serverToClient\":{\"s\":{}}},\"roles\":{"
    "\"user\":{\"serverToClient\":{\"e\":{\"payload\":{\"type\":\"number\"}},"
    "\"feed\":{\"subscribe\":true}}},"
    "\"agent\":{\"serverToClient\":{\"e\":{\"payload\":{\"type\":\"string\"}}}},"
    "\"guest\":{}}}";

static void
an_event_reaches_the_roles_that_have_it_and_the_rest_is_told(void **state)
{
	struct worker *worker = *state;
	struct client *user = in(worker, "u:ann"), *guest = in(worker, "u:ann");

	fixture_contract(worker, roles);
	fixture_identify(user, "ann", "user");
	fixture_identify(guest, "ann", "guest");
	push(worker, event("u:ann", "1"));
	assert_string_equal(fixture_got(user), EVT("1"));
	assert_string_equal(fixture_got(guest), "");
	assert_int_equal(worker->stats->push_not_for_role, 1);
	assert_string_equal(errors, "event/e/delivery/-2 ");
}

static void
what_came_from_elsewhere_is_checked_for_each_role(void **state)
{
	struct worker *worker = *state;
	struct client *user = in(worker, "u:ann"), *agent = in(worker, "u:ann");
	struct api_push what = event("u:ann", "\"x\"");

	fixture_contract(worker, roles);
	fixture_identify(user, "ann", "user");
	fixture_identify(agent, "ann", "agent");
	relay(worker, &what);
	assert_string_equal(fixture_got(user), "");
	assert_string_equal(fixture_got(agent), EVT("\"x\""));
	assert_int_equal(worker->stats->drop_invalid, 1);
	assert_string_equal(errors, "event/e/delivery/-71 ");
}

static void
a_roles_topic_comes_under_its_own_name(void **state)
{
	struct worker *worker = *state;
	struct client *user = in(worker, "f:user/feed");
	struct api_push what = event("f:user/feed", "1");

	fixture_contract(worker, roles);
	what.name_len = 0;
	push(worker, what);
	assert_string_equal(fixture_got(user),
	    "{\"op\":\"msg\",\"topic\":\"feed\",\"data\":1,"
	    "\"from\":\"0000002a-1-3\"}\n");
}

/* ---- errors ------------------------------------------------------------ */

static void
what_cannot_leave_is_told_as_publish(void **state)
{
	struct worker *worker = *state;

	fake_link_go_away(worker);
	push(worker, event("r:x", "1"));
	assert_string_equal(errors, "event/e/publish/-32 ");
}

static void
what_was_missed_is_told_as_delivery(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, "t:a");
	struct ipc_envelope e = { .head = { .origin = there, .seq = 1 },
		.channel = "t:a",
		.channel_len = 3,
		.payload = (const unsigned char *)"1",
		.payload_len = 1 };

	bus_deliver(worker, &e);
	e.head.seq = 4;
	bus_deliver(worker, &e);
	assert_string_equal(errors, "topic/a/delivery/-61 ");
	assert_int_equal(worker->stats->gaps, 2);
	(void)fixture_got(one);
}

/* ---- listeners --------------------------------------------------------- */

static int
hear(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct worker *worker = arg;
	size_t at = strlen(errors);

	(void)snprintf(errors + at, sizeof(errors) - at, "heard %.*s of %s ",
	    (int)len, (const char *)data, info->from);
	if (*(const char *)data == '1')
		push(worker,
		    (struct api_push){ .channel = "t:a",
			.channel_len = 3,
			.data = "2",
			.len = 1 });
	return 0;
}

static void
what_a_listener_publishes_follows_what_it_heard_everywhere(void **state)
{
	struct worker *worker = *state;
	struct client *one = in(worker, "t:a");
	struct cbus_sub *sub;
	struct api_push what = event("t:a", "1");

	what.name_len = 0;
	assert_int_equal(api_listen(worker->bus, "t:a", 3, NULL, hear, worker,
			     &sub),
	    0);
	push(worker, what);
	assert_string_equal(errors,
	    "heard 1 of 0000002a-1-3 heard 2 of 0000002a-1-3 ");
	assert_string_equal(fixture_got(one),
	    "{\"op\":\"msg\",\"topic\":\"a\",\"data\":1,"
	    "\"from\":\"0000002a-1-3\"}\n"
	    "{\"op\":\"msg\",\"topic\":\"a\",\"data\":2,"
	    "\"from\":\"0000002a-1-3\"}\n");
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:a 1 1\npublish t:a 2 2\n");
	cbus_unsubscribe(sub);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(
		    an_event_reaches_the_roles_that_have_it_and_the_rest_is_told),
		TEST(
		    what_a_listener_publishes_follows_what_it_heard_everywhere),
		TEST(what_came_from_elsewhere_is_checked_for_each_role),
		TEST(a_roles_topic_comes_under_its_own_name),
		TEST(what_cannot_leave_is_told_as_publish),
		TEST(what_was_missed_is_told_as_delivery),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

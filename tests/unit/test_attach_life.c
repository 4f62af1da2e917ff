/*
 * test_attach_life.c - an attached program waits, leaves, and survives its hub.
 */
#include "attach_rig.h"

/* ---- waiting ----------------------------------------------------------- */

static void
a_foreign_loop_needs_the_descriptor_only(void **state)
{
	struct heard heard;
	struct cbus *a = attach("a");
	struct cbus *b = attach_listener(&heard, "x");
	struct pollfd pfd = { .fd = cbus_fd(b), .events = POLLIN };

	(void)state;
	assert_int_equal(poll(&pfd, 1, 0), 0); /* nothing to do: quiet */
	publish(a, "x", "1");
	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
	assert_int_equal(cbus_dispatch(b), 0);
	assert_int_equal(heard.count, 1);
	assert_int_equal(poll(&pfd, 1, SHORT_MS), 0);
	assert_int_equal(cbus_dispatch(b), 0); /* once more is no harm */
	cbus_detach(a);
	cbus_detach(b);
}

static int
wait_inside(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	struct heard *heard = arg;

	assert_int_equal(hear(arg, data, len, info), 0);
	assert_int_equal(cbus_sync(heard->bus, WAIT_MS), -EBUSY);
	assert_int_equal(cbus_wait(heard->bus, WAIT_MS), -EBUSY);
	assert_int_equal(cbus_dispatch(heard->bus), -EBUSY);
	return 0;
}

static void
nothing_is_waited_for_inside_a_callback(void **state)
{
	struct heard heard = { .bus = attach("b") };
	struct cbus *a = attach("a");
	struct cbus_sub *sub;

	(void)state;
	assert_int_equal(cbus_subscribe(heard.bus, "x", wait_inside, &heard,
			     &sub),
	    0);
	publish(heard.bus, "x", "1"); /* by the own echo as well */
	assert_int_equal(heard.count, 1);
	assert_int_equal(cbus_sync(heard.bus, WAIT_MS), 0);
	publish(a, "x", "1");
	wait_for(heard.bus, &heard.count, 2);
	cbus_detach(a);
	cbus_detach(heard.bus);
}

static void
a_hub_that_does_not_answer_is_waited_for_so_long(void **state)
{
	struct cbus *a = attach("a");
	uint64_t start = clock_now_ms();

	(void)state;
	assert_int_equal(kill(hub_child, SIGSTOP), 0);
	assert_int_equal(cbus_sync(a, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(cbus_wait(a, SHORT_MS), -ETIMEDOUT);
	assert_true(clock_now_ms() - start >= 2 * SHORT_MS);
	assert_int_equal(kill(hub_child, SIGCONT), 0);
	assert_int_equal(cbus_sync(a, WAIT_MS), 0);
	cbus_detach(a);
}

/* ---- leaving ----------------------------------------------------------- */

static void
what_was_published_before_detaching_arrives(void **state)
{
	enum {
		COUNT = 200
	};

	static char piece[16 * 1024];
	struct cbus_publish_opts bytes = { .binary = true };
	struct heard heard;
	struct cbus *a = attach("a");
	struct cbus *b = attach_listener(&heard, "x");

	(void)state;
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(cbus_publish_opts(a, "x", piece, sizeof(piece),
				     &bytes),
		    0);
	cbus_detach(a);
	wait_for(b, &heard.count, COUNT);
	cbus_detach(b);
}

static int
detach_inside(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	struct heard *heard = arg;

	assert_int_equal(hear(arg, data, len, info), 0);
	cbus_detach(heard->bus);
	return 0;
}

static void
detaching_inside_a_callback_ends_it_after_the_call(void **state)
{
	struct heard heard = { .bus = attach("b") };
	struct cbus *a = attach("a");
	struct cbus_sub *sub;
	uint64_t end = clock_now_ms() + WAIT_MS;

	(void)state;
	assert_int_equal(cbus_subscribe(heard.bus, "x", detach_inside, &heard,
			     &sub),
	    0);
	assert_int_equal(cbus_sync(heard.bus, WAIT_MS), 0);
	publish(a, "x", "1");
	publish(a, "x", "2");
	assert_int_equal(cbus_sync(a, WAIT_MS), 0);
	while (heard.count == 0 && clock_now_ms() < end)
		assert_int_equal(cbus_wait(heard.bus, WAIT_MS), 0);
	assert_int_equal(heard.count, 1); /* nothing came after it */
	cbus_detach(a);
}

static void
detached_by_a_listener_of_its_own_it_hears_nothing_and_ends(void **state)
{
	struct heard heard = { .bus = attach("b") };
	struct pollfd pfd = { .fd = cbus_fd(heard.bus), .events = POLLIN };
	struct cbus_sub *sub;

	(void)state;
	assert_int_equal(cbus_subscribe(heard.bus, "x", detach_inside, &heard,
			     &sub),
	    0);
	assert_int_equal(cbus_sync(heard.bus, WAIT_MS), 0);
	publish(heard.bus, "x", "1");
	publish(heard.bus, "x", "2");
	assert_int_equal(heard.count, 1);
	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
	assert_int_equal(cbus_wait(heard.bus, WAIT_MS), 0);
	assert_int_equal(fcntl(pfd.fd, F_GETFD), -1);
}

/* ---- the hub goes ------------------------------------------------------ */

static void
with_the_hub_away_listeners_here_go_on_and_all_is_told(void **state)
{
	struct told told = { .count = 0 };
	struct heard heard;
	struct cbus *bus = attach_listener(&heard, "x"), *other;
	char before[NODE_ID_TEXT_MAX];
	int fd = cbus_fd(bus);
	uint64_t end = clock_now_ms() + WAIT_MS;

	(void)state;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)snprintf(before, sizeof(before), "%s", cbus_node_id(bus));
	cbus_on_error(bus, note, &told);
	assert_int_equal(hub_child_kill(), 0);
	wait_for(bus, &told.count, 1);
	assert_string_equal(told.kind, "hub");
	assert_string_equal(told.stage, "subscribe");
	assert_int_equal(told.code, -EPIPE);
	assert_int_equal(cbus_sync(bus, WAIT_MS), -EPIPE);
	publish(bus, "x", "1");
	assert_int_equal(heard.count, 1);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.stage, "publish");
	assert_int_equal(told.code, -EPIPE);
	/* Back: the same descriptor, and it listens again. */
	assert_int_equal(hub_child_again(), 0);
	while (cbus_sync(bus, WAIT_MS) != 0) {
		assert_true(clock_now_ms() < end);
		(void)cbus_wait(bus, 2000);
	}
	assert_int_equal(cbus_fd(bus), fd);
	other = attach("other");
	publish(other, "x", "2");
	wait_for(bus, &heard.count, 2);
	assert_int_equal(heard.first, '2');
	publish(bus, "x", "3");
	assert_int_equal(told.count, 2);
	cbus_detach(other);
	cbus_detach(bus);
}

static void
a_hub_that_cuts_off_is_an_error_and_no_signal(void **state)
{
	struct told told = { .count = 0 };
	struct cbus *bus = NULL;
	int rc;

	(void)state;
	(void)signal(SIGPIPE, SIG_DFL);
	rc = try_attach_at(hub_child_dir, "brief", WAIT_MS, 0, &bus, NULL, 0);
	assert_int_equal(rc, -EPIPE); /* welcome, and closed at once */
	bus = attach("a");
	cbus_on_error(bus, note, &told);
	assert_int_equal(hub_child_kill(), 0);
	for (int i = 0; i < 100; i++) /* before it has been noticed */
		publish(bus, "x", "1");
	assert_true(told.count != 0);
	assert_int_equal(hub_child_again(), 0);
	cbus_detach(bus);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_foreign_loop_needs_the_descriptor_only),
		cmocka_unit_test(nothing_is_waited_for_inside_a_callback),
		cmocka_unit_test(
		    a_hub_that_does_not_answer_is_waited_for_so_long),
		cmocka_unit_test(what_was_published_before_detaching_arrives),
		cmocka_unit_test(
		    detaching_inside_a_callback_ends_it_after_the_call),
		cmocka_unit_test(
		    detached_by_a_listener_of_its_own_it_hears_nothing_and_ends),
		cmocka_unit_test(
		    with_the_hub_away_listeners_here_go_on_and_all_is_told),
		cmocka_unit_test(a_hub_that_cuts_off_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, hub_child_start, hub_child_stop);
}

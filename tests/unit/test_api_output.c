/* test_api_output.c - what answers of the HTTP API hold, and its limit. */
#include "worker_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
answers_are_counted_together(void **state)
{
	struct worker *worker = *state;
	const uint64_t *gauge = &worker->stats->api_output_bytes;
	size_t a = 0, b = 0;

	worker->config->api_output = 100;
	api_output_hold(worker, &a, 30);
	api_output_hold(worker, &b, 50);
	assert_int_equal(*gauge, 80);
	api_output_hold(worker, &a, 20);
	assert_int_equal(a, 20);
	assert_int_equal(*gauge, 70);
	api_output_hold(worker, &b, 0);
	api_output_hold(worker, &a, 0);
	assert_int_equal(*gauge, 0);
}

static void
there_is_room_up_to_the_limit_and_no_more(void **state)
{
	struct worker *worker = *state;
	size_t held = 0;

	worker->config->api_output = 100;
	assert_true(api_output_has_room(worker, 100));
	assert_false(api_output_has_room(worker, 101));
	api_output_hold(worker, &held, 99);
	assert_true(api_output_has_room(worker, 1));
	assert_false(api_output_has_room(worker, 2));
	assert_false(api_output_has_room(worker, SIZE_MAX));
	worker->config->api_output = 50; /* a reload has lowered it */
	assert_false(api_output_has_room(worker, 1));
	assert_false(api_output_has_room(worker, 0));
	api_output_hold(worker, &held, 0);
	assert_true(api_output_has_room(worker, 50));
}

static void
a_burst_ends_when_nothing_is_held(void **state)
{
	struct worker *worker = *state;
	size_t a = 0, b = 0;

	api_output_hold(worker, &a, 20 << 20);
	api_output_hold(worker, &b, 1);
	api_output_hold(worker, &a, 0);
	api_output_trim(worker);
	assert_int_equal(worker->api_output.peak, (20 << 20) + 1);
	api_output_hold(worker, &b, 0);
	api_output_trim(worker);
	assert_int_equal(worker->api_output.peak, 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_are_counted_together),
		TEST(there_is_room_up_to_the_limit_and_no_more),
		TEST(a_burst_ends_when_nothing_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_governor.c - how many connections may be accepted now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/governor.h"

enum {
	MS = 1000,
	SECOND = 1000 * MS
};

static const uint64_t start = 7 * (uint64_t)SECOND;

/* Accept for so long, as many as may be; returns how many. */
static unsigned
accept_for(struct governor *g, uint64_t rate, uint64_t from_us, uint64_t us)
{
	unsigned n = 0;

	for (uint64_t at = from_us; at < from_us + us; at += MS) {
		while (governor_wait_us(g, rate, at) == 0) {
			governor_spend(g, rate, at);
			n++;
		}
	}
	return n;
}

static void
a_burst_is_a_tenth_of_a_second(void **state)
{
	static const uint64_t rates[] = { 20, 200, 2000, 100000 };
	struct governor g;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		governor_init(&g);
		assert_int_equal(accept_for(&g, rates[i], start, 1),
		    rates[i] / 10);
	}
}

static void
the_rate_is_kept_over_time(void **state)
{
	static const uint64_t rates[] = { 1, 7, 200, 2000, 50000 };
	struct governor g;
	unsigned n;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		governor_init(&g);
		n = accept_for(&g, rates[i], start, 10 * (uint64_t)SECOND);
		assert_in_range(n, rates[i] * 10,
		    rates[i] * 10 + rates[i] / 10 + 1);
	}
}

static void
the_wait_is_until_one_more_may_come(void **state)
{
	struct governor g;
	uint64_t wait;

	(void)state;
	governor_init(&g);
	(void)accept_for(&g, 100, start, 1);
	wait = governor_wait_us(&g, 100, start);
	assert_int_equal(wait, 10 * MS);
	assert_int_equal(governor_wait_us(&g, 100, start + wait - 1), 1);
	assert_int_equal(governor_wait_us(&g, 100, start + wait), 0);
}

static void
a_rate_below_ten_lets_one_through(void **state)
{
	struct governor g;

	(void)state;
	governor_init(&g);
	assert_int_equal(accept_for(&g, 1, start, 1), 1);
	assert_int_equal(governor_wait_us(&g, 1, start), SECOND);
}

static void
what_was_not_used_is_not_saved_up(void **state)
{
	struct governor g;

	(void)state;
	governor_init(&g);
	(void)accept_for(&g, 100, start, SECOND);
	assert_int_equal(accept_for(&g, 100, start + 3600 * (uint64_t)SECOND,
			     1),
	    10);
}

static void
a_new_rate_holds_from_now_on(void **state)
{
	struct governor g;

	(void)state;
	governor_init(&g);
	(void)accept_for(&g, 100, start, SECOND);
	assert_in_range(accept_for(&g, 1000, start + SECOND, SECOND), 1000,
	    1110);
}

/* A turn that takes so long. */
static void
turn(struct governor *g, uint64_t *now, uint64_t us)
{
	governor_turn_begins(g, *now);
	*now += us;
	governor_turn_ends(g, *now);
}

static void
busy_turns_make_it_less_down_to_a_tenth(void **state)
{
	uint64_t now = start;
	struct governor g;

	(void)state;
	governor_init(&g);
	turn(&g, &now, 20 * MS);
	assert_int_equal(g.share, GOVERNOR_WHOLE);
	turn(&g, &now, 20 * MS + 1);
	assert_int_equal(g.share, 750);
	for (int i = 0; i < 20; i++)
		turn(&g, &now, 50 * MS);
	assert_int_equal(g.share, GOVERNOR_LEAST);
	(void)accept_for(&g, 2000, now, MS);
	assert_in_range(accept_for(&g, 2000, now + MS, SECOND), 190, 210);
}

static void
a_second_without_busy_turns_gives_all_back(void **state)
{
	static const uint64_t lengths[] = { 100, 10 * MS, 20 * MS };
	struct governor g;
	uint64_t now, began;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		now = start;
		governor_init(&g);
		for (int n = 0; n < 20; n++)
			turn(&g, &now, 30 * MS);
		began = now;
		while (g.share < GOVERNOR_WHOLE)
			turn(&g, &now, lengths[i]);
		assert_in_range(now - began, 850 * MS, 950 * MS);
	}
}

static void
waiting_for_events_is_not_busy(void **state)
{
	uint64_t now = start;
	struct governor g;

	(void)state;
	governor_init(&g);
	governor_turn_ends(&g, now); /* no turn has begun yet */
	assert_int_equal(g.share, GOVERNOR_WHOLE);
	for (int i = 0; i < 10; i++) {
		now += SECOND;
		turn(&g, &now, 10);
	}
	assert_int_equal(g.share, GOVERNOR_WHOLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_a_tenth_of_a_second),
		cmocka_unit_test(the_rate_is_kept_over_time),
		cmocka_unit_test(the_wait_is_until_one_more_may_come),
		cmocka_unit_test(a_rate_below_ten_lets_one_through),
		cmocka_unit_test(what_was_not_used_is_not_saved_up),
		cmocka_unit_test(a_new_rate_holds_from_now_on),
		cmocka_unit_test(busy_turns_make_it_less_down_to_a_tenth),
		cmocka_unit_test(a_second_without_busy_turns_gives_all_back),
		cmocka_unit_test(waiting_for_events_is_not_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

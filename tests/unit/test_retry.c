/* test_retry.c - when a client that is asked to go may come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/retry.h"

enum {
	MS = 1000
};

static const uint64_t now = 5000000000;

/* A time in `row`, not before RETRY_MIN_MS from now. */
static uint32_t
take(uint64_t *row, uint64_t now_us, uint64_t gap_us)
{
	return retry_take(row, now_us, now_us + RETRY_MIN_MS * MS, gap_us);
}

static void
the_gap_is_what_the_whole_bus_needs_for_one(void **state)
{
	(void)state;
	assert_int_equal(retry_gap_us(2000, 1, 10), 500);
	assert_int_equal(retry_gap_us(2000, 8, 10), 62);
	assert_int_equal(retry_gap_us(1, 1, 10), 1000000);
	assert_int_equal(retry_gap_us(1000000, 256, 10), 1);
	assert_int_equal(retry_gap_us(10, 1, 0), 100000);
}

static void
so_many_that_the_last_would_wait_too_long_come_closer(void **state)
{
	uint64_t row = 0, gap = retry_gap_us(10, 1, 10000);
	uint32_t ms = 0, last = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		ms = take(&row, now, gap);
		assert_true(ms > last);
		last = ms;
	}
	assert_true(ms < RETRY_MAX_MS && ms > RETRY_MAX_MS - 100);
}

static void
times_follow_each_other_at_the_gap(void **state)
{
	uint64_t row = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(take(&row, now, 5 * MS), RETRY_MIN_MS + 5 * i);
}

static void
a_time_is_never_before_the_earliest(void **state)
{
	uint64_t row = now + 50 * MS;

	(void)state;
	assert_int_equal(retry_take(&row, now, now + 250 * MS, MS), 250);
	assert_int_equal(retry_take(&row, now, now + 100 * MS, MS), 251);
	assert_int_equal(retry_take(&row, now + 900 * MS, now + 900 * MS, MS),
	    0);
}

static void
parts_of_a_millisecond_count_as_whole_ones(void **state)
{
	uint64_t row = now + RETRY_MIN_MS * MS + 1;

	(void)state;
	assert_int_equal(take(&row, now, 250), RETRY_MIN_MS + 1);
	assert_int_equal(row, now + RETRY_MIN_MS * MS + 251);
}

/* A row that nobody used for long is in the past. */
static void
an_old_row_begins_now(void **state)
{
	uint64_t row = 17;

	(void)state;
	assert_int_equal(take(&row, now, 10 * MS), RETRY_MIN_MS);
	assert_int_equal(row, now + (RETRY_MIN_MS + 10) * MS);
}

static void
a_row_far_ahead_of_the_clock_is_begun_anew(void **state)
{
	uint64_t rows[] = { now * 2, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(take(&rows[i], now, 10 * MS), RETRY_MIN_MS);
		assert_int_equal(rows[i], now + (RETRY_MIN_MS + 10) * MS);
	}
}

static void
when_all_times_are_taken_it_is_the_last_one(void **state)
{
	uint64_t full = now + RETRY_MAX_MS * (uint64_t)MS, row = full;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(take(&row, now, 10 * MS), RETRY_MAX_MS);
	assert_int_equal(row, full); /* or it would run away */
	assert_int_equal(take(&row, now + 30 * MS, 10 * MS), RETRY_MAX_MS - 30);
}

/* Processes that take from the same row at the same time. */
static void
several_workers_never_get_the_same_time(void **state)
{
	enum {
		WORKERS = 4,
		EACH = 5000
	};

	struct shared {
		uint64_t row;
		uint32_t got[WORKERS][EACH];
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	uint8_t *seen;
	uint32_t place;
	int status;

	(void)state;
	assert_true(shared != MAP_FAILED);
	for (int w = 0; w < WORKERS; w++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < EACH; i++)
			shared->got[w][i] = take(&shared->row, now, MS);
		_exit(0);
	}
	for (int w = 0; w < WORKERS; w++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	seen = calloc(WORKERS * EACH, 1); /* not before: none has a copy */
	assert_non_null(seen);
	for (int w = 0; w < WORKERS; w++) {
		for (int i = 0; i < EACH; i++) {
			place = shared->got[w][i] - RETRY_MIN_MS;
			assert_true(place < WORKERS * EACH);
			assert_int_equal(seen[place]++, 0);
			assert_true(i == 0 ||
			    shared->got[w][i] > shared->got[w][i - 1]);
		}
	}
	free(seen);
	(void)munmap(shared, sizeof(*shared));
}

static void
clients_return_to_the_workers_that_accept(void **state)
{
	struct stats_page *page = calloc(1, sizeof(*page));

	(void)state;
	assert_non_null(page);
	assert_int_equal(retry_workers(page), 1);
	page->slot_count = 4;
	assert_int_equal(retry_workers(page), 4); /* all leave */
	page->accepting = 2;
	assert_int_equal(retry_workers(page), 2);
	page->accepting = UINT32_MAX; /* whatever stands there */
	assert_int_equal(retry_workers(page), 1);
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gap_is_what_the_whole_bus_needs_for_one),
		cmocka_unit_test(
		    so_many_that_the_last_would_wait_too_long_come_closer),
		cmocka_unit_test(times_follow_each_other_at_the_gap),
		cmocka_unit_test(a_time_is_never_before_the_earliest),
		cmocka_unit_test(parts_of_a_millisecond_count_as_whole_ones),
		cmocka_unit_test(an_old_row_begins_now),
		cmocka_unit_test(a_row_far_ahead_of_the_clock_is_begun_anew),
		cmocka_unit_test(when_all_times_are_taken_it_is_the_last_one),
		cmocka_unit_test(several_workers_never_get_the_same_time),
		cmocka_unit_test(clients_return_to_the_workers_that_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

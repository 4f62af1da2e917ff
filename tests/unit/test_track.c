/* test_track.c - what a program remembers of channels: joins and numbers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/track.h"
#include "torture.h"

static struct tracks tracks;

static int
setup(void **state)
{
	(void)state;
	tracks_init(&tracks);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tracks_release(&tracks);
	return 0;
}

static uint64_t
missed(uint16_t slot, uint64_t seq)
{
	struct ipc_node_id id = { 1, slot, 1 };

	return track_missed(&tracks, "t:x", 3, &id, seq);
}

static void
own_numbers_count_for_each_channel(void **state)
{
	(void)state;
	assert_true(track_number(&tracks, "t:x", 3) == 1);
	assert_true(track_number(&tracks, "t:x", 3) == 2);
	assert_true(track_number(&tracks, "t:y", 3) == 1);
	assert_int_equal(track_join(&tracks, "t:x", 3), 0);
	track_leave(&tracks, "t:x", 3);
	assert_true(track_number(&tracks, "t:x", 3) == 3);
}

static void
joined_channels_are_walked_and_others_are_not(void **state)
{
	const struct track *track;

	(void)state;
	assert_true(track_number(&tracks, "t:x", 3) == 1);
	assert_null(track_next(&tracks, NULL));
	assert_int_equal(track_join(&tracks, "t:y", 3), 0);
	assert_int_equal(track_join(&tracks, "t:y", 3), 0);
	assert_int_equal(tracks.joined, 1);
	assert_true(track_joined(&tracks, "t:y", 3));
	assert_false(track_joined(&tracks, "t:x", 3));
	track = track_next(&tracks, NULL);
	assert_non_null(track);
	assert_memory_equal(track->name, "t:y", 3);
	assert_null(track_next(&tracks, track));
	track_leave(&tracks, "t:y", 3);
	track_leave(&tracks, "t:y", 3);
	track_leave(&tracks, "t:none", 6);
	assert_int_equal(tracks.joined, 0);
	assert_null(track_next(&tracks, NULL));
}

static void
a_missing_number_is_a_gap_and_a_new_start_is_none(void **state)
{
	(void)state;
	assert_true(missed(0, 5) == 0); /* not joined: nobody looks */
	assert_int_equal(track_join(&tracks, "t:x", 3), 0);
	assert_true(missed(0, 5) == 0); /* the first that we hear */
	assert_true(missed(0, 6) == 0);
	assert_true(missed(0, 9) == 2);
	assert_true(missed(1, 40) == 0); /* another node counts for itself */
	assert_true(missed(0, 10) == 0);
	assert_true(missed(0, 1) == 0);
	assert_true(missed(0, 3) == 1);
	assert_true(missed(0, 0) == 0); /* not counted */
	assert_true(missed(0, 4) == 0);
	tracks_forget_origins(&tracks);
	assert_true(missed(0, 100) == 0);
}

static void
more_nodes_than_are_followed_invent_no_gap(void **state)
{
	(void)state;
	assert_int_equal(track_join(&tracks, "t:x", 3), 0);
	for (uint16_t slot = 0; slot <= TRACK_ORIGINS_MAX; slot++)
		assert_true(missed(slot, 1) == 0);
	assert_true(missed(0, 9) == 0);
	assert_true(missed(0, 11) == 1);
}

static void
channels_that_are_only_published_to_do_not_pile_up(void **state)
{
	char name[32];

	(void)state;
	assert_int_equal(track_join(&tracks, "t:x", 3), 0);
	for (int i = 0; i < TRACK_IDLE_MAX + 10; i++) {
		(void)snprintf(name, sizeof(name), "t:%d", i);
		assert_true(track_number(&tracks, name, strlen(name)) == 1);
	}
	assert_int_equal(tracks.table.count, 11);
	assert_true(track_joined(&tracks, "t:x", 3));
}

static int
use(void)
{
	struct ipc_node_id id = { 1, 0, 1 };
	int rc;

	tracks_init(&tracks);
	rc = track_join(&tracks, "t:x", 3);
	if (rc == 0 && track_number(&tracks, "t:y", 3) == 0)
		rc = -ENOMEM;
	if (rc == 0) {
		(void)track_missed(&tracks, "t:x", 3, &id, 1);
		if (track_missed(&tracks, "t:x", 3, &id, 3) != 1)
			rc = -ENOMEM; /* no gap can be seen without memory */
	}
	tracks_release(&tracks);
	return rc;
}

static void
without_memory_nothing_is_counted(void **state)
{
	(void)state;
	torture_malloc(use);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(own_numbers_count_for_each_channel),
		TEST(joined_channels_are_walked_and_others_are_not),
		TEST(a_missing_number_is_a_gap_and_a_new_start_is_none),
		TEST(more_nodes_than_are_followed_invent_no_gap),
		TEST(channels_that_are_only_published_to_do_not_pile_up),
		cmocka_unit_test(without_memory_nothing_is_counted),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

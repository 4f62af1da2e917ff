/* test_interest.c - which node wants which channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <stdbool.h>

#include "primary/interest.h"
#include "random.h"
#include "torture.h"

enum {
	NODES = 12,
	CHANNELS = 40,
	STEPS = 20000,
	NAME_MAX_LEN = 8
};

static struct interest interest;
static bool model[CHANNELS][NODES]; /* the same, as simple as can be */

static int
setup(void **state)
{
	(void)state;
	memset(model, 0, sizeof(model));
	interest_init(&interest);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	interest_release(&interest);
	return 0;
}

/* Names that are prefixes of each other, some with a NUL inside. */
static size_t
channel_name(int channel, char *name)
{
	size_t len = 1 + (size_t)channel / 10;

	memset(name, 'a' + channel % 10, NAME_MAX_LEN);
	if (channel % 2 != 0 && len > 1)
		name[len / 2] = '\0';
	return len;
}

static int
join(int channel, uint32_t node)
{
	char name[NAME_MAX_LEN];
	size_t len = channel_name(channel, name);

	return interest_join(&interest, node, name, len);
}

static int
leave(int channel, uint32_t node)
{
	char name[NAME_MAX_LEN];
	size_t len = channel_name(channel, name);

	return interest_leave(&interest, node, name, len);
}

static bool
has(const struct interest_channel *channel, uint32_t node)
{
	uint32_t times = 0;

	for (uint32_t i = 0; channel != NULL && i < channel->count; i++)
		times += channel->nodes[i] == node;
	assert_true(times <= 1);
	return times == 1;
}

/* Everything in the table is in the model, and nothing else. */
static void
compare(void)
{
	const struct interest_channel *found;
	size_t pairs = 0, wanted = 0, count;
	char name[NAME_MAX_LEN];
	size_t len;

	for (int c = 0; c < CHANNELS; c++) {
		len = channel_name(c, name);
		found = interest_find(&interest, name, len);
		count = 0;
		for (uint32_t n = 0; n < NODES; n++) {
			assert_int_equal(has(found, n), model[c][n]);
			count += model[c][n];
		}
		assert_int_equal(found != NULL, count != 0);
		if (found != NULL) {
			assert_int_equal(found->count, count);
			assert_int_equal(found->entry.key_len, len);
			assert_memory_equal(found->name, name, len);
		}
		pairs += count;
		wanted += count != 0;
	}
	assert_int_equal(interest.pairs, pairs);
	assert_int_equal(interest.channels.count, wanted);
}

static size_t
forget_in_model(uint32_t node)
{
	size_t count = 0;

	for (int c = 0; c < CHANNELS; c++) {
		count += model[c][node];
		model[c][node] = false;
	}
	return count;
}

static void
joining_twice_counts_once(void **state)
{
	(void)state;
	assert_int_equal(join(0, 3), 1);
	assert_int_equal(join(0, 3), 0);
	model[0][3] = true;
	compare();
	assert_int_equal(leave(0, 3), 1);
	assert_int_equal(leave(0, 3), 0);
	model[0][3] = false;
	compare();
}

static void
a_channel_that_nobody_wants_is_not_kept(void **state)
{
	(void)state;
	assert_int_equal(leave(5, 1), 0);
	assert_int_equal(join(5, 1), 1);
	assert_int_equal(join(5, 2), 1);
	assert_int_equal(leave(5, 1), 1);
	assert_int_equal(interest.channels.count, 1);
	assert_int_equal(leave(5, 2), 1);
	assert_int_equal(interest.channels.count, 0);
	compare();
}

static void
names_that_share_a_beginning_are_different_channels(void **state)
{
	(void)state;
	assert_int_equal(interest_join(&interest, 1, "t:a", 3), 1);
	assert_null(interest_find(&interest, "t:a\0", 4));
	assert_null(interest_find(&interest, "t:", 2));
	assert_null(interest_find(&interest, "t:A", 3));
	assert_int_equal(interest_join(&interest, 2, "t:a\0", 4), 1);
	assert_int_equal(interest_find(&interest, "t:a", 3)->count, 1);
}

static void
a_node_that_has_gone_is_forgotten_everywhere(void **state)
{
	(void)state;
	assert_int_equal(interest_forget(&interest, 4), 0);
	for (int c = 0; c < CHANNELS; c++) {
		assert_int_equal(join(c, 4), 1);
		model[c][4] = true;
		if (c % 3 == 0) {
			assert_int_equal(join(c, 7), 1);
			model[c][7] = true;
		}
	}
	compare();
	assert_int_equal(interest_forget(&interest, 4), forget_in_model(4));
	compare();
	assert_int_equal(interest_forget(&interest, 4), 0);
}

static void
whatever_happens_it_agrees_with_a_simple_model(void **state)
{
	(void)state;
	random_seed();
	for (int i = 0; i < STEPS; i++) {
		int c = (int)random_below(CHANNELS);
		uint32_t n = random_below(NODES);
		uint32_t what = random_below(100);

		if (what < 55) {
			assert_int_equal(join(c, n), !model[c][n]);
			model[c][n] = true;
		} else if (what < 98) {
			assert_int_equal(leave(c, n), model[c][n]);
			model[c][n] = false;
		} else {
			assert_int_equal(interest_forget(&interest, n),
			    forget_in_model(n));
		}
		if (i % 16 == 0)
			compare();
	}
	compare();
}

/* Enough to grow the table and one channel's array several times. */
static int
join_many(void)
{
	struct interest mine;
	char name[2] = "aa";
	int rc = 0, got;
	size_t before;

	interest_init(&mine);
	for (uint32_t i = 0; i < 60 && rc == 0; i++) {
		name[1] = i < 20 ? 'a' : (char)('a' + i % 30);
		before = mine.pairs;
		got = interest_join(&mine, i, name, 2);
		if (got < 0) {
			assert_int_equal(got, -ENOMEM);
			assert_int_equal(mine.pairs, before);
			/* It did not stay half: it can be asked and left. */
			assert_int_equal(interest_leave(&mine, i, name, 2), 0);
			rc = got;
		}
	}
	for (uint32_t i = 0; i < 60; i++)
		(void)interest_forget(&mine, i);
	assert_int_equal(mine.pairs, 0);
	assert_int_equal(mine.channels.count, 0);
	interest_release(&mine);
	return rc;
}

static void
running_out_of_memory_leaves_no_half_interest(void **state)
{
	(void)state;
	torture_malloc(join_many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joining_twice_counts_once),
		TEST(a_channel_that_nobody_wants_is_not_kept),
		TEST(names_that_share_a_beginning_are_different_channels),
		TEST(a_node_that_has_gone_is_forgotten_everywhere),
		TEST(whatever_happens_it_agrees_with_a_simple_model),
		TEST(running_out_of_memory_leaves_no_half_interest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_redis_door_table.c - who has subscribed to what; patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>

#include "primary/sync/door_glob.h"
#include "primary/sync/door_table.h"
#include "random.h"
#include "torture.h"

enum {
	CLIENTS = 7,
	NAMES = 30,
	STEPS = 20000
};

static struct door_table table;
static struct door_subs subs[CLIENTS];
static bool model[DOOR_KINDS][CLIENTS][NAMES];

/* The table never looks at a client: any address will do. */
static struct door_client *
client_at(size_t client)
{
	union {
		struct door_subs *subs;
		struct door_client *client;
	} at = { .subs = &subs[client] };

	return at.client;
}

static int
setup(void **state)
{
	(void)state;
	memset(model, 0, sizeof(model));
	door_table_init(&table);
	for (size_t i = 0; i < CLIENTS; i++)
		door_subs_init(&subs[i]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	door_table_release(&table);
	return 0;
}

/* Every name's subscribers, every client's names, every count. */
static void
check_all(void)
{
	const struct door_name *name;
	size_t count, names, pairs = 0;
	char text[16];

	for (int kind = 0; kind < DOOR_KINDS; kind++) {
		names = 0;
		for (size_t n = 0; n < NAMES; n++) {
			(void)snprintf(text, sizeof(text), "%zu", n);
			count = 0;
			for (size_t c = 0; c < CLIENTS; c++)
				count += model[kind][c][n];
			name = door_table_find(&table, (enum door_kind)kind,
			    text, strlen(text));
			assert_int_equal(name != NULL ? name->count : 0, count);
			names += count != 0;
			for (size_t i = 0; i < count; i++) {
				assert_int_equal(name->subs[i]->index, i);
				assert_ptr_equal(name->subs[i]->pair.name,
				    name);
			}
			pairs += count;
		}
		assert_int_equal(table.names[kind].count, names);
		for (size_t c = 0; c < CLIENTS; c++) {
			count = 0;
			for (size_t n = 0; n < NAMES; n++)
				count += model[kind][c][n];
			assert_int_equal(subs[c].count[kind], count);
		}
	}
	assert_int_equal(table.pairs.count, pairs);
}

static void
it_agrees_with_a_simple_table_whatever_is_done(void **state)
{
	char text[16];
	size_t c, n;
	int kind, rc;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		kind = (int)(random_below(DOOR_KINDS));
		c = random_below(CLIENTS);
		n = random_below(NAMES);
		(void)snprintf(text, sizeof(text), "%zu", n);
		if (random_below(2) != 0) {
			rc = door_table_add(&table, (enum door_kind)kind,
			    client_at(c), &subs[c], text, strlen(text));
			assert_int_equal(rc, !model[kind][c][n]);
			model[kind][c][n] = true;
		} else {
			rc = door_table_remove(&table, (enum door_kind)kind,
			    client_at(c), &subs[c], text, strlen(text));
			assert_int_equal(rc, model[kind][c][n]);
			model[kind][c][n] = false;
		}
		if (step % 100 == 0)
			check_all();
	}
	check_all();
}

static int
subscribe_some(void)
{
	char text[16];
	int rc = 0;

	(void)setup(NULL);
	for (int i = 0; i < 6 && rc >= 0; i++) {
		(void)snprintf(text, sizeof(text), "%d", i % 3);
		rc = door_table_add(&table, DOOR_CHANNEL, client_at((size_t)i),
		    &subs[i], text, strlen(text));
		if (rc < 0)
			assert_int_equal(subs[i].count[DOOR_CHANNEL], 0);
	}
	(void)teardown(NULL);
	return rc < 0 ? rc : 0;
}

static void
without_memory_it_stays_as_it_was(void **state)
{
	(void)state;
	torture_malloc(subscribe_some);
	(void)setup(NULL);
}

static void
patterns_match_as_in_redis(void **state)
{
	static const struct {
		const char *pattern, *yes, *no;
	} rows[] = {
		{ "h?llo", "hello", "hllo" }, { "h*llo", "hllo", "hllox" },
		{ "h*llo", "heeeello", "ello" },
		{ "h[ae]llo", "hallo", "hillo" },
		{ "h[^e]llo", "hallo", "hello" },
		{ "h[a-b]llo", "hbllo", "hcllo" },
		{ "h[b-a]llo", "hallo", "hcllo" },
		{ "h\\?llo", "h?llo", "hello" }, { "h[\\]]", "h]", "h\\" },
		{ "a[bc", "ab", "ad" }, { "a[^", "ax", "a" },
		{ "a\\", "a\\", "a" }, { "[]x", "", "x" }, { "", "", "x" },
		{ "*a*b", "xaxxb", "xaxxbx" }, { "a**", "a", "b" },
		{ "[a-]", "_", "-" }, /* up to the bracket */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* "" in the column of yes: there is none. */
		if (rows[i].yes[0] != '\0' || rows[i].pattern[0] == '\0')
			assert_true(
			    door_glob(rows[i].pattern, strlen(rows[i].pattern),
				rows[i].yes, strlen(rows[i].yes)));
		assert_false(door_glob(rows[i].pattern, strlen(rows[i].pattern),
		    rows[i].no, strlen(rows[i].no)));
	}
	assert_false(door_glob("*", 1, "", 0)); /* Redis has it so */
}

static void
a_pattern_of_stars_does_not_take_for_ever(void **state)
{
	char pattern[2001], name[20000];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	memset(name, 'a', sizeof(name));
	assert_true(door_glob(pattern, sizeof(pattern), name, sizeof(name)));
	pattern[sizeof(pattern) - 1] = 'b';
	assert_false(door_glob(pattern, sizeof(pattern), name, sizeof(name)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    it_agrees_with_a_simple_table_whatever_is_done, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    without_memory_it_stays_as_it_was, setup, teardown),
		cmocka_unit_test(patterns_match_as_in_redis),
		cmocka_unit_test(a_pattern_of_stars_does_not_take_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

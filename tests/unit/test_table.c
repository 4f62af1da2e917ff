/* test_table.c - the hash table: finds what is there, and only that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/table.h"
#include "random.h"
#include "torture.h"

enum {
	THINGS = 500,
	ROUNDS = 100000
};

struct thing {
	struct table_entry entry;
	char name[16];
	bool is_in;
};

static struct thing things[THINGS];

static void
name_things(uint64_t (*hash)(const void *, size_t))
{
	struct thing *thing;

	for (int i = 0; i < THINGS; i++) {
		thing = &things[i];
		memset(thing, 0, sizeof(*thing));
		(void)snprintf(thing->name, sizeof(thing->name), "t:%d", i);
		thing->entry.key = thing->name;
		thing->entry.key_len = strlen(thing->name);
		thing->entry.hash = hash(thing->name, thing->entry.key_len);
	}
}

static struct table_entry *
find(const struct table *table, const struct thing *thing)
{
	return table_find(table, thing->name, strlen(thing->name),
	    thing->entry.hash);
}

/* Count by walking; every entry must be where its hash says. */
static void
check(const struct table *table)
{
	struct table_entry *entry = NULL;
	size_t count = 0;

	while ((entry = table_next(table, entry)) != NULL) {
		assert_ptr_equal(table_find(table, entry->key, entry->key_len,
				     entry->hash),
		    entry);
		count++;
	}
	assert_int_equal(count, table->count);
	assert_int_equal(table->bucket_count & (table->bucket_count - 1), 0);
}

static void
an_empty_table_has_nothing(void **state)
{
	struct table table;

	(void)state;
	table_init(&table);
	assert_null(table_find(&table, "a", 1, hash_bytes("a", 1)));
	assert_null(table_next(&table, NULL));
	check(&table);
	table_release(&table);
}

static void
what_was_put_in_is_found_by_its_name_alone(void **state)
{
	struct table table;

	(void)state;
	name_things(hash_bytes);
	table_init(&table);
	assert_int_equal(table_insert(&table, &things[0].entry), 0);
	assert_ptr_equal(find(&table, &things[0]), &things[0].entry);
	assert_null(find(&table, &things[1]));
	/* Same hash, but not the same name: a prefix, something longer. */
	assert_null(table_find(&table, "t:", 2, things[0].entry.hash));
	assert_null(table_find(&table, "t:1", 3, things[0].entry.hash));
	assert_null(table_find(&table, "t:0\0", 4, things[0].entry.hash));
	table_remove(&table, &things[0].entry);
	assert_null(find(&table, &things[0]));
	check(&table);
	table_release(&table);
}

/* Put in and take out at random, with this hash. */
static void
churn(uint64_t (*hash)(const void *, size_t), int rounds)
{
	struct table table;
	struct thing *thing;
	size_t count = 0;

	name_things(hash);
	table_init(&table);
	for (int i = 0; i < rounds; i++) {
		thing = &things[random_below(THINGS)];
		assert_ptr_equal(find(&table, thing),
		    thing->is_in ? &thing->entry : NULL);
		if (thing->is_in)
			table_remove(&table, &thing->entry);
		else
			assert_int_equal(table_insert(&table, &thing->entry),
			    0);
		thing->is_in = !thing->is_in;
		count += thing->is_in ? 1u : -(size_t)1;
		assert_int_equal(table.count, count);
		if (i % 1000 == 0)
			check(&table);
	}
	check(&table);
	table_release(&table);
	assert_int_equal(table.count, 0);
}

static void
any_order_of_changes_is_remembered_right(void **state)
{
	(void)state;
	churn(hash_bytes, ROUNDS);
}

static uint64_t
same_for_all(const void *data, size_t len)
{
	(void)data;
	(void)len;
	return 42;
}

static void
names_that_all_collide_are_still_told_apart(void **state)
{
	(void)state;
	churn(same_for_all, 5000);
}

static void
a_walk_may_remove_what_it_has_passed(void **state)
{
	struct table table;
	struct table_entry *entry, *next;

	(void)state;
	name_things(hash_bytes);
	table_init(&table);
	for (int i = 0; i < THINGS; i++)
		assert_int_equal(table_insert(&table, &things[i].entry), 0);
	for (entry = table_next(&table, NULL); entry != NULL; entry = next) {
		next = table_next(&table, entry);
		table_remove(&table, entry);
	}
	assert_int_equal(table.count, 0);
	table_release(&table);
}

static int
insert_all(void)
{
	struct table table;
	int rc = 0;

	name_things(hash_bytes);
	table_init(&table);
	for (int i = 0; i < THINGS && rc == 0; i++) {
		rc = table_insert(&table, &things[i].entry);
		things[i].is_in = rc == 0;
		if (rc != 0) {
			assert_int_equal(rc, -ENOMEM);
			assert_int_equal(i, 0); /* only the very first */
		}
	}
	for (int i = 0; i < THINGS; i++)
		assert_int_equal(find(&table, &things[i]) != NULL,
		    things[i].is_in);
	table_release(&table);
	return rc;
}

static void
without_memory_to_grow_it_goes_on(void **state)
{
	(void)state;
	torture_malloc(insert_all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(what_was_put_in_is_found_by_its_name_alone),
		cmocka_unit_test(any_order_of_changes_is_remembered_right),
		cmocka_unit_test(names_that_all_collide_are_still_told_apart),
		cmocka_unit_test(a_walk_may_remove_what_it_has_passed),
		cmocka_unit_test(without_memory_to_grow_it_goes_on),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

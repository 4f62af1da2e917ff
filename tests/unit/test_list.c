/* test_list.c - linked lists whose members know where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct thing {
	int number;
	struct list link;
};

static struct thing things[4];
static struct list list;

static int
three_in_a_list(void **state)
{
	(void)state;
	list_init(&list);
	for (int i = 0; i < 4; i++) {
		things[i].number = i;
		list_init(&things[i].link);
	}
	for (int i = 0; i < 3; i++)
		list_append(&list, &things[i].link);
	return 0;
}

/* The numbers in the list as one number: 0, 1, 2 are 12; both ways round. */
static void
assert_holds(int wanted, size_t count)
{
	struct list *pos, *tmp;
	int digits = 0;
	size_t n = 0;

	list_for_each_safe(pos, tmp, &list) {
		digits =
		    digits * 10 + LIST_ENTRY(pos, struct thing, link)->number;
		assert_ptr_equal(pos->next->prev, pos);
		assert_ptr_equal(pos->prev->next, pos);
		n++;
	}
	assert_int_equal(digits, wanted);
	assert_int_equal(n, count);
	assert_int_equal(list_is_empty(&list), count == 0);
}

static void
members_stand_in_the_order_they_came(void **state)
{
	(void)state;
	assert_holds(12, 3);
}

static void
first_middle_and_last_can_be_taken_out(void **state)
{
	(void)state;
	list_remove(&things[1].link);
	assert_holds(2, 2);
	list_remove(&things[0].link);
	assert_holds(2, 1);
	list_remove(&things[2].link);
	assert_holds(0, 0);
}

static void
taking_out_a_member_of_no_list_does_nothing(void **state)
{
	(void)state;
	list_remove(&things[3].link);
	list_remove(&things[1].link);
	list_remove(&things[1].link);
	assert_holds(2, 2);
	assert_true(list_is_empty(&things[1].link));
}

static void
a_member_can_come_back_at_the_end(void **state)
{
	(void)state;
	list_remove(&things[0].link);
	list_append(&list, &things[0].link);
	assert_holds(120, 3);
}

static void
the_walk_survives_taking_out_where_it_stands(void **state)
{
	struct list *pos, *tmp;
	int seen = 0;

	(void)state;
	list_for_each_safe(pos, tmp, &list) {
		list_remove(pos);
		seen++;
	}
	assert_int_equal(seen, 3);
	assert_holds(0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(members_stand_in_the_order_they_came,
		    three_in_a_list),
		cmocka_unit_test_setup(first_middle_and_last_can_be_taken_out,
		    three_in_a_list),
		cmocka_unit_test_setup(
		    taking_out_a_member_of_no_list_does_nothing,
		    three_in_a_list),
		cmocka_unit_test_setup(a_member_can_come_back_at_the_end,
		    three_in_a_list),
		cmocka_unit_test_setup(
		    the_walk_survives_taking_out_where_it_stands,
		    three_in_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

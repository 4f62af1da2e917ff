/* test_rows.c - rows of an answer as a table and as lines of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "cli/rows.h"
#include "torture.h"

static const struct row_column sums[] = {
	{ "name", "room", ROW_TEXT },
	{ "clients", "clients", ROW_SUM },
};

static const struct row_column plain[] = {
	{ "conn", "connection", ROW_TEXT },
	{ "age_ms", "since", ROW_AGE },
	{ "n", "n", ROW_NUMBER },
};

static void
add(struct rows *rows, const char *json)
{
	rows_add(rows, json, strlen(json));
}

static void
print(struct rows *rows, bool json)
{
	capture_begin();
	rows_print(rows, json);
	capture_end();
}

static void
what_several_workers_have_of_one_name_is_one_row(void **state)
{
	struct rows rows;

	(void)state;
	rows_init(&rows, sums, 2);
	add(&rows, "{\"name\":\"b\",\"clients\":2}");
	add(&rows, "{\"name\":\"a\\\"\",\"clients\":1}");
	add(&rows, "{\"clients\":40,\"name\":\"b\"}");
	assert_int_equal(rows_total(&rows, 1), 43);
	print(&rows, true);
	assert_string_equal(capture_out(),
	    "{\"name\":\"a\\\"\",\"clients\":1}\n"
	    "{\"name\":\"b\",\"clients\":42}\n");
	print(&rows, false);
	assert_string_equal(capture_out(),
	    "room  clients\na\"          1\nb          42\n");
	assert_null(rows_json(&rows, 0));
	rows_release(&rows);
}

static void
json_is_printed_as_it_came(void **state)
{
	static const char row[] = "{\"conn\":\"x\",\"more\":[1,2],\"n\":1}";
	struct rows rows;

	(void)state;
	rows_init(&rows, plain, 3);
	add(&rows, row);
	assert_string_equal(rows_json(&rows, 0), row);
	assert_null(rows_json(&rows, 1));
	print(&rows, true);
	assert_string_equal(capture_out(),
	    "{\"conn\":\"x\",\"more\":[1,2],\"n\":1}\n");
	rows_release(&rows);
}

static void
a_table_is_aligned_by_characters_and_harmless(void **state)
{
	struct rows rows;

	(void)state;
	rows_init(&rows, plain, 3);
	add(&rows, "{\"conn\":\"\\u00e9\\u001b[2J\",\"age_ms\":61000,\"n\":7}");
	add(&rows, "{\"age_ms\":\"x\",\"n\":-3}");
	add(&rows, "no json");
	print(&rows, false);
	assert_string_equal(capture_out(),
	    "connection  since  n\n"
	    "-              0s  0\n"
	    "-              0s  0\n"
	    "\xc3\xa9?[2J       1m 1s  7\n");
	rows_release(&rows);
}

static int
add_three(void)
{
	struct rows rows;
	int rc;

	rows_init(&rows, sums, 2);
	add(&rows, "{\"name\":\"b\",\"clients\":2}");
	add(&rows, "{\"name\":\"a\",\"clients\":1}");
	add(&rows, "{\"name\":\"b\",\"clients\":1}");
	rc = rows.failed ? -1 : 0;
	if (rc == 0)
		assert_int_equal(rows_total(&rows, 1), 4);
	rows_release(&rows);
	return rc;
}

static void
without_memory_it_says_so(void **state)
{
	(void)state;
	torture_malloc(add_three);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_several_workers_have_of_one_name_is_one_row),
		cmocka_unit_test(json_is_printed_as_it_came),
		cmocka_unit_test(a_table_is_aligned_by_characters_and_harmless),
		cmocka_unit_test(without_memory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

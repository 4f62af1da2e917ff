/* test_ipc_table.c - every message of the table: type, side and lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "wire/ipc.h"

/* The table once more, as the test wants it. */
static const struct {
	const char *name;
	enum ipc_type type;
	unsigned int dir;
	size_t min, max;
} table[] = {

#define X(id, dir, min, max, meaning) { #id, IPC_##id, dir, min, max },
	IPC_MESSAGES(X)
#undef X
};

/* A header alone, as a stream. */
static ssize_t
peek_header(uint16_t type, size_t len, enum ipc_dir from, const char **why)
{
	struct ipc_header head = { .len = (uint32_t)len, .type = type };
	struct ipc_message message;
	struct ipc_in in = { (unsigned char *)&head, 0, sizeof(head),
		sizeof(head) };

	*why = NULL;
	return ipc_in_peek(&in, 0, from, &message, why);
}

static void
every_type_has_its_smallest_and_largest_length(void **state)
{
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		enum ipc_dir dir =
		    (table[i].dir & IPC_UP) != 0 ? IPC_UP : IPC_DOWN;
		uint16_t type = (uint16_t)table[i].type;
		ssize_t whole =
		    table[i].min == 0 ? sizeof(struct ipc_header) : 0;

		assert_int_equal(peek_header(type, table[i].min, dir, &why),
		    whole);
		if (table[i].max != table[i].min)
			assert_int_equal(peek_header(type, table[i].max, dir,
					     &why),
			    0);
		assert_null(why);
		assert_int_equal(peek_header(type, table[i].max + 1, dir, &why),
		    -EPROTO);
		assert_non_null(why);
		if (table[i].min != 0)
			assert_int_equal(peek_header(type, table[i].min - 1,
					     dir, &why),
			    -EPROTO);
		assert_int_equal(peek_header(type, UINT32_MAX, dir, &why),
		    -EPROTO);
	}
}

static void
a_message_from_the_wrong_side_is_a_violation(void **state)
{
	static const enum ipc_dir dirs[] = { IPC_UP, IPC_DOWN };

	const char *why;
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t d = 0; d < ARRAY_LEN(dirs); d++) {
			n = peek_header((uint16_t)table[i].type, table[i].max,
			    dirs[d], &why);
			if ((table[i].dir & dirs[d]) != 0) {
				assert_true(n >= 0);
				continue;
			}
			assert_int_equal(n, -EPROTO);
			assert_string_equal(why, "message from the wrong side");
		}
	}
}

static void
a_type_that_is_not_in_the_table_is_a_violation(void **state)
{
	static const uint16_t types[] = { IPC_TYPE_COUNT, IPC_TYPE_COUNT + 1,
		0x7fff, 0x8000, 0xffff };
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_int_equal(peek_header(types[i], 8, IPC_UP, &why),
		    -EPROTO);
		assert_int_equal(peek_header(types[i], 8, IPC_DOWN, &why),
		    -EPROTO);
		assert_string_equal(why, "unknown message type");
	}
}

static void
types_have_the_names_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(table[i].type, i);
		assert_string_equal(ipc_type_name(table[i].type),
		    table[i].name);
	}
	assert_string_equal(ipc_type_name(IPC_TYPE_COUNT), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_type_has_its_smallest_and_largest_length),
		cmocka_unit_test(a_message_from_the_wrong_side_is_a_violation),
		cmocka_unit_test(
		    a_type_that_is_not_in_the_table_is_a_violation),
		cmocka_unit_test(types_have_the_names_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

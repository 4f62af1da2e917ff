/* test_node_id.c - a node's name as text and as a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/node_id.h"

static void
assert_survives(uint32_t host, uint16_t slot, uint16_t generation)
{
	struct ipc_node_id id = { host, slot, generation }, again = { 0, 0, 0 };
	char text[NODE_ID_TEXT_MAX];

	node_id_format(&id, text, sizeof(text));
	assert_int_equal(node_id_parse(text, &again), 0);
	assert_true(node_id_equal(&id, &again));
	again = node_id_from_u64(node_id_to_u64(&id));
	assert_true(node_id_equal(&id, &again));
}

static void
an_id_survives_text_and_number(void **state)
{
	(void)state;
	assert_survives(0, 0, 0);
	assert_survives(1, 2, 3);
	assert_survives(0xdeadbeef, 255, 65535);
	assert_survives(UINT32_MAX, UINT16_MAX, UINT16_MAX);
}

static void
the_text_is_host_slot_generation(void **state)
{
	struct ipc_node_id id = { 0xab, 7, 12 };
	char text[NODE_ID_TEXT_MAX];

	(void)state;
	node_id_format(&id, text, sizeof(text));
	assert_string_equal(text, "000000ab-7-12");
}

static void
ids_that_differ_anywhere_are_different(void **state)
{
	const struct ipc_node_id id = { 1, 2, 3 };
	const struct ipc_node_id others[] = { { 2, 2, 3 }, { 1, 3, 3 },
		{ 1, 2, 4 }, { 1, 3, 2 }, { 2, 1, 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_false(node_id_equal(&id, &others[i]));
		assert_true(node_id_to_u64(&id) != node_id_to_u64(&others[i]));
	}
}

static void
any_other_text_is_refused_and_changes_nothing(void **state)
{
	static const char *const texts[] = { "", "-", "--", "000000ab",
		"000000ab-7", "000000ab-7-", "000000ab--12", "00000ab-7-12",
		"0000000ab-7-12", "000000AB-7-12", "000000ab-07-12",
		"000000ab-7-65536", "000000ab-65536-1", "100000000-1-1",
		"000000ab-7-12 ", " 000000ab-7-12", "000000ab-7-12-1",
		"000000ag-7-12", "000000ab-+7-12",
		"000000ab-7-99999999999999" };
	const struct ipc_node_id before = { 9, 9, 9 };
	struct ipc_node_id id = before;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_true(node_id_parse(texts[i], &id) < 0);
		assert_true(node_id_equal(&id, &before));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_survives_text_and_number),
		cmocka_unit_test(the_text_is_host_slot_generation),
		cmocka_unit_test(ids_that_differ_anywhere_are_different),
		cmocka_unit_test(any_other_text_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_driver_pgsql_queue.c - what waits for PostgreSQL, and how it goes. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "primary/sync/driver_pgsql.h"
#include "torture.h"

static struct pgsql_queue queue;

static int
put(const char *text)
{
	return pgsql_queue_put(&queue, strdup(text), strlen(text));
}

static int
set_up(void **state)
{
	(void)state;
	return pgsql_queue_init(&queue, 1 << 20);
}

static int
tear_down(void **state)
{
	(void)state;
	pgsql_queue_release(&queue);
	return 0;
}

static uint32_t
number_at(const char *mem, size_t at)
{
	uint32_t number;

	memcpy(&number, mem + at, sizeof(number));
	return ntohl(number);
}

/* How many are in the next batch, each checked against the array's format. */
static uint32_t
batch(char *ret_joined, size_t size)
{
	int len = 0;
	const char *mem = pgsql_queue_batch(&queue, &len);
	size_t at = 20, used = 0;
	uint32_t i, count;

	ret_joined[0] = '\0';
	if (mem == NULL)
		return 0;
	assert_int_equal(number_at(mem, 0), 1);
	assert_int_equal(number_at(mem, 4), 0);
	assert_int_equal(number_at(mem, 8), 25);
	assert_int_equal(number_at(mem, 16), 1);
	count = number_at(mem, 12);
	for (i = 0; i < count; i++) {
		if (used < size)
			used += (size_t)snprintf(ret_joined + used, size - used,
			    "%.*s ", (int)number_at(mem, at), mem + at + 4);
		at += 4 + number_at(mem, at);
	}
	assert_int_equal(at, len);
	return count;
}

static void
expect(const char *wanted)
{
	char joined[256];

	(void)batch(joined, sizeof(joined));
	assert_string_equal(joined, wanted);
}

static void
different_messages_go_together_in_their_order(void **state)
{
	(void)state;
	expect("");
	assert_int_equal(put("a") | put("b") | put("c"), 0);
	expect("a b c ");
	pgsql_queue_done(&queue);
	expect("");
	assert_int_equal(queue.bytes, 0);
	assert_int_equal(queue.count, 0);
}

static void
an_equal_message_begins_the_next_batch(void **state)
{
	(void)state;
	assert_int_equal(put("a") | put("b") | put("a") | put("a") | put("c"),
	    0);
	expect("a b ");
	pgsql_queue_done(&queue);
	expect("a ");
	pgsql_queue_done(&queue);
	expect("a c ");
}

static void
what_comes_while_a_batch_is_on_its_way_is_in_the_next(void **state)
{
	(void)state;
	assert_int_equal(put("a"), 0);
	expect("a ");
	assert_int_equal(put("b"), 0);
	pgsql_queue_done(&queue);
	expect("b ");
}

static void
a_batch_has_a_largest_number_and_size(void **state)
{
	char joined[4096], text[PGSQL_PAYLOAD_MAX + 1];
	int i;

	(void)state;
	for (i = 0; i < PGSQL_BATCH_MAX + 3; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(put(text), 0);
	}
	assert_int_equal(batch(joined, sizeof(joined)), PGSQL_BATCH_MAX);
	pgsql_queue_done(&queue);
	assert_int_equal(batch(joined, sizeof(joined)), 3);
	pgsql_queue_done(&queue);
	memset(text, 'x', PGSQL_PAYLOAD_MAX);
	text[PGSQL_PAYLOAD_MAX] = '\0';
	for (i = 0; i < 26; i++) {
		text[i] = 'y';
		assert_int_equal(put(text), 0);
	}
	assert_int_equal(batch(joined, sizeof(joined)),
	    (PGSQL_BATCH_BYTES - 20) / (PGSQL_PAYLOAD_MAX + 4));
}

static void
after_a_failure_each_is_tried_alone_and_then_together_again(void **state)
{
	(void)state;
	assert_int_equal(put("a") | put("b"), 0);
	expect("a b ");
	assert_int_equal(put("c") | put("d"), 0);
	assert_true(pgsql_queue_failed(&queue));
	expect("a ");
	assert_false(pgsql_queue_failed(&queue));
	pgsql_queue_done(&queue); /* that was the one */
	expect("b ");
	pgsql_queue_done(&queue);
	expect("c d ");
}

static void
the_limit_counts_the_messages_and_what_they_cost(void **state)
{
	int taken = 0;

	(void)state;
	queue.max = 10 * (sizeof(struct pgsql_item) + 3);
	while (put("abc") == 0)
		taken++;
	assert_int_equal(taken, 10);
	assert_int_equal(put("abc"), -ENOBUFS);
	expect("abc ");
	assert_int_equal(put("x"), -ENOBUFS); /* it is still there */
	pgsql_queue_done(&queue);
	assert_int_equal(put("x"), 0);
	assert_int_equal(pgsql_queue_clear(&queue), 10);
	assert_int_equal(queue.bytes, 0);
}

static void
without_memory_nothing_is_queued_and_nothing_leaks(void **state)
{
	char *text = strdup("a");

	(void)state;
	torture_fail_after(0);
	assert_int_equal(pgsql_queue_put(&queue, text, 1), -ENOMEM);
	torture_off();
	assert_int_equal(queue.bytes, 0);
	expect("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(different_messages_go_together_in_their_order),
		TEST(an_equal_message_begins_the_next_batch),
		TEST(what_comes_while_a_batch_is_on_its_way_is_in_the_next),
		TEST(a_batch_has_a_largest_number_and_size),
		TEST(
		    after_a_failure_each_is_tried_alone_and_then_together_again),
		TEST(the_limit_counts_the_messages_and_what_they_cost),
		TEST(without_memory_nothing_is_queued_and_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

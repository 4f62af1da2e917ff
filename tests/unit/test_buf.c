/* test_buf.c - bytes in a row: append, consume, never beyond the maximum. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "random.h"
#include "torture.h"

enum {
	ROUNDS = 50000,
	MODEL_MAX = 3000
};

/* What must hold after every call. */
static void
check(const struct buf *buf)
{
	assert_true(buf->len <= buf->max);
	assert_true(buf->off + buf->len <= buf->cap);
	assert_true(buf->mem != NULL || buf->cap == 0);
}

static void
bytes_come_out_in_the_order_they_went_in(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	check(&buf);
	assert_int_equal(buf_append(&buf, "hello ", 6), 0);
	assert_int_equal(buf_append(&buf, "", 0), 0);
	assert_int_equal(buf_append(&buf, "world", 5), 0);
	assert_int_equal(buf.len, 11);
	buf_consume(&buf, 6);
	assert_int_equal(buf.len, 5);
	assert_memory_equal(buf_data(&buf), "world", 5);
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	buf_release(&buf);
	check(&buf);
	assert_int_equal(buf.max, 100);
}

static void
the_maximum_is_exact(void **state)
{
	struct buf buf;
	int err = 0;

	(void)state;
	buf_init(&buf, 5);
	assert_int_equal(buf_append(&buf, "123456", 6), -ENOBUFS);
	assert_int_equal(buf_append(&buf, "12345", 5), 0);
	assert_int_equal(buf_append(&buf, "6", 1), -ENOBUFS);
	assert_null(buf_reserve(&buf, 1, &err));
	assert_int_equal(err, -ENOBUFS);
	assert_memory_equal(buf_data(&buf), "12345", 5);
	buf_consume(&buf, 1);
	assert_int_equal(buf_append(&buf, "6", 1), 0);
	assert_memory_equal(buf_data(&buf), "23456", 5);
	buf_release(&buf);
}

static void
a_buf_of_nothing_takes_nothing(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	assert_int_equal(buf_append(&buf, "", 0), 0);
	assert_int_equal(buf_append(&buf, "x", 1), -ENOBUFS);
	buf_consume(&buf, 0);
	buf_release(&buf);
}

static void
reserved_room_is_written_in_place(void **state)
{
	struct buf buf;
	unsigned char *at;
	int err = 0;

	(void)state;
	buf_init(&buf, 1000);
	at = buf_reserve(&buf, 700, &err);
	assert_non_null(at);
	memset(at, 'x', 700);
	buf_commit(&buf, 3);
	assert_int_equal(buf.len, 3);
	assert_int_equal(buf_append(&buf, "y", 1), 0);
	assert_memory_equal(buf_data(&buf), "xxxy", 4);
	buf_release(&buf);
}

static void
large_memory_is_given_back_when_it_runs_empty(void **state)
{
	static const char block[4096];
	struct buf buf;

	(void)state;
	buf_init(&buf, 1u << 20);
	for (int i = 0; i < 32; i++)
		assert_int_equal(buf_append(&buf, block, sizeof(block)), 0);
	assert_true(buf.cap > BUF_KEEP_BYTES);
	buf_consume(&buf, buf.len);
	assert_null(buf.mem);
	assert_int_equal(buf_append(&buf, block, 10), 0);
	buf_consume(&buf, 10);
	assert_non_null(buf.mem); /* little is kept for the next time */
	buf_release(&buf);
}

/* A queue that is drained in small steps must not be moved at every step. */
static void
memory_stays_within_twice_what_was_in_it(void **state)
{
	static const char block[100];
	struct buf buf;

	(void)state;
	buf_init(&buf, 4000);
	for (int i = 0; i < 40; i++)
		assert_int_equal(buf_append(&buf, block, 100), 0);
	for (int i = 0; i < 100000; i++) {
		buf_consume(&buf, 100);
		assert_int_equal(buf_append(&buf, block, 100), 0);
	}
	assert_true(buf.cap <= 2 * 8192);
	buf_release(&buf);
}

static void
a_simple_model_agrees(void **state)
{
	unsigned char model[MODEL_MAX], bytes[300];
	struct buf buf;
	size_t len = 0, n;

	(void)state;
	buf_init(&buf, MODEL_MAX);
	for (int i = 0; i < ROUNDS; i++) {
		n = random_below(sizeof(bytes));
		if (random_below(2) == 0) {
			memset(bytes, (int)random_below(256), n);
			assert_int_equal(buf_append(&buf, bytes, n),
			    len + n > MODEL_MAX ? -ENOBUFS : 0);
			if (len + n <= MODEL_MAX) {
				memcpy(model + len, bytes, n);
				len += n;
			}
		} else {
			n = n < len ? n : len;
			buf_consume(&buf, n);
			memmove(model, model + n, len - n);
			len -= n;
		}
		check(&buf);
		assert_int_equal(buf.len, len);
		if (len != 0)
			assert_memory_equal(buf_data(&buf), model, len);
	}
	buf_release(&buf);
}

static int
fill(void)
{
	static const char block[1000];
	struct buf buf;
	size_t before;
	int rc = 0;

	buf_init(&buf, 100000);
	for (int i = 0; i < 50 && rc == 0; i++) {
		before = buf.len;
		rc = buf_append(&buf, block, sizeof(block));
		if (rc != 0) {
			assert_int_equal(rc, -ENOMEM);
			assert_int_equal(buf.len, before);
		}
	}
	check(&buf);
	buf_release(&buf);
	return rc;
}

static void
running_out_of_memory_loses_nothing(void **state)
{
	(void)state;
	torture_malloc(fill);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
		cmocka_unit_test(the_maximum_is_exact),
		cmocka_unit_test(a_buf_of_nothing_takes_nothing),
		cmocka_unit_test(reserved_room_is_written_in_place),
		cmocka_unit_test(large_memory_is_given_back_when_it_runs_empty),
		cmocka_unit_test(memory_stays_within_twice_what_was_in_it),
		cmocka_unit_test(a_simple_model_agrees),
		cmocka_unit_test(running_out_of_memory_loses_nothing),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_crossws_way.c - the envelope of crossws, there and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterbus/sync.h"
#include "random.h"
#include "torture.h"

enum {
	ROUNDS = 2000
};

static void
assert_survives(const void *data, size_t len, bool binary)
{
	struct cbus_sync_message message = { .namespace_ = "",
		.topic = "t",
		.topic_len = 1,
		.data = data,
		.len = len,
		.binary = binary };
	struct cbus_envelope e;
	char *text;
	size_t text_len;

	assert_int_equal(cbus_envelope_encode("x", 1, &message, &text,
			     &text_len),
	    0);
	assert_int_equal(strlen(text), text_len);
	assert_int_equal(cbus_envelope_decode(text, text_len, &e), 0);
	assert_int_equal(e.message.binary, binary);
	assert_int_equal(e.message.len, len);
	assert_memory_equal(e.message.data, data, len);
	cbus_envelope_release(&e);
	free(text);
}

static void
any_bytes_survive_the_way(void **state)
{
	unsigned char data[300];
	size_t len;

	(void)state;
	random_seed();
	for (int i = 0; i < ROUNDS; i++) {
		len = random_below(sizeof(data));
		for (size_t j = 0; j < len; j++)
			data[j] = (unsigned char)random_below(256);
		assert_survives(data, len, true);
		for (size_t j = 0; j < len; j++)
			data[j] &= 0x7f;
		assert_survives(data, len, false);
	}
}

static int
there_and_back(void)
{
	struct cbus_sync_message message = { .namespace_ = "",
		.topic = "t",
		.topic_len = 1,
		.data = "hi",
		.len = 2,
		.binary = true };
	struct cbus_envelope e = { .id = NULL };
	char *text = NULL;
	size_t len;
	int rc = cbus_envelope_encode("x", 1, &message, &text, &len);

	if (rc == 0)
		rc = cbus_envelope_decode(text, len, &e);
	assert_true(rc == 0 || rc == -ENOMEM);
	cbus_envelope_release(&e);
	free(text);
	return rc;
}

static void
out_of_memory_is_told(void **state)
{
	(void)state;
	torture_malloc(there_and_back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes_survive_the_way),
		cmocka_unit_test(out_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

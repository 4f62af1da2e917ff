/*
 * test_hash.c - SipHash-1-3 with a key drawn at the start.
 *
 * The key comes from getrandom(2), which the linker lets us replace here, so
 * that known answers can be compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include "base/hash.h"

enum {
	TEXT_MAX = 64,
	BUCKETS = 64,
	NAMES = 64 * 1000
};

/* Stands in for the library's; the key 00 01 02 ... 0f of the SipHash paper. */
ssize_t
getrandom(void *buf, size_t len, unsigned flags)
{
	unsigned char *bytes = buf;

	(void)flags;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)i;
	return (ssize_t)len;
}

static void
known_answers_come_out(void **state)
{
	/* Of the bytes 00 01 02 ... of length i, with that key. */
	static const uint64_t answers[] = {
		0xabac0158050fc4dcu,
		0xc9f49bf37d57ca93u,
		0x82cb9b024dc7d44du,
		0x8bf80ab8e7ddf7fbu,
		0xcf75576088d38328u,
		0xdef9d52f49533b67u,
		0xc50d2b50c59f22a7u,
		0xd3927d989bb11140u,
		0x369095118d299a8eu,
		0x25a48eb36c063de4u,
		0x79de85ee92ff097fu,
		0x70c118c1f94dc352u,
		0x78a384b157b4d9a2u,
		0x306f760c1229ffa7u,
		0x605aa111c0f95d34u,
		0xd320d86d2a519956u,
		0xcc4fdd1a7d908b66u,
		0x9cf2689063dbd80cu,
	};
	unsigned char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_true(hash_bytes(text, i) == answers[i]);
}

static void
the_same_bytes_hash_the_same_wherever_they_lie(void **state)
{
	unsigned char text[TEXT_MAX + 8];
	const char *name = "t:a name that is not aligned";
	size_t len = strlen(name);

	(void)state;
	for (size_t at = 0; at < 8; at++) {
		memset(text, (int)at, sizeof(text));
		memcpy(text + at, name, len);
		assert_true(
		    hash_bytes(text + at, len) == hash_bytes(name, len));
	}
}

static void
every_bit_of_the_text_counts(void **state)
{
	unsigned char text[TEXT_MAX] = { 0 };
	uint64_t before;

	(void)state;
	for (size_t len = 1; len <= TEXT_MAX; len++) {
		before = hash_bytes(text, len);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			text[bit / 8] ^= (unsigned char)(1u << bit % 8);
			assert_true(hash_bytes(text, len) != before);
			text[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
		assert_true(hash_bytes(text, len - 1) != before);
	}
}

/* Ordinary names fall evenly into the buckets of a table. */
static void
names_spread_evenly(void **state)
{
	unsigned count[BUCKETS] = { 0 };
	char name[32];
	int len;

	(void)state;
	for (int i = 0; i < NAMES; i++) {
		len = snprintf(name, sizeof(name), "t:room-%d", i);
		count[hash_bytes(name, (size_t)len) % BUCKETS]++;
	}
	for (int i = 0; i < BUCKETS; i++)
		assert_in_range(count[i], 800, 1200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers_come_out),
		cmocka_unit_test(
		    the_same_bytes_hash_the_same_wherever_they_lie),
		cmocka_unit_test(every_bit_of_the_text_counts),
		cmocka_unit_test(names_spread_evenly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

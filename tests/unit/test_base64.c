/* test_base64.c - bytes as text and back, and nothing else back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "random.h"

enum {
	ROUNDS = 20000,
	BYTES_MAX = 100,
	LARGE = 7 << 20
};

/* The test vectors of RFC 4648. */
static const char *const vectors[][2] = { { "", "" }, { "f", "Zg==" },
	{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

static void
the_vectors_of_the_standard_hold(void **state)
{
	char out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		len = strlen(vectors[i][0]);
		assert_int_equal(base64_encode(vectors[i][0], len, out, 16),
		    strlen(vectors[i][1]));
		assert_string_equal(out, vectors[i][1]);
		assert_int_equal(base64_encoded_len(len), strlen(out));
		assert_int_equal(base64_decode(vectors[i][1],
				     strlen(vectors[i][1]), out, 16),
		    len);
		assert_memory_equal(out, vectors[i][0], len);
	}
}

static void
too_little_room_is_said(void **state)
{
	char out[8];

	(void)state;
	memset(out, '#', sizeof(out));
	assert_int_equal(base64_encode("foo", 3, out, 4), -ENOBUFS);
	assert_int_equal(base64_encode("", 0, out, 0), -ENOBUFS);
	assert_int_equal(base64_decode("Zm9v", 4, out, 2), -ENOBUFS);
	assert_int_equal(out[0], '#');
	assert_int_equal(base64_encode("foo", 3, out, 5), 4);
	assert_int_equal(base64_decode("Zm9v", 4, out, 3), 3);
}

static void
text_that_encoding_never_writes_is_refused(void **state)
{
	static const char *const texts[] = { "Z", "Zg", "Zg=", "=",
		"====", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm=v", "Z=9v",
		"=m9v", "Zm9vZ=9v", " Zm9", "Zm9v    ", "    Zm9v",
		"Zm9v\n\n\n\n", "Zm9\n", "Z m9", "Zm9-", "-m9v", "Zm9_",
		"Zm9v----", "Zm9*", "Zm\xc3\xa9", "Zg==\n", "Zm9vZm8= " };
	char out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (base64_decode(texts[i], strlen(texts[i]), out, 16) !=
		    -EINVAL)
			fail_msg("accepted: '%s'", texts[i]);
	}
	assert_int_equal(base64_decode("Zm\0v", 4, out, 16), -EINVAL);
}

static void
any_bytes_come_back_as_they_were(void **state)
{
	unsigned char bytes[BYTES_MAX], again[BYTES_MAX + 2];
	char text[2 * BYTES_MAX];
	size_t len;
	ssize_t n;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		len = random_below(BYTES_MAX);
		for (size_t k = 0; k < len; k++)
			bytes[k] = (unsigned char)random_below(256);
		n = base64_encode(bytes, len, text, sizeof(text));
		assert_int_equal(n, base64_encoded_len(len));
		assert_int_equal(base64_decode(text, (size_t)n, again,
				     base64_decoded_max((size_t)n)),
		    len);
		assert_memory_equal(again, bytes, len);
	}
}

/* What decodes at all encodes to the same text: there is one way to say it. */
static void
damaged_text_is_refused_or_means_itself(void **state)
{
	static const char bytes[] = "ABab01+/= \n-_*\xff";
	unsigned char decoded[32];
	char text[64], again[64];
	size_t len, refused = 0;
	ssize_t n;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		len = 4 * (1 + random_below(6));
		for (size_t k = 0; k < len; k++)
			text[k] = bytes[random_below(8)];
		for (uint32_t k = random_below(3); k > 0; k--)
			text[len - 1 - random_below(4)] =
			    bytes[random_below(sizeof(bytes) - 1)];
		n = base64_decode(text, len, decoded, sizeof(decoded));
		if (n < 0) {
			refused++;
			continue;
		}
		assert_int_equal(base64_encode(decoded, (size_t)n, again, 64),
		    len);
		assert_memory_equal(again, text, len);
	}
	assert_in_range(refused, ROUNDS / 10, ROUNDS - ROUNDS / 10);
}

static void
more_than_a_chunk_comes_back_as_it_was(void **state)
{
	size_t text_len = base64_encoded_len(LARGE);
	unsigned char *bytes = malloc(LARGE + 2);
	char *text = malloc(text_len + 1);

	(void)state;
	assert_non_null(bytes);
	assert_non_null(text);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (unsigned char)(i * 7 + (i >> 8));
	assert_int_equal(base64_encode(bytes, LARGE, text, text_len + 1),
	    text_len);
	memset(bytes, 0, LARGE);
	assert_int_equal(base64_decode(text, text_len, bytes, LARGE + 2),
	    LARGE);
	for (size_t i = 0; i < LARGE; i++) {
		if (bytes[i] != (unsigned char)(i * 7 + (i >> 8)))
			fail_msg("byte %zu", i);
	}
	text[4 << 20] = ' '; /* where the second chunk begins */
	assert_int_equal(base64_decode(text, text_len, bytes, LARGE + 2),
	    -EINVAL);
	free(bytes);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_standard_hold),
		cmocka_unit_test(too_little_room_is_said),
		cmocka_unit_test(text_that_encoding_never_writes_is_refused),
		cmocka_unit_test(any_bytes_come_back_as_they_were),
		cmocka_unit_test(damaged_text_is_refused_or_means_itself),
		cmocka_unit_test(more_than_a_chunk_comes_back_as_it_was),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

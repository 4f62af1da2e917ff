/* test_http_encoding.c - which clients may be sent gzip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/http.h"

/* Exactly as long as it says: reading beyond it is seen by the sanitizer. */
static bool
accepts(const char *value)
{
	size_t len = strlen(value);
	char *copy = malloc(len + 1);
	bool answer;

	assert_non_null(copy);
	copy = realloc(memcpy(copy, value, len), len != 0 ? len : 1);
	assert_non_null(copy);
	answer = http_accepts_gzip(copy, len);
	free(copy);
	return answer;
}

static void
gzip_is_used_only_where_it_is_allowed(void **state)
{
	static const struct {
		const char *value;
		bool allowed;
	} cases[] = {
		{ "gzip", true },
		{ "GZip", true },
		{ "x-gzip", true },
		{ "deflate, gzip;q=1.0, *;q=0.5", true },
		{ "br;q=1, gzip ; q=0.001", true },
		{ "*", true },
		{ "", false },
		{ ",,, ", false },
		{ "identity", false },
		{ "gzipped", false },
		{ "gzi", false },
		{ "gzip;q=0", false },
		{ "gzip;q=0.000, *", false },
		{ "*;q=0", false },
		{ "br", false },
		{ "gzip;", true },
		{ "gzip;q", true },
		{ "gzip;q=", false },
		{ " \t", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (accepts(cases[i].value) != cases[i].allowed)
			fail_msg("wrong for \"%s\"", cases[i].value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_is_used_only_where_it_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

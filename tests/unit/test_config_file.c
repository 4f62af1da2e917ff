/* test_config_file.c - the lines of a file, and mistakes without number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "torture.h"

static struct config_errors errors;

static int
no_mistakes_yet(void **state)
{
	(void)state;
	config_errors_release(&errors);
	return 0;
}

static struct config *
parse(const char *text)
{
	return config_parse("f", text, strlen(text), &errors);
}

static struct config *
parse_well(const char *text)
{
	struct config *config = parse(text);

	if (config == NULL)
		print_error("%s", errors.text);
	assert_non_null(config);
	assert_int_equal(errors.count, 0);
	assert_null(errors.text);
	return config;
}

/* This text has these mistakes, a line each, and gives no config. */
static void
assert_mistakes(const char *text, const char *expected)
{
	assert_null(parse(text));
	assert_string_equal(errors.text, expected);
	config_errors_release(&errors);
}

static void
comments_blanks_and_quotes_are_understood(void **state)
{
	struct config *config = parse_well("# nothing\n"
					   "\n"
					   " \t workers \t 4 # four\r\n"
					   "  # more\n"
					   "log-file \"/a b/#c\" #d\n"
					   "tls-cert /x#y\n"
					   "tls-key \"q\\\"\\\\ \"\n"
					   "name last");

	(void)state;
	assert_int_equal(config->workers, 4);
	assert_string_equal(config->tls_cert, "/x#y");
	assert_string_equal(config->tls_key, "q\"\\ ");
	assert_string_equal(config->name, "last");
	config_free(config);
}

static void
a_line_that_is_no_setting_is_a_mistake(void **state)
{
	(void)state;
	assert_mistakes("wrokers 3", "f:1: unknown setting 'wrokers'\n");
	assert_mistakes("Workers 3", "f:1: unknown setting 'Workers'\n");
	assert_mistakes("workers", "f:1: workers: a value is missing\n");
	assert_mistakes("workers # 3", "f:1: workers: a value is missing\n");
	assert_mistakes("workers 3 4",
	    "f:1: workers: only one value, or put it in double quotes\n");
	assert_mistakes("workers = 3",
	    "f:1: workers: no '=' here; a blank stands between key and "
	    "value\n");
	assert_mistakes("name \"x",
	    "f:1: name: the closing quote is missing\n");
	assert_mistakes("name \"x\"y",
	    "f:1: name: a blank is missing after the quotes\n");
	assert_mistakes("name \"\\n\"",
	    "f:1: name: after \\ in quotes only \" and \\ are "
	    "understood\n");
	assert_mistakes("workers 1\n\nworkers 2",
	    "f:3: workers: given before, in line 1\n");
	assert_mistakes("\x1b[31m 1", "f:1: unknown setting '?[31m'\n");
}

static void
a_nul_byte_is_a_mistake(void **state)
{
	(void)state;
	assert_null(config_parse("f", "workers 1\0 2", 12, &errors));
	assert_string_equal(errors.text, "f:1: a NUL byte\n");
}

static void
a_value_without_end_is_a_mistake(void **state)
{
	static char text[10000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "log-file ", 9);
	assert_mistakes(text, "f:1: log-file: the value is too long\n");
	text[9] = '"';
	assert_mistakes(text, "f:1: log-file: the value is too long\n");
}

static void
all_mistakes_are_found_at_once_in_their_order(void **state)
{
	(void)state;
	assert_mistakes("workers x\n"
			"nonsense 1\n"
			"name ok\n"
			"tls-key k\n"
			"log-level loud\n",
	    "f:1: workers: 'x': must be a number\n"
	    "f:2: unknown setting 'nonsense'\n"
	    "f:5: log-level: 'loud': must be error, warn, info or debug\n"
	    "f:4: tls-key: needs tls-cert as well\n");
}

static void
very_many_mistakes_are_counted_and_not_all_kept(void **state)
{
	enum {
		LINES = 50000
	};

	char *text = malloc(LINES * 2 + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < LINES; i++)
		memcpy(text + i * 2, "x\n", 3);
	assert_null(parse(text));
	assert_int_equal(errors.count, LINES);
	assert_in_range(errors.len, 60000, 65536);
	assert_int_equal(strlen(errors.text), errors.len);
	free(text);
}

static int
parse_everything(void)
{
	struct config *config = parse("name x\nlisten :1\nlisten :2\n"
				      "insecure on\ntls-cert /a\n");
	int rc;

	assert_null(config);
	rc = errors.count == 1 &&
		strcmp(errors.text, "f:5: tls-cert: needs tls-key as well\n") ==
		    0 ?
	    0 :
	    -1;
	assert_true(errors.count > 0);
	assert_non_null(errors.text);
	config_errors_release(&errors);
	return rc;
}

static int
parse_without_a_mistake(void)
{
	struct config *config = parse("name x\nlisten 127.0.0.1:1\n"
				      "listen 127.0.0.1:2\nworkers 2\n");

	if (config != NULL) {
		assert_int_equal(errors.count, 0);
		assert_int_equal(config->listen.count, 2);
		config_free(config);
		return 0;
	}
	assert_true(errors.count > 0);
	assert_non_null(strstr(errors.text, "out of memory"));
	config_errors_release(&errors);
	return -1;
}

static void
no_memory_is_a_mistake_like_any_other(void **state)
{
	(void)state;
	torture_malloc(parse_everything);
	torture_malloc(parse_without_a_mistake);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, no_mistakes_yet)
	const struct CMUnitTest tests[] = {
		TEST(comments_blanks_and_quotes_are_understood),
		TEST(a_line_that_is_no_setting_is_a_mistake),
		TEST(a_nul_byte_is_a_mistake),
		TEST(a_value_without_end_is_a_mistake),
		TEST(all_mistakes_are_found_at_once_in_their_order),
		TEST(very_many_mistakes_are_counted_and_not_all_kept),
		TEST(no_memory_is_a_mistake_like_any_other),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

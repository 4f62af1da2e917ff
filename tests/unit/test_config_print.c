/* test_config_print.c - the way out as text, and how two of them differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct config_errors errors;

static int
no_mistakes_yet(void **state)
{
	(void)state;
	config_errors_release(&errors);
	return 0;
}

/* The config of a file with these lines. */
static struct config *
parse(const char *text)
{
	struct config *config;

	config = config_parse("f", text, strlen(text), &errors);
	if (config == NULL)
		print_error("%s", errors.text);
	assert_non_null(config);
	return config;
}

/* Print, parse, print: both texts are the same. */
static void
assert_prints_back(const struct config *config)
{
	struct config *again;
	char *first, *second;
	size_t first_len, second_len;

	first = config_text(config, &first_len);
	assert_non_null(first);
	again = config_parse("text", first, first_len, &errors);
	if (again == NULL)
		print_error("%s", errors.text);
	assert_non_null(again);
	second = config_text(again, &second_len);
	assert_non_null(second);
	assert_string_equal(first, second);
	assert_int_equal(first_len, second_len);
	config_free(again);
	free(first);
	free(second);
}

static void
what_is_printed_parses_back_to_itself(void **state)
{
	static const char *const strings[] = { "", " ", "#", "a#b", "a #b",
		"\"", "\\", "a\\\"b", "=", "= x", "\xc3\xa9", "'" };
	struct config *config;
	const char *why;

	(void)state;
	config = parse("listen 127.0.0.1:1\nlisten [::1]:2\ninsecure true\n"
		       "outbox-policy drop-newest\ndrain-window 1234ms\n"
		       "orphan-timeout 0\nmax-message 1025\nworkers 7\n");
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		assert_int_equal(config_set(config,
				     config_option_find("log-file", 8),
				     strings[i], &why),
		    0);
		assert_prints_back(config);
	}
	config_free(config);
}

static void
every_number_prints_back_in_its_unit(void **state)
{
	static const char *const values[] = { "1", "999", "1000", "1001",
		"1023", "1024", "1025", "59999ms", "60s", "61s", "3600s", "90m",
		"2h", "1k", "1m", "3m" };
	const struct config_option *option;
	struct config *config = parse("");
	const char *why;

	(void)state;
	/* Each where it is allowed; the others of these are refused. */
	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		if (option->type > CONFIG_TIME ||
		    strncmp(option->name, "outbox-", 7) == 0 ||
		    strncmp(option->name, "backoff-", 8) == 0)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(values); j++) {
			if (config_set(config, option, values[j], &why) == 0)
				assert_prints_back(config);
		}
	}
	config_free(config);
}

static void
a_difference_is_sorted_by_what_it_needs(void **state)
{
	struct config *a = parse(""), *b;
	char live[64], roll[64], start[64];

	(void)state;
	config_diff(a, a, live, roll, start, sizeof(live));
	assert_string_equal(live, "");
	assert_string_equal(roll, "");
	assert_string_equal(start, "");
	b = parse("workers 3\nmax-rate 5\nlisten 127.0.0.1:8080\n"
		  "listen 127.0.0.1:2\ntls-cert a\ntls-key b\nname x\n");
	config_diff(a, b, live, roll, start, sizeof(live));
	assert_string_equal(live, "workers max-rate");
	assert_string_equal(roll, "listen tls-cert tls-key");
	assert_string_equal(start, "name");
	config_diff(b, a, live, roll, start, sizeof(live));
	assert_string_equal(roll, "listen tls-cert tls-key");
	config_free(a);
	config_free(b);
}

static void
a_difference_longer_than_its_room_is_cut(void **state)
{
	struct config *a = parse(""), *b;
	char live[8], roll[8], start[8];

	(void)state;
	b = parse("workers 3\nmax-rate 5\nmax-topic 6\nmax-programs 7\n");
	config_diff(a, b, live, roll, start, sizeof(live));
	assert_string_equal(live, "workers");
	config_free(a);
	config_free(b);
}

static void
options_are_found_by_their_whole_name(void **state)
{
	(void)state;
	assert_non_null(config_option_find("max-topic", 9));
	assert_null(config_option_find("max-topic", 8));
	assert_null(config_option_find("max-topicx", 10));
	assert_null(config_option_find("", 0));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, no_mistakes_yet)
	const struct CMUnitTest tests[] = {
		TEST(what_is_printed_parses_back_to_itself),
		TEST(every_number_prints_back_in_its_unit),
		TEST(a_difference_is_sorted_by_what_it_needs),
		TEST(a_difference_longer_than_its_room_is_cut),
		TEST(options_are_found_by_their_whole_name),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

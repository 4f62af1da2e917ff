/* test_config.c - one value of each type, and what must hold between two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "config/config.h"

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
nothing_said_means_the_defaults(void **state)
{
	struct config *config = parse_well("");

	(void)state;
	assert_string_equal(config->name, "default");
	assert_int_equal(config->workers, 0);
	assert_int_equal(config->listen.count, 1);
	assert_string_equal(config->listen.items[0], "127.0.0.1:8080");
	assert_int_equal(config->max_message, 1 << 20);
	assert_int_equal(config->ping_interval, 25000);
	assert_int_equal(config->outbox_policy, OUTBOX_CLOSE);
	assert_false(config->insecure);
	assert_null(config_path(config));
	config_free(config);
	config_free(NULL);
}

static void
every_default_is_allowed_by_its_own_row(void **state)
{
	struct config *config = parse_well("");
	const char *why;

	(void)state;
	for (size_t i = 0; i < config_option_count; i++) {
		if (config_options[i].type == CONFIG_LIST &&
		    config_options[i].fallback[0] == '\0')
			continue; /* no items */
		assert_int_equal(config_set(config, &config_options[i],
				     config_options[i].fallback, &why),
		    0);
	}
	config_free(config);
}

static void
each_type_is_read_from_a_file(void **state)
{
	struct config *config = parse_well("workers 3\n"
					   "max-message 2k\n"
					   "drain-window 250ms\n"
					   "tls-cert /a\ntls-key /b\n"
					   "listen 127.0.0.1:1\n"
					   "listen [::1]:2\n"
					   "outbox-policy drop-oldest\n"
					   "insecure yes\n");

	(void)state;
	assert_int_equal(config->workers, 3);
	assert_int_equal(config->max_message, 2048);
	assert_int_equal(config->drain_window, 250);
	assert_string_equal(config->tls_key, "/b");
	assert_int_equal(config->listen.count, 2);
	assert_string_equal(config->listen.items[1], "[::1]:2");
	assert_int_equal(config->outbox_policy, OUTBOX_DROP_OLDEST);
	assert_true(config->insecure);
	config_free(config);
}

static void
units_multiply(void **state)
{
	static const struct {
		const char *line;
		uint64_t seconds;
	} times[] = { { "orphan-timeout 0", 0 }, { "orphan-timeout 7", 7 },
		{ "orphan-timeout 7s", 7 }, { "orphan-timeout 3000ms", 3 },
		{ "orphan-timeout 2m", 120 }, { "orphan-timeout 2M", 120 },
		{ "orphan-timeout 24h", 86400 } };
	struct config *config;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		config = parse_well(times[i].line);
		assert_int_equal(config->orphan_timeout,
		    times[i].seconds * 1000);
		config_free(config);
	}
	config = parse_well("hub-queue 1g\nlink-queue 64K\nmax-message 128");
	assert_int_equal(config->hub_queue, 1 << 30);
	assert_int_equal(config->link_queue, 65536);
	assert_int_equal(config->max_message, 128);
	config_free(config);
}

static void
a_wrong_value_says_what_would_be_right(void **state)
{
	(void)state;
	assert_mistakes("workers x", "f:1: workers: 'x': must be a number\n");
	assert_mistakes("workers -1", "f:1: workers: '-1': must be a number\n");
	assert_mistakes("workers 1k", "f:1: workers: '1k': must be a number\n");
	assert_mistakes("workers 257",
	    "f:1: workers: '257': must be 0 to 256\n");
	assert_mistakes("workers 18446744073709551616",
	    "f:1: workers: '18446744073709551616': must be 0 to 256\n");
	assert_mistakes("max-message 127",
	    "f:1: max-message: '127': must be 128 to 64m\n");
	assert_mistakes("hub-queue 18446744073709551615g",
	    "f:1: hub-queue: '18446744073709551615g': must be 64k to 1g\n");
	assert_mistakes("max-message 1mb",
	    "f:1: max-message: '1mb': must be a number of bytes, such as 512k "
	    "or 8m\n");
	assert_mistakes("handshake-timeout 1ms",
	    "f:1: handshake-timeout: '1ms': must be 1s to 1m\n");
	assert_mistakes("drain-window 1.5s",
	    "f:1: drain-window: '1.5s': must be a time, such as 250ms, 5s or "
	    "2m\n");
	assert_mistakes("outbox-policy drop",
	    "f:1: outbox-policy: 'drop': must be close, drop-newest or "
	    "drop-oldest\n");
	assert_mistakes("daemon maybe",
	    "f:1: daemon: 'maybe': must be true or false\n");
	assert_mistakes("name \"\"", "f:1: name: '': must not be empty\n");
	assert_mistakes("run-dir "
			"/3456789/123456789/123456789/123456789/123456789/"
			"123456789/123456789/123456789012",
	    "f:1: run-dir: "
	    "'/3456789/123456789/123456789/123456789/123456789/"
	    "123456789/123456789/123456789012': must be at most 80 bytes "
	    "long\n");
}

static void
a_name_is_a_plain_word(void **state)
{
	static const char *const names[] = { "a/b", "..", ".a", "-a", "\"a b\"",
		"\"a\\\\b\"", "\"a\\\"b\"", "\"a\tb\"", "a\x7f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "name %s", names[i]);
		assert_null(parse(line));
		assert_int_equal(errors.count, 1);
		config_errors_release(&errors);
	}
}

static void
an_address_must_be_one(void **state)
{
	(void)state;
	assert_mistakes("listen 8080",
	    "f:1: listen: '8080': must be ADDRESS:PORT, such as "
	    "127.0.0.1:8080, [::1]:8080, localhost:8080 or :8080\n");
}

static void
there_are_only_so_many_addresses(void **state)
{
	char text[1024] = "";

	(void)state;
	for (int i = 1; i <= 17; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "listen 127.0.0.1:%d\n", i);
	assert_mistakes(text,
	    "f:17: listen: '127.0.0.1:17': must be given at most 16 "
	    "times\n");
}

static void
settings_that_contradict_each_other_are_mistakes(void **state)
{
	(void)state;
	assert_mistakes("\ntls-cert /a",
	    "f:2: tls-cert: needs tls-key as well\n");
	assert_mistakes("tls-key /a", "f:1: tls-key: needs tls-cert as well\n");
	assert_mistakes("redis-door no\nredis-listen 127.0.0.1:1\n"
			"redis-password /a",
	    "f:2: redis-listen: with no-redis-door nobody listens there; "
	    "leave one of the two out\n"
	    "f:3: redis-password: with no-redis-door nobody asks for it; "
	    "leave one of the two out\n");
	assert_mistakes("outbox-hard 2k",
	    "f:1: outbox-hard: outbox-hard (2k) must not be smaller than "
	    "outbox-soft (512k)\n");
	assert_mistakes("outbox-soft 9m",
	    "f:1: outbox-soft: outbox-hard (8m) must not be smaller than "
	    "outbox-soft (9m)\n");
	assert_mistakes("backoff-min 20s",
	    "f:1: backoff-min: backoff-max (10s) must not be smaller than "
	    "backoff-min (20s)\n");
	assert_mistakes("listen 127.0.0.1:1\nlisten 127.0.0.1:1",
	    "f:2: listen: '127.0.0.1:1' is there twice\n");
	config_free(parse_well("outbox-soft 1m\noutbox-hard 1m"));
}

static void
the_public_must_be_let_in_in_so_many_words(void **state)
{
	static const char *const addresses[] = { "0.0.0.0:1", ":1", "[::]:1",
		"192.168.0.1:1", "[2001:db8::1]:1" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		(void)snprintf(text, sizeof(text), "listen %s", addresses[i]);
		assert_null(parse(text));
		assert_non_null(strstr(errors.text, "--insecure"));
		assert_non_null(strstr(errors.text, "no authentication"));
		config_errors_release(&errors);
		(void)snprintf(text, sizeof(text), "insecure true\nlisten %s",
		    addresses[i]);
		config_free(parse_well(text));
	}
}

static void
who_authenticates_its_clients_may_be_public(void **state)
{
	(void)state;
	config_free(parse_well("jwt-key /a\nlisten 0.0.0.0:1"));
	config_free(parse_well("auth app\nlisten 0.0.0.0:1"));
	assert_null(parse("jwt-key /a\nanonymous yes\nlisten 0.0.0.0:1"));
	assert_non_null(strstr(errors.text, "--insecure"));
	config_errors_release(&errors);
	assert_null(parse("auth app\nanonymous yes\nlisten 0.0.0.0:1"));
	config_errors_release(&errors);
}

static void
a_list_may_be_empty_by_default(void **state)
{
	struct config *config = parse_well("");

	(void)state;
	assert_int_equal(config->app.count, 0);
	assert_int_equal(config->jwt_key.count, 0);
	config_free(config);
	config = parse_well("app /a.so\napp /b.so");
	assert_int_equal(config->app.count, 2);
	assert_string_equal(config->app.items[1], "/b.so");
	config_free(config);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, no_mistakes_yet)
	const struct CMUnitTest tests[] = {
		TEST(nothing_said_means_the_defaults),
		TEST(every_default_is_allowed_by_its_own_row),
		TEST(each_type_is_read_from_a_file),
		TEST(units_multiply),
		TEST(a_wrong_value_says_what_would_be_right),
		TEST(a_name_is_a_plain_word),
		TEST(an_address_must_be_one),
		TEST(there_are_only_so_many_addresses),
		TEST(settings_that_contradict_each_other_are_mistakes),
		TEST(the_public_must_be_let_in_in_so_many_words),
		TEST(who_authenticates_its_clients_may_be_public),
		TEST(a_list_may_be_empty_by_default),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

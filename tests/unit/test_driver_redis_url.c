/* test_driver_redis_url.c - URLs of Redis servers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "primary/sync/driver_redis.h"
#include "torture.h"

static void
same(const char *got, const char *wanted)
{
	if (wanted == NULL)
		assert_null(got);
	else
		assert_string_equal(got, wanted);
}

static void
good_urls_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *host, *path, *user, *password;
		unsigned port, db;
	} rows[] = {
		{ "redis://h", "h", NULL, NULL, NULL, 6379, 0 },
		{ "redis://h/", "h", NULL, NULL, NULL, 6379, 0 },
		{ "redis://h:1/15", "h", NULL, NULL, NULL, 1, 15 },
		{ "redis://h?db=3", "h", NULL, NULL, NULL, 6379, 3 },
		{ "redis://[::1]:65535/0", "::1", NULL, NULL, NULL, 65535, 0 },
		{ "redis://[fe80::1]", "fe80::1", NULL, NULL, NULL, 6379, 0 },
		{ "redis://:s@h", "h", NULL, NULL, "s", 6379, 0 },
		{ "redis://ann:s:t@h", "h", NULL, "ann", "s:t", 6379, 0 },
		{ "redis://a%40b:%2f%3F%25%E2%82%ac@h", "h", NULL, "a@b",
		    "/?%\xe2\x82\xac", 6379, 0 },
		{ "redis://a:p@q@h", "h", NULL, "a", "p@q", 6379, 0 },
		{ "unix:///run/r.sock", NULL, "/run/r.sock", NULL, NULL, 0, 0 },
		{ "unix:///r%20s?db=7", NULL, "/r s", NULL, NULL, 0, 7 },
		{ "redis+unix://u:p@/r", NULL, "/r", "u", "p", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct redis_url url;
		char why[REDIS_WHY_MAX] = "";

		assert_int_equal(redis_url_parse(rows[i].text, &url, why,
				     sizeof(why)),
		    0);
		same(url.host, rows[i].host);
		same(url.path, rows[i].path);
		same(url.user, rows[i].user);
		same(url.password, rows[i].password);
		assert_int_equal(url.port, rows[i].port);
		assert_int_equal(url.db, rows[i].db);
		assert_false(url.tls);
		redis_url_release(&url);
	}
}

static void
bad_urls_are_refused_and_no_text_says_a_password(void **state)
{
	static const char *const rows[] = {
		"",
		"redis",
		"redis:/h",
		"http://h",
		"redis://",
		"redis:///1",
		"redis://:sesame",
		"redis://ann:sesame",
		"redis://h:0",
		"redis://h:65536",
		"redis://h:1x",
		"redis://h:",
		"redis://h/x",
		"redis://h/-1",
		"redis://h/99999999",
		"redis://h?channel",
		"redis://h?db=",
		"redis://h?password=sesame",
		"redis://h?ca=/x",
		"redis://h#sesame",
		"redis://ann@h",
		"redis://ann:@h",
		"redis://ann:sesame%@h",
		"redis://ann:sesame%0@h",
		"redis://ann:sesame%zz@h",
		"redis://ann:sesame%00@h",
		"redis://ann:12/sesame@h",
		"redis://ann:12?sesame@h",
		"redis://ann:sesame/x@h",
		"redis://[::1",
		"redis://[::1]x",
		"redis://%@",
		"unix://",
		"unix:///",
		"unix://run/r",
		"unix:///%",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct redis_url url;
		char why[REDIS_WHY_MAX] = "";

		if (redis_url_parse(rows[i], &url, why, sizeof(why)) != -EINVAL)
			fail_msg("taken: %s", rows[i]);
		assert_true(why[0] != '\0');
		assert_null(strstr(why, "sesame"));
		assert_null(strstr(why, "12"));
	}
}

static void
a_path_that_no_socket_can_have_is_refused(void **state)
{
	char text[256] = "unix:///", why[REDIS_WHY_MAX];
	struct redis_url url;

	(void)state;
	memset(text + 8, 'x', 200);
	assert_int_equal(redis_url_parse(text, &url, why, sizeof(why)),
	    -EINVAL);
}

static void
what_is_shown_has_no_user_and_no_password(void **state)
{
	static const char *const rows[][2] = {
		{ "redis://ann:sesame@h:1", "h:1" },
		{ "redis://:sesame@[::1]", "[::1]:6379" },
		{ "unix://ann:sesame@/r", "/r" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct redis_url url;
		char text[REDIS_WHY_MAX];

		assert_int_equal(redis_url_parse(rows[i][0], &url, text,
				     sizeof(text)),
		    0);
		redis_url_show(&url, text, sizeof(text));
		assert_string_equal(text, rows[i][1]);
		redis_url_release(&url);
	}
}

static int
parse_once(void)
{
	struct redis_url url;
	char why[REDIS_WHY_MAX];
	int err =
	    redis_url_parse("redis://ann:sesame@h:1/2", &url, why, sizeof(why));

	if (err == 0)
		redis_url_release(&url);
	return err;
}

static void
without_memory_nothing_is_left(void **state)
{
	(void)state;
	torture_malloc(parse_once);
}

static void
the_ring_of_questions_keeps_their_order_while_it_grows(void **state)
{
	struct redis_asks asks = { 0 };
	enum redis_ask ask;
	uint32_t put = 0, taken = 0, bytes;

	(void)state;
	while (taken < 5000) {
		for (int i = 0; i < 7; i++, put++)
			assert_int_equal(redis_asks_put(&asks,
					     put % 2 ? REDIS_ASK_PUBLISH :
						       REDIS_ASK_ALIVE,
					     put * 3),
			    0);
		for (int i = 0; i < 5; i++, taken++) {
			assert_true(redis_asks_take(&asks, &ask, &bytes));
			assert_int_equal(bytes, taken * 3);
			assert_int_equal(ask,
			    taken % 2 ? REDIS_ASK_PUBLISH : REDIS_ASK_ALIVE);
		}
	}
	while (redis_asks_take(&asks, &ask, &bytes))
		taken++;
	assert_int_equal(taken, put);
	redis_asks_release(&asks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_urls_are_taken_apart),
		cmocka_unit_test(
		    bad_urls_are_refused_and_no_text_says_a_password),
		cmocka_unit_test(a_path_that_no_socket_can_have_is_refused),
		cmocka_unit_test(what_is_shown_has_no_user_and_no_password),
		cmocka_unit_test(without_memory_nothing_is_left),
		cmocka_unit_test(
		    the_ring_of_questions_keeps_their_order_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

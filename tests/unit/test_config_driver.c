/* test_config_driver.c - the URL of a backplane, and the driver it names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clusterbus/sync.h"
#include "config/driver.h"

/* A configuration with these settings. */
static struct config *
config_of(const char *sync, const char *channel)
{
	struct config_errors errors = { .text = NULL };
	struct config *config;
	char text[8192];
	int len;

	len = snprintf(text, sizeof(text), "sync \"%s\"\nchannel \"%s\"\n",
	    sync, channel);
	config = config_parse("test", text, (size_t)len, &errors);
	assert_non_null(config);
	return config;
}

static int
take_apart(const char *sync, const char *channel, struct driver_url *url,
    char *why, size_t size)
{
	struct config *config = config_of(sync, channel);
	int rc = driver_url(config, url, why, size);

	config_free(config);
	return rc;
}

static void
the_channel_is_taken_out_of_the_url(void **state)
{
	static const struct {
		const char *sync, *option, *url, *channel, *name;
	} rows[] = {
		{ "redis://h:1/2?channel=a", "", "redis://h:1/2", "a",
		    "redis" },
		{ "redis://h?x=1&channel=a&y=2", "", "redis://h?x=1&y=2", "a",
		    "redis" },
		{ "redis://h?channel=a&y=2", "", "redis://h?y=2", "a",
		    "redis" },
		{ "redis://h?mychannel=b", "a", "redis://h?mychannel=b", "a",
		    "redis" },
		{ "rediss://h", "a", "rediss://h", "a", "redis" },
		{ "unix:///s?db=1", "a", "unix:///s?db=1", "a", "redis" },
		{ "redis+unix:///s", "a", "redis+unix:///s", "a", "redis" },
		{ "postgres://h/d", "a", "postgres://h/d", "a", "pgsql" },
		{ "PostgreSQL://h", "a", "PostgreSQL://h", "a", "pgsql" },
		{ "mine://x?channel=a%20%c3%a9%2B+", "", "mine://x",
		    "a \xc3\xa9++", "mine" },
		{ "mine://x?channel=a", "a", "mine://x", "a", "mine" },
		{ "mine://x?channel=b&channel=a", "", "mine://x", "a", "mine" },
		{ "mine://x?channel=", "a", "mine://x", "a", "mine" },
	};
	struct driver_url url;
	char why[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(take_apart(rows[i].sync, rows[i].option, &url,
				     why, sizeof(why)),
		    0);
		assert_string_equal(url.url, rows[i].url);
		assert_string_equal(url.channel, rows[i].channel);
		assert_string_equal(url.name, rows[i].name);
	}
}

static void
what_is_no_url_or_has_no_channel_is_a_mistake(void **state)
{
	static const struct {
		const char *sync, *option, *why;
	} rows[] = {
		{ "redis", "a", "must be local, cluster or the URL" },
		{ "", "a", "must be local, cluster or the URL" },
		{ "../evil://x", "a", "must be local, cluster or the URL" },
		{ "a/b://x", "a", "must be local, cluster or the URL" },
		{ "redis://h", "", "needs a channel" },
		{ "redis://h?channel=", "", "needs a channel" },
		{ "redis://h?channel=a", "b", "the URL says channel 'a'" },
		{ "redis://h?channel=a%0ab", "", "control characters" },
		{ "redis://h?channel=%ff", "", "not UTF-8" },
		{ "redis://h?channel=a%00b", "", "no text of at most" },
		{ "redis://h?channel=a%zz", "", "no text of at most" },
		{ "redis://h?channel=a%2", "", "no text of at most" },
	};
	struct driver_url url;
	char why[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(take_apart(rows[i].sync, rows[i].option, &url,
				     why, sizeof(why)),
		    -EINVAL);
		if (strstr(why, rows[i].why) == NULL)
			fail_msg("\"%s\": %s", rows[i].sync, why);
	}
}

static void
a_channel_of_255_bytes_is_the_longest(void **state)
{
	struct driver_url url;
	char sync[400], why[300];

	(void)state;
	(void)snprintf(sync, sizeof(sync), "mine://x?channel=%0255d", 0);
	assert_int_equal(take_apart(sync, "", &url, why, sizeof(why)), 0);
	assert_int_equal(strlen(url.channel), 255);
	(void)snprintf(sync, sizeof(sync), "mine://x?channel=%0256d", 0);
	assert_int_equal(take_apart(sync, "", &url, why, sizeof(why)), -EINVAL);
}

static void
the_longest_url_fits(void **state)
{
	struct driver_url url;
	char sync[4002], why[300];

	(void)state;
	(void)snprintf(sync, sizeof(sync), "mine://%03993d", 0);
	assert_int_equal(strlen(sync), 4000);
	assert_int_equal(take_apart(sync, "a", &url, why, sizeof(why)), 0);
	assert_string_equal(url.url, sync);
}

static void
local_and_cluster_have_no_backplane(void **state)
{
	struct config *config = config_of("cluster", "");
	const struct cbus_sync_driver *driver = (void *)&config;
	struct driver_url url;
	char why[300];

	(void)state;
	assert_true(driver_relays(config));
	assert_false(driver_is_wanted(config));
	assert_int_equal(driver_load(config, &url, &driver, why, sizeof(why)),
	    0);
	assert_null(driver);
	config_free(config);
	config = config_of("local", "");
	assert_false(driver_relays(config));
	assert_false(driver_is_wanted(config));
	config_free(config);
	config = config_of("redis://h", "");
	assert_true(driver_relays(config));
	assert_true(driver_is_wanted(config));
	config_free(config);
}

static void
a_driver_that_is_not_there_is_a_mistake_that_says_what_to_do(void **state)
{
	struct config *config = config_of("nats://user:secret@h", "a");
	struct config_errors errors = { .text = NULL };

	(void)state;
	assert_int_equal(config_driver_check(config, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.text, "sync: there is no driver 'nats'"));
	assert_non_null(strstr(errors.text, "clusterbus-nats.so"));
	assert_null(strstr(errors.text, "secret"));
	config_errors_release(&errors);
	config_free(config);
}

/* A bus with this run directory and these settings has this backplane. */
static bool
is_own(const char *dir, const char *settings, const char *sync)
{
	struct config_errors errors = { .text = NULL };
	struct config *config;
	struct driver_url url;
	char text[8192], why[300];
	bool own;

	(void)snprintf(text, sizeof(text),
	    "run-dir \"%s\"\n%s\nsync \"%s\"\nchannel c\n", dir, settings,
	    sync);
	config = config_parse("test", text, strlen(text), &errors);
	assert_non_null(config);
	assert_int_equal(driver_url(config, &url, why, sizeof(why)), 0);
	own = driver_is_own_door(config, &url);
	config_free(config);
	return own;
}

static void
the_door_in_its_own_run_directory_is_known(void **state)
{
	char dir[] = "/tmp/cbus-driver-XXXXXX", path[128], url[256];

	(void)state;
	assert_true(is_own("/no/run", "", "unix:///no/run/redis.sock"));
	assert_true(is_own("/no/run", "", "unix://u:p@/no/run/redis.sock?x=1"));
	assert_true(is_own("/no/run", "", "redis+unix:///no/%72un/redis.sock"));
	assert_false(is_own("/no/run", "", "unix:///no/run2/redis.sock"));
	assert_false(is_own("/no/run", "", "unix:///no/run/other.sock"));
	assert_false(is_own("/no/run", "", "unix:///no/run/%zz"));
	assert_false(is_own("/no/run", "", "unix://nothing"));
	assert_false(
	    is_own("/no/run", "redis-door no", "unix:///no/run/redis.sock"));
	assert_false(is_own("/no/run", "", "mine:///no/run/redis.sock"));
	/* The same directory by another name. */
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(symlink(dir, path), 0);
	(void)snprintf(url, sizeof(url), "unix://%s/redis.sock", path);
	assert_true(is_own(dir, "", url));
	(void)snprintf(url, sizeof(url), "unix://%s/redis.sock2", path);
	assert_false(is_own(dir, "", url));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
the_door_on_its_own_loopback_address_is_known(void **state)
{
	static const struct {
		const char *listen, *sync;
		bool own;
	} rows[] = {
		{ "127.0.0.1:7000", "redis://127.0.0.1:7000", true },
		{ "127.0.0.1:7000", "redis://localhost:7000/1", true },
		{ "localhost:7000", "redis://a:b@127.0.0.1:7000?x=1", true },
		{ "127.0.0.1:6379", "redis://127.0.0.1", true },
		{ "[::1]:6379", "redis://[::1]/2", true },
		{ "[::1]:7000", "redis://[::1]:7000", true },
		{ "[::1]:7000", "redis://127.0.0.1:7000", false },
		{ "127.0.0.1:7000", "redis://127.0.0.1:7001", false },
		{ "127.0.0.1:7000", "redis://127.0.0.1", false },
		{ "127.0.0.1:7000", "redis://example.net:7000", false },
		{ "127.0.0.1:7000", "rediss://127.0.0.1:7000", false },
		{ "127.0.0.1:7000", "redis://", false },
	};

	char settings[100], url[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(settings, sizeof(settings),
		    "redis-listen \"%s\"", rows[i].listen);
		if (is_own("/no", settings, rows[i].sync) != rows[i].own)
			fail_msg("%s, %s", rows[i].listen, rows[i].sync);
	}
	(void)snprintf(url, sizeof(url), "redis://%0500d:7000", 0);
	assert_false(is_own("/no", "redis-listen 127.0.0.1:7000", url));
	assert_false(is_own("/no", "", "redis://127.0.0.1:6379"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_channel_is_taken_out_of_the_url),
		cmocka_unit_test(what_is_no_url_or_has_no_channel_is_a_mistake),
		cmocka_unit_test(a_channel_of_255_bytes_is_the_longest),
		cmocka_unit_test(the_longest_url_fits),
		cmocka_unit_test(the_door_in_its_own_run_directory_is_known),
		cmocka_unit_test(the_door_on_its_own_loopback_address_is_known),
		cmocka_unit_test(local_and_cluster_have_no_backplane),
		cmocka_unit_test(
		    a_driver_that_is_not_there_is_a_mistake_that_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_api_http_auth.c - who may use the HTTP API. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/api_http_auth.h"
#include "worker/auth.h"
#include "worker/http.h"
#include "worker/identity.h"
#include "worker/state.h"

static char good_origin[] = "http://good.example";
static char key_file[] = "key";
static char *origins[] = { good_origin };
static char *keys[] = { key_file };
static struct config config;
static struct worker worker;

/* In place of auth_check.c: the token is what it says. */
int
auth_check(struct worker *w, const char *token, size_t len,
    struct identity **ret_identity, const char **ret_why)
{
	assert_ptr_equal(w, &worker);
	assert_int_equal(strlen(token), len);
	*ret_why = "because";
	if (strcmp(token, "strange") == 0)
		return -EPERM;
	if (strcmp(token, "admin") != 0 && strcmp(token, "user") != 0)
		return -EACCES;
	*ret_identity = identity_new("ann", token);
	assert_non_null(*ret_identity);
	(*ret_identity)->api = strcmp(token, "admin") == 0;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	memset(&worker, 0, sizeof(worker));
	worker.config = &config;
	return 0;
}

static const struct api_sender local = {
	.is_local = true,
	.authorization = "",
	.origin = "",
	.host = "localhost:8080",
};

static int
judge(const struct api_sender *sender)
{
	enum client_error code = ERR_COUNT;
	const char *why = NULL;
	int status = api_http_auth(&worker, sender, &code, &why);

	if (status == 0)
		return 0;
	assert_non_null(why);
	assert_int_equal(code,
	    status == 401 ? ERR_UNAUTHORIZED : ERR_FORBIDDEN);
	return status;
}

static void
an_open_bus_lets_programs_of_this_host_in(void **state)
{
	struct api_sender sender = local;

	(void)state;
	assert_int_equal(judge(&sender), 0);
	sender.is_local = false;
	assert_int_equal(judge(&sender), 403);
	sender = local;
	sender.is_forwarded = true;
	assert_int_equal(judge(&sender), 403);
	sender = local;
	sender.authorization = "Bearer x"; /* nothing to check it with */
	assert_int_equal(judge(&sender), 0);
}

static void
a_page_is_let_in_only_from_an_allowed_origin(void **state)
{
	static char any[] = "*";
	struct api_sender sender = local;

	(void)state;
	sender.origin = good_origin;
	assert_int_equal(judge(&sender), 403);
	config.allowed_origin.items = origins;
	config.allowed_origin.count = 1;
	assert_int_equal(judge(&sender), 0);
	sender.origin = "http://good.example.evil";
	assert_int_equal(judge(&sender), 403);
	sender.origin = "null";
	assert_int_equal(judge(&sender), 403);
	/* WebSockets of any page, but not requests that act. */
	origins[0] = any;
	assert_int_equal(judge(&sender), 403);
	origins[0] = good_origin;
}

static void
the_host_must_be_this_one(void **state)
{
	static const char *const good[] = { "localhost", "LocalHost:1",
		"127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:80" };
	static const char *const bad[] = { "", "evil", "localhost.evil",
		"127.0.0.1.evil", "128.0.0.1", "127.1", "[::2]", "[::1", "::1",
		"[::1]x", ":80", "xlocalhost",
		("localhostlocalhostlocalhostlocalhostlocalhostlocalhost"
		 "localhostlocalhost") };
	struct api_sender sender = local;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		sender.host = good[i];
		if (judge(&sender) != 0)
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		sender.host = bad[i];
		if (judge(&sender) != 403)
			fail_msg("%s", bad[i]);
	}
}

static void
with_keys_a_token_of_the_right_role_is_needed(void **state)
{
	static const struct {
		const char *value;
		int status;
	} cases[] = {
		{ "", 401 },
		{ "Basic abc", 401 },
		{ "Bearer ", 401 },
		{ "Bearer nonsense", 401 },
		{ "Bearer user", 403 },
		{ "Bearer strange", 403 },
		{ "Bearer admin", 0 },
		{ "bearer   admin", 0 },
	};
	struct api_sender sender = { .authorization = "",
		.origin = "http://any",
		.host = "any" };

	(void)state;
	config.jwt_key.items = keys;
	config.jwt_key.count = 1;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		sender.authorization = cases[i].value;
		if (judge(&sender) != cases[i].status)
			fail_msg("%s", cases[i].value);
	}
	assert_int_equal(judge(&local), 401); /* being local is nothing then */
}

static void
when_an_application_authenticates_nobody_may_without_keys(void **state)
{
	(void)state;
	worker.app_authenticates = true;
	assert_int_equal(judge(&local), 403);
}

static void
the_paths_of_the_api_are_no_addresses_of_the_bus(void **state)
{
	static const char *const paths[] = { "/api", "/api/", "/api/publish",
		"/api/rooms/a?b" };
	static const char *const others[] = { "/ap", "/apis", "/a/api", "",
		"/API" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_true(http_is_api(paths[i], strlen(paths[i])));
		assert_true(http_is_reserved(paths[i], strlen(paths[i])));
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(http_is_api(others[i], strlen(others[i])));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_paths_of_the_api_are_no_addresses_of_the_bus),
		TEST(an_open_bus_lets_programs_of_this_host_in),
		TEST(a_page_is_let_in_only_from_an_allowed_origin),
		TEST(the_host_must_be_this_one),
		TEST(with_keys_a_token_of_the_right_role_is_needed),
		TEST(when_an_application_authenticates_nobody_may_without_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

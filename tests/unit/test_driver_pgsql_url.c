/* test_driver_pgsql_url.c - URLs of PostgreSQL servers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "primary/sync/driver_pgsql.h"
#include "torture.h"

static int
without_environment(void **state)
{
	(void)state;
	return unsetenv("PGHOST") | unsetenv("PGHOSTADDR") |
	    unsetenv("PGPORT") | unsetenv("PGSERVICE") |
	    unsetenv("PGCONNECT_TIMEOUT");
}

static const char *
value_of(const struct pgsql_url *url, const char *keyword)
{
	const char *value = NULL;

	for (size_t i = 0; i < url->count; i++) {
		if (strcmp(url->keywords[i], keyword) == 0) {
			assert_null(value); /* no word comes twice */
			value = url->values[i];
		}
	}
	return value;
}

/* "name address port;" for each host. */
static void
expect_hosts(const char *text, const char *wanted)
{
	char got[512] = "", why[PGSQL_WHY_MAX] = "";
	struct pgsql_url url;
	size_t used = 0;

	if (pgsql_url_parse(&url, text, why, sizeof(why)) != 0)
		fail_msg("%s: %s", text, why);
	for (size_t i = 0; i < url.host_count; i++)
		used += (size_t)snprintf(got + used, sizeof(got) - used,
		    "%s %s %s;", url.hosts[i].name, url.hosts[i].address,
		    url.hosts[i].port);
	assert_string_equal(got, wanted);
	pgsql_url_release(&url);
}

static void
hosts_have_a_name_an_address_and_a_port(void **state)
{
	(void)state;
	expect_hosts("postgres://", "  5432;");
	expect_hosts("postgres://db", "db  5432;");
	expect_hosts("postgresql://u:p@db:7/x", "db  7;");
	expect_hosts("postgres://10.0.0.1", "10.0.0.1 10.0.0.1 5432;");
	expect_hosts("postgres://[::1]:9", "::1 ::1 9;");
	expect_hosts("postgres://a:1,b:2,[fe80::1]",
	    "a  1;b  2;"
	    "fe80::1 fe80::1 ;");
	expect_hosts("postgres://db?hostaddr=10.0.0.1", "db 10.0.0.1 5432;");
	expect_hosts("postgres:///x?hostaddr=10.0.0.1,::1&port=5,6",
	    " 10.0.0.1 5; ::1 6;");
	expect_hosts("postgres://%2Frun%2Fpg", "/run/pg  5432;");
	expect_hosts("postgres:///x?host=/run/pg,@abstract,db&port=6",
	    "/run/pg  6;@abstract  6;db  6;");
}

static void
only_names_are_looked_up(void **state)
{
	static const struct {
		const char *text;
		bool is_name;
	} rows[] = {
		{ "postgres://", false },
		{ "postgres://db", true },
		{ "postgres://localhost", true },
		{ "postgres://127.0.0.1", false },
		{ "postgres://[::1]", false },
		{ "postgres://db?hostaddr=::1", false },
		{ "postgres:///?host=/run", false },
		{ "postgres:///?host=@x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pgsql_url url;
		char why[PGSQL_WHY_MAX];

		assert_int_equal(pgsql_url_parse(&url, rows[i].text, why,
				     sizeof(why)),
		    0);
		assert_int_equal(pgsql_host_is_name(&url.hosts[0]),
		    rows[i].is_name);
		pgsql_url_release(&url);
	}
}

static void
what_the_url_says_wins_and_the_rest_is_what_a_bus_wants(void **state)
{
	struct pgsql_url url;
	char why[PGSQL_WHY_MAX];

	(void)state;
	assert_int_equal(pgsql_url_parse(&url,
			     "postgres://u%40:p%3A%2F@h/d?sslmode=require"
			     "&application_name=me&client_encoding=LATIN1"
			     "&connect_timeout=3&keepalives_idle=60",
			     why, sizeof(why)),
	    0);
	assert_string_equal(value_of(&url, "user"), "u@");
	assert_string_equal(value_of(&url, "password"), "p:/");
	assert_string_equal(value_of(&url, "dbname"), "d");
	assert_string_equal(value_of(&url, "sslmode"), "require");
	assert_string_equal(value_of(&url, "application_name"), "me");
	assert_string_equal(value_of(&url, "keepalives_idle"), "60");
	assert_string_equal(value_of(&url, "client_encoding"), "UTF8");
	assert_null(value_of(&url, "host"));
	assert_null(value_of(&url, "connect_timeout"));
	assert_int_equal(url.connect_ms, 3000);
	pgsql_url_release(&url);
	assert_int_equal(pgsql_url_parse(&url, "postgres://h", why,
			     sizeof(why)),
	    0);
	assert_string_equal(value_of(&url, "application_name"), "clusterbus");
	assert_string_equal(value_of(&url, "gssencmode"), "disable");
	assert_non_null(value_of(&url, "tcp_user_timeout"));
	assert_int_equal(url.connect_ms, PGSQL_CONNECT_MS);
	pgsql_url_release(&url);
}

static void
numbers_must_fit(void **state)
{
	static const char *const bad[] = {
		"postgres:///?host=a,b&hostaddr=::1",
		"postgres:///?host=a,b&port=1,2,3",
		"postgres:///?host=a&port=1,2",
		"postgres:///?host=a&port=0",
		"postgres:///?host=a&port=65536",
		"postgres:///?host=a&port=1x",
		"postgres:///?hostaddr=name",
		"postgres://h?connect_timeout=soon",
		"postgres://h?connect_timeout=601",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct pgsql_url url;
		char why[PGSQL_WHY_MAX] = "";

		if (pgsql_url_parse(&url, bad[i], why, sizeof(why)) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_true(strlen(why) > 10);
	}
}

static int
parse(void)
{
	struct pgsql_url url;
	char why[PGSQL_WHY_MAX];
	int rc = pgsql_url_parse(&url, "postgres://u:p@10.0.0.1,h:2/d", why,
	    sizeof(why));

	if (rc == 0)
		pgsql_url_release(&url);
	else
		assert_int_equal(rc, -ENOMEM);
	return rc;
}

static void
every_failing_allocation_is_an_error_and_leaks_nothing(void **state)
{
	(void)state;
	torture_malloc(parse);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_have_a_name_an_address_and_a_port),
		cmocka_unit_test(only_names_are_looked_up),
		cmocka_unit_test(
		    what_the_url_says_wins_and_the_rest_is_what_a_bus_wants),
		cmocka_unit_test(numbers_must_fit),
		cmocka_unit_test(
		    every_failing_allocation_is_an_error_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, without_environment, NULL);
}

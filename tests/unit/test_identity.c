/* test_identity.c - who a client is, and what is granted to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "torture.h"
#include "wire/ipc_proto.h"
#include "worker/identity.h"

static int
add(struct grants *grants, const char *pattern)
{
	return grants_add(grants, pattern, strlen(pattern));
}

static bool
may_subscribe(const struct identity *identity, const char *topic)
{
	return identity_may_subscribe(identity, topic, strlen(topic));
}

static bool
may_publish(const struct identity *identity, const char *topic)
{
	return identity_may_publish(identity, topic, strlen(topic));
}

static void
nobody_has_no_name_and_is_not_narrowed(void **state)
{
	(void)state;
	assert_null(identity_user(NULL));
	assert_null(identity_role(NULL));
	assert_true(may_subscribe(NULL, "t"));
	assert_true(may_publish(NULL, "t"));
	identity_free(NULL);
}

static void
empty_names_are_none(void **state)
{
	struct identity *identity = identity_new("", "");

	(void)state;
	assert_null(identity_user(identity));
	assert_null(identity_role(identity));
	identity_free(identity);
	identity = identity_new("ann", "admin");
	assert_string_equal(identity_user(identity), "ann");
	assert_string_equal(identity_role(identity), "admin");
	assert_false(identity->api);
	identity_free(identity);
}

static void
names_have_a_limit(void **state)
{
	char name[IDENTITY_USER_MAX + 2];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[IDENTITY_USER_MAX + 1] = '\0';
	assert_null(identity_new(name, ""));
	assert_null(identity_new("", name));
	name[IDENTITY_USER_MAX] = '\0';
	identity_free(identity_new(name, name));
}

static void
a_pattern_is_a_name_or_the_beginning_of_one(void **state)
{
	struct identity *identity = identity_new("ann", "");

	(void)state;
	assert_true(may_subscribe(identity, "anything"));
	assert_int_equal(add(&identity->topics, "news"), 0);
	assert_int_equal(add(&identity->topics, "chat:*"), 0);
	assert_int_equal(add(&identity->topics, "a*b"), 0);
	assert_true(may_subscribe(identity, "news"));
	assert_true(may_subscribe(identity, "chat:1"));
	assert_true(may_subscribe(identity, "chat:"));
	assert_true(may_subscribe(identity, "a*b"));
	assert_false(may_subscribe(identity, "chat"));
	assert_false(may_subscribe(identity, "news2"));
	assert_false(may_subscribe(identity, "new"));
	assert_false(may_subscribe(identity, "axb"));
	assert_false(may_subscribe(identity, ""));
	assert_int_equal(add(&identity->topics, "*"), 0);
	assert_true(may_subscribe(identity, "axb"));
	identity_free(identity);
}

static void
a_list_for_publishing_stands_instead_of_the_other(void **state)
{
	struct identity *identity = identity_new("ann", "");

	(void)state;
	assert_int_equal(add(&identity->topics, "read"), 0);
	assert_true(may_publish(identity, "read"));
	assert_false(may_publish(identity, "write"));
	assert_int_equal(add(&identity->publish, "write"), 0);
	assert_false(may_publish(identity, "read"));
	assert_true(may_publish(identity, "write"));
	assert_false(may_subscribe(identity, "write"));
	identity_free(identity);
}

static void
an_empty_list_grants_nothing(void **state)
{
	struct identity *identity = identity_new("ann", "");

	(void)state;
	identity->topics.given = true;
	assert_false(may_subscribe(identity, "t"));
	assert_false(may_publish(identity, "t"));
	identity_free(identity);
}

static void
grants_have_limits(void **state)
{
	struct identity *identity = identity_new("ann", "");
	char pattern[IPC_CHANNEL_MAX + 1];

	(void)state;
	memset(pattern, 'x', sizeof(pattern));
	assert_int_equal(grants_add(&identity->topics, "", 0), -EINVAL);
	assert_int_equal(grants_add(&identity->topics, pattern,
			     IPC_CHANNEL_MAX),
	    -EINVAL);
	assert_false(identity->topics.given);
	for (int i = 0; i < IDENTITY_GRANTS_MAX; i++)
		assert_int_equal(grants_add(&identity->topics, pattern,
				     IPC_CHANNEL_MAX - 1),
		    0);
	assert_int_equal(add(&identity->topics, "x"), -E2BIG);
	identity_free(identity);
}

static int
make_once(void)
{
	struct identity *identity = identity_new("ann", "admin");
	int rc;

	if (identity == NULL)
		return -ENOMEM;
	rc = add(&identity->topics, "a");
	if (rc == 0)
		rc = add(&identity->publish, "b");
	identity_free(identity);
	return rc;
}

static void
without_memory_there_is_none(void **state)
{
	(void)state;
	torture_malloc(make_once);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_has_no_name_and_is_not_narrowed),
		cmocka_unit_test(empty_names_are_none),
		cmocka_unit_test(names_have_a_limit),
		cmocka_unit_test(a_pattern_is_a_name_or_the_beginning_of_one),
		cmocka_unit_test(
		    a_list_for_publishing_stands_instead_of_the_other),
		cmocka_unit_test(an_empty_list_grants_nothing),
		cmocka_unit_test(grants_have_limits),
		cmocka_unit_test(without_memory_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

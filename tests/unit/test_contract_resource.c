/* test_contract_resource.c - what clients may watch. */
#include "contract_rig.h"

static const struct contract_entry *
resource(const struct contract *contract, const char *role, const char *name)
{
	return contract_find(contract, CONTRACT_RESOURCE, role, name,
	    strlen(name));
}

static void
resources_are_found_by_name_pattern_and_role(void **state)
{
	struct contract *c = make(
	    "{\"shared\":{\"serverToClient\":{\"doc:1\":{\"subscribe\":true}},"
	    "\"resources\":{\"doc:{id}\":{\"change\":{\"type\":\"string\"},"
	    "\"cluster\":true,\"description\":\"d\"},"
	    "\"doc:1\":{}}},\"roles\":{\"user\":{\"resources\":{"
	    "\"doc:my-{id}\":{\"cluster\":false},\"own\":{}}}}}");
	struct schema_fault fault;

	(void)state;
	assert_name(resource(c, NULL, "doc:1"), "doc:1");
	assert_int_equal(resource(c, NULL, "doc:1")->kind, CONTRACT_RESOURCE);
	assert_false(resource(c, NULL, "doc:1")->cluster);
	assert_null(resource(c, NULL, "doc:1")->payload);
	assert_name(resource(c, NULL, "doc:my-2"), "doc:{id}");
	assert_true(resource(c, NULL, "doc:2")->cluster);
	assert_int_equal(contract_check(resource(c, NULL, "doc:2")->payload,
			     "1", 1, &fault),
	    -EINVAL);
	assert_name(resource(c, "user", "doc:my-2"), "doc:my-{id}");
	assert_string_equal(resource(c, "user", "doc:my-2")->role, "user");
	assert_name(resource(c, "user", "own"), "own");
	assert_null(resource(c, "other", "own"));
	assert_null(resource(c, NULL, "own"));
	assert_null(resource(c, "user", "doc:"));
	/* Topics are something else, even of the same name. */
	assert_name(topic(c, NULL, "doc:1"), "doc:1");
	assert_null(topic(c, NULL, "doc:2"));
	assert_int_equal(contract_count(c, CONTRACT_RESOURCE), 4);
	assert_int_equal(contract_count(c, CONTRACT_TOPIC), 1);
	contract_free(c);
}

static int
make_once(void)
{
	static const char text[] = "{\"shared\":{\"resources\":{\"a\":{},"
				   "\"b:{c}\":{\"change\":true}}}}";
	struct mistakes mistakes;
	struct contract *contract;

	mistakes_init(&mistakes, NULL);
	contract = contract_new(text, sizeof(text) - 1, &mistakes);
	mistakes_release(&mistakes);
	if (contract == NULL)
		return -1;
	contract_free(contract);
	return 0;
}

static void
memory_may_end_while_resources_are_read(void **state)
{
	(void)state;
	torture_malloc(make_once);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resources_are_found_by_name_pattern_and_role),
		cmocka_unit_test(memory_may_end_while_resources_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

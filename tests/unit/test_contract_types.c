/*
 * test_contract_types.c - names of generated types, and memory that ends; that
 * compilers like the types is for tests/integration/contract_test.py.
 */
#include "contract_rig.h"

#include "contract/types.h"

static const char chat[] =
    "{\"$defs\":{\"user\":{\"type\":\"object\",\"properties\":{\"likes\":"
    "{\"$ref\":\"#/$defs/user\"},\"all\":{\"type\":\"array\",\"items\":"
    "{\"enum\":[\"a\",\"b\"]}}}}},"
    "\"shared\":{\"serverToClient\":{\"chat:{room}\":{\"payload\":"
    "{\"$ref\":\"#/$defs/user\"},\"subscribe\":true}},"
    "\"resources\":{\"doc:{id}\":{\"change\":{\"type\":\"null\"}}}},"
    "\"roles\":{\"user\":{\"clientToServer\":{\"join\":{\"input\":"
    "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}}}";

/* The TypeScript of a contract; the caller frees it. */
static char *
typescript(const struct contract *contract)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(types_ts(contract, "chat.json", out), 0);
	(void)fclose(out); /* memory */
	return text;
}

static void
types_have_names_of_their_own(void **state)
{
	struct contract *c = make(
	    "{\"shared\":{\"serverToClient\":{\"topic\":{\"payload\":"
	    "{\"type\":\"string\"}},\"a-b\":{\"payload\":{\"type\":\"null\"}},"
	    "\"a_b\":{\"payload\":{\"const\":\"*/\"}},\"7\":{\"payload\":true},"
	    "\"any\":{},"
	    "\"\\u00fc\":{\"description\":\"*/ x\",\"payload\":{}}}}}");
	char *text = typescript(c);

	(void)state;
	assert_non_null(strstr(text, "export type SharedTopic = string;"));
	assert_non_null(strstr(text, "export type SharedAB = null;"));
	assert_non_null(strstr(text, "export type SharedAB2 = \"*/\";"));
	assert_non_null(strstr(text, "export type SharedN7 = unknown;"));
	assert_non_null(strstr(text, "\t\"any\": unknown;"));
	assert_non_null(
	    strstr(text, "/** * / x */\n\t\t\"\303\274\": Types.SharedX;"));
	free(text);
	contract_free(c);
}

static void
roles_have_names_of_their_own(void **state)
{
	struct contract *c = make(
	    "{\"$defs\":{\"user\":{\"type\":\"string\"}},"
	    "\"shared\":{\"serverToClient\":{\"hi\":{\"payload\":"
	    "{\"$ref\":\"#/$defs/user\"}}}},\"roles\":{\"shared\":{},"
	    "\"x y\":{},\"xY\":{},\"types\":{},\"contract\":{},\"user\":{}}}");
	const char *const roles[] = { "Shared", "Shared_2", "XY", "XY_2",
		"Types_2", "Contract_2", "User" };
	char *text = typescript(c), line[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		(void)snprintf(line, sizeof(line),
		    "\nexport interface %s extends Contract {\n", roles[i]);
		assert_non_null(strstr(text, line));
	}
	assert_non_null(strstr(text, "\n\texport type User = string;"));
	free(text);
	contract_free(c);
}

static void
the_most_specific_of_several_patterns_comes_first(void **state)
{
	struct contract *c = make("{\"shared\":{\"resources\":{"
				  "\"{all}\":{},\"doc:{id}\":{}}},"
				  "\"roles\":{\"user\":{\"resources\":{"
				  "\"{a}:{b}\":{},\"doc:x{id}\":{}}}}}");
	char *text = typescript(c);

	(void)state;
	assert_non_null(strstr(text,
	    "\tresourcePatterns: [\n"
	    "\t\t[`doc:x${string}`, unknown],\n"
	    "\t\t[`doc:${string}`, unknown],\n"
	    "\t\t[`${string}:${string}`, unknown],\n"
	    "\t\t[`${string}`, unknown],\n"
	    "\t];\n"));
	free(text);
	contract_free(c);
}

static void
memory_may_end_while_types_are_made(void **state)
{
	struct contract *contract = make(chat);
	FILE *out = fopen("/dev/null", "we");

	(void)state;
	assert_non_null(out);
	for (long n = 0, rc = -ENOMEM; rc != 0; n++) {
		torture_fail_after(n);
		rc = types_ts(contract, "x", out);
		torture_off();
		assert_true(rc == 0 || rc == -ENOMEM);
	}
	for (long n = 0, rc = -ENOMEM; rc != 0; n++) {
		torture_fail_after(n);
		rc = types_c(contract, "x", out);
		torture_off();
		assert_true(rc == 0 || rc == -ENOMEM);
	}
	(void)fclose(out); /* nothing was kept */
	contract_free(contract);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_names_of_their_own),
		cmocka_unit_test(roles_have_names_of_their_own),
		cmocka_unit_test(
		    the_most_specific_of_several_patterns_comes_first),
		cmocka_unit_test(memory_may_end_while_types_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

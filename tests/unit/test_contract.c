/* test_contract.c - the contract: what is found, what is refused. */
#include "contract_rig.h"

#include <unistd.h>

#include "contract/contract_internal.h"

static const char chat[] =
    "{\"$defs\":{\"user\":{\"type\":\"object\",\"properties\":{\"likes\":"
    "{\"$ref\":\"#/$defs/user\"}}}},\n"
    "\"shared\":{\"serverToClient\":{"
    "\"announce\":{\"payload\":{\"type\":\"string\"},\"subscribe\":true},"
    "\"chat:{room}\":{\"payload\":{\"$ref\":\"#/$defs/user\"},"
    "\"subscribe\":true,\"publish\":true},"
    "\"chat:lobby\":{\"subscribe\":true},"
    "\"message\":{\"payload\":{\"$defs\":{\"user\":{\"type\":\"null\"}},"
    "\"$ref\":\"#/$defs/user\"}}},"
    "\"clientToServer\":{\"whoami\":{\"output\":{\"type\":\"string\"}}}},\n"
    "\"roles\":{\"user\":{\"serverToClient\":{"
    "\"chat:vip-{room}\":{\"payload\":{\"const\":1},\"subscribe\":true},"
    "\"badge\":{\"subscribe\":true}},"
    "\"clientToServer\":{\"join\":{\"input\":{\"type\":\"string\"}}}},"
    "\"admin\":{\"serverToClient\":{\"alarm\":{\"x-level\":3}},"
    "\"clientToServer\":{\"kick\":{}}}}}";

static const struct contract_entry *
event(const struct contract *contract, const char *role, const char *name)
{
	return contract_find(contract, CONTRACT_EVENT, role, name,
	    strlen(name));
}

static const struct contract_entry *
method(const struct contract *contract, const char *role, const char *name)
{
	return contract_find(contract, CONTRACT_METHOD, role, name,
	    strlen(name));
}

static void
names_are_found_by_kind_and_role(void **state)
{
	struct contract *c = make(chat);

	(void)state;
	assert_name(topic(c, NULL, "announce"), "announce");
	assert_null(event(c, NULL, "announce"));
	assert_name(event(c, NULL, "message"), "message");
	assert_null(topic(c, NULL, "message"));
	assert_name(method(c, "user", "whoami"), "whoami");
	assert_name(method(c, "user", "join"), "join");
	assert_null(method(c, "user", "message"));
	assert_true(contract_has_role(c, "admin"));
	assert_false(contract_has_role(c, "nobody"));
	assert_int_equal(contract_count(c, CONTRACT_TOPIC), 5);
	assert_int_equal(contract_count(c, CONTRACT_EVENT), 2);
	assert_int_equal(contract_count(c, CONTRACT_METHOD), 3);
	contract_free(c);
}

static void
what_is_another_roles_is_not_found(void **state)
{
	struct contract *c = make(chat);

	(void)state;
	assert_string_equal(method(c, "admin", "kick")->role, "admin");
	assert_null(method(c, "user", "kick"));
	assert_null(method(c, NULL, "kick"));
	assert_null(method(c, "nobody", "kick"));
	assert_null(event(c, "user", "alarm"));
	assert_null(topic(c, "admin", "badge"));
	assert_null(topic(c, "admin", "chat:vip-1")->role);
	assert_name(topic(c, "nobody", "announce"), "announce");
	contract_free(c);
}

static void
the_most_specific_name_is_meant(void **state)
{
	struct contract *c = make(chat);

	(void)state;
	assert_name(topic(c, "user", "chat:lobby"), "chat:lobby");
	assert_name(topic(c, "user", "chat:x"), "chat:{room}");
	assert_name(topic(c, "user", "chat:vip-x"), "chat:vip-{room}");
	assert_name(topic(c, NULL, "chat:vip-x"), "chat:{room}");
	assert_name(topic(c, "user", "chat:vip-"), "chat:{room}");
	assert_null(topic(c, "user", "chat:"));
	assert_null(topic(c, "user", "chat:a:b"));
	assert_null(topic(c, "user", "chat"));
	assert_false(topic(c, "user", "chat:lobby")->publish);
	assert_true(topic(c, "user", "chat:x")->publish);
	contract_free(c);
}

static void
a_variable_is_anything_but_a_colon(void **state)
{
	static const struct {
		const char *pattern;
		const char *name;
		bool fits;
	} cases[] = {
		{ "{a}", "x", true },
		{ "{a}", "", false },
		{ "{a}", "x:y", false },
		{ "{a}:{b}", "x:y", true },
		{ "{a}:{b}", "x:y:z", false },
		{ "{a}:{b}", ":y", false },
		{ "{a}:{b}", "x:", false },
		{ "a{x}b", "ab", false },
		{ "a{x}b", "acb", true },
		{ "a{x}b", "abb", true },
		{ "a{x}b", "abbc", false },
		{ "a{x}b{y}", "abbb", true },
		{ "{a}x:{b}", "1x2x:3", true },
		{ "{a}xx{b}xx", "axxbxxcxx", true },
		{ "{a}-{b}", "a--", true },
		{ "r:{id}:log", "r:7:log", true },
		{ "r:{id}:log", "r:7:8:log", false },
		{ "r:{id}:log", "r::log", false },
		{ "plain", "plain", true },
		{ "plain", "plainer", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (contract_name_fits(cases[i].pattern,
			strlen(cases[i].pattern), cases[i].name,
			strlen(cases[i].name)) == cases[i].fits)
			continue;
		print_error("%s %s\n", cases[i].pattern, cases[i].name);
		fail();
	}
}

static void
schemas_share_definitions_and_prefer_their_own(void **state)
{
	struct contract *c = make(chat);
	const struct schema *room = topic(c, NULL, "chat:a")->payload;
	const struct schema *message = event(c, NULL, "message")->payload;
	struct schema_fault fault;

	(void)state;
	assert_int_equal(contract_check(room, "{}", 2, &fault), 0);
	assert_int_equal(contract_check(room, "{\"likes\":1}", 11, &fault),
	    -EINVAL);
	assert_string_equal(fault.schema, "/$defs/user/type");
	assert_string_equal(fault.instance, "/likes");
	assert_int_equal(contract_check(message, "null", 4, &fault), 0);
	assert_int_equal(contract_check(message, "{}", 2, &fault), -EINVAL);
	assert_null(method(c, NULL, "whoami")->payload);
	assert_int_equal(contract_check(NULL, "[1]", 3, &fault), 0);
	assert_int_equal(contract_check(NULL, "[1", 2, &fault), -EINVAL);
	contract_free(c);
}

static void
all_mistakes_are_listed_with_their_lines(void **state)
{
	static const char text[] =
	    "{\"shared\":{\"serverToClient\":{\n"
	    "\"\":{},\n"
	    "\"a{b\":{\"subscribe\":true},\n"
	    "\"{a}{b}\":{\"subscribe\":true},\n"
	    "\"e:{x}\":{},\n"
	    "\"e\":{\"publish\":true},\n"
	    "\"t:{x}\":{\"subscribe\":true},\n"
	    "\"t:{y}\":{\"subscribe\":true},\n"
	    "\"p\":{\"payload\":{\"type\":\"txt\"},\"subscribe\":1},\n"
	    "\"q\":{\"payloads\":{}},\n"
	    "\"r\":[]\n"
	    "},\"clientToserver\":{}},\n"
	    "\"roles\":{\"a\":{\"serverToClient\":{\"q\":{}}},\n"
	    "\"b\":1,\n"
	    "\"c\":{\"resources\":{\"x\":{\"cluster\":1},\"y\":{},\n"
	    "\"d:{a}\":{\"payload\":{}},\"d:{b}\":{}}},\n"
	    "\"d/e\":{}}}";
	static const char *const wanted[] = {
		":2: /shared/serverToClient/: a name must not be empty",
		":3: /shared/serverToClient/a{b: a variable is a word",
		":4: /shared/serverToClient/{a}{b}: between two variables",
		":5: /shared/serverToClient/e:{x}: only topics and resources",
		":6: /shared/serverToClient/e: to publish is only for topics",
		":8: /shared/serverToClient/t:{y}: this is declared already",
		":9: /shared/serverToClient/p/payload/type: a type is null",
		":9: /shared/serverToClient/p/subscribe: this must be true",
		":10: /shared/serverToClient/q/payloads: there is no",
		":11: /shared/serverToClient/r: this must be an object",
		":12: /shared/clientToserver: there is no",
		":13: /roles/a/serverToClient/q: this is declared already",
		":14: /roles/b: this must be an object",
		":15: /roles/c/resources/x/cluster: this must be true",
		":16: /roles/c/resources/d:{a}/payload: there is no",
		":16: /roles/c/resources/d:{b}: this is declared already",
		":17: /roles/d~1e: a role's name must not have a '/'",
	};
	struct mistakes mistakes;

	(void)state;
	mistakes_init(&mistakes, "my.json");
	assert_null(contract_new(text, sizeof(text) - 1, &mistakes));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		if (strstr(mistakes.text, wanted[i]) == NULL)
			print_error("%s\nin:\n%s", wanted[i], mistakes.text);
		assert_non_null(strstr(mistakes.text, wanted[i]));
	}
	assert_int_equal(mistakes.count, ARRAY_LEN(wanted));
	mistakes_release(&mistakes);
}

static void
refused(const char *text, size_t len, const char *wanted)
{
	struct mistakes mistakes;

	mistakes_init(&mistakes, NULL);
	assert_null(contract_new(text, len, &mistakes));
	if (strstr(mistakes.text, wanted) == NULL)
		print_error("%s\nin:\n%s", wanted, mistakes.text);
	assert_non_null(strstr(mistakes.text, wanted));
	mistakes_release(&mistakes);
}

static void
everything_has_a_limit(void **state)
{
	size_t size = CONTRACT_FILE_MAX + 1, at;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', size);
	refused(text, size, "a contract has at most 1048576 bytes");
	refused("[]", 2, "must be an object");
	refused("{}", 2, "neither \"shared\" nor \"roles\"");
	refused("{\"shared\":{},\n\"$defs\":1}", 24, "line 2: /$defs: ");
	refused("{\"shared\":{},}", 14, "a member's name is missing");
	at =
	    (size_t)snprintf(text, size, "{\"shared\":{\"clientToServer\":{\"");
	memset(text + at, 'n', 256);
	at += 256 + (size_t)snprintf(text + at + 256, 20, "\":{}}}}");
	refused(text, at, "at most 255 bytes");
	at = (size_t)snprintf(text, size, "{\"shared\":{\"clientToServer\":{");
	for (int i = 0; i <= CONTRACT_ENTRIES_MAX; i++)
		at += (size_t)snprintf(text + at, 20, "\"m%d\":{},", i);
	at += (size_t)snprintf(text + at - 1, 20, "}}}") - 1;
	refused(text, at, "at most 10000 entries");
	at = (size_t)snprintf(text, size, "{\"roles\":{");
	for (int i = 0; i <= CONTRACT_ROLES_MAX; i++)
		at += (size_t)snprintf(text + at, 20, "\"r%d\":{},", i);
	at += (size_t)snprintf(text + at - 1, 20, "}}") - 1;
	refused(text, at, "at most 256 roles");
	free(text);
}

static void
a_contract_comes_from_a_file(void **state)
{
	char path[] = "/tmp/clusterbus-test-contract-XXXXXX";
	struct mistakes mistakes;
	struct contract *contract;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd != -1);
	assert_int_equal(write(fd, chat, sizeof(chat) - 1), sizeof(chat) - 1);
	(void)close(fd);
	mistakes_init(&mistakes, path);
	contract = contract_load(path, &mistakes);
	assert_non_null(contract);
	contract_free(contract);
	(void)unlink(path);
	assert_null(contract_load(path, &mistakes));
	assert_non_null(strstr(mistakes.text, ": No such file"));
	mistakes_release(&mistakes);
	mistakes_init(&mistakes, "/tmp");
	assert_null(contract_load("/tmp", &mistakes));
	assert_string_equal(mistakes.text, "/tmp: Is a directory\n");
	mistakes_release(&mistakes);
}

static int
scenario(void)
{
	struct mistakes mistakes;
	struct contract *contract;
	struct schema_fault fault;
	int rc;

	mistakes_init(&mistakes, "x.json");
	contract = contract_new(chat, sizeof(chat) - 1, &mistakes);
	if (contract == NULL) {
		assert_non_null(strstr(mistakes.text, "out of memory"));
		mistakes_release(&mistakes);
		return -ENOMEM;
	}
	rc = contract_check(topic(contract, NULL, "chat:a")->payload,
	    "{\"likes\":{}}", 12, &fault);
	contract_free(contract);
	return rc;
}

static void
memory_may_end_at_any_time(void **state)
{
	(void)state;
	torture_malloc(scenario);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_by_kind_and_role),
		cmocka_unit_test(what_is_another_roles_is_not_found),
		cmocka_unit_test(the_most_specific_name_is_meant),
		cmocka_unit_test(a_variable_is_anything_but_a_colon),
		cmocka_unit_test(
		    schemas_share_definitions_and_prefer_their_own),
		cmocka_unit_test(all_mistakes_are_listed_with_their_lines),
		cmocka_unit_test(everything_has_a_limit),
		cmocka_unit_test(a_contract_comes_from_a_file),
		cmocka_unit_test(memory_may_end_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_schema_cost.c - no payload costs more than it may, in time, in depth and
 * in memory; and what one of the usual size does cost.
 */
#include "schema_fixture.h"

#include <stdio.h>
#include <time.h>

#include "torture.h"

enum {
	ROUNDS = 2000,
	SLOWEST_US = 1000,
	LARGE = 256 * 1024
};

/* 'open' a number of times, then middle, then 'close' as often. */
static char *
nested(const char *open, const char *middle, const char *close, size_t count)
{
	size_t size =
	    (strlen(open) + strlen(close)) * count + strlen(middle) + 1;
	char *text = malloc(size), *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, open);
	at = stpcpy(at, middle);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, close);
	return text;
}

static void
nesting_has_a_limit(void **state)
{
	char *most = nested("[", "1", "]", VALUE_DEPTH_MAX);
	char *more = nested("[", "1", "]", VALUE_DEPTH_MAX + 1);
	char *deep = nested("{\"not\":", "true", "}", VALUE_DEPTH_MAX);
	char *deeper = nested("{\"not\":", "{}", "}", VALUE_DEPTH_MAX);

	(void)state;
	fits("true", most, true);
	fits("true", more, false);
	fits(deep, "1", true);
	refused(deeper, "too many levels");
	free(most);
	free(more);
	free(deep);
	free(deeper);
}

static void
takes_too_much(const char *schema_text, const char *json)
{
	struct schema *schema = compile(schema_text);
	struct schema_fault fault;

	if (check(schema, json, &fault) != -E2BIG)
		print_error("%s: %s\n", schema_text, fault.message);
	assert_int_equal(check(schema, json, &fault), -E2BIG);
	assert_string_equal(fault.message,
	    "to check this would take too much work");
	schema_free(schema);
}

static void
no_payload_costs_more_than_it_may(void **state)
{
	char *as = nested("a", "!", "", 64);
	char *deep = nested("[", "1", "]", 100);
	char *many = nested("a", "", "", LARGE);

	(void)state;
	memcpy(many, "\"", 1);
	memcpy(many + LARGE - 1, "\"", 1);
	as[0] = '"';
	as[64] = '"';
	takes_too_much("{\"pattern\":\"^(a+)+$|^(a|a)*b\"}",
	    "\"aaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaa"
	    "!\"");
	takes_too_much("{\"pattern\":\"a*[xy]\"}", many);
	/* What goes wrong inside "not" must not turn into a yes. */
	takes_too_much("{\"not\":{\"pattern\":\"a*[xy]\"}}", many);
	takes_too_much("{\"anyOf\":[{\"items\":{\"$ref\":\"#\"}},"
		       "{\"items\":{\"$ref\":\"#\"}}],\"not\":{\"const\":1}}",
	    deep);
	takes_too_much(
	    "{\"patternProperties\":{\"a*[xy]\":true},\"propertyNames\":"
	    "{\"pattern\":\"^(a|a)*[cd]\"}}",
	    "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\":1}");
	free(as);
	free(deep);
	free(many);
}

static void
many_items_are_told_apart_quickly(void **state)
{
	struct schema *schema = compile("{\"uniqueItems\":true}");
	size_t size = 12 * LARGE / 8, at = 1;
	char *text = malloc(size);
	struct schema_fault fault;

	(void)state;
	assert_non_null(text);
	text[0] = '[';
	for (int i = 0; i < LARGE / 8; i++)
		at += (size_t)snprintf(text + at, size - at, "{\"a\":%d},", i);
	(void)snprintf(text + at - 1, size - at, "]");
	assert_int_equal(schema_check(schema, text, at, &fault), 0);
	(void)snprintf(text + at - 1, size - at, ",{\"a\":7e0}]");
	assert_int_equal(schema_check(schema, text, strlen(text), &fault),
	    -EINVAL);
	free(text);
	schema_free(schema);
}

static const char message_schema[] =
    "{\"$defs\":{\"user\":{\"type\":\"object\",\"properties\":{\"id\":{"
    "\"type\":\"string\",\"pattern\":\"^[a-z0-9]+$\"},\"name\":{\"type\":"
    "\"string\",\"maxLength\":40}},\"required\":[\"id\",\"name\"],"
    "\"additionalProperties\":false}},\"type\":\"object\",\"properties\":{"
    "\"room\":{\"type\":\"string\"},\"from\":{\"$ref\":\"#/$defs/user\"},"
    "\"at\":{\"type\":\"integer\",\"minimum\":0},\"text\":{\"type\":\"string\","
    "\"minLength\":1,\"maxLength\":2000},\"to\":{\"type\":\"array\",\"items\":{"
    "\"$ref\":\"#/$defs/user\"},\"maxItems\":50},\"mood\":{\"enum\":[\"happy\","
    "\"grim\"]},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
    "\"uniqueItems\":true}},\"required\":[\"room\",\"from\",\"text\"],"
    "\"unevaluatedProperties\":false,\"anyOf\":[{\"required\":[\"to\"]},{"
    "\"required\":[\"at\"]}]}";

static const char message_start[] =
    "{\"room\":\"lobby\",\"from\":{\"id\":\"ann7\",\"name\":\"Ann\"},\"at\":"
    "1763730000,\"mood\":\"happy\",\"tags\":[\"a\",\"b\",\"c\"],\"to\":[{"
    "\"id\":\"bob1\",\"name\":\"Bob \\u00e9\"},{\"id\":\"cem2\",\"name\":"
    "\"Cem\"},{\"id\":\"dot3\",\"name\":\"Dot\"},{\"id\":\"eve4\",\"name\":"
    "\"Eve\"}],\"text\":\"";

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The best of many rounds, in nanoseconds. */
static uint64_t
cost(const struct schema *schema, const char *json)
{
	uint64_t best = UINT64_MAX, start, took;
	struct schema_fault fault;
	size_t len = strlen(json);

	for (int i = 0; i < ROUNDS; i++) {
		start = now_ns();
		assert_int_equal(schema_check(schema, json, len, &fault), 0);
		took = now_ns() - start;
		if (took < best)
			best = took;
	}
	return best;
}

static void
a_payload_of_1_kB_takes_microseconds(void **state)
{
	struct schema *schema = compile(message_schema);
	struct schema *nothing = compile("true");
	char json[1025];
	uint64_t parse, all;

	(void)state;
	memset(json, 'x', sizeof(json));
	memcpy(json, message_start, strlen(message_start));
	memcpy(json + 1022, "\"}", 3);
	parse = cost(nothing, json);
	all = cost(schema, json);
	print_message("# 1 kB: %.2f us to parse, %.2f us more to check\n",
	    (double)parse / 1000, (double)(all - parse) / 1000);
	assert_true(all < SLOWEST_US * UINT64_C(1000));
	schema_free(schema);
	schema_free(nothing);
}

static int
scenario(void)
{
	static const char json[] =
	    "{\"room\":\"a\",\"from\":{\"id\":\"a\",\"name\":\"b\\n\"},"
	    "\"text\":\"x\",\"at\":1,\"tags\":[1,2,3,4,5,6,7,8,9,\"a\"]}";
	struct schema_fault fault;
	struct mistakes mistakes;
	struct schema *schema;
	int rc;

	mistakes_init(&mistakes, "x.json");
	schema =
	    schema_new(message_schema, sizeof(message_schema) - 1, &mistakes);
	if (schema == NULL) {
		rc = strcmp(mistakes.text, "out of memory\n") == 0 ? -ENOMEM :
								     -EINVAL;
		assert_int_equal(rc, -ENOMEM);
		mistakes_release(&mistakes);
		return rc;
	}
	rc = schema_check(schema, json, sizeof(json) - 1, &fault);
	schema_free(schema);
	if (rc != -EINVAL)
		return rc;
	assert_string_equal(fault.instance, "/tags/0");
	return schema_new("{\"a\":1,\"b\":2}", 13, &mistakes) == NULL &&
		mistakes.count != 0 ?
	    (mistakes_release(&mistakes), 0) :
	    -EINVAL;
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
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(no_payload_costs_more_than_it_may),
		cmocka_unit_test(many_items_are_told_apart_quickly),
		cmocka_unit_test(a_payload_of_1_kB_takes_microseconds),
		cmocka_unit_test(memory_may_end_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

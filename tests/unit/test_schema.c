/*
 * test_schema.c - JSON Schema beyond the official tests: what is refused, what
 * a fault says, numbers and strings.
 */
#include "schema_fixture.h"

#include <stdio.h>

static void
what_is_not_a_keyword_is_refused_by_name_and_place(void **state)
{
	(void)state;
	refused("{\"type\":\"object\",\n\"properties\":{\"a\":\n"
		"{\"minLenght\":1}}}",
	    "line 3: /properties/a/minLenght: \"minLenght\" is not a keyword");
	refused("{\"definitions\":{}}", "2020-12 has $defs");
	refused("{\"dependencies\":{}}", "2020-12 has dependentRequired");
	refused("{\"$vocabulary\":{}}", "$vocabulary is not supported");
	refused("{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
	    "/$schema: only https://json-schema.org/draft/2020-12/schema");
	refused("{\"$ref\":\"https://example.com/x\"}", "nothing is fetched");
	refused("{\"$ref\":\"#/$defs/x\"}", "leads to no schema");
	refused("{\"$ref\":\"#here\"}", "leads to no schema");
	refused("{\"$ref\":\"#%4\"}", "leads to no schema");
	refused("{\"x-owner\":1,\"y-owner\":1}", "/y-owner: ");
}

static void
values_that_keywords_cannot_have_are_refused(void **state)
{
	static const char *const texts[] = { "1", "[]", "{\"type\":\"text\"}",
		"{\"type\":[]}", "{\"type\":[\"null\",\"null\"]}",
		"{\"type\":1}", "{\"enum\":1}", "{\"required\":[1]}",
		"{\"required\":\"a\"}", "{\"properties\":[]}",
		"{\"properties\":{\"a\":1}}", "{\"items\":[]}",
		"{\"prefixItems\":{}}", "{\"allOf\":[]}", "{\"allOf\":{}}",
		"{\"not\":1}", "{\"if\":1}", "{\"then\":1}",
		"{\"minLength\":-1}", "{\"minLength\":1.5}",
		"{\"maxItems\":\"1\"}", "{\"minimum\":\"1\"}",
		"{\"multipleOf\":0}", "{\"multipleOf\":-1}",
		"{\"multipleOf\":1234567890123456789}", "{\"pattern\":\"(\"}",
		"{\"pattern\":1}", "{\"patternProperties\":{\"[\":true}}",
		"{\"patternProperties\":1}", "{\"uniqueItems\":1}",
		"{\"contains\":1}", "{\"minContains\":-1}",
		"{\"dependentRequired\":{\"a\":1}}",
		"{\"dependentRequired\":1}", "{\"dependentSchemas\":1}",
		"{\"propertyNames\":1}", "{\"unevaluatedItems\":1}",
		"{\"unevaluatedProperties\":1}", "{\"$id\":\"#a\"}",
		"{\"$id\":1}", "{\"$anchor\":\"1\"}", "{\"$anchor\":\"\"}",
		"{\"$ref\":1}", "{\"$defs\":1}", "{\"$defs\":{\"a\":1}}",
		"{\"title\":1}", "{\"deprecated\":1}", "{\"examples\":1}",
		"{\"format\":1}", "{\"contentSchema\":1}",
		"{\"allOf\":[{\"$anchor\":\"a\"},{\"$anchor\":\"a\"}]}",
		"{\"allOf\":[{\"$id\":\"a\"},{\"$id\":\"a\"}]}",
		"{\"type\":\"null\",\"type\":\"null\"}", "{", "",
		"\"\\ud800\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		refused(texts[i], ": ");
}

static void
all_mistakes_are_listed_at_once(void **state)
{
	const char *text = "{\"typ\":1,\n\"minimum\":\"1\",\n\"not\":{\n"
			   "\"a\":1,\"$ref\":\"#x\"}}";
	struct mistakes mistakes;

	(void)state;
	mistakes_init(&mistakes, "my.json");
	assert_null(schema_new(text, strlen(text), &mistakes));
	assert_int_equal(mistakes.count, 4);
	assert_string_equal(mistakes.text,
	    "my.json:1: /typ: \"typ\" is not a keyword of JSON Schema 2020-12\n"
	    "my.json:2: /minimum: this must be a number\n"
	    "my.json:4: /not/a: \"a\" is not a keyword of JSON Schema 2020-12\n"
	    "my.json:4: /not/$ref: \"#x\" leads to no schema\n");
	mistakes_release(&mistakes);
}

static void
references_that_never_end_are_refused(void **state)
{
	(void)state;
	refused("{\"$ref\":\"#\"}", "never ends");
	refused("{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},"
		"\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"}]}}}",
	    "never ends");
	refused("{\"if\":{\"not\":{\"$ref\":\"#\"}}}", "never ends");
	refused("{\"dependentSchemas\":{\"a\":{\"$ref\":\"#\"}}}",
	    "never ends");
	fits("{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"type\":\"object\"}",
	    "{\"a\":{\"a\":{}}}", true);
	fits("{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"type\":\"object\"}",
	    "{\"a\":{\"a\":1}}", false);
}

static void
a_fault_names_both_places(void **state)
{
	struct schema *schema = compile("{\"$defs\":{\"n\":{\"maximum\":9}},"
					"\"properties\":{\"a/b\":{\"items\":"
					"{\"$ref\":\"#/$defs/n\"}}}}");
	struct schema_fault fault;

	(void)state;
	assert_int_equal(check(schema, "{\"a/b\":[1,10]}", &fault), -EINVAL);
	assert_string_equal(fault.instance, "/a~1b/1");
	assert_string_equal(fault.schema, "/$defs/n/maximum");
	assert_string_equal(fault.message, "this must be at most 9");
	assert_int_equal(check(schema, "{\"a/b\":[1,]}", &fault), -EINVAL);
	assert_string_equal(fault.instance, "");
	assert_string_equal(fault.message, "byte 10: this is not JSON");
	schema_free(schema);
}

static void
what_may_fail_inside_is_not_the_fault(void **state)
{
	struct schema *schema =
	    compile("{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":3}],"
		    "\"not\":{\"const\":7}}");
	struct schema_fault fault;

	(void)state;
	assert_int_equal(check(schema, "4", &fault), 0);
	assert_string_equal(fault.message, "");
	assert_int_equal(check(schema, "1", &fault), -EINVAL);
	assert_string_equal(fault.schema, "/anyOf");
	assert_int_equal(check(schema, "7", &fault), -EINVAL);
	assert_string_equal(fault.schema, "/not");
	schema_free(schema);
}

static void
numbers_are_not_rounded(void **state)
{
	(void)state;
	fits("{\"const\":9007199254740993}", "9007199254740993", true);
	fits("{\"const\":9007199254740993}", "9007199254740992", false);
	fits("{\"maximum\":9007199254740992}", "9007199254740993", false);
	fits("{\"minimum\":-9007199254740992}", "-9007199254740993", false);
	fits("{\"maximum\":1e400}", "1e401", false);
	fits("{\"maximum\":1e400}", "9.99e399", true);
	fits("{\"exclusiveMinimum\":1e-400}", "1e-401", false);
	fits("{\"type\":\"integer\"}", "1e400", true);
	fits("{\"type\":\"integer\"}", "1e-400", false);
	fits("{\"type\":\"integer\"}", "123.000", true);
	fits("{\"type\":\"integer\"}", "1.5e1", true);
	fits("{\"type\":\"integer\"}", "1.55e1", false);
	fits("{\"type\":\"integer\"}", "0e-5", true);
	fits("{\"const\":0}", "-0.0e7", true);
	fits("{\"const\":100}", "1e2", true);
	fits("{\"enum\":[1,2]}", "2.0", true);
	fits("{\"uniqueItems\":true}", "[1,1.0]", false);
	fits("{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,10,11,100e-1]",
	    false);
	fits("{\"multipleOf\":0.01}", "19.99", true);
	fits("{\"multipleOf\":0.01}", "19.999", false);
	fits("{\"multipleOf\":3}", "1e400", false);
	fits("{\"multipleOf\":4}", "1e400", true);
	fits("{\"multipleOf\":7}", "123456789012345678901234567891", false);
	fits("{\"multipleOf\":123456789}", "15241578750190521", true);
	fits("{\"multipleOf\":5}", "-10", true);
	fits("{\"minLength\":2.0}", "\"ab\"", true);
	fits("{\"maxLength\":1e400}", "\"ab\"", true);
	fits("{\"minLength\":1e400}", "\"ab\"", false);
	fits("{\"maximum\":1e999999999999999999999}", "1e400", true);
}

static void
strings_are_characters_not_bytes(void **state)
{
	(void)state;
	fits("{\"const\":\"a\\u0000b\"}", "\"a\\u0000b\"", true);
	fits("{\"const\":\"a\\u0000b\"}", "\"a\\u0000c\"", false);
	fits("{\"const\":\"a\"}", "\"a\\u0000c\"", false);
	fits("{\"const\":\"\\u00e9\"}", "\"\303\251\"", true);
	fits("{\"maxLength\":1}", "\"\\ud83d\\ude00\"", true);
	fits("{\"minLength\":2}", "\"\360\237\230\200\"", false);
	fits("{\"pattern\":\"^\\\\u00e9.$\"}", "\"\303\251\360\237\230\200\"",
	    true);
	fits("{\"pattern\":\"^a$\"}", "\"a\\n\"", false);
	fits("{\"pattern\":\"^[^]$\"}", "\"\\n\"", true);
	fits("{\"pattern\":\"[]\"}", "\"a\"", false);
	fits("{}", "\"\\ud83d\"", false);
	fits("{}", "\"\\ude00\\ud83d\"", false);
	fits("{}", "\"\377\"", false);
}

static void
unicode_categories_have_long_names_too(void **state)
{
	(void)state;
	fits("{\"pattern\":\"^\\\\p{Letter}+$\"}", "\"\303\251a\"", true);
	fits("{\"pattern\":\"^\\\\p{Letter}+$\"}", "\"7\"", false);
	fits("{\"pattern\":\"^\\\\P{gc=Decimal_Number}$\"}", "\"7\"", false);
	fits("{\"pattern\":\"^\\\\p{General_Category=Lu}$\"}", "\"A\"", true);
	fits("{\"pattern\":\"^\\\\p{LC}$\"}", "\"A\"", true);
	fits("{\"pattern\":\"^\\\\\\\\p{2}$\"}", "\"\\\\pp\"", true);
	refused("{\"pattern\":\"\\\\p{Letters}\"}", "is no pattern");
	refused("{\"pattern\":\"\\\\p{Letter\"}", "is no pattern");
}

static void
format_is_an_annotation(void **state)
{
	(void)state;
	fits("{\"format\":\"email\",\"contentMediaType\":\"application/json\","
	     "\"x-note\":[1],\"readOnly\":true,\"default\":1}",
	    "\"not an address\"", true);
}

static void
objects_with_two_members_of_one_name_do_not_fit(void **state)
{
	char many[400] = "{";
	size_t len;

	(void)state;
	fits("true", "{\"a\":1,\"b\":2,\"a\":1}", false);
	fits("true", "{\"a\":1,\"\\u0061\":1}", false);
	for (int i = 0; i < 30; i++) {
		len = strlen(many);
		(void)snprintf(many + len, sizeof(many) - len, "\"m%d\":0,", i);
	}
	len = strlen(many);
	(void)snprintf(many + len, sizeof(many) - len, "\"n\":1}");
	fits("{\"required\":[\"m29\",\"n\"],\"maxProperties\":31}", many, true);
	fits("{\"required\":[\"m30\"]}", many, false);
	(void)snprintf(many + len, sizeof(many) - len, "\"m7\":1}");
	fits("true", many, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_is_not_a_keyword_is_refused_by_name_and_place),
		cmocka_unit_test(values_that_keywords_cannot_have_are_refused),
		cmocka_unit_test(all_mistakes_are_listed_at_once),
		cmocka_unit_test(references_that_never_end_are_refused),
		cmocka_unit_test(a_fault_names_both_places),
		cmocka_unit_test(what_may_fail_inside_is_not_the_fault),
		cmocka_unit_test(numbers_are_not_rounded),
		cmocka_unit_test(strings_are_characters_not_bytes),
		cmocka_unit_test(unicode_categories_have_long_names_too),
		cmocka_unit_test(format_is_an_annotation),
		cmocka_unit_test(
		    objects_with_two_members_of_one_name_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

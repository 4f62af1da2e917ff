/*
 * keyword_scalar.c - type enum const, and the keywords of numbers and strings.
 *
 * They look at one value and none inside it, and mark nothing.
 */
#include <string.h>

#include "contract/schema_internal.h"

enum {
	ENUM_PER_STEP = 16 /* comparisons that cost one step */
};

static const struct {
	const char *name;
	unsigned types;
} type_names[] = {
	{ "null", TYPE_BIT(VALUE_NULL) },
	{ "boolean", TYPES_BOOLEAN },
	{ "number", TYPES_NUMBER },
	{ "integer", TYPES_NUMBER },
	{ "string", TYPES_STRING },
	{ "array", TYPES_ARRAY },
	{ "object", TYPES_OBJECT },
};

static bool
is_integer(const struct value *value)
{
	struct number number;

	number_read(&number, value->text, value->len);
	return number_is_integer(&number);
}

static bool
check_type(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	const struct value *names = rule->source;

	(void)marks;
	if ((rule->allowed & TYPE_BIT(value->type)) != 0 &&
	    (value->type != VALUE_NUMBER || !rule->integer ||
		is_integer(value)))
		return true;
	if (names->type == VALUE_STRING)
		return check_fault(run, names, value,
		    "this must be of type %.*s",
		    mistakes_piece(names->text, names->len), names->text);
	return check_fault(run, names, value, "this has none of %u types",
	    (unsigned)names->len);
}

static void
add_type(struct compiler *c, struct rule *rule, const struct value *name)
{
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
		if (!value_text_is(name, type_names[i].name))
			continue;
		/* A number is allowed as a whole if "number" is there too. */
		if (strcmp(type_names[i].name, "number") == 0)
			rule->integer = false;
		else if (type_names[i].types == TYPES_NUMBER &&
		    (rule->allowed & TYPES_NUMBER) == 0)
			rule->integer = true;
		rule->allowed |= (uint8_t)type_names[i].types;
		return;
	}
	mistakes_add(c->set->mistakes, name,
	    "a type is null, boolean, number, integer, string, array or "
	    "object");
}

void
keyword_type(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	struct rule *rule =
	    compile_rule(c, node, value, check_type, TYPES_ALL, ORDER_TYPE);
	const struct value *name;

	(void)schema;
	if (rule == NULL)
		return;
	if (value->type == VALUE_STRING) {
		add_type(c, rule, value);
		return;
	}
	if (!compile_strings(c, value))
		return;
	if (value->len == 0)
		mistakes_add(c->set->mistakes, value,
		    "there must be at least one type");
	for (name = value->first; name != NULL; name = name->next)
		add_type(c, rule, name);
}

static bool
check_enum(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	const struct value *item = rule->source->first;

	(void)marks;
	if (!check_pay(run, rule->source->len / ENUM_PER_STEP))
		return false;
	for (; item != NULL; item = item->next) {
		if (value_equal(item, value))
			return true;
	}
	return check_fault(run, rule->source, value,
	    "this is none of the %u values that there are",
	    (unsigned)rule->source->len);
}

void
keyword_enum(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)schema;
	if (compile_expects(c, value, TYPES_ARRAY, "an array"))
		(void)compile_rule(c, node, value, check_enum, TYPES_ALL,
		    ORDER_VALUE);
}

static bool
check_const(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	(void)marks;
	return value_equal(rule->source, value) ||
	    check_fault(run, rule->source, value,
		"this is not the value that it must be");
}

void
keyword_const(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)schema;
	(void)compile_rule(c, node, value, check_const, TYPES_ALL, ORDER_VALUE);
}

/* How the number compares to the rule's. */
static int
compare(const struct rule *rule, const struct value *value)
{
	struct number number;

	number_read(&number, value->text, value->len);
	return number_compare(&number, &rule->number);
}

static bool
number_fault(struct run *run, const struct rule *rule,
    const struct value *value, const char *what)
{
	return check_fault(run, rule->source, value, "this must be %s %.*s",
	    what, mistakes_piece(rule->source->text, rule->source->len),
	    rule->source->text);
}

static bool
check_minimum(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return compare(rule, value) >= 0 ||
	    number_fault(run, rule, value, "at least");
}

static bool
check_maximum(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return compare(rule, value) <= 0 ||
	    number_fault(run, rule, value, "at most");
}

static bool
check_exclusive_minimum(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return compare(rule, value) > 0 ||
	    number_fault(run, rule, value, "more than");
}

static bool
check_exclusive_maximum(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return compare(rule, value) < 0 ||
	    number_fault(run, rule, value, "less than");
}

static bool
check_multiple_of(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	struct number number;

	(void)marks;
	number_read(&number, value->text, value->len);
	return number_is_multiple(&number, &rule->number) ||
	    number_fault(run, rule, value, "a multiple of");
}

/* A rule with a number; NULL: it is none. */
static struct rule *
compile_number(struct compiler *c, struct node *node, const struct value *value,
    rule_check_fn *check)
{
	struct rule *rule;

	if (!compile_expects(c, value, TYPES_NUMBER, "a number"))
		return NULL;
	rule = compile_rule(c, node, value, check, TYPES_NUMBER, ORDER_VALUE);
	if (rule != NULL)
		number_read(&rule->number, value->text, value->len);
	return rule;
}

void
keyword_minimum(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	(void)compile_number(c, node, value, check_minimum);
}

void
keyword_maximum(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	(void)compile_number(c, node, value, check_maximum);
}

void
keyword_exclusive_minimum(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	(void)compile_number(c, node, value, check_exclusive_minimum);
}

void
keyword_exclusive_maximum(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	(void)compile_number(c, node, value, check_exclusive_maximum);
}

void
keyword_multiple_of(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	struct rule *rule = compile_number(c, node, value, check_multiple_of);

	(void)schema;
	if (rule == NULL)
		return;
	if (rule->number.negative || rule->number.count == 0)
		mistakes_add(c->set->mistakes, value,
		    "this must be more than 0");
	else if (rule->number.count > NUMBER_DIVISOR_DIGITS)
		mistakes_add(c->set->mistakes, value,
		    "multipleOf has at most %d significant digits",
		    NUMBER_DIVISOR_DIGITS);
}

/* Characters of a string: bytes that do not continue one. */
static size_t
characters(const struct value *string)
{
	size_t count = 0;

	for (uint32_t i = 0; i < string->len; i++)
		count += ((unsigned char)string->text[i] & 0xc0) != 0x80;
	return count;
}

static bool
check_min_length(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return (value->len >= rule->size && characters(value) >= rule->size) ||
	    number_fault(run, rule, value, "as long as");
}

static bool
check_max_length(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return value->len <= rule->size || characters(value) <= rule->size ||
	    number_fault(run, rule, value, "no longer than");
}

static bool
check_string_pattern(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct value *source = rule->source;

	(void)marks;
	return check_pattern(run, rule->pattern, value->text, value->len) ||
	    check_fault(run, source, value, "this does not match %.*s",
		mistakes_piece(source->text, source->len), source->text);
}

void
keyword_min_length(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	compile_limit(c, node, value, check_min_length, TYPES_STRING);
}

void
keyword_max_length(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	compile_limit(c, node, value, check_max_length, TYPES_STRING);
}

void
keyword_pattern(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	struct rule *rule;

	(void)schema;
	if (!compile_expects(c, value, TYPES_STRING, "a string"))
		return;
	rule = compile_rule(c, node, value, check_string_pattern, TYPES_STRING,
	    ORDER_VALUE);
	if (rule != NULL)
		rule->pattern =
		    compile_pattern(c, value, value->text, value->len);
}

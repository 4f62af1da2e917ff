/*
 * schema_compile.c - a schema's tree becomes a node with rules.
 *
 * The table below is all the keywords there are.  Whatever is not in it is a
 * mistake, and so is a value of the wrong type: a schema with a slip in it
 * would let payloads through that it was written to stop.
 */
#include <errno.h>
#include <string.h>

#include "contract/schema_internal.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"

static void
annotate(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)c;
	(void)node;
	(void)value;
	(void)schema;
}

static void
annotate_string(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)node;
	(void)schema;
	(void)compile_expects(c, value, TYPES_STRING, "a string");
}

static void
annotate_boolean(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)node;
	(void)schema;
	(void)compile_expects(c, value, TYPES_BOOLEAN, "true or false");
}

static void
annotate_array(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)node;
	(void)schema;
	(void)compile_expects(c, value, TYPES_ARRAY, "an array");
}

/* A schema that is never applied must be one all the same. */
static void
annotate_schema(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)node;
	(void)schema;
	(void)compile_node(c, value);
}

static void
keyword_defs(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)node;
	(void)schema;
	if (compile_expects(c, value, TYPES_OBJECT, "an object"))
		(void)compile_members(c, value);
}

static void
keyword_dialect(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)node;
	(void)schema;
	if (compile_expects(c, value, TYPES_STRING, "a string") &&
	    !value_text_is(value, DIALECT) &&
	    !value_text_is(value, DIALECT "#"))
		mistakes_add(c->set->mistakes, value,
		    "only " DIALECT " is supported");
}

static void
keyword_vocabulary(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)node;
	(void)schema;
	mistakes_add(c->set->mistakes, value, "$vocabulary is not supported");
}

/* clang-format off */
static const struct {
	const char *name;
	keyword_fn *compile;
} keywords[] = {
	{ "$schema", keyword_dialect },
	{ "$vocabulary", keyword_vocabulary },
	{ "$id", annotate_string },            /* resource_enter() */
	{ "$anchor", annotate_string },        /* the same */
	{ "$dynamicAnchor", annotate_string }, /* the same */
	{ "$ref", keyword_ref },
	{ "$dynamicRef", keyword_dynamic_ref },
	{ "$defs", keyword_defs },
	{ "$comment", annotate_string },
	{ "allOf", keyword_all_of },
	{ "anyOf", keyword_any_of },
	{ "oneOf", keyword_one_of },
	{ "not", keyword_not },
	{ "if", keyword_if },
	{ "then", keyword_if },
	{ "else", keyword_if },
	{ "dependentSchemas", keyword_dependent_schemas },
	{ "prefixItems", keyword_items },
	{ "items", keyword_items },
	{ "contains", keyword_contains },
	{ "minContains", keyword_contains },
	{ "maxContains", keyword_contains },
	{ "properties", keyword_properties },
	{ "patternProperties", keyword_properties },
	{ "additionalProperties", keyword_properties },
	{ "propertyNames", keyword_property_names },
	{ "unevaluatedItems", keyword_unevaluated_items },
	{ "unevaluatedProperties", keyword_unevaluated_properties },
	{ "type", keyword_type },
	{ "enum", keyword_enum },
	{ "const", keyword_const },
	{ "multipleOf", keyword_multiple_of },
	{ "maximum", keyword_maximum },
	{ "exclusiveMaximum", keyword_exclusive_maximum },
	{ "minimum", keyword_minimum },
	{ "exclusiveMinimum", keyword_exclusive_minimum },
	{ "maxLength", keyword_max_length },
	{ "minLength", keyword_min_length },
	{ "pattern", keyword_pattern },
	{ "maxItems", keyword_max_items },
	{ "minItems", keyword_min_items },
	{ "uniqueItems", keyword_unique_items },
	{ "maxProperties", keyword_max_properties },
	{ "minProperties", keyword_min_properties },
	{ "required", keyword_required },
	{ "dependentRequired", keyword_dependent_required },
	{ "title", annotate_string },
	{ "description", annotate_string },
	{ "default", annotate },
	{ "deprecated", annotate_boolean },
	{ "readOnly", annotate_boolean },
	{ "writeOnly", annotate_boolean },
	{ "examples", annotate_array },
	{ "format", annotate_string },
	{ "contentEncoding", annotate_string },
	{ "contentMediaType", annotate_string },
	{ "contentSchema", annotate_schema },
};

/* What earlier drafts called otherwise. */
static const struct {
	const char *name;
	const char *now;
} earlier[] = {
	{ "definitions", "$defs" },
	{ "id", "$id" },
	{ "additionalItems", "items, beside prefixItems" },
	{ "dependencies", "dependentRequired or dependentSchemas" },
	{ "$recursiveRef", "$dynamicRef" },
	{ "$recursiveAnchor", "$dynamicAnchor" },
};

/* clang-format on */

void *
compile_alloc(struct compiler *c, size_t size)
{
	void *mem = arena_zalloc(&c->set->arena, size);

	if (mem == NULL)
		mistakes_no_memory(c->set->mistakes);
	return mem;
}

bool
compile_expects(struct compiler *c, const struct value *value, unsigned types,
    const char *what)
{
	if ((TYPE_BIT(value->type) & types) != 0)
		return true;
	mistakes_add(c->set->mistakes, value, "this must be %s", what);
	return false;
}

bool
compile_size(struct compiler *c, const struct value *value, size_t *ret_size)
{
	struct number number;

	if (!compile_expects(c, value, TYPES_NUMBER, "a number"))
		return false;
	number_read(&number, value->text, value->len);
	if (!number.negative && number_is_integer(&number)) {
		/* More than there can be is as good as no end. */
		if (!number_size(&number, SIZE_MAX, ret_size))
			*ret_size = SIZE_MAX;
		return true;
	}
	mistakes_add(c->set->mistakes, value,
	    "this must be an integer that is not negative");
	return false;
}

void
compile_limit(struct compiler *c, struct node *node, const struct value *value,
    rule_check_fn *check, unsigned types)
{
	struct rule *rule;
	size_t size;

	if (!compile_size(c, value, &size))
		return;
	rule = compile_rule(c, node, value, check, types, ORDER_VALUE);
	if (rule != NULL)
		rule->size = size;
}

bool
compile_strings(struct compiler *c, const struct value *value)
{
	const struct value *item, *before;

	if (!compile_expects(c, value, TYPES_ARRAY, "an array of strings"))
		return false;
	for (item = value->first; item != NULL; item = item->next) {
		if (!compile_expects(c, item, TYPES_STRING, "a string"))
			return false;
		for (before = value->first;
		     value->len <= 1000 && before != item;
		     before = before->next) {
			if (!value_equal(before, item))
				continue;
			mistakes_add(c->set->mistakes, item,
			    "this is here twice");
			return false;
		}
	}
	return true;
}

struct pattern *
compile_pattern(struct compiler *c, const struct value *where, const char *text,
    size_t len)
{
	struct pattern_link *link = compile_alloc(c, sizeof(*link));
	char why[200] = "";
	int rc;

	if (link == NULL)
		return NULL;
	rc = pattern_new(text, len, &link->pattern, why, sizeof(why));
	if (rc == -EINVAL)
		mistakes_add(c->set->mistakes, where,
		    "\"%.*s\" is no pattern: %s", mistakes_piece(text, len),
		    text, why);
	else if (rc != 0)
		mistakes_no_memory(c->set->mistakes);
	if (rc != 0)
		return NULL;
	link->next = c->set->patterns;
	c->set->patterns = link;
	return link->pattern;
}

struct rule *
compile_rule(struct compiler *c, struct node *node, const struct value *source,
    rule_check_fn *check, unsigned types, enum rule_order order)
{
	struct rule *rule = compile_alloc(c, sizeof(*rule));
	struct rule **at = &node->rules;

	if (rule == NULL)
		return NULL;
	rule->check = check;
	rule->source = source;
	rule->types = (uint8_t)types;
	rule->order = (uint8_t)order;
	while (*at != NULL && (*at)->order <= rule->order)
		at = &(*at)->next;
	rule->next = *at;
	*at = rule;
	return rule;
}

struct node_list
compile_members(struct compiler *c, const struct value *source)
{
	struct node_list list = { .count = source->len };
	const struct value *child = source->first;

	list.nodes = compile_alloc(c, list.count * sizeof(list.nodes[0]));
	if (list.nodes == NULL)
		list.count = 0;
	for (size_t i = 0; i < list.count; i++, child = child->next)
		list.nodes[i] = compile_node(c, child);
	return list;
}

struct node_list
compile_list(struct compiler *c, const struct value *source)
{
	if (!compile_expects(c, source, TYPES_ARRAY, "an array of schemas"))
		return (struct node_list){ NULL, 0 };
	if (source->len == 0)
		mistakes_add(c->set->mistakes, source,
		    "there must be at least one schema");
	return compile_members(c, source);
}

static void
unknown_keyword(struct compiler *c, const struct value *value)
{
	for (size_t i = 0; i < ARRAY_LEN(earlier); i++) {
		if (!value_key_is(value, earlier[i].name,
			strlen(earlier[i].name)))
			continue;
		mistakes_add(c->set->mistakes, value,
		    "\"%s\" is of an earlier draft; 2020-12 has %s",
		    earlier[i].name, earlier[i].now);
		return;
	}
	mistakes_add(c->set->mistakes, value,
	    "\"%.*s\" is not a keyword of JSON Schema 2020-12",
	    mistakes_piece(value->key, value->key_len), value->key);
}

static void
compile_keyword(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (value_key_is(value, keywords[i].name,
			strlen(keywords[i].name))) {
			keywords[i].compile(c, node, value, schema);
			return;
		}
	}
	if (value->key_len < 2 || memcmp(value->key, "x-", 2) != 0)
		unknown_keyword(c, value);
}

struct node *
compile_node(struct compiler *c, const struct value *source)
{
	struct resource *outer = c->resource;
	const struct value *member;
	struct node *node;

	if (!compile_expects(c, source, TYPES_OBJECT | TYPES_BOOLEAN,
		"a schema: an object, true or false"))
		return NULL;
	node = compile_alloc(c, sizeof(*node));
	if (node == NULL)
		return NULL;
	node->source = source;
	node->entry.key = (const char *)&node->source;
	node->entry.key_len = sizeof(node->source);
	node->entry.hash = hash_bytes(&node->source, sizeof(node->source));
	if (table_insert(&c->set->nodes, &node->entry) != 0) {
		mistakes_no_memory(c->set->mistakes);
		return NULL;
	}
	if (source->type == VALUE_FALSE)
		(void)compile_rule(c, node, source, check_never, TYPES_ALL,
		    ORDER_TYPE);
	if (source->type == VALUE_OBJECT)
		resource_enter(c, source);
	node->resource = c->resource;
	for (member = source->type == VALUE_OBJECT ? source->first : NULL;
	     member != NULL; member = member->next)
		compile_keyword(c, node, member, source);
	c->resource = outer;
	return node;
}

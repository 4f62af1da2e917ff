/*
 * keyword_object.c - the keywords of objects; properties: keyword_properties.c.
 */
#include <string.h>

#include "contract/schema_internal.h"

/* A member whose presence asks for something. */
struct dependent {
	const char *name;
	size_t name_len;
	const struct value *needs; /* an array of names */
};

static bool
missing(struct run *run, const struct value *name, const struct value *value)
{
	return check_fault(run, name, value, "the member \"%.*s\" is missing",
	    mistakes_piece(name->text, name->len), name->text);
}

static bool
has_all(struct run *run, const struct value *names, const struct value *value)
{
	const struct value *name;

	for (name = names->first; name != NULL; name = name->next) {
		if (value_get(value, name->text, name->len) == NULL)
			return missing(run, name, value);
	}
	return true;
}

static bool
check_required(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return has_all(run, rule->source, value);
}

void
keyword_required(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	if (compile_strings(c, value))
		(void)compile_rule(c, node, value, check_required, TYPES_OBJECT,
		    ORDER_VALUE);
}

static bool
check_min_properties(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return value->len >= rule->size ||
	    check_fault(run, rule->source, value,
		"there must be at least %zu members", rule->size);
}

static bool
check_max_properties(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return value->len <= rule->size ||
	    check_fault(run, rule->source, value,
		"there must be at most %zu members", rule->size);
}

void
keyword_min_properties(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	compile_limit(c, node, value, check_min_properties, TYPES_OBJECT);
}

void
keyword_max_properties(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	compile_limit(c, node, value, check_max_properties, TYPES_OBJECT);
}

static bool
check_property_names(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct value *member;
	struct value name;

	(void)marks;
	for (member = value->first; member != NULL; member = member->next) {
		name = *member; /* so that a fault names the member */
		name.type = VALUE_STRING;
		name.text = member->key;
		name.len = member->key_len;
		if (!check_node(run, rule->list.nodes[0], &name, NULL))
			return false;
	}
	return true;
}

/* A rule with the one subschema that is the keyword's value. */
static struct rule *
compile_inner(struct compiler *c, struct node *node, const struct value *value,
    rule_check_fn *check, enum rule_order order)
{
	struct rule *rule =
	    compile_rule(c, node, value, check, TYPES_OBJECT, order);
	struct node **nodes = compile_alloc(c, sizeof(struct node *));

	if (rule == NULL || nodes == NULL)
		return NULL;
	rule->list.nodes = nodes;
	rule->list.nodes[0] = compile_node(c, value);
	rule->list.count = 1;
	return rule;
}

void
keyword_property_names(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	(void)compile_inner(c, node, value, check_property_names,
	    ORDER_CHILDREN);
}

static bool
check_unevaluated_properties(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct value *member = value->first;

	for (size_t i = 0; member != NULL; member = member->next, i++) {
		if (marks_has(marks, i))
			continue;
		if (!check_node(run, rule->list.nodes[0], member, NULL))
			return false;
		marks_set(marks, i);
	}
	return true;
}

void
keyword_unevaluated_properties(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	node->unevaluated = true;
	(void)compile_inner(c, node, value, check_unevaluated_properties,
	    ORDER_UNEVALUATED);
}

static bool
check_dependent_required(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct dependent *dependent = rule->dependents;

	(void)marks;
	for (uint32_t i = 0; i < rule->source->len; i++, dependent++) {
		if (value_get(value, dependent->name, dependent->name_len) !=
			NULL &&
		    !has_all(run, dependent->needs, value))
			return false;
	}
	return true;
}

/* The rule with the names of the keyword's members; NULL: it has none. */
static struct rule *
compile_dependents(struct compiler *c, struct node *node,
    const struct value *value, rule_check_fn *check, enum rule_order order)
{
	const struct value *member;
	struct dependent *dependent;
	struct rule *rule;

	if (!compile_expects(c, value, TYPES_OBJECT, "an object"))
		return NULL;
	rule = compile_rule(c, node, value, check, TYPES_OBJECT, order);
	dependent = compile_alloc(c, value->len * sizeof(*dependent));
	if (rule == NULL || dependent == NULL)
		return NULL;
	rule->dependents = dependent;
	for (member = value->first; member != NULL; member = member->next) {
		dependent->name = member->key;
		dependent->name_len = member->key_len;
		dependent->needs = member;
		dependent++;
	}
	return rule;
}

void
keyword_dependent_required(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	struct rule *rule = compile_dependents(c, node, value,
	    check_dependent_required, ORDER_VALUE);
	const struct value *member;

	(void)schema;
	if (rule == NULL)
		return;
	for (member = value->first; member != NULL; member = member->next)
		(void)compile_strings(c, member); /* says what is wrong */
}

static bool
check_dependent_schemas(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct dependent *dependent = rule->dependents;

	for (size_t i = 0; i < rule->list.count; i++, dependent++) {
		if (value_get(value, dependent->name, dependent->name_len) !=
			NULL &&
		    !check_node(run, rule->list.nodes[i], value, marks))
			return false;
	}
	return true;
}

void
keyword_dependent_schemas(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	struct rule *rule = compile_dependents(c, node, value,
	    check_dependent_schemas, ORDER_LOGIC);

	(void)schema;
	if (rule == NULL)
		return;
	rule->in_place = true;
	rule->list = compile_members(c, value);
}

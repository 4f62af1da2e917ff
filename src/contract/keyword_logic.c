/* keyword_logic.c - allOf anyOf oneOf not if then else $ref $dynamicRef. */
#include <string.h>

#include "contract/schema_internal.h"

static bool
check_all_of(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	for (size_t i = 0; i < rule->list.count; i++) {
		if (!check_node(run, rule->list.nodes[i], value, marks))
			return false;
	}
	return true;
}

static bool
check_any_of(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	bool any = false;

	for (size_t i = 0; i < rule->list.count; i++) {
		if (!check_try(run, rule->list.nodes[i], value, marks))
			continue;
		any = true;
		if (marks == NULL)
			break;
	}
	return any ||
	    check_fault(run, rule->source, value,
		"this fits none of %zu schemas", rule->list.count);
}

static bool
check_one_of(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	size_t fitting = 0;

	for (size_t i = 0; i < rule->list.count && fitting < 2; i++)
		fitting += check_try(run, rule->list.nodes[i], value, marks);
	if (fitting == 1)
		return true;
	return check_fault(run, rule->source, value,
	    fitting == 0 ? "this fits none of %zu schemas" :
			   "this fits more than one of %zu schemas",
	    rule->list.count);
}

static bool
check_not(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	(void)marks;
	if (!check_try(run, rule->list.nodes[0], value, NULL))
		return true;
	return check_fault(run, rule->source, value,
	    "this fits the schema that it must not fit");
}

static bool
check_if(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	bool fits = check_try(run, rule->list.nodes[0], value, marks);
	const struct node *next = rule->list.nodes[fits ? 1 : 2];

	return next == NULL || check_node(run, next, value, marks);
}

static bool
check_ref(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	return check_node(run, rule->list.nodes[0], value, marks);
}

static bool
check_dynamic_ref(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	return check_node(run, resource_dynamic(run, rule), value, marks);
}

static void
compile_logic(struct compiler *c, struct node *node, const struct value *value,
    rule_check_fn *check)
{
	struct rule *rule =
	    compile_rule(c, node, value, check, TYPES_ALL, ORDER_LOGIC);

	if (rule == NULL)
		return;
	rule->in_place = true;
	rule->list = compile_list(c, value);
}

void
keyword_all_of(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)schema;
	compile_logic(c, node, value, check_all_of);
}

void
keyword_any_of(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)schema;
	compile_logic(c, node, value, check_any_of);
}

void
keyword_one_of(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)schema;
	compile_logic(c, node, value, check_one_of);
}

/* A rule with room for count nodes in place; NULL: no memory. */
static struct rule *
rule_with_nodes(struct compiler *c, struct node *node,
    const struct value *value, rule_check_fn *check, size_t count)
{
	struct rule *rule =
	    compile_rule(c, node, value, check, TYPES_ALL, ORDER_LOGIC);
	struct node **nodes = compile_alloc(c, count * sizeof(struct node *));

	if (rule == NULL || nodes == NULL)
		return NULL;
	rule->in_place = true;
	rule->list.nodes = nodes;
	return rule;
}

void
keyword_not(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	struct rule *rule = rule_with_nodes(c, node, value, check_not, 1);

	(void)schema;
	if (rule == NULL)
		return;
	rule->list.nodes[0] = compile_node(c, value);
	rule->list.count = 1;
}

void
keyword_if(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	static const char *const names[] = { "if", "then", "else" };
	const struct value *parts[ARRAY_LEN(names)];
	struct rule *rule = NULL;
	struct node *inner;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		parts[i] = value_get(schema, names[i], strlen(names[i]));
	/* Once for the three; without "if" the others only have to be right. */
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (parts[i] != NULL && parts[i]->offset < value->offset)
			return;
	}
	if (parts[0] != NULL)
		rule = rule_with_nodes(c, node, parts[0], check_if,
		    ARRAY_LEN(names));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (parts[i] == NULL)
			continue;
		inner = compile_node(c, parts[i]);
		if (rule != NULL)
			rule->list.nodes[i] = inner;
	}
	if (rule != NULL)
		rule->list.count = ARRAY_LEN(names);
}

static void
compile_ref(struct compiler *c, struct node *node, const struct value *value,
    rule_check_fn *check, bool dynamic)
{
	struct rule *rule;

	if (!compile_expects(c, value, TYPES_STRING, "a string"))
		return;
	rule = rule_with_nodes(c, node, value, check, 1);
	if (rule != NULL)
		resource_refer(c, rule, dynamic);
}

void
keyword_ref(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	(void)schema;
	compile_ref(c, node, value, check_ref, false);
}

void
keyword_dynamic_ref(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	compile_ref(c, node, value, check_dynamic_ref, true);
}

/* keyword_array.c - the keywords of arrays. */
#include <errno.h>
#include <string.h>

#include "contract/schema_internal.h"

enum {
	/* Up to so many items are compared with one another, more are hashed. */
	COMPARE_MAX = 8
};

/* contains with its bounds. */
struct contains {
	size_t min;
	size_t max;
	const struct value *min_source; /* of minContains; or NULL */
	const struct value *max_source;
};

static bool
check_min_items(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return value->len >= rule->size ||
	    check_fault(run, rule->source, value,
		"there must be at least %zu items", rule->size);
}

static bool
check_max_items(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	(void)marks;
	return value->len <= rule->size ||
	    check_fault(run, rule->source, value,
		"there must be at most %zu items", rule->size);
}

void
keyword_min_items(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	compile_limit(c, node, value, check_min_items, TYPES_ARRAY);
}

void
keyword_max_items(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	compile_limit(c, node, value, check_max_items, TYPES_ARRAY);
}

/* An item that is there a second time, or NULL; a few items. */
static const struct value *
compare_items(const struct value *array)
{
	const struct value *item, *before;

	for (item = array->first; item != NULL; item = item->next) {
		for (before = array->first; before != item;
		     before = before->next) {
			if (value_equal(before, item))
				return item;
		}
	}
	return NULL;
}

/* The same for many items; the table has more than one place for each. */
static const struct value *
hash_items(const struct value *array, const struct value **table, size_t mask,
    uint64_t *hashes)
{
	const struct value *item;
	uint64_t hash;
	size_t at;

	for (item = array->first; item != NULL; item = item->next) {
		hash = value_hash(item);
		for (at = (size_t)hash & mask; table[at] != NULL;
		     at = (at + 1) & mask) {
			if (hashes[at] == hash && value_equal(table[at], item))
				return item;
		}
		table[at] = item;
		hashes[at] = hash;
	}
	return NULL;
}

static bool
check_unique_items(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct value **table, *twice;
	uint64_t *hashes;
	size_t size = 32;

	(void)marks;
	if (value->len <= COMPARE_MAX) {
		twice = compare_items(value);
	} else {
		while (size < value->len * (size_t)2)
			size *= 2;
		table =
		    arena_zalloc(&run->arena, size * sizeof(struct value *));
		hashes = arena_alloc(&run->arena, size * sizeof(*hashes));
		if (!check_pay(run, size))
			return false;
		if (table == NULL || hashes == NULL)
			return check_abort(run, -ENOMEM);
		twice = hash_items(value, table, size - 1, hashes);
	}
	return twice == NULL ||
	    check_fault(run, rule->source, twice,
		"this item is in the array twice");
}

void
keyword_unique_items(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	(void)schema;
	if (compile_expects(c, value, TYPES_BOOLEAN, "true or false") &&
	    value->type == VALUE_TRUE)
		(void)compile_rule(c, node, value, check_unique_items,
		    TYPES_ARRAY, ORDER_CHILDREN);
}

/* list: those of prefixItems, and at the end that of items (or NULL). */
static bool
check_items(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	const struct value *item = value->first;
	size_t last = rule->list.count - 1;
	const struct node *node;

	for (size_t i = 0; item != NULL; item = item->next, i++) {
		node = rule->list.nodes[i < last ? i : last];
		if (node == NULL)
			break;
		if (!check_node(run, node, item, NULL))
			return false;
		marks_set(marks, i);
	}
	return true;
}

void
keyword_items(struct compiler *c, struct node *node, const struct value *value,
    const struct value *schema)
{
	const struct value *prefix = value_get(schema, "prefixItems", 11);
	const struct value *items = value_get(schema, "items", 5);
	struct node_list list = { NULL, 0 };
	struct node **nodes;
	struct rule *rule;

	if ((prefix != NULL && prefix->offset < value->offset) ||
	    (items != NULL && items->offset < value->offset))
		return; /* the first of them did it */
	if (prefix != NULL)
		list = compile_list(c, prefix);
	rule = compile_rule(c, node, value, check_items, TYPES_ARRAY,
	    ORDER_CHILDREN);
	nodes = compile_alloc(c, (list.count + 1) * sizeof(struct node *));
	if (rule == NULL || nodes == NULL)
		return;
	if (list.count != 0)
		memcpy(nodes, list.nodes, list.count * sizeof(struct node *));
	if (items != NULL)
		nodes[list.count] = compile_node(c, items);
	rule->list.nodes = nodes;
	rule->list.count = list.count + 1;
}

static bool
check_contains(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct contains *contains = rule->contains;
	const struct value *item = value->first;
	size_t count = 0;

	for (size_t i = 0; item != NULL; item = item->next, i++) {
		if (!check_try(run, rule->list.nodes[0], item, NULL))
			continue;
		marks_set(marks, i);
		count++;
		if (marks == NULL && count >= contains->min &&
		    contains->max == SIZE_MAX)
			break; /* nobody wants to know more */
	}
	if (count < contains->min)
		return check_fault(run,
		    contains->min_source != NULL ? contains->min_source :
						   rule->source,
		    value, "%zu items fit, and at least %zu must", count,
		    contains->min);
	if (count > contains->max)
		return check_fault(run, contains->max_source, value,
		    "%zu items fit, and at most %zu may", count, contains->max);
	return true;
}

static void
compile_bound(struct compiler *c, const struct value *value, size_t *size)
{
	if (value != NULL)
		(void)compile_size(c, value, size); /* says what is wrong */
}

void
keyword_contains(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	const struct value *source = value_get(schema, "contains", 8);
	struct contains *contains = compile_alloc(c, sizeof(*contains));
	struct node **nodes = compile_alloc(c, sizeof(struct node *));
	struct rule *rule;

	if (contains == NULL || nodes == NULL)
		return;
	contains->min = 1;
	contains->max = SIZE_MAX;
	contains->min_source = value_get(schema, "minContains", 11);
	contains->max_source = value_get(schema, "maxContains", 11);
	if ((source != NULL && source->offset < value->offset) ||
	    (contains->min_source != NULL &&
		contains->min_source->offset < value->offset) ||
	    (contains->max_source != NULL &&
		contains->max_source->offset < value->offset))
		return; /* the first of them did it */
	compile_bound(c, contains->min_source, &contains->min);
	compile_bound(c, contains->max_source, &contains->max);
	if (source == NULL)
		return; /* the bounds of nothing */
	rule = compile_rule(c, node, source, check_contains, TYPES_ARRAY,
	    ORDER_CHILDREN);
	if (rule == NULL)
		return;
	rule->contains = contains;
	rule->list.nodes = nodes;
	rule->list.nodes[0] = compile_node(c, source);
	rule->list.count = 1;
}

static bool
check_unevaluated_items(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct value *item = value->first;

	for (size_t i = 0; item != NULL; item = item->next, i++) {
		if (marks_has(marks, i))
			continue;
		if (!check_node(run, rule->list.nodes[0], item, NULL))
			return false;
		marks_set(marks, i);
	}
	return true;
}

void
keyword_unevaluated_items(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	struct rule *rule = compile_rule(c, node, value,
	    check_unevaluated_items, TYPES_ARRAY, ORDER_UNEVALUATED);
	struct node **nodes = compile_alloc(c, sizeof(struct node *));

	(void)schema;
	node->unevaluated = true;
	if (rule == NULL || nodes == NULL)
		return;
	rule->list.nodes = nodes;
	rule->list.nodes[0] = compile_node(c, value);
	rule->list.count = 1;
}

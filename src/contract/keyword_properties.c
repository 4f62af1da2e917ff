/*
 * keyword_properties.c - properties patternProperties additionalProperties.
 *
 * One walk over the members does all three.  Names are found in a small table
 * that belongs to the schema, so its hash need not withstand anybody.
 */
#include <string.h>

#include "contract/schema_internal.h"

struct property {
	const char *name; /* NULL: the place is free */
	size_t name_len;
	const struct node *node;
};

struct pattern_property {
	const struct pattern *pattern;
	const struct node *node;
};

struct properties {
	struct property *table;
	size_t mask; /* of the table: its size - 1 */
	struct pattern_property *patterns;
	size_t pattern_count;
	const struct node *additional; /* or NULL */
};

static size_t
name_hash(const char *name, size_t len)
{
	uint64_t head = 0, tail = 0;

	if (len >= 8) {
		memcpy(&head, name, 8);
		memcpy(&tail, name + len - 8, 8);
	} else {
		for (size_t i = 0; i < len; i++)
			head = head << 8 | (unsigned char)name[i];
	}
	head = (head ^ (tail << 1) ^ len) * 0x9e3779b97f4a7c15u;
	return (size_t)(head >> 32);
}

/* Where a name is in the table, or would be. */
static struct property *
find(const struct properties *properties, const char *name, size_t len)
{
	size_t at = name_hash(name, len) & properties->mask;
	struct property *property = &properties->table[at];

	while (property->name != NULL &&
	    (property->name_len != len ||
		memcmp(property->name, name, len) != 0)) {
		at = (at + 1) & properties->mask;
		property = &properties->table[at];
	}
	return property;
}

static bool
check_patterns(struct run *run, const struct properties *properties,
    const struct value *member, bool *ret_known)
{
	const struct pattern_property *pattern = properties->patterns;

	for (size_t i = 0; i < properties->pattern_count; i++, pattern++) {
		if (!check_pattern(run, pattern->pattern, member->key,
			member->key_len)) {
			if (run->aborted != 0)
				return false;
			continue;
		}
		*ret_known = true;
		if (!check_node(run, pattern->node, member, NULL))
			return false;
	}
	return true;
}

static bool
check_properties(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks)
{
	const struct properties *properties = rule->properties;
	const struct value *member = value->first;
	const struct node *node;
	bool known;

	for (size_t i = 0; member != NULL; member = member->next, i++) {
		node = find(properties, member->key, member->key_len)->node;
		known = node != NULL;
		if (known && !check_node(run, node, member, NULL))
			return false;
		if (!check_patterns(run, properties, member, &known))
			return false;
		if (!known && properties->additional != NULL) {
			known = true;
			if (!check_node(run, properties->additional, member,
				NULL))
				return false;
		}
		if (known)
			marks_set(marks, i);
	}
	return true;
}

static bool
compile_names(struct compiler *c, struct properties *properties,
    const struct value *value)
{
	size_t size = 4, count = 0;
	const struct value *member;
	struct property *property;

	if (value != NULL &&
	    compile_expects(c, value, TYPES_OBJECT, "an object of schemas"))
		count = value->len;
	while (size < count * 2)
		size *= 2;
	properties->mask = size - 1;
	properties->table = compile_alloc(c, size * sizeof(*property));
	if (properties->table == NULL)
		return false;
	member = count != 0 ? value->first : NULL;
	for (; member != NULL; member = member->next) {
		property = find(properties, member->key, member->key_len);
		property->name = member->key;
		property->name_len = member->key_len;
		property->node = compile_node(c, member);
	}
	return true;
}

static bool
compile_patterns(struct compiler *c, struct properties *properties,
    const struct value *value)
{
	const struct value *member;
	struct pattern_property *pattern;

	if (value == NULL ||
	    !compile_expects(c, value, TYPES_OBJECT, "an object of schemas"))
		return true;
	pattern = compile_alloc(c, value->len * sizeof(*pattern));
	if (pattern == NULL)
		return false;
	properties->patterns = pattern;
	properties->pattern_count = value->len;
	for (member = value->first; member != NULL; member = member->next) {
		pattern->pattern =
		    compile_pattern(c, member, member->key, member->key_len);
		pattern->node = compile_node(c, member);
		pattern++;
	}
	return true;
}

void
keyword_properties(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema)
{
	static const char *const names[] = { "properties", "patternProperties",
		"additionalProperties" };
	const struct value *parts[ARRAY_LEN(names)];
	struct properties *properties;
	struct rule *rule;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		parts[i] = value_get(schema, names[i], strlen(names[i]));
		if (parts[i] != NULL && parts[i]->offset < value->offset)
			return; /* the first of them did it */
	}
	rule = compile_rule(c, node, value, check_properties, TYPES_OBJECT,
	    ORDER_CHILDREN);
	properties = compile_alloc(c, sizeof(*properties));
	if (rule == NULL || properties == NULL ||
	    !compile_names(c, properties, parts[0]) ||
	    !compile_patterns(c, properties, parts[1]))
		return;
	if (parts[2] != NULL)
		properties->additional = compile_node(c, parts[2]);
	rule->properties = properties;
}

/* schema.c - sets of schemas, and one that stands alone; see schema.h. */
#include "contract/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "contract/schema_internal.h"

/* A schema of the set's whose nodes are still to be made. */
static struct schema *
new_schema(struct schema_set *set, const struct value *source)
{
	struct schema *schema = arena_zalloc(&set->arena, sizeof(*schema));
	struct resource *root = arena_zalloc(&set->arena, sizeof(*root));

	if (schema == NULL || root == NULL) {
		mistakes_no_memory(set->mistakes);
		return NULL;
	}
	schema->set = set;
	schema->source = source;
	schema->resources = root;
	root->schema = schema;
	root->root = source;
	root->uri = (struct uri_text){ "", 0 };
	return schema;
}

/* The definitions that all schemas share; their pointers begin one up. */
static bool
add_shared(struct schema_set *set, const struct value *defs)
{
	struct compiler c = { .set = set };

	set->shared = new_schema(set, defs->parent);
	if (set->shared == NULL)
		return false;
	c.schema = set->shared;
	c.resource = set->shared->resources;
	(void)compile_members(&c, defs); /* they are found by their trees */
	return true;
}

struct schema_set *
schema_set_new(const struct value *defs, struct mistakes *mistakes)
{
	struct schema_set *set = calloc(1, sizeof(*set));

	if (set == NULL) {
		mistakes_no_memory(mistakes);
		return NULL;
	}
	arena_init(&set->arena, NULL, 0);
	table_init(&set->nodes);
	table_init(&set->targets);
	set->mistakes = mistakes;
	if (defs != NULL && !add_shared(set, defs)) {
		schema_set_free(set);
		return NULL;
	}
	return set;
}

struct schema *
schema_set_add(struct schema_set *set, const struct value *source)
{
	struct schema *schema = new_schema(set, source);
	struct compiler c = { .set = set, .schema = schema };

	if (schema == NULL)
		return NULL;
	c.resource = schema->resources;
	schema->root = compile_node(&c, source);
	return schema->root != NULL ? schema : NULL;
}

void
schema_set_finish(struct schema_set *set)
{
	resource_link(set);
	set->mistakes = NULL;
}

void
schema_set_free(struct schema_set *set)
{
	if (set == NULL)
		return;
	for (struct pattern_link *link = set->patterns; link != NULL;
	     link = link->next)
		pattern_free(link->pattern);
	table_release(&set->nodes);
	table_release(&set->targets);
	arena_release(&set->arena);
	free(set->text);
	free(set);
}

/* A copy of the text in the set, and its tree. */
static struct value *
take_text(struct schema_set *set, const char *text, size_t len)
{
	struct value_fault fault;
	struct value *root;
	int rc;

	set->text = malloc(len != 0 ? len : 1);
	if (set->text == NULL) {
		mistakes_no_memory(set->mistakes);
		return NULL;
	}
	if (len != 0)
		memcpy(set->text, text, len);
	set->mistakes->source = set->text;
	rc = value_parse(&set->arena, set->text, len, &root, &fault);
	if (rc == 0)
		return root;
	if (rc == -ENOMEM)
		mistakes_no_memory(set->mistakes);
	else
		mistakes_add_at(set->mistakes, fault.offset, "%s", fault.why);
	return NULL;
}

struct schema *
schema_new(const char *text, size_t len, struct mistakes *mistakes)
{
	size_t before = mistakes->count;
	struct schema_set *set = schema_set_new(NULL, mistakes);
	struct schema *schema = NULL;
	const struct value *root;

	if (set == NULL)
		return NULL;
	root = take_text(set, text, len);
	if (root != NULL)
		schema = schema_set_add(set, root);
	if (root != NULL)
		schema_set_finish(set);
	mistakes->source = NULL;
	if (mistakes->count != before || schema == NULL) {
		schema_set_free(set);
		return NULL;
	}
	schema->alone = true;
	return schema;
}

void
schema_free(struct schema *schema)
{
	if (schema != NULL && schema->alone)
		schema_set_free(schema->set);
}

const struct value *
schema_source(const struct schema *schema)
{
	return schema->source;
}

const struct value *
schema_set_target(const struct schema_set *set, const struct value *reference)
{
	struct table_entry *entry;
	struct reference *found;

	entry = table_find(&set->targets, (const char *)&reference,
	    sizeof(reference), hash_bytes(&reference, sizeof(reference)));
	if (entry == NULL)
		return NULL;
	found = CONTAINER_OF(entry, struct reference, entry);
	return found->rule->list.nodes[0]->source;
}

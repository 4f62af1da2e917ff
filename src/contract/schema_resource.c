/*
 * schema_resource.c - what schemas are called, and what references mean.
 *
 * Names are collected while the tree is compiled and looked up when all of it
 * is there, so that a reference may stand before what it means.  Nothing is
 * fetched from anywhere.  A reference that comes back to itself without a step
 * into the payload would never end; such loops are found here, so that checking
 * need not look out for them.
 */
#include <errno.h>
#include <string.h>

#include "contract/schema_internal.h"

enum {
	UNVISITED,
	ON_THE_WAY,
	VISITED,
	CHAIN_MAX = CHECK_DEPTH_MAX
};

static bool
same_text(struct uri_text a, struct uri_text b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static struct uri_text
text_of(const struct value *string)
{
	return (struct uri_text){ string->text, string->len };
}

static const struct value *
string_member(const struct value *source, const char *name)
{
	const struct value *value = value_get(source, name, strlen(name));

	return value != NULL && value->type == VALUE_STRING ? value : NULL;
}

static struct resource *
find_uri(struct schema *schema, struct uri_text uri)
{
	struct resource *resource = schema->resources;

	while (resource != NULL && !same_text(resource->uri, uri))
		resource = resource->next;
	return resource;
}

/* A schema with an "$id" is a resource, the outermost one anyway. */
static void
enter_id(struct compiler *c, const struct value *source, const struct value *id)
{
	struct uri_text uri, fragment;
	struct resource *resource = c->resource;

	uri_split(text_of(id), &uri, &fragment);
	if (fragment.len != 0) {
		mistakes_add(c->set->mistakes, id,
		    "an $id has no fragment; see $anchor");
		return;
	}
	if (uri_resolve(&c->set->arena, c->resource->uri, uri, &uri) != 0) {
		mistakes_no_memory(c->set->mistakes);
		return;
	}
	if (uri.len != 0 && find_uri(c->schema, uri) != NULL)
		mistakes_add(c->set->mistakes, id, "this $id is there twice");
	if (resource->root != source) {
		resource = compile_alloc(c, sizeof(*resource));
		if (resource == NULL)
			return;
		resource->schema = c->schema;
		resource->root = source;
		resource->next = c->schema->resources->next;
		c->schema->resources->next = resource;
	}
	resource->uri = uri;
	c->resource = resource;
}

static bool
is_anchor_name(struct uri_text name)
{
	char c;

	for (size_t i = 0; i < name.len; i++) {
		c = name.at[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '_')
			continue;
		if (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return name.len != 0;
}

static struct anchor *
find_anchor(const struct resource *resource, struct uri_text name)
{
	struct anchor *anchor = resource->anchors;

	while (anchor != NULL && !same_text(anchor->name, name))
		anchor = anchor->next;
	return anchor;
}

static void
enter_anchor(struct compiler *c, const struct value *source,
    const struct value *name, bool dynamic)
{
	struct anchor *anchor;

	if (!is_anchor_name(text_of(name))) {
		mistakes_add(c->set->mistakes, name,
		    "an anchor is letters, digits, '-', '_', '.', a letter or "
		    "'_' first");
		return;
	}
	anchor = find_anchor(c->resource, text_of(name));
	if (anchor != NULL && anchor->source != source) {
		mistakes_add(c->set->mistakes, name,
		    "this anchor is there twice");
		return;
	}
	if (anchor == NULL)
		anchor = compile_alloc(c, sizeof(*anchor));
	if (anchor == NULL)
		return;
	if (anchor->source == NULL) {
		anchor->next = c->resource->anchors;
		c->resource->anchors = anchor;
	}
	anchor->name = text_of(name);
	anchor->source = source;
	anchor->dynamic |= dynamic;
}

void
resource_enter(struct compiler *c, const struct value *source)
{
	const struct value *id = string_member(source, "$id");
	const struct value *anchor = string_member(source, "$anchor");
	const struct value *dynamic = string_member(source, "$dynamicAnchor");

	if (id != NULL)
		enter_id(c, source, id);
	if (anchor != NULL)
		enter_anchor(c, source, anchor, false);
	if (dynamic != NULL)
		enter_anchor(c, source, dynamic, true);
}

void
resource_refer(struct compiler *c, struct rule *rule, bool dynamic)
{
	struct reference *reference = compile_alloc(c, sizeof(*reference));

	if (reference == NULL)
		return;
	reference->source = rule->source;
	reference->from = c->resource;
	reference->rule = rule;
	reference->dynamic = dynamic;
	reference->next = c->set->references;
	c->set->references = reference;
}

struct node *
resource_node(const struct schema_set *set, const struct value *source)
{
	struct table_entry *entry =
	    table_find(&set->nodes, (const char *)&source, sizeof(source),
		hash_bytes(&source, sizeof(source)));

	return entry != NULL ? CONTAINER_OF(entry, struct node, entry) : NULL;
}

/* One step of a JSON pointer; the token is unescaped in place. */
static const struct value *
step(const struct value *value, char *token, size_t len)
{
	const struct value *child;
	struct number number;
	size_t out = 0, index;

	for (size_t i = 0; i < len; i++) {
		token[out] = token[i];
		if (token[i] == '~' && i + 1 < len) {
			i++;
			token[out] = token[i] == '1' ? '/' : '~';
		}
		out++;
	}
	if (value->type != VALUE_ARRAY)
		return value_get(value, token, out);
	for (size_t i = 0; i < out; i++) {
		if (token[i] < '0' || token[i] > '9')
			return NULL;
	}
	number_read(&number, token, out);
	if (out == 0 || !number_size(&number, value->len, &index))
		return NULL;
	child = value->first;
	while (index-- > 0 && child != NULL)
		child = child->next;
	return child;
}

/* Follow a JSON pointer from root; it is taken apart on the way. */
static const struct value *
follow(const struct value *root, char *pointer, size_t len)
{
	const struct value *value = root;
	char *end = pointer + len, *next;

	while (value != NULL && pointer < end) {
		pointer++;
		next = memchr(pointer, '/', (size_t)(end - pointer));
		if (next == NULL)
			next = end;
		value = step(value, pointer, (size_t)(next - pointer));
		pointer = next;
	}
	return value;
}

/* The place that a fragment means in a resource; NULL: there is none. */
static const struct value *
find_fragment(struct schema_set *set, const struct resource *resource,
    struct uri_text fragment, struct anchor **ret_anchor)
{
	struct uri_text text;
	char *pointer;
	int rc;

	if (fragment.len == 0)
		return resource->root;
	rc = uri_decode(&set->arena, fragment, &text);
	pointer = rc == 0 ? arena_alloc(&set->arena, text.len) : NULL;
	if (rc == -ENOMEM || (rc == 0 && pointer == NULL))
		mistakes_no_memory(set->mistakes);
	if (pointer == NULL)
		return NULL;
	if (text.at[0] == '/') {
		memcpy(pointer, text.at, text.len);
		return follow(resource->root, pointer, text.len);
	}
	*ret_anchor = find_anchor(resource, text);
	return *ret_anchor != NULL ? (*ret_anchor)->source : NULL;
}

/* The resource that a reference names, or NULL. */
static const struct resource *
find_resource(struct schema_set *set, const struct reference *reference,
    struct uri_text uri)
{
	const struct resource *found;

	if (uri.len == 0)
		return reference->from;
	if (uri_resolve(&set->arena, reference->from->uri, uri, &uri) != 0) {
		mistakes_no_memory(set->mistakes);
		return NULL;
	}
	found = find_uri(reference->from->schema, uri);
	if (found == NULL && set->shared != NULL)
		found = find_uri(set->shared, uri);
	return found;
}

static void
link_reference(struct schema_set *set, struct reference *reference)
{
	struct uri_text uri, fragment, text = text_of(reference->source);
	const struct resource *resource;
	const struct value *target;
	struct anchor *anchor = NULL;
	struct node *node;

	uri_split(text, &uri, &fragment);
	resource = find_resource(set, reference, uri);
	if (resource == NULL) {
		mistakes_add(set->mistakes, reference->source,
		    "\"%.*s\" is not in this document, and nothing is fetched",
		    mistakes_piece(text.at, text.len), text.at);
		return;
	}
	target = find_fragment(set, resource, fragment, &anchor);
	if (target == NULL && set->shared != NULL && uri.len == 0)
		target = find_fragment(set, set->shared->resources, fragment,
		    &anchor);
	node = target != NULL ? resource_node(set, target) : NULL;
	if (node == NULL) {
		mistakes_add(set->mistakes, reference->source,
		    "\"%.*s\" leads to no schema",
		    mistakes_piece(text.at, text.len), text.at);
		return;
	}
	reference->rule->list.nodes[0] = node;
	reference->rule->list.count = 1;
	if (reference->dynamic && anchor != NULL && anchor->dynamic)
		reference->rule->dynamic = anchor->name;
	reference->entry.key = (const char *)&reference->source;
	reference->entry.key_len = sizeof(reference->source);
	reference->entry.hash =
	    hash_bytes(&reference->source, sizeof(reference->source));
	if (table_insert(&set->targets, &reference->entry) != 0)
		mistakes_no_memory(set->mistakes);
}

/* Go through all that is applied to the same value as this node. */
static void
look_for_loops(struct schema_set *set, struct node *node, unsigned depth)
{
	node->visit = ON_THE_WAY;
	for (struct rule *rule = node->rules; rule != NULL; rule = rule->next) {
		for (size_t i = 0; rule->in_place && i < rule->list.count;
		     i++) {
			struct node *inner = rule->list.nodes[i];

			if (inner == NULL || inner->visit == VISITED)
				continue;
			if (inner->visit == ON_THE_WAY)
				mistakes_add(set->mistakes, rule->source,
				    "this comes back to itself and never ends");
			else if (depth == CHAIN_MAX)
				mistakes_add(set->mistakes, rule->source,
				    "this chain of references is too long");
			else
				look_for_loops(set, inner, depth + 1);
		}
	}
	node->visit = VISITED;
}

/* Anchors lead to nodes; those of a broken schema may lead to none. */
static void
link_anchors(struct schema_set *set, const struct resource *resource)
{
	struct anchor *anchor = resource->anchors;

	for (; anchor != NULL; anchor = anchor->next)
		anchor->node = resource_node(set, anchor->source);
}

void
resource_link(struct schema_set *set)
{
	struct reference *reference;
	struct table_entry *entry = NULL;
	struct node *node;

	for (reference = set->references; reference != NULL;
	     reference = reference->next)
		link_reference(set, reference);
	while ((entry = table_next(&set->nodes, entry)) != NULL) {
		node = CONTAINER_OF(entry, struct node, entry);
		link_anchors(set, node->resource);
		if (node->visit == UNVISITED)
			look_for_loops(set, node, 0);
	}
}

const struct node *
resource_dynamic(const struct run *run, const struct rule *rule)
{
	const struct node *node = rule->list.nodes[0];
	const struct anchor *anchor;

	if (rule->dynamic.len == 0)
		return node;
	for (const struct scope *scope = run->scope; scope != NULL;
	     scope = scope->outer) {
		anchor = find_anchor(scope->resource, rule->dynamic);
		if (anchor != NULL && anchor->dynamic)
			node = anchor->node;
	}
	return node;
}

/*
 * contract_load.c - a text becomes a contract, or a list of mistakes.
 *
 * It goes on after a mistake as long as it can, so that all are seen at once;
 * a contract with any is not given out.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "contract/contract_internal.h"

struct loader {
	struct contract *contract;
	struct mistakes *mistakes;
	struct contract_scope *scope;
	size_t entries;
};

static void *
take(struct loader *l, size_t size)
{
	void *mem = arena_zalloc(&l->contract->arena, size);

	if (mem == NULL)
		mistakes_no_memory(l->mistakes);
	return mem;
}

/* Is it an object?  If not, that is said; NULL (not there) is none either. */
static bool
expects_object(struct loader *l, const struct value *value)
{
	if (value == NULL)
		return false;
	if (value->type == VALUE_OBJECT)
		return true;
	mistakes_add(l->mistakes, value, "this must be an object");
	return false;
}

/* Only these members may be there, and those that begin with "x-". */
static void
only_members(struct loader *l, const struct value *object,
    const char *const *names)
{
	const struct value *member;
	size_t i;

	for (member = object->first; member != NULL; member = member->next) {
		for (i = 0; names[i] != NULL; i++) {
			if (value_key_is(member, names[i], strlen(names[i])))
				break;
		}
		if (names[i] == NULL &&
		    (member->key_len < 2 || memcmp(member->key, "x-", 2) != 0))
			mistakes_add(l->mistakes, member,
			    "there is no \"%.*s\" here",
			    mistakes_piece(member->key, member->key_len),
			    member->key);
	}
}

static bool
flag(struct loader *l, const struct value *object, const char *name)
{
	const struct value *value = value_get(object, name, strlen(name));

	if (value == NULL || value->type == VALUE_FALSE)
		return false;
	if (value->type != VALUE_TRUE)
		mistakes_add(l->mistakes, value, "this must be true or false");
	return value->type == VALUE_TRUE;
}

static const struct schema *
add_schema(struct loader *l, const struct value *object, const char *name)
{
	const struct value *value = value_get(object, name, strlen(name));

	return value != NULL ? schema_set_add(l->contract->schemas, value) :
			       NULL;
}

/* Another declaration of what this one declares, in the scope; or NULL. */
static bool
is_declared(struct contract_scope *scope, const struct declaration *d)
{
	const struct contract_entry *entry = &d->entry;
	const struct contract_names *names = &scope->names[entry->kind];
	const struct declaration *other;

	if (!entry->has_pattern)
		return table_find(&names->plain, entry->name, entry->name_len,
			   d->by_name.hash) != NULL;
	for (other = names->patterns; other != NULL; other = other->fewer) {
		if (contract_names_same(entry->name, entry->name_len,
			other->entry.name, other->entry.name_len))
			return true;
	}
	return false;
}

static void
add_pattern(struct contract_scope *scope, struct declaration *d)
{
	struct declaration **at = &scope->names[d->entry.kind].patterns;

	while (*at != NULL && !contract_more_specific(d, *at))
		at = &(*at)->fewer;
	d->fewer = *at;
	*at = d;
}

static void
add_declaration(struct loader *l, struct declaration *d)
{
	struct contract_scope *shared = &l->contract->shared;

	if (is_declared(l->scope, d) ||
	    (l->scope != shared && is_declared(shared, d))) {
		mistakes_add(l->mistakes, d->source,
		    "this is declared already");
		return;
	}
	if (d->entry.has_pattern)
		add_pattern(l->scope, d);
	else if (table_insert(&l->scope->names[d->entry.kind].plain,
		     &d->by_name) != 0)
		mistakes_no_memory(l->mistakes);
	*l->scope->tail = d;
	l->scope->tail = &d->next;
	l->contract->counts[d->entry.kind]++;
}

/* A declaration with its name; NULL: it cannot be one, which has been said. */
static struct declaration *
new_declaration(struct loader *l, const struct value *source,
    enum contract_kind kind)
{
	const char *why = contract_name_fault(source->key, source->key_len);
	size_t variables = 0, literal = 0;
	struct declaration *d;

	if (why == NULL)
		why = contract_name_variables(source->key, source->key_len,
		    &variables, &literal);
	if (why == NULL && variables != 0 && kind != CONTRACT_TOPIC &&
	    kind != CONTRACT_RESOURCE)
		why = "only topics and resources have variables in their names";
	if (why != NULL) {
		mistakes_add(l->mistakes, source, "%s", why);
		return NULL;
	}
	d = take(l, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->source = source;
	d->literal = literal;
	d->entry.kind = kind;
	d->entry.has_pattern = variables != 0;
	d->entry.name = source->key;
	d->entry.name_len = source->key_len;
	d->entry.role = l->scope->role;
	d->by_name.key = source->key;
	d->by_name.key_len = source->key_len;
	d->by_name.hash = hash_bytes(source->key, source->key_len);
	return d;
}

static void
describe(struct loader *l, struct declaration *d)
{
	const struct value *text = value_get(d->source, "description", 11);

	if (text == NULL)
		return;
	if (text->type != VALUE_STRING) {
		mistakes_add(l->mistakes, text, "this must be a string");
		return;
	}
	d->description = text->text;
	d->description_len = text->len;
}

static void
load_to_client(struct loader *l, const struct value *source)
{
	static const char *const names[] = { "payload", "subscribe", "publish",
		"description", NULL };
	bool subscribe = flag(l, source, "subscribe");
	struct declaration *d = new_declaration(l, source,
	    subscribe ? CONTRACT_TOPIC : CONTRACT_EVENT);

	only_members(l, source, names);
	if (flag(l, source, "publish") && !subscribe)
		mistakes_add(l->mistakes, source,
		    "to publish is only for topics: \"subscribe\" is missing");
	if (d == NULL)
		return;
	d->entry.publish = flag(l, source, "publish");
	d->entry.payload = add_schema(l, source, "payload");
	describe(l, d);
	add_declaration(l, d);
}

static void
load_to_server(struct loader *l, const struct value *source)
{
	static const char *const names[] = { "input", "output", "description",
		NULL };
	struct declaration *d = new_declaration(l, source, CONTRACT_METHOD);

	only_members(l, source, names);
	if (d == NULL)
		return;
	d->entry.payload = add_schema(l, source, "input");
	d->entry.output = add_schema(l, source, "output");
	describe(l, d);
	add_declaration(l, d);
}

static void
load_resource(struct loader *l, const struct value *source)
{
	static const char *const names[] = { "change", "cluster", "description",
		NULL };
	struct declaration *d = new_declaration(l, source, CONTRACT_RESOURCE);

	only_members(l, source, names);
	if (d == NULL)
		return;
	d->entry.cluster = flag(l, source, "cluster");
	d->entry.payload = add_schema(l, source, "change");
	describe(l, d);
	add_declaration(l, d);
}

static void
load_direction(struct loader *l, const struct value *source, const char *name,
    void (*load)(struct loader *l, const struct value *source))
{
	const struct value *all = value_get(source, name, strlen(name));
	const struct value *member;

	if (!expects_object(l, all))
		return;
	for (member = all->first; member != NULL; member = member->next) {
		if (l->entries == CONTRACT_ENTRIES_MAX) {
			mistakes_add(l->mistakes, member,
			    "a contract has at most %d entries",
			    CONTRACT_ENTRIES_MAX);
			return;
		}
		l->entries++;
		if (expects_object(l, member))
			load(l, member);
	}
}

static void
load_scope(struct loader *l, struct contract_scope *scope,
    const struct value *source)
{
	static const char *const names[] = { "serverToClient", "clientToServer",
		"resources", "description", NULL };

	scope->tail = &scope->all;
	if (!expects_object(l, source))
		return;
	l->scope = scope;
	only_members(l, source, names);
	load_direction(l, source, "serverToClient", load_to_client);
	load_direction(l, source, "clientToServer", load_to_server);
	load_direction(l, source, "resources", load_resource);
}

static void
load_role(struct loader *l, const struct value *source,
    struct contract_scope ***tail)
{
	const char *why = contract_name_fault(source->key, source->key_len);
	struct contract_scope *scope;
	char *role;

	if (why == NULL && memchr(source->key, '/', source->key_len) != NULL)
		why = "a role's name must not have a '/'";
	if (why != NULL) {
		mistakes_add(l->mistakes, source, "%s", why);
		return;
	}
	scope = take(l, sizeof(*scope));
	role = take(l, source->key_len + (size_t)1);
	if (scope == NULL || role == NULL)
		return;
	memcpy(role, source->key, source->key_len);
	scope->role = role;
	scope->by_role.key = role;
	scope->by_role.key_len = source->key_len;
	scope->by_role.hash = hash_bytes(role, source->key_len);
	if (table_insert(&l->contract->by_role, &scope->by_role) != 0) {
		mistakes_no_memory(l->mistakes);
		return;
	}
	**tail = scope;
	*tail = &scope->next;
	load_scope(l, scope, source);
}

static void
load_all(struct loader *l, const struct value *root)
{
	static const char *const names[] = { "shared", "roles", "$defs",
		"title", "description", NULL };
	const struct value *shared = value_get(root, "shared", 6);
	const struct value *roles = value_get(root, "roles", 5);
	const struct value *role;
	struct contract_scope **tail = &l->contract->roles;
	size_t count = 0;

	only_members(l, root, names);
	if (shared == NULL && roles == NULL)
		mistakes_add(l->mistakes, root,
		    "there is neither \"shared\" nor \"roles\"");
	load_scope(l, &l->contract->shared, shared);
	if (!expects_object(l, roles))
		return;
	for (role = roles->first; role != NULL; role = role->next) {
		if (++count > CONTRACT_ROLES_MAX) {
			mistakes_add(l->mistakes, role,
			    "a contract has at most %d roles",
			    CONTRACT_ROLES_MAX);
			return;
		}
		load_role(l, role, &tail);
	}
}

void
contract_build(struct contract *contract, size_t len, struct mistakes *mistakes)
{
	struct loader loader = { .contract = contract, .mistakes = mistakes };
	struct loader *l = &loader;
	struct value_fault fault;
	const struct value *defs;
	struct value *root;
	int rc;

	if (len > CONTRACT_FILE_MAX) {
		mistakes_add_at(l->mistakes, 0,
		    "a contract has at most %d bytes", CONTRACT_FILE_MAX);
		return;
	}
	rc = value_parse(&contract->arena, contract->text, len, &root, &fault);
	if (rc == -ENOMEM) {
		mistakes_no_memory(l->mistakes);
		return;
	}
	if (rc != 0) {
		mistakes_add_at(l->mistakes, fault.offset, "%s", fault.why);
		return;
	}
	if (!expects_object(l, root))
		return;
	defs = value_get(root, "$defs", 5);
	if (defs != NULL && !expects_object(l, defs))
		defs = NULL;
	contract->schemas = schema_set_new(defs, l->mistakes);
	if (contract->schemas == NULL)
		return;
	load_all(l, root);
	schema_set_finish(contract->schemas);
}

/* contract.c - finding what a name means; see contract.h. */
#include "contract/contract.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "contract/contract_internal.h"

static void
release_scope(struct contract_scope *scope)
{
	table_release(&scope->topics);
	table_release(&scope->events);
	table_release(&scope->methods);
	table_release(&scope->resources);
}

void
contract_free(struct contract *contract)
{
	struct contract_scope *role;

	if (contract == NULL)
		return;
	release_scope(&contract->shared);
	for (role = contract->roles; role != NULL; role = role->next)
		release_scope(role);
	table_release(&contract->by_role);
	schema_set_free(contract->schemas);
	arena_release(&contract->arena);
	free(contract->text);
	free(contract);
}

/* The scope of a role; NULL: there is no such role. */
static const struct contract_scope *
find_role(const struct contract *contract, const char *role)
{
	size_t len = strlen(role);
	struct table_entry *entry =
	    table_find(&contract->by_role, role, len, hash_bytes(role, len));

	return entry != NULL ?
	    CONTAINER_OF(entry, struct contract_scope, by_role) :
	    NULL;
}

bool
contract_has_role(const struct contract *contract, const char *role)
{
	return find_role(contract, role) != NULL;
}

static const struct declaration *
find_plain(const struct table *table, const char *name, size_t len,
    uint64_t hash)
{
	struct table_entry *entry = table_find(table, name, len, hash);

	return entry != NULL ?
	    CONTAINER_OF(entry, struct declaration, by_name) :
	    NULL;
}

static const struct declaration *
find_pattern(const struct declaration *found, const char *name, size_t len)
{
	while (found != NULL &&
	    !contract_name_fits(found->entry.name, found->entry.name_len, name,
		len))
		found = found->fewer;
	return found;
}

/* The more specific of two, each of which may be NULL. */
static const struct contract_entry *
better_of(const struct declaration *own, const struct declaration *shared)
{
	if (own == NULL ||
	    (shared != NULL && contract_more_specific(shared, own)))
		own = shared;
	return own != NULL ? &own->entry : NULL;
}

const struct contract_entry *
contract_topic(const struct contract *contract, const char *role,
    const char *name, size_t len)
{
	const struct contract_scope *own =
	    role != NULL ? find_role(contract, role) : NULL;
	uint64_t hash = hash_bytes(name, len);
	const struct declaration *found;

	found = find_plain(&contract->shared.topics, name, len, hash);
	if (found == NULL && own != NULL)
		found = find_plain(&own->topics, name, len, hash);
	if (found != NULL)
		return &found->entry;
	return better_of(own != NULL ? find_pattern(own->patterns, name, len) :
				       NULL,
	    find_pattern(contract->shared.patterns, name, len));
}

const struct contract_entry *
contract_resource(const struct contract *contract, const char *role,
    const char *name, size_t len)
{
	const struct contract_scope *own =
	    role != NULL ? find_role(contract, role) : NULL;
	uint64_t hash = hash_bytes(name, len);
	const struct declaration *found;

	found = find_plain(&contract->shared.resources, name, len, hash);
	if (found == NULL && own != NULL)
		found = find_plain(&own->resources, name, len, hash);
	if (found != NULL)
		return &found->entry;
	return better_of(own != NULL ?
		find_pattern(own->resource_patterns, name, len) :
		NULL,
	    find_pattern(contract->shared.resource_patterns, name, len));
}

const struct contract_entry *
contract_event(const struct contract *contract, const char *role,
    const char *name, size_t len)
{
	const struct contract_scope *own =
	    role != NULL ? find_role(contract, role) : NULL;
	const struct declaration *found;
	uint64_t hash = hash_bytes(name, len);

	found = find_plain(&contract->shared.events, name, len, hash);
	if (found == NULL && own != NULL)
		found = find_plain(&own->events, name, len, hash);
	return found != NULL ? &found->entry : NULL;
}

const struct contract_entry *
contract_method(const struct contract *contract, const char *role,
    const char *name, size_t len)
{
	const struct contract_scope *own =
	    role != NULL ? find_role(contract, role) : NULL;
	const struct declaration *found;
	uint64_t hash = hash_bytes(name, len);

	found = find_plain(&contract->shared.methods, name, len, hash);
	if (found == NULL && own != NULL)
		found = find_plain(&own->methods, name, len, hash);
	return found != NULL ? &found->entry : NULL;
}

size_t
contract_count(const struct contract *contract, enum contract_kind kind)
{
	return contract->counts[kind];
}

int
contract_check(const struct schema *schema, const char *json, size_t len,
    struct schema_fault *ret_fault)
{
	if (schema != NULL)
		return schema_check(schema, json, len, ret_fault);
	if (utf8_valid(json, len) && json_valid(json, len))
		return 0;
	*ret_fault = (struct schema_fault){ .instance = "" };
	(void)snprintf(ret_fault->message, sizeof(ret_fault->message),
	    "this is not JSON");
	return -EINVAL;
}

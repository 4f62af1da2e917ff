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
	for (size_t i = 0; i < ARRAY_LEN(scope->names); i++)
		table_release(&scope->names[i].plain);
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

/* A plain name goes before patterns, whoever declared them. */
static const struct contract_entry *
find(const struct contract *contract, enum contract_kind kind,
    const struct contract_scope *own, const char *name, size_t len)
{
	const struct contract_names *shared = &contract->shared.names[kind];
	uint64_t hash = hash_bytes(name, len);
	const struct declaration *found;

	found = find_plain(&shared->plain, name, len, hash);
	if (found == NULL && own != NULL)
		found = find_plain(&own->names[kind].plain, name, len, hash);
	if (found != NULL)
		return &found->entry;
	return better_of(own != NULL ?
		find_pattern(own->names[kind].patterns, name, len) :
		NULL,
	    find_pattern(shared->patterns, name, len));
}

const struct contract_entry *
contract_find(const struct contract *contract, enum contract_kind kind,
    const char *role, const char *name, size_t len)
{
	return find(contract, kind,
	    role != NULL ? find_role(contract, role) : NULL, name, len);
}

const struct contract_entry *
contract_any(const struct contract *contract, enum contract_kind kind,
    const char *name, size_t len)
{
	const struct contract_scope *role = contract->roles;
	const struct contract_entry *entry =
	    find(contract, kind, NULL, name, len);

	for (; entry == NULL && role != NULL; role = role->next)
		entry = find(contract, kind, role, name, len);
	return entry;
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

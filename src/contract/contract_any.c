/* contract_any.c - what a name means to anybody; see contract.h. */
#include "contract/contract.h"
#include "contract/contract_internal.h"

static const struct contract_entry *
find(const struct contract *contract, enum contract_kind kind, const char *role,
    const char *name, size_t len)
{
	switch (kind) {
	case CONTRACT_TOPIC:
		return contract_topic(contract, role, name, len);
	case CONTRACT_EVENT:
		return contract_event(contract, role, name, len);
	case CONTRACT_METHOD:
		return contract_method(contract, role, name, len);
	case CONTRACT_RESOURCE:
		return contract_resource(contract, role, name, len);
	}
	return NULL;
}

const struct contract_entry *
contract_any(const struct contract *contract, enum contract_kind kind,
    const char *name, size_t len)
{
	const struct contract_scope *role = contract->roles;
	const struct contract_entry *entry =
	    find(contract, kind, NULL, name, len);

	for (; entry == NULL && role != NULL; role = role->next)
		entry = find(contract, kind, role->role, name, len);
	return entry;
}

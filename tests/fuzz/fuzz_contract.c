/*
 * fuzz_contract.c - a contract, and names that are looked up in it.
 *
 * A contract that is refused has a reason; one that is taken can be made types
 * of, and finds no name that it does not declare for the role.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "contract/contract.h"
#include "contract/types.h"
#include "tests/fuzz/fuzz.h"

static void
look_up(const struct contract *contract, const char *role, const char *name)
{
	const struct contract_entry *entry;
	struct schema_fault fault;
	size_t len = strlen(name);

	entry = contract_find(contract, CONTRACT_TOPIC, role, name, len);
	if (entry != NULL) {
		assert(entry->kind == CONTRACT_TOPIC);
		assert(entry->role == NULL ||
		    (role != NULL && strcmp(entry->role, role) == 0));
		if (!entry->has_pattern)
			assert(entry->name_len == len &&
			    memcmp(entry->name, name, len) == 0);
		if (entry->payload != NULL)
			assert(schema_check(entry->payload, "{\"a\":[1]}", 9,
				   &fault) <= 0);
	}
	entry = contract_find(contract, CONTRACT_EVENT, role, name, len);
	assert(entry == NULL || entry->kind == CONTRACT_EVENT);
	entry = contract_find(contract, CONTRACT_METHOD, role, name, len);
	assert(entry == NULL || entry->kind == CONTRACT_METHOD);
	entry = contract_find(contract, CONTRACT_RESOURCE, role, name, len);
	assert(entry == NULL ||
	    (entry->kind == CONTRACT_RESOURCE &&
		(entry->role == NULL ||
		    (role != NULL && strcmp(entry->role, role) == 0))));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "", "a", "chat:a", "chat:a:b",
		"chat:lobby", "announce", "ab" };
	struct mistakes mistakes;
	struct contract *contract;
	FILE *out;

	mistakes_init(&mistakes, NULL);
	contract = contract_new((const char *)data, size, &mistakes);
	assert((contract == NULL) == (mistakes.count != 0));
	assert((contract == NULL) == (mistakes.text != NULL));
	mistakes_release(&mistakes);
	if (contract == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		look_up(contract, NULL, names[i]);
		look_up(contract, "user", names[i]);
	}
	out = fopen("/dev/null", "we");
	assert(out != NULL);
	assert(types_ts(contract, "fuzz", out) == 0);
	assert(types_c(contract, "fuzz", out) == 0);
	(void)fclose(out); /* nothing was kept */
	contract_free(contract);
	return 0;
}

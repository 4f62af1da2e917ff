/*
 * contract_rig.h - contracts from a string, and what is found in them.
 *
 * For the files test_contract*.c.
 */
#ifndef SUPPORT_CONTRACT_RIG_H
#define SUPPORT_CONTRACT_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/contract.h"
#include "torture.h"

/* A contract without mistakes; contract_free() it. */
static inline struct contract *
make(const char *text)
{
	struct mistakes mistakes;
	struct contract *contract;

	mistakes_init(&mistakes, NULL);
	contract = contract_new(text, strlen(text), &mistakes);
	if (contract == NULL)
		print_error("%s", mistakes.text);
	assert_non_null(contract);
	return contract;
}

static inline const struct contract_entry *
topic(const struct contract *contract, const char *role, const char *name)
{
	return contract_find(contract, CONTRACT_TOPIC, role, name,
	    strlen(name));
}

static inline void
assert_name(const struct contract_entry *entry, const char *name)
{
	assert_non_null(entry);
	assert_int_equal(entry->name_len, strlen(name));
	assert_memory_equal(entry->name, name, entry->name_len);
}

#endif /* SUPPORT_CONTRACT_RIG_H */

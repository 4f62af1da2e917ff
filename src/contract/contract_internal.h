/*
 * contract_internal.h - what the contract's files share.  Others include
 * contract.h.
 */
#ifndef CONTRACT_CONTRACT_INTERNAL_H
#define CONTRACT_CONTRACT_INTERNAL_H

#include "base/table.h"
#include "contract/contract.h"

/* A declaration with what is needed to find it. */
struct declaration {
	struct contract_entry entry; /* what others see */
	struct table_entry by_name;  /* of plain names */
	struct declaration *next;    /* in the scope, as declared */
	struct declaration *fewer;   /* the next pattern, less specific */
	const struct value *source;
	const char *description; /* or NULL */
	size_t description_len;
	size_t literal; /* characters of a pattern that are not variable */
};

/* The names of one kind. */
struct contract_names {
	struct table plain;           /* struct declaration, by_name */
	struct declaration *patterns; /* the most specific first */
};

/* What is shared, or a role's own. */
struct contract_scope {
	struct table_entry by_role; /* not of the shared one */
	struct contract_scope *next;
	const char *role; /* '\0'-terminated; NULL: shared */
	struct contract_names names[CONTRACT_KINDS];
	struct declaration *all; /* as declared; resources are last */
	struct declaration **tail;
};

struct contract {
	struct arena arena;
	char *text; /* owned; what the trees point into */
	struct schema_set *schemas;
	struct contract_scope shared;
	struct contract_scope *roles; /* as declared */
	struct table by_role;
	size_t counts[CONTRACT_KINDS];
};

/* ---- contract_load.c */

/* Fill an empty contract from its text; what is wrong becomes mistakes. */
void contract_build(struct contract *contract, size_t len,
    struct mistakes *mistakes);

/* ---- contract_name.c */

/*
 * Is the name one that a topic (or event, method, role) may have?  NULL, or
 * what is wrong with it.
 */
const char *contract_name_fault(const char *name, size_t len);

/* Count a name's variables; what is wrong with them, or NULL. */
const char *contract_name_variables(const char *name, size_t len,
    size_t *ret_count, size_t *ret_literal);

/* Does a name fit a pattern? */
bool contract_name_fits(const char *pattern, size_t pattern_len,
    const char *name, size_t len);

/* Do two patterns differ in nothing but what their variables are called? */
bool contract_names_same(const char *a, size_t a_len, const char *b,
    size_t b_len);

/* Is a more specific than b? */
bool contract_more_specific(const struct declaration *a,
    const struct declaration *b);

#endif /* CONTRACT_CONTRACT_INTERNAL_H */

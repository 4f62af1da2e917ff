/*
 * types_names.h - which schemas get a type of their own, and its name.
 *
 * Each payload, input and output does, and all that a "$ref" leads to.  Names
 * are made of those in the contract, cut down to letters and digits; when two
 * come out the same a number makes them differ.
 */
#ifndef CONTRACT_TYPES_NAMES_H
#define CONTRACT_TYPES_NAMES_H

#include <stddef.h>

#include "contract/contract_internal.h"

enum {
	TYPE_NAME_MAX = 128
};

struct named_type {
	struct named_type *next;
	struct table_entry by_source; /* the address of source */
	struct table_entry by_name;
	const struct value *source;
	bool written; /* for who writes them */
	char name[TYPE_NAME_MAX];
};

struct type_names {
	const struct contract *contract;
	struct arena arena;
	struct table by_source;
	struct table by_name;
	struct named_type *all; /* in the order in which they were named */
	struct named_type **tail;
};

/* No names yet. */
void type_names_init(struct type_names *names, const struct contract *contract);

/* Free the names. */
void type_names_release(struct type_names *names);

/*
 * A word of letters and digits, each part with a capital: "chat:{room}" becomes
 * "ChatRoom".  Never empty, never begins with a digit.
 */
void type_word(const char *text, size_t len, char *out, size_t size);

/*
 * The name of a schema's type, a new one if it has none yet.  wanted is used
 * for a new one; NULL: the last step of its place.  NULL: no memory.
 */
const char *type_name(struct type_names *names, const struct value *source,
    const char *wanted);

/* What has been named for a schema, or NULL. */
struct named_type *type_find(const struct type_names *names,
    const struct value *source);

/* The name of the type that a "$ref" means.  NULL: no memory. */
const char *type_name_of_ref(struct type_names *names,
    const struct value *reference);

#endif /* CONTRACT_TYPES_NAMES_H */

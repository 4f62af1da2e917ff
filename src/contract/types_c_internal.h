/*
 * types_c_internal.h - a schema as a C type.
 *
 * Strings, numbers and the like are passed as they are, objects and arrays as
 * structs with functions NAME_decode, NAME_encode and NAME_release.  A "$ref"
 * to one is a pointer, so that types may contain themselves.  Whatever has no
 * good C type stays a tree of cJSON's ("raw").
 */
#ifndef CONTRACT_TYPES_C_INTERNAL_H
#define CONTRACT_TYPES_C_INTERNAL_H

#include <stdio.h>

#include "contract/types_names.h"

enum c_kind {
	C_STRING,
	C_INTEGER,
	C_NUMBER,
	C_BOOLEAN,
	C_RAW,
	C_ENUM,
	C_OBJECT,
	C_ARRAY,
};

/* How values of a schema look in C. */
struct c_type {
	enum c_kind kind;
	bool pointer;               /* to a struct, because of a "$ref" */
	const struct value *source; /* what is behind all references */
	const char *name;           /* of the struct or enum, or of helpers */
};

/*
 * A word in lower case with '_' between the parts, not a keyword of C.
 * "chat:{room}" becomes "chat_room".
 */
void c_word(const char *text, size_t len, char *out, size_t size);

/* The type of a schema; NULL is the one that allows everything. */
struct c_type c_type_of(struct type_names *names, const struct value *source);

/*
 * Give names to a schema's type and to all types in it.  wanted is the name for
 * the outermost.  0 or -ENOMEM.
 */
WARN_UNUSED int c_name_types(struct type_names *names,
    const struct value *source, const char *wanted);

/* Write a variable's type with its blank: "char *", "struct user ". */
void c_put_type(FILE *out, const struct c_type *type);

/* Write a string literal. */
void c_string(FILE *out, const char *text, size_t len);

/* Write definitions of all structs and enums, and then their functions. */
void c_write_types(FILE *out, struct type_names *names);

/*
 * Write the functions for a topic, event, method or resource; word begins their
 * names.  output is that of a method.
 */
void c_write_calls(FILE *out, const struct contract_entry *entry,
    const char *word, const struct c_type *data, const struct c_type *output);

#endif /* CONTRACT_TYPES_C_INTERNAL_H */

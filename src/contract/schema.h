/*
 * schema.h - JSON Schema, draft 2020-12: does a payload fit?
 *
 * A schema is compiled once and then only read.  What it cannot do is refused
 * when it is compiled, by name and place; no keyword is ever passed over in
 * silence.  Refused: keywords that draft 2020-12 does not have (names that
 * begin with "x-" are comments), "$vocabulary", other dialects in "$schema",
 * references that lead out of the document, references that come back to
 * themselves without a step into the payload, a multipleOf with more than 18
 * significant digits, and patterns that PCRE2 does not know.
 *
 * "format", "contentEncoding", "contentMediaType" and "contentSchema" are
 * annotations in this draft: they are accepted and say nothing about whether a
 * payload fits.
 *
 * Numbers are compared as they are written, without rounding; see number.h.
 * Objects with two members of one name, half surrogate pairs and more than 128
 * levels never fit.  Checking one payload has a bound on work, memory and
 * stack, whatever schema and payload are: what needs more does not fit.
 */
#ifndef CONTRACT_SCHEMA_H
#define CONTRACT_SCHEMA_H

#include <stddef.h>

#include "base/base.h"
#include "contract/mistakes.h"

struct schema;
struct schema_set;

/* Why a payload does not fit.  All three are UTF-8. */
struct schema_fault {
	char instance[256]; /* JSON pointer into the payload */
	char schema[256];   /* of the keyword, where it is written */
	char message[160];
};

/*
 * Compile a schema that stands alone.  NULL: mistakes says what is wrong, all
 * of it.  The text need not live longer than this call.
 */
struct schema *schema_new(const char *text, size_t len,
    struct mistakes *mistakes);

/* Free what schema_new() gave; NULL is fine. */
void schema_free(struct schema *schema);

/*
 * Does a payload fit?  0; -EINVAL: it does not, or is not JSON; -E2BIG: it
 * takes too much work to say; -ENOMEM.  *ret_fault is set unless it is 0.
 */
WARN_UNUSED int schema_check(const struct schema *schema, const char *json,
    size_t len, struct schema_fault *ret_fault);

/*
 * A fault as people are told it: "WHAT/place: message (place in the schema)";
 * what is "data", "input" and so on.
 */
void schema_fault_text(const struct schema_fault *fault, const char *what,
    char *text, size_t size);

/*
 * Schemas that are parts of one tree.  "#/$defs/..." that a schema does not
 * have itself is looked for in defs, which may be NULL.  The tree and what it
 * was parsed from must live as long as the set.  NULL: no memory.
 */
struct schema_set *schema_set_new(const struct value *defs,
    struct mistakes *mistakes);

/*
 * Compile one more.  It belongs to the set and can be used when
 * schema_set_finish() has returned.  NULL: see the mistakes.
 */
struct schema *schema_set_add(struct schema_set *set,
    const struct value *source);

/*
 * Resolve references; nothing can be added afterwards.  The set is good when
 * no mistakes have been added since it was new.
 */
void schema_set_finish(struct schema_set *set);

/* Free the set with all its schemas; NULL is fine. */
void schema_set_free(struct schema_set *set);

/* The tree that a schema was compiled from. */
const struct value *schema_source(const struct schema *schema);

/*
 * Where a "$ref" of the set's leads: the schema's tree there.  NULL: the value
 * is no reference of this set.
 */
const struct value *schema_set_target(const struct schema_set *set,
    const struct value *reference);

#endif /* CONTRACT_SCHEMA_H */

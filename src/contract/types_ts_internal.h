/*
 * types_ts_internal.h - a schema as a TypeScript type.
 */
#ifndef CONTRACT_TYPES_TS_INTERNAL_H
#define CONTRACT_TYPES_TS_INTERNAL_H

#include <stdio.h>

#include "contract/types_names.h"

/* Write a string literal. */
void ts_string(FILE *out, const char *text, size_t len);

/* Write "export type NAME = ...;" inside a namespace.  0 or -ENOMEM. */
WARN_UNUSED int ts_type(FILE *out, struct type_names *names,
    const struct named_type *type);

#endif /* CONTRACT_TYPES_TS_INTERNAL_H */

/*
 * types.h - a contract as types of other languages.
 *
 * What is generated contains nothing but the contract's own names and types;
 * it is the same for the same contract.
 */
#ifndef CONTRACT_TYPES_H
#define CONTRACT_TYPES_H

#include <stdio.h>

#include "contract/contract.h"

/*
 * TypeScript declarations for users of bus.js.  title is what to say it was
 * made from.  0; -ENOMEM; -EIO: writing failed.
 */
WARN_UNUSED int types_ts(const struct contract *contract, const char *title,
    FILE *out);

/*
 * A C header: structs with functions that make JSON of them and read it (with
 * cJSON), and for each topic a function that publishes and one that subscribes.
 * The same arguments and results as types_ts().
 */
WARN_UNUSED int types_c(const struct contract *contract, const char *title,
    FILE *out);

#endif /* CONTRACT_TYPES_H */

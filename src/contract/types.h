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
 * TypeScript declarations for users of bus.js: for what is shared and for each
 * role an interface that goes into connect<...>() of worker/web/bus.d.ts.
 * title is what to say it was made from.  0; -ENOMEM; -EIO: writing failed.
 */
WARN_UNUSED int types_ts(const struct contract *contract, const char *title,
    FILE *out);

/*
 * A C header: structs with functions that make JSON of them and read it (with
 * cJSON), and typed calls of the public API: publish and subscribe for topics,
 * emit, broadcast and so on for events, handle and reply for methods, notify
 * for resources.  The same arguments and results as types_ts().
 */
WARN_UNUSED int types_c(const struct contract *contract, const char *title,
    FILE *out);

#endif /* CONTRACT_TYPES_H */

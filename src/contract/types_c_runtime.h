/*
 * types_c_runtime.h - what every generated C header begins with, as lines.
 */
#ifndef CONTRACT_TYPES_C_RUNTIME_H
#define CONTRACT_TYPES_C_RUNTIME_H

/* The lines without their ends; NULL after the last. */
extern const char *const types_c_runtime[];

#endif /* CONTRACT_TYPES_C_RUNTIME_H */

/*
 * base.h - the few macros that every file may use, and nothing else.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stddef.h>

/* The result says whether it worked; ignoring it needs a (void) and a reason. */
#define WARN_UNUSED __attribute__((warn_unused_result))

/* The compiler checks the arguments against the format. */
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

#define ARRAY_LEN(a)            (sizeof(a) / sizeof((a)[0]))

/* The struct that a member is embedded in. */
#define CONTAINER_OF(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif /* BASE_BASE_H */

/*
 * value_print.h - a tree as JSON again.
 */
#ifndef SUPPORT_VALUE_PRINT_H
#define SUPPORT_VALUE_PRINT_H

#include "base/buf.h"
#include "contract/value.h"

/* Append the value as JSON without spaces.  0, -ENOBUFS or -ENOMEM. */
int value_print(const struct value *value, struct buf *out);

#endif /* SUPPORT_VALUE_PRINT_H */

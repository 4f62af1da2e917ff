/*
 * utf8.h - is this UTF-8?
 *
 * Strict as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF, no sequence cut off at the end.  NUL is a character like any other.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Are all len bytes well-formed UTF-8?  No bytes at all are. */
bool utf8_valid(const void *data, size_t len);

#endif /* BASE_UTF8_H */

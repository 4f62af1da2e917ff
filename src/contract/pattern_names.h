/*
 * pattern_names.h - the long names of Unicode's general categories.
 *
 * ECMAScript has \p{Letter} and \p{L}; PCRE2 10.42 has the short ones only.
 */
#ifndef CONTRACT_PATTERN_NAMES_H
#define CONTRACT_PATTERN_NAMES_H

#include <stddef.h>

/*
 * Copy a pattern, with short names for long ones.  out has room for len bytes;
 * returns how many are used.
 */
size_t pattern_shorten(const char *text, size_t len, char *out);

#endif /* CONTRACT_PATTERN_NAMES_H */

/*
 * pattern.h - regular expressions; the one door to libpcre2.
 *
 * JSON Schema means those of ECMAScript with its "u" flag.  PCRE2 is told to
 * read them that way where it can: \u0041, $ only at the very end, [] and [^].
 * What remains: \s is ASCII's white space, and a pattern that only PCRE2 knows
 * is not found out.
 *
 * Some patterns need exponential time for some texts.  So every step costs, and
 * the caller says what there is to spend.
 */
#ifndef CONTRACT_PATTERN_H
#define CONTRACT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct pattern;

/*
 * Compile a pattern, which is UTF-8.  0 and *ret_pattern (pattern_free() it);
 * -EINVAL: it is none, and why has the reason; -ENOMEM.
 */
WARN_UNUSED int pattern_new(const char *text, size_t len,
    struct pattern **ret_pattern, char *why, size_t size);

/* Free a pattern; NULL is fine. */
void pattern_free(struct pattern *pattern);

/*
 * Does the pattern match somewhere in the text, which is UTF-8?  1 or 0;
 * -E2BIG: that took more than *work; -ENOMEM.  *work goes down by what it took.
 */
WARN_UNUSED int pattern_match(const struct pattern *pattern, const char *text,
    size_t len, uint64_t *work);

#endif /* CONTRACT_PATTERN_H */

/*
 * values.h - flags with a value that belong to a command alone.
 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include "base/base.h"

/*
 * Take "--flag VALUE" or "--flag=VALUE" out of a command's words; *ret_value is
 * the last one given and untouched when there is none.  CLI_OK, or CLI_USAGE
 * after saying that its value is missing.
 */
WARN_UNUSED int cli_take_value(const char *command, int *count, char **words,
    const char *flag, const char **ret_value);

/* How many of these are given (not NULL)? */
int cli_given(const char *const *values, size_t count);

#endif /* CLI_VALUES_H */

/* values.c - see values.h. */
#include "cli/values.h"

#include <stdbool.h>
#include <string.h>

#include "cli/cli.h"

int
cli_take_value(const char *command, int *count, char **words, const char *flag,
    const char **ret_value)
{
	size_t len = strlen(flag);
	bool ended = false;
	int kept = 0;

	for (int i = 0; i < *count; i++) {
		ended = ended || strcmp(words[i], "--") == 0;
		if (!ended && strncmp(words[i], flag, len) == 0 &&
		    words[i][len] == '=') {
			*ret_value = words[i] + len + 1;
		} else if (!ended && strcmp(words[i], flag) == 0) {
			if (i + 1 == *count)
				return cli_usage(command, "%s needs a value",
				    flag);
			*ret_value = words[++i];
		} else {
			words[kept++] = words[i];
		}
	}
	*count = kept;
	return CLI_OK;
}

int
cli_given(const char *const *values, size_t count)
{
	int given = 0;

	for (size_t i = 0; i < count; i++)
		given += values[i] != NULL;
	return given;
}

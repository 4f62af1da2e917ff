/* upgrade.c - `busctl upgrade [--binary PATH] [--no-roll] [--force]`. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "primary/upgrade.h"

/* Take "--binary PATH" or "--binary=PATH" out of the words.  NULL: no PATH. */
static const char *
take_binary(int *count, char **words)
{
	static const char flag[] = "--binary";
	const char *path = NULL;
	int kept = 0;

	for (int i = 0; i < *count; i++) {
		if (strcmp(words[i], flag) == 0 && i + 1 < *count)
			path = words[++i];
		else if (strncmp(words[i], "--binary=", sizeof(flag)) == 0)
			path = words[i] + sizeof(flag);
		else
			words[kept++] = words[i];
	}
	*count = kept;
	return path;
}

/* The primary may be in another directory.  False: it is too long. */
static bool
make_absolute(const char *path, char *absolute, size_t size)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return false;
	n = snprintf(absolute, size, "%s%s%s", cwd, path[0] != '/' ? "/" : "",
	    path);
	return n > 0 && (size_t)n < size;
}

int
cli_upgrade(int argc, char **argv)
{
	char path[PATH_MAX] = "", line[PATH_MAX + 32];
	struct control_ask ask;
	const char *binary;
	unsigned flags = 0;
	int rc;

	rc = control_prepare(argc, argv, &ask);
	if (rc != CLI_OK)
		return rc;
	if (cli_take_flag(&ask.count, ask.words, "--no-roll"))
		flags |= UPGRADE_NO_ROLL;
	if (cli_take_flag(&ask.count, ask.words, "--force"))
		flags |= UPGRADE_FORCE;
	binary = take_binary(&ask.count, ask.words);
	rc = cli_no_words(argv[0], ask.count, ask.words);
	if (rc == CLI_OK && binary != NULL &&
	    !make_absolute(binary, path, sizeof(path)))
		rc = cli_usage(argv[0], "upgrade: the path is too long");
	if (rc != CLI_OK) {
		control_release(&ask);
		return rc;
	}
	(void)snprintf(line, sizeof(line), "upgrade %u%s%s", flags,
	    path[0] != '\0' ? " " : "", path);
	return control_send(&ask, line);
}

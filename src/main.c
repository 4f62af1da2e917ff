/*
 * main.c - which command?  Nothing else.
 *
 * The commands are in src/cli; a primary and a worker are commands too.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* Does somebody ask for help among a command's words? */
static bool
wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

/* Nothing that was printed may be lost without a word. */
static int
flush(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	cli_say("cannot write to standard output");
	return status == CLI_OK ? CLI_FAILED : status;
}

int
main(int argc, char **argv)
{
	const struct cli_command *command;
	const char *name = argc > 1 ? argv[1] : "";

	if (argc < 2) {
		cli_print_overview(true);
		return CLI_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	command = cli_find(name);
	if (command == NULL)
		return cli_unknown(name);
	if (!command->own_help && wants_help(argc - 1, argv + 1)) {
		cli_print_help(command);
		return flush(CLI_OK);
	}
	return flush(command->run(argc - 1, argv + 1));
}

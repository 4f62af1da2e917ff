/*
 * help.c - `busctl help`: what is printed comes from the tables of commands,
 * options, signals and exit statuses.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/config.h"

/* Where the explanation of a flag starts. */
enum {
	HELP_COLUMN = 34
};

void
cli_print_overview(bool wrong)
{
	FILE *out = wrong ? stderr : stdout;

	(void)fputs("usage: busctl COMMAND [option...]\n\n"
		    "An event bus for WebSocket applications: many workers, "
		    "one port, no broker.\n\n",
	    out);
	for (size_t i = 0; i < cli_command_count; i++)
		(void)fprintf(out, "  %-12s %s\n", cli_commands[i].name,
		    cli_commands[i].summary);
	(void)fputs("\n`busctl help COMMAND` explains one, `busctl help "
		    "options` lists all settings.\n",
	    out);
}

static bool
is_place_option(const struct config_option *option)
{
	return strcmp(option->name, "name") == 0 ||
	    strcmp(option->name, "run-dir") == 0;
}

/* "-n, --workers N" or "    --name NAME". */
static void
flag_text(const struct config_option *option, char *text, size_t size)
{
	(void)snprintf(text, size, "%s--%s%s%s",
	    strcmp(option->name, "workers") == 0 ? "-n, " : "    ",
	    option->name, option->arg[0] != '\0' ? " " : "", option->arg);
}

static void
print_flag(const char *flag, const char *help)
{
	if (strlen(flag) + 3 > HELP_COLUMN)
		(void)printf("  %s\n%*s%s", flag, HELP_COLUMN, "", help);
	else
		(void)printf("  %-*s%s", HELP_COLUMN - 2, flag, help);
}

/* The words of an enum, the default, and what a change needs. */
static void
print_facts(const struct config_option *option)
{
	(void)printf("\n%*s", HELP_COLUMN, "");
	if (option->words != NULL)
		(void)printf("%s; ", option->words);
	if (option->type == CONFIG_LIST)
		(void)printf("may be repeated; ");
	if (option->fallback[0] != '\0')
		(void)printf("default %s; ", option->fallback);
	switch (option->reload) {
	case RELOAD_LIVE:
		(void)puts("changes in place");
		break;
	case RELOAD_ROLL:
		(void)puts("a change replaces workers");
		break;
	case RELOAD_START:
		(void)puts("a change needs a restart");
		break;
	}
}

static void
print_options(enum cli_options which, bool facts)
{
	const struct config_option *option;
	char flag[128];

	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		if (which == CLI_PLACE && !is_place_option(option))
			continue;
		flag_text(option, flag, sizeof(flag));
		print_flag(flag, option->help);
		if (facts)
			print_facts(option);
		else
			(void)putchar('\n');
	}
	print_flag("    --config FILE", "settings from a file\n");
}

void
cli_print_options(void)
{
	(void)puts("Every setting is a flag, a variable (CLUSTERBUS_LOG_LEVEL "
		   "for --log-level)\n"
		   "and a line of the file given with --config (log-level "
		   "info), in this order of\n"
		   "precedence.\n");
	print_options(CLI_ALL, true);
}

void
cli_print_help(const struct cli_command *command)
{
	(void)printf("usage: busctl %s%s%s\n\n%s\n", command->name,
	    command->usage[0] != '\0' ? " " : "", command->usage,
	    command->summary);
	if (command->details[0] != '\0')
		(void)printf("\n%s\n", command->details);
	if (command->options == CLI_NO_OPTIONS)
		return;
	(void)puts("\noptions:");
	print_options(command->options, false);
	if (command->options == CLI_ALL)
		(void)puts("\n`busctl help options` adds defaults and what a "
			   "change needs.");
}

static int
help_command(const char *name)
{
	static char word[] = "--help";
	const struct cli_command *command;
	char *argv[] = { word, word, NULL };

	if (strcmp(name, "options") == 0) {
		cli_print_options();
		return CLI_OK;
	}
	command = cli_find(name);
	if (command == NULL)
		return cli_unknown(name);
	if (command->own_help)
		return command->run(2, argv);
	cli_print_help(command);
	return CLI_OK;
}

int
cli_help(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (argc < 2) {
		cli_print_overview(false);
		return CLI_OK;
	}
	if (strcmp(word, "--markdown") == 0) {
		if (argc > 3 ||
		    !cli_print_markdown(argc == 3 ? argv[2] : "options"))
			return cli_usage("help",
			    "help --markdown: options, commands, signals or "
			    "exits");
		return CLI_OK;
	}
	if (argc > 2)
		return cli_no_words("help", argc - 2, argv + 2);
	if (strcmp(word, "--man") == 0) {
		cli_print_man();
		return CLI_OK;
	}
	if (word[0] == '-')
		return cli_no_words("help", 1, argv + 1);
	return help_command(word);
}

/*
 * manual.c - the same tables as a man page and for the README; see help.c.
 */
#include <clusterbus/version.h>
#include <stdio.h>
#include <string.h>

#include "base/signals.h"
#include "cli/cli.h"
#include "config/config.h"

static const char *
reload_word(enum config_reload reload)
{
	switch (reload) {
	case RELOAD_LIVE:
		return "in place";
	case RELOAD_ROLL:
		return "rolls workers";
	case RELOAD_START:
		return "needs a restart";
	}
	return "?";
}

/* '|' ends a cell unless it is escaped, even between backticks. */
static void
print_cell(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			(void)fputs("\\|", stdout);
		else
			(void)putchar(*text);
	}
}

static void
markdown_options(void)
{
	const struct config_option *option;

	(void)puts("| option | default | on reload | meaning |\n"
		   "|---|---|---|---|");
	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		(void)printf("| `%s--%s%s%s` | ",
		    strcmp(option->name, "workers") == 0 ? "-n, " : "",
		    option->name, option->arg[0] != '\0' ? " " : "",
		    option->arg);
		if (option->fallback[0] != '\0')
			(void)printf("`%s`", option->fallback);
		(void)printf(" | %s | ", reload_word(option->reload));
		print_cell(option->help);
		if (option->words != NULL) {
			(void)fputs(" (", stdout);
			print_cell(option->words);
			(void)putchar(')');
		}
		(void)puts(" |");
	}
	(void)puts("| `--config FILE` |  | read again | settings from a file "
		   "|");
}

static void
markdown_commands(void)
{
	(void)puts("| command | does |\n|---|---|");
	for (size_t i = 0; i < cli_command_count; i++) {
		(void)printf("| `%s%s", cli_commands[i].name,
		    cli_commands[i].usage[0] != '\0' ? " " : "");
		print_cell(cli_commands[i].usage);
		(void)printf("` | %s |\n", cli_commands[i].summary);
	}
}

static void
markdown_signals(void)
{
	(void)puts("| signal | does | in words |\n|---|---|---|");
#define X(name, what, words) (void)puts("| " #name " | " what " | " words " |");
	SIGNALS(X)
#undef X
}

static void
markdown_exits(void)
{
	(void)puts("| status | meaning |\n|---|---|");
#define X(id, status, meaning) (void)puts("| " #status " | " meaning " |");
	CLI_EXITS(X)
#undef X
}

bool
cli_print_markdown(const char *what)
{
	static const struct {
		const char *what;
		void (*print)(void);
	} tables[] = {
		{ "options", markdown_options },
		{ "commands", markdown_commands },
		{ "signals", markdown_signals },
		{ "exits", markdown_exits },
	};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		if (strcmp(tables[i].what, what) == 0) {
			tables[i].print();
			return true;
		}
	}
	return false;
}

/* roff reads '\', a leading '.' or '\'', and '-' in its own way. */
static void
print_roff(const char *text)
{
	bool start = true;

	for (; *text != '\0'; text++) {
		if (start && (*text == '.' || *text == '\''))
			(void)fputs("\\&", stdout);
		if (*text == '\\')
			(void)fputs("\\e", stdout);
		else if (*text == '-')
			(void)fputs("\\-", stdout);
		else
			(void)putchar(*text);
		start = *text == '\n';
	}
}

static void
man_commands(void)
{
	const struct cli_command *command;

	(void)puts(".SH COMMANDS");
	for (size_t i = 0; i < cli_command_count; i++) {
		command = &cli_commands[i];
		(void)printf(".TP\n.B %s\n", command->name);
		if (command->usage[0] != '\0') {
			print_roff(command->usage);
			(void)puts("\n.br");
		}
		print_roff(command->summary);
		(void)puts(".");
		if (command->details[0] != '\0') {
			(void)puts(".br");
			print_roff(command->details);
			(void)putchar('\n');
		}
	}
}

static void
man_options(void)
{
	const struct config_option *option;

	(void)puts(".SH OPTIONS\n"
		   "Every option is also a variable, CLUSTERBUS_LOG_LEVEL for "
		   "\\-\\-log\\-level, and a line\n"
		   "of the file given with \\-\\-config: log\\-level info.\n"
		   "Flags come before variables, variables before the file.");
	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		(void)puts(".TP");
		(void)printf(".BI \\-\\-");
		print_roff(option->name);
		(void)printf(" \" %s\"\n", option->arg);
		print_roff(option->help);
		if (option->words != NULL)
			(void)printf(" (%s)", option->words);
		(void)puts(".");
		if (option->fallback[0] != '\0')
			(void)printf("Default: %s.\n", option->fallback);
		(void)printf("A change: %s.\n", reload_word(option->reload));
	}
}

void
cli_print_man(void)
{
	(void)puts(
	    ".TH CLUSTERBUS 8 \"\" \"clusterbus " CLUSTERBUS_VERSION "\"\n"
	    ".SH NAME\n"
	    "clusterbus, busctl \\- an event bus for WebSocket "
	    "applications\n"
	    ".SH SYNOPSIS\n"
	    ".B busctl\n"
	    "COMMAND [option...]");
	man_commands();
	man_options();
	(void)puts(".SH SIGNALS\nTo the primary:");
#define X(name, what, words)                                                   \
	(void)puts(".TP\n.B " #name);                                          \
	print_roff(words);                                                     \
	(void)puts(".");
	SIGNALS(X)
#undef X
	(void)puts(".SH EXIT STATUS");
#define X(id, status, meaning)                                                 \
	(void)puts(".TP\n.B " #status);                                        \
	print_roff(meaning);                                                   \
	(void)puts(".");
	CLI_EXITS(X)
#undef X
}

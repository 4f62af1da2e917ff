/*
 * cli.h - the commands of busctl.
 *
 * A command is a row of the table in commands.c and a function in a file of
 * its own.  It gets its name as argv[0] and returns the exit status.  What a
 * command shares with others is in place.h (which bus is meant), control.h
 * (talk to its primary) and text.h (numbers for people).
 *
 * Results go to standard output, everything else to standard error.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Exit statuses, for scripts and supervisors. */
/* clang-format off */
#define CLI_EXITS(X)                                                           \
	X(OK,     0,  "fine")                                                  \
	X(FAILED, 1,  "failed while running")                                  \
	X(USAGE,  2,  "wrong usage or configuration: never worth a retry")     \
	X(BUSY,   75, "busy, or running already: try later")                   \
	X(CONFIG, 78, "the configuration turned out to be broken at start")

/* clang-format on */

enum cli_exit {
#define X(id, status, meaning) CLI_##id = status,
	CLI_EXITS(X)
#undef X
};

/* Which options of the option table a command understands. */
enum cli_options {
	CLI_NO_OPTIONS,
	CLI_PLACE, /* name, run-dir and --config: which bus is meant */
	CLI_ALL,
};

struct cli_command {
	const char *name;
	const char *usage;   /* what follows the name */
	const char *summary; /* a few words */
	const char *details; /* more, lines of at most 72 columns; or "" */
	enum cli_options options;
	bool own_help; /* it answers --help itself */
	int (*run)(int argc, char **argv);
};

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

/* The command with this name, or NULL. */
const struct cli_command *cli_find(const char *name);

/*
 * Complain about a word that is no command: name the nearest one, or say where
 * the program is that knows it.  Returns the exit status.
 */
int cli_unknown(const char *name);

/* The table's functions, a file each. */
int cli_start(int argc, char **argv);
int cli_hub(int argc, char **argv);
int cli_worker(int argc, char **argv);
int cli_stop(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_restart(int argc, char **argv);
int cli_scale(int argc, char **argv);
int cli_upgrade(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_publish(int argc, char **argv);
int cli_subscribe(int argc, char **argv);
int cli_emit(int argc, char **argv);
int cli_clients(int argc, char **argv);
int cli_topics(int argc, char **argv);
int cli_rooms(int argc, char **argv);
int cli_presence(int argc, char **argv);
int cli_kick(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_contract(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_help(int argc, char **argv);
int cli_completion(int argc, char **argv);

/* "busctl: ..." on standard error. */
void cli_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * As cli_say(), then how to get help for the command.  Returns CLI_USAGE, so
 * that a command can leave with it.
 */
WARN_UNUSED int cli_usage(const char *command, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/*
 * Take a flag of the command's own out of its words.  Returns whether it was
 * there; *count goes down for each time.
 */
bool cli_take_flag(int *count, char **words, const char *flag);

/*
 * Say what is wrong with the first word that is left over, if any: an unknown
 * flag (with the nearest option), or one word too many.  "--" is skipped.
 * CLI_OK when there is none, else CLI_USAGE.
 */
WARN_UNUSED int cli_no_words(const char *command, int count, char **words);

/* How different two words are: letters to add, drop or change. */
size_t cli_distance(const char *a, const char *b);

/* The help of one command, on standard output. */
void cli_print_help(const struct cli_command *command);

/* All commands in a few lines, to standard output or (wrong) error. */
void cli_print_overview(bool wrong);

/* Help as other formats want it; on standard output. */
void cli_print_options(void);
void cli_print_man(void);

/* What: "options", "commands", "signals", "exits"; false: no such table. */
bool cli_print_markdown(const char *what);

#endif /* CLI_CLI_H */

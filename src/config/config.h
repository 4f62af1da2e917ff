/*
 * config.h - the settings of a bus: read whole, checked whole, kept whole.
 *
 * Sources in order of precedence: flags, environment (CLUSTERBUS_*), the file
 * given with --config, the defaults of options.h.  The file has one setting on
 * a line, `key value`; '#' in front or after a blank starts a comment; a value
 * may stand in double quotes (\" and \\ inside).  A list option may be repeated;
 * in the environment its items stand with commas between.
 *
 * All mistakes are reported at once, each with where it was found
 * (file:line, --flag or CLUSTERBUS_X).  A reload builds a new struct config; the
 * old one stays in force unless the new one is without a mistake.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/base.h"
#include "config/options.h"

struct config_list {
	char **items; /* owned, count of them */
	size_t count;
};

/* One field for each option.  TIME is in milliseconds, BYTES in bytes. */
struct config {
#define INT(field, ...)    uint64_t field;
#define BYTES(field, ...)  uint64_t field;
#define TIME(field, ...)   uint64_t field;
#define STRING(field, ...) char *field; /* owned, never NULL */
#define LIST(field, ...)   struct config_list field;
#define ENUM(field, ...)   int field; /* index of the word */
#define BOOL(field, ...)   bool field;
	OPTIONS(INT, BYTES, TIME, STRING, LIST, ENUM, BOOL)
#undef INT
#undef BYTES
#undef TIME
#undef STRING
#undef LIST
#undef ENUM
#undef BOOL
};

enum config_outbox_policy { /* outbox_policy's words */
	OUTBOX_CLOSE = 0,
	OUTBOX_DROP_NEWEST,
	OUTBOX_DROP_OLDEST,
};

enum config_auth { /* auth's words */
	AUTH_AUTO = 0,
	AUTH_APP,
};

enum config_type {
	CONFIG_INT,
	CONFIG_BYTES,
	CONFIG_TIME,
	CONFIG_STRING,
	CONFIG_LIST,
	CONFIG_ENUM,
	CONFIG_BOOL,
};

enum config_reload {
	RELOAD_LIVE,  /* changes in place */
	RELOAD_ROLL,  /* needs new workers */
	RELOAD_START, /* needs a new primary */
};

/* A row of the option table, for whoever walks it. */
struct config_option {
	const char *name;
	enum config_type type;
	const char *fallback; /* the default, as text */
	uint64_t min;         /* of numbers; length of strings */
	uint64_t max;
	const char *words; /* of an enum, '|' between */
	enum config_reload reload;
	const char *arg;
	const char *help;
	size_t offset; /* in struct config */
};

extern const struct config_option config_options[];
extern const size_t config_option_count;

/* The row with this name (len bytes), or NULL. */
const struct config_option *config_option_find(const char *name, size_t len);

/* A growing list of mistakes, a line each: "file:3: ...\n". */
struct config_errors {
	char *text; /* owned; NULL: none */
	size_t len;
	size_t count;
};

/* Free the text; the list is empty and usable again. */
void config_errors_release(struct config_errors *errors);

/*
 * Read flags, environment and file into a new config.
 *
 * argv[0..argc) are the words after the command's name.  Words that are no
 * flag of the table are left for the command: their count goes to *ret_rest
 * and argv is reordered so that they stand in front.  --config FILE is taken
 * here; its path is remembered by config_path().  environ_ is like environ.
 *
 * Returns NULL with at least one line in errors, or the config (free it with
 * config_free()).  Out of memory is a mistake like any other.
 */
struct config *config_load(int argc, char **argv, char **environ_,
    int *ret_rest, struct config_errors *errors);

/*
 * As config_load(), for commands that only look for a running bus: flags are
 * checked as always, but mistakes in the environment and the file are not
 * reported, so that a bus can be stopped whose file has just been broken.
 */
struct config *config_load_place(int argc, char **argv, char **environ_,
    int *ret_rest, struct config_errors *errors);

/* The file the config was read from, or NULL.  Owned by the config. */
const char *config_path(const struct config *config);

/*
 * Parse one configuration text (as config_print() writes it, as a file has it)
 * over the defaults; name stands in mistakes.  NULL on mistakes.
 */
struct config *config_parse(const char *name, const char *text, size_t len,
    struct config_errors *errors);

/*
 * Set one option from text; to a list it is added.  0, -EINVAL or -ENOMEM with
 * *ret_why in plain words, valid until the next call.
 */
WARN_UNUSED int config_set(struct config *config,
    const struct config_option *option, const char *value,
    const char **ret_why);

/* NULL is allowed and does nothing. */
void config_free(struct config *config);

/*
 * The effective configuration as text that parses back to itself.  To a
 * stream, or as a new string (free it; NULL: out of memory).
 */
void config_print(const struct config *config, FILE *out);
char *config_text(const struct config *config, size_t *ret_len);

/*
 * What would a change from a to b need?  Appends the names of the options that
 * differ, blank between, to three strings of at most size bytes each.
 */
void config_diff(const struct config *a, const struct config *b, char *live,
    char *roll, char *start, size_t size);

/* The word of an ENUM option's value. */
void config_enum_word(const struct config_option *option, int value, char *word,
    size_t size);

#endif /* CONFIG_CONFIG_H */

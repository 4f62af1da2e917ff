/*
 * internal.h - what the files of src/config share and nobody else needs.
 *
 * options  options.c  the table and the life of a struct config
 * values   value.c    text to value and back
 * sources  file.c, load.c  where settings come from
 * rules    check.c    what must hold between settings
 * output   print.c    text and differences
 * mistakes errors.c
 */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include <stdarg.h>

#include "config/config.h"

enum {
	CONFIG_LIST_MAX = 16,         /* items of one list */
	CONFIG_FILE_MAX = 1 << 20,    /* bytes of a file */
	CONFIG_ERRORS_MAX = 64 << 10, /* bytes of all mistakes together */
	CONFIG_VALUE_MAX = 4096,      /* bytes of one value */
};

/* Where a setting was made, for mistakes that show up later. */
enum config_source {
	SOURCE_DEFAULT = 0,
	SOURCE_FILE,
	SOURCE_ENVIRONMENT,
	SOURCE_FLAG,
};

struct config_place {
	enum config_source source;
	unsigned line; /* of SOURCE_FILE */
};

enum {
#define X(...) +1
	CONFIG_OPTION_COUNT = 0 OPTIONS(X, X, X, X, X, X, X),
#undef X
};

/* A config while its sources are read, lowest precedence first. */
struct config_loader {
	struct config *config; /* owned until it is handed out */
	const char *file;      /* borrowed; the file's name in mistakes */
	struct config_place places[CONFIG_OPTION_COUNT];
	struct config_errors *errors; /* borrowed */
};

/* A new config with all defaults.  NULL: out of memory. */
struct config *config_new(void);

/* Remember the file it came from.  0 or -ENOMEM. */
WARN_UNUSED int config_set_path(struct config *config, const char *path);

/* Add a line; never fails (out of memory becomes the line). */
void config_errors_add(struct config_errors *errors, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* Make a list empty. */
void config_list_clear(struct config_list *list);

/* A field of a config by its row; the row's type says what it points to. */
void *config_field(struct config *config, const struct config_option *option);
const void *config_field_of(const struct config *config,
    const struct config_option *option);

/* The value as config_set() takes it; of a list: item number i. */
void config_value_text(const struct config *config,
    const struct config_option *option, size_t i, char *text, size_t size);

/* A number as text in the unit of the row's type. */
void config_number_text(enum config_type type, uint64_t number, char *text,
    size_t size);

/*
 * Set an option from one source.  A source of higher precedence replaces a
 * list, the same one adds to it.  A mistake goes into the loader's errors.
 */
void config_loader_set(struct config_loader *loader,
    const struct config_option *option, const char *value,
    struct config_place place);

/* Write where an option was set: "file:3", "--flag", "CLUSTERBUS_X". */
void config_place_text(const struct config_loader *loader,
    const struct config_option *option, char *text, size_t size);

/* "CLUSTERBUS_LOG_LEVEL" for "log-level". */
void config_variable(const struct config_option *option, char *text,
    size_t size);

/* Read settings from a file's text. */
void config_read_text(struct config_loader *loader, const char *text,
    size_t len);

/* Read settings from the file with this name. */
void config_read_file(struct config_loader *loader, const char *path);

/* What must hold between settings; mistakes go into the loader's errors. */
void config_check(struct config_loader *loader);

/*
 * Are files what they have to be?  Only for who starts something with them,
 * not for who is told of a configuration.
 */
void config_check_files(struct config_loader *loader);

#endif /* CONFIG_INTERNAL_H */

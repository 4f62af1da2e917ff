/*
 * config.c - the option table as data, and the life of a struct config.
 *
 * Everything about an option is in options.h; this file only unfolds it.
 */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"

/* clang-format off */
#define ROW(type, field, name, fallback, min, max, words, reload, arg, help)  \
	{ name, CONFIG_##type, fallback, (uint64_t)(min), (uint64_t)(max),    \
	    words, RELOAD_##reload, arg, help, offsetof(struct config, field) },
#define INT(f, n, d, lo, hi, r, a, h)    ROW(INT, f, n, d, lo, hi, NULL, r, a, h)
#define BYTES(f, n, d, lo, hi, r, a, h)  ROW(BYTES, f, n, d, lo, hi, NULL, r, a, h)
#define TIME(f, n, d, lo, hi, r, a, h)   ROW(TIME, f, n, d, lo, hi, NULL, r, a, h)
#define STRING(f, n, d, lo, hi, r, a, h) ROW(STRING, f, n, d, lo, hi, NULL, r, a, h)
#define LIST(f, n, d, lo, hi, r, a, h)   ROW(LIST, f, n, d, lo, hi, NULL, r, a, h)
#define ENUM(f, n, d, words, x, r, a, h) ROW(ENUM, f, n, d, 0, 0, words, r, a, h)
#define BOOL(f, n, d, lo, hi, r, a, h)   ROW(BOOL, f, n, d, lo, hi, NULL, r, a, h)

const struct config_option config_options[] = {
	OPTIONS(INT, BYTES, TIME, STRING, LIST, ENUM, BOOL)
};
/* clang-format on */

const size_t config_option_count = ARRAY_LEN(config_options);

/* What config_load() hands out: the settings, and where they came from. */
struct loaded {
	struct config config;
	char *path; /* owned; NULL: no file */
};

const struct config_option *
config_option_find(const char *name, size_t len)
{
	const struct config_option *option;

	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		if (strlen(option->name) == len &&
		    memcmp(option->name, name, len) == 0)
			return option;
	}
	return NULL;
}

void *
config_field(struct config *config, const struct config_option *option)
{
	return (char *)config + option->offset;
}

const void *
config_field_of(const struct config *config, const struct config_option *option)
{
	return (const char *)config + option->offset;
}

struct config *
config_new(void)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	const struct config_option *option;
	const char *why;

	if (loaded == NULL)
		return NULL;
	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		if (option->type == CONFIG_LIST && option->fallback[0] == '\0')
			continue; /* a list without items */
		if (config_set(&loaded->config, option, option->fallback,
			&why) != 0) {
			config_free(&loaded->config);
			return NULL;
		}
	}
	return &loaded->config;
}

void
config_list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){ .items = NULL };
}

void
config_free(struct config *config)
{
	const struct config_option *option;
	struct loaded *loaded;
	char **string;

	if (config == NULL)
		return;
	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		if (option->type == CONFIG_LIST) {
			config_list_clear(config_field(config, option));
		} else if (option->type == CONFIG_STRING) {
			string = config_field(config, option);
			free(*string);
		}
	}
	loaded = CONTAINER_OF(config, struct loaded, config);
	free(loaded->path);
	free(loaded);
}

int
config_set_path(struct config *config, const char *path)
{
	struct loaded *loaded = CONTAINER_OF(config, struct loaded, config);
	char *copy = strdup(path);

	if (copy == NULL)
		return -ENOMEM;
	free(loaded->path);
	loaded->path = copy;
	return 0;
}

const char *
config_path(const struct config *config)
{
	const struct loaded *loaded = (const void *)config;

	return loaded->path; /* config is its first member */
}

void
config_enum_word(const struct config_option *option, int value, char *word,
    size_t size)
{
	const char *p = option->words;

	for (; value > 0 && p != NULL; value--) {
		p = strchr(p, '|');
		if (p != NULL)
			p++;
	}
	if (p == NULL)
		p = "?";
	(void)snprintf(word, size, "%.*s", (int)strcspn(p, "|"), p);
}

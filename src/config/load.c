/*
 * load.c - all sources together: file, then environment, then flags, each one
 * over the one before.
 *
 * Flags are read twice: at first only to find --config, because the file comes
 * before them.  What is no flag of the table is left to the command, in front
 * of argv and in its old order; reading the same argv again gives the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"

/* One flag, taken apart. */
struct flag {
	const struct config_option *option; /* NULL: --config */
	const char *value;                  /* NULL: it is missing */
	int words;                          /* of argv that it takes */
};

void
config_variable(const struct config_option *option, char *text, size_t size)
{
	char *p;

	(void)snprintf(text, size, "CLUSTERBUS_%s", option->name);
	for (p = text; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p == '-')
			*p = '_';
	}
}

void
config_place_text(const struct config_loader *loader,
    const struct config_option *option, char *text, size_t size)
{
	const struct config_place *place =
	    &loader->places[option - config_options];

	switch (place->source) {
	case SOURCE_DEFAULT:
		(void)snprintf(text, size, "%s", option->name);
		break;
	case SOURCE_FILE:
		(void)snprintf(text, size, "%s:%u: %s", loader->file,
		    place->line, option->name);
		break;
	case SOURCE_ENVIRONMENT:
		config_variable(option, text, size);
		break;
	case SOURCE_FLAG:
		(void)snprintf(text, size, "--%s", option->name);
		break;
	}
}

void
config_loader_set(struct config_loader *loader,
    const struct config_option *option, const char *value,
    struct config_place place)
{
	struct config_place *old = &loader->places[option - config_options];
	char where[256];
	const char *why;

	if (option->type == CONFIG_LIST && old->source != place.source)
		config_list_clear(config_field(loader->config, option));
	*old = place;
	if (config_set(loader->config, option, value, &why) == 0)
		return;
	config_place_text(loader, option, where, sizeof(where));
	config_errors_add(loader->errors, "%s: '%.100s': %s", where, value,
	    why);
}

/* "-n 8" and "-n8" are "--workers 8". */
static bool
is_short(const char *word, struct flag *ret_flag)
{
	if (strncmp(word, "-n", 2) != 0 ||
	    (word[2] != '\0' && (word[2] < '0' || word[2] > '9')))
		return false;
	ret_flag->option = config_option_find("workers", 7);
	ret_flag->value = word[2] != '\0' ? word + 2 : NULL;
	return true;
}

/* --name, --name=value, --no-name. */
static bool
is_long(const char *word, struct flag *ret_flag)
{
	const char *name;
	size_t len;

	if (strncmp(word, "--", 2) != 0)
		return false;
	name = word + 2;
	len = strcspn(name, "=");
	ret_flag->value = name[len] == '=' ? name + len + 1 : NULL;
	ret_flag->option = config_option_find(name, len);
	if (ret_flag->option != NULL) {
		if (ret_flag->option->type == CONFIG_BOOL &&
		    ret_flag->value == NULL)
			ret_flag->value = "true";
		return true;
	}
	if (len == 6 && memcmp(name, "config", 6) == 0)
		return true;
	if (strncmp(name, "no-", 3) != 0 || name[len] == '=')
		return false;
	ret_flag->option = config_option_find(name + 3, len - 3);
	ret_flag->value = "false";
	return ret_flag->option != NULL &&
	    ret_flag->option->type == CONFIG_BOOL;
}

/* Is there a flag of ours at argv[i]? */
static bool
find_flag(int argc, char **argv, int i, struct flag *ret_flag)
{
	struct flag flag = { .words = 1 };

	if (!is_short(argv[i], &flag) && !is_long(argv[i], &flag))
		return false;
	/* A word that starts like a flag is no value: it was forgotten. */
	if (flag.value == NULL && i + 1 < argc &&
	    strncmp(argv[i + 1], "--", 2) != 0) {
		flag.value = argv[i + 1];
		flag.words = 2;
	}
	*ret_flag = flag;
	return true;
}

/* The value of the last --config, or NULL. */
static const char *
find_config(int argc, char **argv)
{
	const char *path = NULL;
	struct flag flag;

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0;) {
		if (!find_flag(argc, argv, i, &flag)) {
			i++;
			continue;
		}
		if (flag.option == NULL && flag.value != NULL)
			path = flag.value;
		i += flag.words;
	}
	return path;
}

static void
read_flags(struct config_loader *loader, int argc, char **argv)
{
	struct flag flag;

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0;) {
		if (!find_flag(argc, argv, i, &flag)) {
			i++;
			continue;
		}
		if (flag.value == NULL)
			config_errors_add(loader->errors,
			    "%s: a value is missing", argv[i]);
		else if (flag.option != NULL)
			config_loader_set(loader, flag.option, flag.value,
			    (struct config_place){ SOURCE_FLAG, 0 });
		i += flag.words;
	}
}

/* Move the word at argv[i] to argv[to]; those between go one up. */
static void
move_front(char **argv, int to, int i)
{
	char *word = argv[i];

	memmove(argv + to + 1, argv + to, (size_t)(i - to) * sizeof(*argv));
	argv[to] = word;
}

/* Put what is not ours in front.  Returns how many words that is. */
static int
split_rest(int argc, char **argv)
{
	bool ended = false;
	struct flag flag;
	int rest = 0;

	for (int i = 0; i < argc;) {
		ended = ended || strcmp(argv[i], "--") == 0;
		if (!ended && find_flag(argc, argv, i, &flag)) {
			i += flag.words;
			continue;
		}
		move_front(argv, rest++, i++);
	}
	return rest;
}

/* The value of a variable in an array like environ, or NULL. */
static const char *
variable(char **environ_, const char *name)
{
	size_t len = strlen(name);

	for (; environ_ != NULL && *environ_ != NULL; environ_++) {
		if (strncmp(*environ_, name, len) == 0 &&
		    (*environ_)[len] == '=')
			return *environ_ + len + 1;
	}
	return NULL;
}

/* The items of a list stand in one variable, with commas between. */
static void
read_items(struct config_loader *loader, const struct config_option *option,
    const char *value)
{
	static const struct config_place place = { SOURCE_ENVIRONMENT, 0 };
	char item[CONFIG_VALUE_MAX];
	size_t len;

	for (;;) {
		len = strcspn(value, ",");
		(void)snprintf(item, sizeof(item), "%.*s",
		    len > INT16_MAX ? INT16_MAX : (int)len, value);
		config_loader_set(loader, option, item, place);
		if (value[len] == '\0')
			break;
		value += len + 1;
	}
}

static void
read_environment(struct config_loader *loader, char **environ_)
{
	static const struct config_place place = { SOURCE_ENVIRONMENT, 0 };
	const struct config_option *option;
	const char *value;
	char name[64];

	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		config_variable(option, name, sizeof(name));
		value = variable(environ_, name);
		if (value != NULL && option->type == CONFIG_LIST)
			read_items(loader, option, value);
		else if (value != NULL)
			config_loader_set(loader, option, value, place);
	}
}

/* Hand the config out if there was no mistake. */
static struct config *
finish(struct config_loader *loader, size_t mistakes_before)
{
	if (loader->errors->count == mistakes_before)
		return loader->config;
	config_free(loader->config);
	return NULL;
}

static struct config *
load(int argc, char **argv, char **environ_, int *ret_rest,
    struct config_errors *errors, bool place_only)
{
	struct config_errors unheard = { .text = NULL };
	struct config_loader loader = { .errors =
					    place_only ? &unheard : errors };
	size_t before = errors->count;
	const char *path;

	loader.config = config_new();
	if (loader.config == NULL) {
		config_errors_add(errors, "out of memory");
		return NULL;
	}
	path = find_config(argc, argv);
	if (path == NULL)
		path = variable(environ_, "CLUSTERBUS_CONFIG");
	if (path != NULL && *path != '\0') {
		if (config_set_path(loader.config, path) != 0)
			config_errors_add(errors, "out of memory");
		config_read_file(&loader, path);
	}
	read_environment(&loader, environ_);
	loader.errors = errors;
	read_flags(&loader, argc, argv);
	*ret_rest = split_rest(argc, argv);
	if (!place_only) {
		config_check(&loader);
		config_check_files(&loader);
	}
	config_errors_release(&unheard);
	return finish(&loader, before);
}

struct config *
config_load(int argc, char **argv, char **environ_, int *ret_rest,
    struct config_errors *errors)
{
	return load(argc, argv, environ_, ret_rest, errors, false);
}

struct config *
config_load_place(int argc, char **argv, char **environ_, int *ret_rest,
    struct config_errors *errors)
{
	return load(argc, argv, environ_, ret_rest, errors, true);
}

struct config *
config_parse(const char *name, const char *text, size_t len,
    struct config_errors *errors)
{
	struct config_loader loader = { .errors = errors, .file = name };
	size_t before = errors->count;

	loader.config = config_new();
	if (loader.config == NULL) {
		config_errors_add(errors, "out of memory");
		return NULL;
	}
	config_read_text(&loader, text, len);
	config_check(&loader);
	return finish(&loader, before);
}

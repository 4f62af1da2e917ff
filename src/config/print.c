/* print.c - a config as text, and how two of them differ; see config.h. */
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"

/* Does a file's reader take this text as it is? */
static bool
is_plain(const char *text)
{
	return *text != '\0' && *text != '=' &&
	    strpbrk(text, " \t#\"\\") == NULL;
}

static void
print_value(const struct config_option *option, const char *text, FILE *out)
{
	(void)fprintf(out, "%s ", option->name);
	if (is_plain(text)) {
		(void)fprintf(out, "%s\n", text);
		return;
	}
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputs("\"\n", out);
}

/* How many lines an option takes. */
static size_t
count_of(const struct config *config, const struct config_option *option)
{
	const struct config_list *list = config_field_of(config, option);

	return option->type == CONFIG_LIST ? list->count : 1;
}

void
config_print(const struct config *config, FILE *out)
{
	const struct config_option *option;
	char text[CONFIG_VALUE_MAX + 1];

	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		for (size_t j = 0; j < count_of(config, option); j++) {
			config_value_text(config, option, j, text,
			    sizeof(text));
			print_value(option, text, out);
		}
	}
}

char *
config_text(const struct config *config, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	bool failed;
	FILE *out;

	out = open_memstream(&text, &len);
	if (out == NULL)
		return NULL;
	config_print(config, out);
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	*ret_len = len;
	return text;
}

static bool
is_same(const struct config *a, const struct config *b,
    const struct config_option *option)
{
	char text_a[CONFIG_VALUE_MAX + 1], text_b[CONFIG_VALUE_MAX + 1];
	size_t count = count_of(a, option);

	if (count != count_of(b, option))
		return false;
	for (size_t i = 0; i < count; i++) {
		config_value_text(a, option, i, text_a, sizeof(text_a));
		config_value_text(b, option, i, text_b, sizeof(text_b));
		if (strcmp(text_a, text_b) != 0)
			return false;
	}
	return true;
}

static void
append_name(char *names, const char *name, size_t size)
{
	size_t len = strlen(names);

	(void)snprintf(names + len, size - len, "%s%s", len == 0 ? "" : " ",
	    name);
}

void
config_diff(const struct config *a, const struct config *b, char *live,
    char *roll, char *start, size_t size)
{
	const struct config_option *option;

	live[0] = roll[0] = start[0] = '\0';
	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		if (is_same(a, b, option))
			continue;
		switch (option->reload) {
		case RELOAD_LIVE:
			append_name(live, option->name, size);
			break;
		case RELOAD_ROLL:
			append_name(roll, option->name, size);
			break;
		case RELOAD_START:
			append_name(start, option->name, size);
			break;
		}
	}
}

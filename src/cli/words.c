/* words.c - taking a command's words apart, and complaining; see cli.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/config.h"

enum {
	WORD_MAX = 32
};

/* What somebody typed may contain anything; a terminal must not obey it. */
static void say(const char *fmt, va_list ap) PRINTF_LIKE(1, 0);

static void
say(const char *fmt, va_list ap)
{
	char line[2048];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	for (char *p = line; *p != '\0'; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f)
			*p = '?';
	}
	(void)fprintf(stderr, "busctl: %s\n", line);
}

void
cli_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

int
cli_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	cli_say("`busctl help %s` says more", command);
	return CLI_USAGE;
}

bool
cli_take_flag(int *count, char **words, const char *flag)
{
	int kept = 0;
	bool found = false, ended = false;

	for (int i = 0; i < *count; i++) {
		ended = ended || strcmp(words[i], "--") == 0;
		if (!ended && strcmp(words[i], flag) == 0)
			found = true;
		else
			words[kept++] = words[i];
	}
	*count = kept;
	return found;
}

size_t
cli_distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], up, left, best;
	size_t b_len = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; i < WORD_MAX && a[i] != '\0'; i++) {
		left = i + 1;
		up = row[0];
		row[0] = left;
		for (size_t j = 0; j < b_len; j++) {
			best = up + (a[i] != b[j]);
			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			if (left + 1 < best)
				best = left + 1;
			up = row[j + 1];
			row[j + 1] = left = best;
		}
	}
	return row[b_len];
}

/* The option that somebody may have meant by --word. */
static const char *
nearest_option(const char *word)
{
	char name[WORD_MAX + 1];
	const char *nearest = NULL;
	size_t best = 3, distance;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="),
	    word);
	for (size_t i = 0; i < config_option_count; i++) {
		distance = cli_distance(name, config_options[i].name);
		if (distance < best) {
			best = distance;
			nearest = config_options[i].name;
		}
	}
	return nearest;
}

int
cli_no_words(const char *command, int count, char **words)
{
	const char *nearest;

	if (count > 0 && strcmp(words[0], "--") == 0) {
		words++;
		count--;
	} else if (count > 0 && words[0][0] == '-' && words[0][1] != '\0') {
		nearest =
		    words[0][1] == '-' ? nearest_option(words[0] + 2) : NULL;
		if (nearest != NULL)
			return cli_usage(command,
			    "%s: there is no flag '%.64s'; the nearest is "
			    "'--%s'",
			    command, words[0], nearest);
		return cli_usage(command, "%s: there is no flag '%.64s'",
		    command, words[0]);
	}
	if (count > 0)
		return cli_usage(command, "%s: '%.64s' is one word too many",
		    command, words[0]);
	return CLI_OK;
}

/*
 * errors.c - the list of mistakes; see config.h.
 *
 * It is bounded: beyond CONFIG_ERRORS_MAX bytes mistakes are only counted.
 * When there is no memory for a line, the list becomes the words "out of
 * memory", which need none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"

static char no_memory[] = "out of memory\n";

void
config_errors_release(struct config_errors *errors)
{
	if (errors->text != no_memory)
		free(errors->text);
	*errors = (struct config_errors){ .text = NULL };
}

/* One mistake is one line, whatever a file or a flag contains. */
static void
make_printable(char *line)
{
	for (; *line != '\0'; line++) {
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
	}
}

void
config_errors_add(struct config_errors *errors, const char *fmt, ...)
{
	char line[1024];
	char *text;
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	make_printable(line);
	len = strlen(line);
	line[len++] = '\n';
	errors->count++;
	if (errors->text == no_memory || errors->len + len > CONFIG_ERRORS_MAX)
		return;
	text = realloc(errors->text, errors->len + len + 1);
	if (text == NULL) {
		free(errors->text);
		errors->text = no_memory;
		errors->len = strlen(no_memory);
		return;
	}
	memcpy(text + errors->len, line, len);
	errors->text = text;
	errors->len += len;
	text[errors->len] = '\0';
}

/* mistakes.c - see mistakes.h. */
#include "contract/mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE_MAX = 64,
	LINE_MAX_BYTES = 1024
};

static char no_memory[] = "out of memory\n";

void
mistakes_init(struct mistakes *mistakes, const char *file)
{
	*mistakes = (struct mistakes){ .file = file };
}

void
mistakes_release(struct mistakes *mistakes)
{
	if (mistakes->text != no_memory)
		free(mistakes->text);
	mistakes_init(mistakes, mistakes->file);
}

void
mistakes_no_memory(struct mistakes *mistakes)
{
	if (mistakes->text != no_memory)
		free(mistakes->text);
	mistakes->text = no_memory;
	mistakes->len = strlen(no_memory);
	mistakes->count++;
}

int
mistakes_piece(const char *text, size_t len)
{
	if (len <= PIECE_MAX)
		return (int)len;
	len = PIECE_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return (int)len;
}

static size_t
line_number(const char *source, size_t offset)
{
	size_t number = 1;

	for (size_t i = 0; i < offset; i++)
		number += source[i] == '\n';
	return number;
}

/* One mistake is one line, whatever the contract contains. */
static void
make_printable(char *line)
{
	for (; *line != '\0'; line++) {
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
	}
}

static void
append(struct mistakes *mistakes, char *line)
{
	size_t len;
	char *text;

	make_printable(line);
	len = strlen(line);
	line[len++] = '\n';
	mistakes->count++;
	if (mistakes->text == no_memory ||
	    mistakes->len + len > MISTAKES_TEXT_MAX)
		return;
	text = realloc(mistakes->text, mistakes->len + len + 1);
	if (text == NULL) {
		mistakes->count--;
		mistakes_no_memory(mistakes);
		return;
	}
	memcpy(text + mistakes->len, line, len);
	mistakes->text = text;
	mistakes->len += len;
	text[mistakes->len] = '\0';
}

/* The line's beginning: where it is.  Returns its length. */
static size_t
put_place(const struct mistakes *mistakes, size_t offset, char *line,
    size_t size)
{
	size_t number = 0;
	int len;

	if (mistakes->source != NULL)
		number = line_number(mistakes->source, offset);
	else if (mistakes->file != NULL)
		return (size_t)snprintf(line, size, "%.500s: ", mistakes->file);
	else
		return 0;
	if (mistakes->file != NULL)
		len = snprintf(line, size, "%.500s:%zu: ", mistakes->file,
		    number);
	else
		len = snprintf(line, size, "line %zu: ", number);
	return (size_t)len;
}

void
mistakes_add_at(struct mistakes *mistakes, size_t offset, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	size_t len = put_place(mistakes, offset, line, sizeof(line));
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	append(mistakes, line);
}

void
mistakes_add(struct mistakes *mistakes, const struct value *where,
    const char *fmt, ...)
{
	char line[LINE_MAX_BYTES], pointer[256] = "";
	size_t len;
	va_list ap;

	len = put_place(mistakes, where != NULL ? where->offset : 0, line,
	    sizeof(line));
	if (where != NULL)
		value_pointer(where, NULL, pointer, sizeof(pointer));
	if (pointer[0] != '\0')
		len += (size_t)snprintf(line + len, sizeof(line) - len,
		    "%s: ", pointer);
	va_start(ap, fmt);
	(void)vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	append(mistakes, line);
}

/*
 * file.c - settings from a file's text, a line each:
 *
 *	# a comment
 *	workers 8
 *	listen 127.0.0.1:8080   # so is this
 *	tls-cert "/etc/a folder/cert.pem"
 *
 * A line with a mistake is reported and skipped, so that one reading finds all
 * of them.  A file is read whole before anything is parsed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/internal.h"

/* A line that is being taken apart. */
struct line {
	const char *p;
	const char *end;
	unsigned number;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void
skip_blanks(struct line *line)
{
	while (line->p < line->end && is_blank(*line->p))
		line->p++;
}

/* Is there nothing left but blanks and a comment? */
static bool
at_end(struct line *line)
{
	skip_blanks(line);
	return line->p == line->end || *line->p == '#';
}

/* The characters up to the next blank; their count. */
static size_t
word_len(const struct line *line)
{
	const char *p = line->p;

	while (p < line->end && !is_blank(*p))
		p++;
	return (size_t)(p - line->p);
}

/* A value in quotes.  NULL, or what is wrong with it. */
static const char *
quoted(struct line *line, char *value)
{
	size_t len = 0;

	for (line->p++; line->p < line->end && *line->p != '"'; line->p++) {
		if (*line->p == '\\') {
			line->p++;
			if (line->p == line->end ||
			    (*line->p != '"' && *line->p != '\\'))
				return "after \\ in quotes only \" and \\ "
				       "are understood";
		}
		if (len == CONFIG_VALUE_MAX)
			return "the value is too long";
		value[len++] = *line->p;
	}
	if (line->p == line->end)
		return "the closing quote is missing";
	line->p++;
	value[len] = '\0';
	return NULL;
}

static const char *
unquoted(struct line *line, char *value)
{
	size_t len = word_len(line);

	if (len > CONFIG_VALUE_MAX)
		return "the value is too long";
	memcpy(value, line->p, len);
	value[len] = '\0';
	line->p += len;
	return NULL;
}

/* The value and nothing behind it.  NULL, or what is wrong. */
static const char *
read_value(struct line *line, char *value)
{
	const char *why;

	if (at_end(line))
		return "a value is missing";
	if (*line->p == '=')
		return "no '=' here; a blank stands between key and value";
	why = *line->p == '"' ? quoted(line, value) : unquoted(line, value);
	if (why != NULL)
		return why;
	if (line->p < line->end && !is_blank(*line->p))
		return "a blank is missing after the quotes";
	if (!at_end(line))
		return "only one value, or put it in double quotes";
	return NULL;
}

static void
set_from_line(struct config_loader *loader, struct line *line,
    const struct config_option *option)
{
	struct config_place *place = &loader->places[option - config_options];
	char value[CONFIG_VALUE_MAX + 1];
	const char *why;

	why = read_value(line, value);
	if (why != NULL) {
		config_errors_add(loader->errors, "%s:%u: %s: %s", loader->file,
		    line->number, option->name, why);
		return;
	}
	if (place->source == SOURCE_FILE && option->type != CONFIG_LIST) {
		config_errors_add(loader->errors,
		    "%s:%u: %s: given before, in line %u", loader->file,
		    line->number, option->name, place->line);
		return;
	}
	config_loader_set(loader, option, value,
	    (struct config_place){ SOURCE_FILE, line->number });
}

static void
read_line(struct config_loader *loader, struct line *line)
{
	const struct config_option *option;
	size_t len;

	if (at_end(line))
		return;
	if (memchr(line->p, '\0', (size_t)(line->end - line->p)) != NULL) {
		config_errors_add(loader->errors, "%s:%u: a NUL byte",
		    loader->file, line->number);
		return;
	}
	len = word_len(line);
	option = config_option_find(line->p, len);
	if (option == NULL) {
		config_errors_add(loader->errors,
		    "%s:%u: unknown setting '%.*s'", loader->file, line->number,
		    len > 64 ? 64 : (int)len, line->p);
		return;
	}
	line->p += len;
	set_from_line(loader, line, option);
}

void
config_read_text(struct config_loader *loader, const char *text, size_t len)
{
	const char *end = text + len, *newline;
	struct line line;

	for (unsigned number = 1; text < end; number++) {
		newline = memchr(text, '\n', (size_t)(end - text));
		line = (struct line){ .p = text,
			.end = newline != NULL ? newline : end,
			.number = number };
		read_line(loader, &line);
		text = newline != NULL ? newline + 1 : end;
	}
}

/* The whole file in memory.  0 or -errno. */
static int
slurp(int fd, char **ret_text, size_t *ret_len)
{
	size_t len = 0;
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -errno;
	/* Anything else could make a reload wait for ever. */
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size > CONFIG_FILE_MAX)
		return -EFBIG;
	text = malloc(CONFIG_FILE_MAX + 1);
	if (text == NULL)
		return -ENOMEM;
	while ((n = read(fd, text + len, CONFIG_FILE_MAX + 1 - len)) != 0) {
		if (n > 0)
			len += (size_t)n;
		if ((n == -1 && errno != EINTR) || len > CONFIG_FILE_MAX) {
			n = n == -1 ? -errno : -EFBIG;
			free(text);
			return (int)n;
		}
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

void
config_read_file(struct config_loader *loader, const char *path)
{
	char *text = NULL;
	size_t len = 0;
	int fd, rc;

	loader->file = path;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	rc = fd == -1 ? -errno : slurp(fd, &text, &len);
	if (fd != -1)
		(void)close(fd); /* only read */
	if (rc != 0) {
		config_errors_add(loader->errors, "%s: %s", path,
		    rc == -EINVAL ? "not a regular file" : strerror(-rc));
		return;
	}
	config_read_text(loader, text, len);
	free(text);
}

/*
 * doctor_primary.c - with what words was a primary started?  See doctor.h.
 *
 * The statistics page has the name of the backplane and not its URL, in which
 * there may be a password.  Whoever may read the primary's command line and
 * environment knows the URL anyway; the kernel sees to that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"

enum {
	PROC_BYTES = 1 << 20, /* of words or of environment */
	PROC_WORDS = 16384,
};

/* Texts with '\0' after each, as the kernel shows them. */
struct texts {
	char *bytes;
	char **items; /* NULL-terminated, into bytes */
	int count;
};

static void
texts_release(struct texts *texts)
{
	free(texts->bytes);
	free(texts->items);
}

/* 0; -ENOMEM, or what open() and read() say. */
static int
texts_read(struct texts *texts, int pid, const char *what)
{
	size_t len = 0;
	char path[64];
	ssize_t n = 0;
	int fd;

	*texts = (struct texts){ .bytes = malloc(PROC_BYTES + 1),
		.items = calloc(PROC_WORDS + 1, sizeof(char *)) };
	if (texts->bytes == NULL || texts->items == NULL)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	do {
		n = read(fd, texts->bytes + len, PROC_BYTES - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n == -1 && errno == EINTR));
	(void)close(fd);
	if (n == -1)
		return -EIO;
	texts->bytes[len] = '\0';
	for (size_t at = 0; at < len && texts->count < PROC_WORDS;
	     at += strlen(texts->bytes + at) + 1)
		texts->items[texts->count++] = texts->bytes + at;
	return 0;
}

static bool
go_to_its_directory(int pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	return chdir(path) == 0;
}

struct config *
doctor_config_of(int primary)
{
	struct config_errors errors = { .text = NULL };
	struct texts words, environment = { .bytes = NULL };
	struct config *config = NULL;
	int rest;

	/* "busctl start ..." */
	if (texts_read(&words, primary, "cmdline") == 0 && words.count >= 2 &&
	    texts_read(&environment, primary, "environ") == 0 &&
	    go_to_its_directory(primary))
		config = config_load(words.count - 2, words.items + 2,
		    environment.items, &rest, &errors);
	config_errors_release(&errors);
	texts_release(&words);
	texts_release(&environment);
	return config;
}

/* log.c - see log.h. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char who[48] = "busctl";
static enum log_level max_level = LOG_LEVEL_INFO;

void
log_init(const char *role, int slot)
{
	if (slot >= 0)
		(void)snprintf(who, sizeof(who), "%s[%d]", role, slot);
	else
		(void)snprintf(who, sizeof(who), "%s", role);
}

void
log_set_level(enum log_level level)
{
	max_level = level;
}

enum log_level
log_get_level(void)
{
	return max_level;
}

int
log_to_file(const char *path)
{
	int fd, rc = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd == -1)
		return -errno;
	if (dup2(fd, STDERR_FILENO) == -1)
		rc = -errno;
	(void)close(fd); /* nothing was written through it */
	return rc;
}

static void append(char *line, size_t *len, const char *fmt, va_list ap)
    PRINTF_LIKE(3, 0);
static void appendf(char *line, size_t *len, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
static void write_line(enum log_level level, const char *name, int err,
    const char *fmt, va_list ap) PRINTF_LIKE(4, 0);

/* Append to line at *len, never past LOG_LINE_MAX - 1 (room for '\n'). */
static void
append(char *line, size_t *len, const char *fmt, va_list ap)
{
	size_t room = LOG_LINE_MAX - 1 - *len;
	int n = vsnprintf(line + *len, room, fmt, ap);

	if (n < 0)
		return;
	*len += (size_t)n < room ? (size_t)n : room - 1;
}

static void
appendf(char *line, size_t *len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(line, len, fmt, ap);
	va_end(ap);
}

static void
write_line(enum log_level level, const char *name, int err, const char *fmt,
    va_list ap)
{
	char line[LOG_LINE_MAX];
	struct timespec ts;
	struct tm tm;
	size_t len = 0, start;

	if (level > max_level)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail on Linux */
	(void)gmtime_r(&ts.tv_sec, &tm);
	len = strftime(line, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	appendf(line, &len, ".%03ldZ %s %ld %s: ", ts.tv_nsec / 1000000, who,
	    (long)getpid(), name);
	start = len;
	append(line, &len, fmt, ap);
	if (err != 0)
		appendf(line, &len, ": %s", strerror(err));
	for (size_t i = start; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len++] = '\n';
	while (write(STDERR_FILENO, line, len) == -1 && errno == EINTR)
		;
}

/* The six functions differ in level, in errno and in whether they return. */
#define LOG_BODY(level, name, err)                                             \
	do {                                                                   \
		int saved = errno;                                             \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		write_line(level, name, err, fmt, ap);                         \
		va_end(ap);                                                    \
		errno = saved;                                                 \
	} while (0)

void
log_warn(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARN, "warn", saved);
}

void
log_warnx(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARN, "warn", 0);
}

void
log_info(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_INFO, "info", 0);
}

void
log_debug(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_DEBUG, "debug", 0);
}

void
fatal(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERROR, "fatal", saved);
	exit(EXIT_FAILURE);
}

void
fatalx(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERROR, "fatal", 0);
	exit(EXIT_FAILURE);
}

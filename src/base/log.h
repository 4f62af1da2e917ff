/*
 * log.h - one line per event, on standard error.
 *
 *	2026-11-21T11:06:27.123Z worker[2] 4711 warn: accept: Too many ...
 *
 * Every line is one write(2) of at most LOG_LINE_MAX bytes, so that processes
 * can share a pipe or a file.  errno survives every call.  Control characters
 * in arguments are printed as '?', so that nobody can forge a line.
 *
 * Functions in src/ return errors and do not log above debug; primary/ and
 * worker/ log, once, at the edge.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base.h"

enum {
	LOG_LINE_MAX = 4096
};

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Name this process in its lines: role, and a slot or -1 for none. */
void log_init(const char *role, int slot);

/* Lines above this level are not written.  The default is info. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/*
 * Send standard error (and all that is logged) to a file from now on,
 * appending.  Called again after the file was moved away, it opens the new
 * one.  0 or -errno; on failure everything stays as it was.
 */
WARN_UNUSED int log_to_file(const char *path);

/* warn: a person should look.  log_warn() adds ": " and the text of errno. */
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warnx(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* info: start, ready, drain, exit, reload; never traffic. */
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* debug: trouble with one client; it has a counter as well. */
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Say why and exit with status 1.  fatal() adds the text of errno. */
void fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));
void fatalx(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

#endif /* BASE_LOG_H */

/* test_log.c - log lines: their form, their limits, what they leave alone. */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static char captured[4 * LOG_LINE_MAX];
static int real_stderr = -1, pipe_fds[2];

/* Standard error goes into a pipe from here ... */
static int
capture(void **state)
{
	(void)state;
	log_init("worker", 2);
	log_set_level(LOG_LEVEL_INFO);
	real_stderr = dup(STDERR_FILENO);
	if (real_stderr == -1 || pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC) != 0)
		return -1;
	return dup2(pipe_fds[1], STDERR_FILENO) == -1 ? -1 : 0;
}

/* ... to here. */
static int
restore(void **state)
{
	(void)state;
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
	return 0;
}

/* What was written since the last call; "" for nothing. */
static const char *
written(void)
{
	ssize_t n = read(pipe_fds[0], captured, sizeof(captured) - 1);

	captured[n > 0 ? n : 0] = '\0';
	return captured;
}

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("'%s' does not match '%s'", text, pattern);
	regfree(&regex);
}

static void
a_line_says_when_who_and_how_bad(void **state)
{
	(void)state;
	log_warnx("slot %d: %s", 7, "gone");
	assert_matches(written(),
	    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
	    "worker\\[2\\] [0-9]+ warn: slot 7: gone\n$");
	log_init("primary", -1);
	log_info("ready");
	assert_matches(written(), "Z primary [0-9]+ info: ready\n$");
}

static void
warn_adds_the_text_of_errno(void **state)
{
	(void)state;
	errno = EMFILE;
	log_warn("accept");
	assert_matches(written(), "warn: accept: Too many open files\n$");
}

static void
errno_survives(void **state)
{
	(void)state;
	errno = EAGAIN;
	log_warn("a");
	assert_int_equal(errno, EAGAIN);
	log_warnx("a");
	log_info("a");
	log_debug("a");
	(void)close(pipe_fds[0]); /* now even writing fails */
	(void)signal(SIGPIPE, SIG_IGN);
	log_warnx("a");
	assert_int_equal(errno, EAGAIN);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void
levels_above_the_set_one_are_silent(void **state)
{
	(void)state;
	log_debug("x");
	assert_string_equal(written(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
	log_debug("x");
	assert_matches(written(), " debug: x\n$");
	log_set_level(LOG_LEVEL_WARN);
	log_info("x");
	assert_string_equal(written(), "");
	log_warnx("x");
	assert_matches(written(), " warn: x\n$");
	log_set_level(LOG_LEVEL_ERROR);
	log_warnx("x");
	assert_string_equal(written(), "");
}

static void
nobody_can_forge_a_line(void **state)
{
	(void)state;
	log_info("topic '%s'", "a\nb\r\033[31m\177\tc\xc3\xa9");
	assert_matches(written(),
	    "^[^\n]* info: topic 'a\\?b\\?\\?\\[31m\\?\\?c\xc3\xa9'\n$");
}

static void
a_line_has_a_limit_and_still_ends(void **state)
{
	char text[2 * LOG_LINE_MAX];
	const char *line;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* Every length around the limit. */
	for (size_t len = LOG_LINE_MAX - 80; len < LOG_LINE_MAX + 20; len++) {
		errno = ENOENT;
		log_warn("%.*s", (int)len, text);
		line = written();
		assert_in_range(strlen(line), 100, LOG_LINE_MAX);
		assert_int_equal(line[strlen(line) - 1], '\n');
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	}
}

static void
fatal_exits_with_one(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	for (int i = 0; i < 2; i++) {
		pid = fork();
		assert_true(pid != -1);
		if (pid == 0) {
			/* Not through the parent's atexit handlers. */
			errno = EACCES;
			if (i == 0)
				fatal("open '%s'", "x");
			fatalx("no '%s'", "x");
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_matches(written(),
		    i == 0 ? " fatal: open 'x': Permission denied\n$" :
			     " fatal: no 'x'\n$");
	}
}

static size_t
size_of(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(captured, 1, sizeof(captured) - 1, file);
	captured[n] = '\0';
	(void)fclose(file);
	return n;
}

static void
a_file_is_appended_to_and_opened_anew_after_a_move(void **state)
{
	char dir[] = "/tmp/clusterbus-log-XXXXXX", path[64], moved[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	(void)snprintf(moved, sizeof(moved), "%s/log.1", dir);
	assert_int_equal(log_to_file(path), 0);
	log_info("one");
	assert_int_equal(log_to_file(path), 0);
	log_info("two");
	assert_true(size_of(path) > 0);
	assert_matches(captured, "info: one\n[^\n]*info: two\n$");
	assert_int_equal(rename(path, moved), 0);
	log_info("three");
	assert_int_equal(log_to_file(path), 0);
	log_info("four");
	assert_true(size_of(moved) > 0);
	assert_matches(captured, "two\n[^\n]*three\n$");
	assert_true(size_of(path) > 0);
	assert_matches(captured, "^[^\n]*four\n$");
	/* A file that cannot be opened changes nothing. */
	(void)snprintf(moved + strlen(dir), 16, "/no/log");
	assert_int_equal(log_to_file(moved), -ENOENT);
	log_info("five");
	assert_true(size_of(path) > 0);
	assert_matches(captured, "four\n[^\n]*five\n$");
	(void)unlink(path);
	(void)snprintf(moved, sizeof(moved), "%s/log.1", dir);
	(void)unlink(moved);
	assert_int_equal(rmdir(dir), 0);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, capture, restore)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_line_says_when_who_and_how_bad),
		LOG_TEST(warn_adds_the_text_of_errno),
		LOG_TEST(errno_survives),
		LOG_TEST(levels_above_the_set_one_are_silent),
		LOG_TEST(nobody_can_forge_a_line),
		LOG_TEST(a_line_has_a_limit_and_still_ends),
		LOG_TEST(fatal_exits_with_one),
		LOG_TEST(a_file_is_appended_to_and_opened_anew_after_a_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

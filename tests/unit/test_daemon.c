/*
 * test_daemon.c - who waits in front hears how the start ended.
 *
 * Each test forks a "starter" that goes into the background with
 * daemon_start(); its child, the "primary", does what the test says.  The
 * starter's standard error and its exit status are what a person would see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "primary/daemon.h"

enum {
	DEADLINE_S = 10
};

struct starter {
	pid_t pid;
	int said;   /* its standard error */
	int report; /* what the primary writes; ends with it */
};

/* What the primary does; report_fd is for the test, go_fd ends to let it go. */
typedef void primary_fn(int *fd, int report_fd, int go_fd);

static void
be_starter(primary_fn *primary, int report_fd, int go_fd)
{
	int fd = -1;

	(void)alarm(DEADLINE_S);
	if (daemon_start(&fd) != 0)
		_exit(99);
	(void)alarm(DEADLINE_S);
	(void)signal(SIGPIPE, SIG_IGN);
	primary(&fd, report_fd, go_fd);
	_exit(0);
}

/* *ret_go is closed to let the primary go on. */
static struct starter
start(primary_fn *primary, int *ret_go)
{
	int err[2], report[2], go[2];
	struct starter starter;

	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	starter.pid = fork();
	assert_int_not_equal(starter.pid, -1);
	if (starter.pid == 0) {
		(void)dup2(err[1], STDERR_FILENO);
		(void)close(err[1]);
		(void)close(go[1]);
		be_starter(primary, report[1], go[0]);
	}
	(void)close(err[1]);
	(void)close(report[1]);
	(void)close(go[0]);
	starter.said = err[0];
	starter.report = report[0];
	*ret_go = go[1];
	return starter;
}

/* All that comes until the end; fd is closed. */
static void
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	text[len] = '\0';
	(void)close(fd);
}

/* Its exit status and what it said; what the primary reported, if wanted. */
static int
end_of(const struct starter *starter, char *said, char *report, size_t size)
{
	char ignored[1024];
	int status;

	read_all(starter->said, said, size);
	read_all(starter->report, report != NULL ? report : ignored,
	    report != NULL ? size : sizeof(ignored));
	assert_int_equal(waitpid(starter->pid, &status, 0), starter->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
run(primary_fn *primary, char *said, char *report, size_t size)
{
	struct starter starter;
	int go;

	starter = start(primary, &go);
	(void)close(go);
	return end_of(&starter, said, report, size);
}

static void
wait_for_go(int go_fd)
{
	char byte;

	(void)!read(go_fd, &byte, 1);
}

/* ---- the word ---------------------------------------------------------- */

static void
be_ready(int *fd, int report_fd, int go_fd)
{
	(void)report_fd;
	wait_for_go(go_fd);
	daemon_tell(fd, 0, "not shown");
	_exit(*fd == -1 ? 0 : 1);
}

static void
the_starter_stays_until_the_primary_is_ready(void **state)
{
	struct starter starter;
	char said[1024];
	int go;

	(void)state;
	starter = start(be_ready, &go);
	/* Nothing was told yet, so it cannot have gone. */
	assert_int_equal(waitpid(starter.pid, NULL, WNOHANG), 0);
	(void)close(go);
	assert_int_equal(end_of(&starter, said, NULL, sizeof(said)), 0);
	assert_string_equal(said, "");
}

static void
fail_to_start(int *fd, int report_fd, int go_fd)
{
	(void)report_fd;
	(void)go_fd;
	daemon_tell(fd, 75, "bus \"x\" is running already");
	/* The first word counts. */
	daemon_tell(fd, 0, "");
}

static void
a_failed_start_is_said_with_its_status(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(run(fail_to_start, said, NULL, sizeof(said)), 75);
	assert_string_equal(said, "busctl: bus \"x\" is running already\n");
}

static void
die(int *fd, int report_fd, int go_fd)
{
	(void)fd;
	(void)report_fd;
	(void)go_fd;
	(void)raise(SIGKILL);
}

static void
a_primary_that_dies_without_a_word_is_a_failure(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(run(die, said, NULL, sizeof(said)), 1);
	assert_string_equal(said,
	    "busctl: the primary died before its workers were ready\n");
}

static void
say_much(int *fd, int report_fd, int go_fd)
{
	char why[2000];

	(void)report_fd;
	(void)go_fd;
	memset(why, 'x', sizeof(why));
	why[sizeof(why) - 1] = '\0';
	daemon_tell(fd, 2, why);
}

static void
a_long_reason_is_cut_and_not_lost(void **state)
{
	char said[4096];

	(void)state;
	assert_int_equal(run(say_much, said, NULL, sizeof(said)), 2);
	assert_memory_equal(said, "busctl: xxxxxxxx", 16);
	assert_in_range(strlen(said), 100, 300);
	assert_int_equal(said[strlen(said) - 1], '\n');
}

static void
telling_nobody_does_nothing(void **state)
{
	int fd = -1;

	(void)state;
	daemon_tell(&fd, 1, "nobody hears it");
	assert_int_equal(fd, -1);
}

/* ---- detached ---------------------------------------------------------- */

static void
outlive_the_starter(int *fd, int report_fd, int go_fd)
{
	(void)kill(getppid(), SIGKILL);
	wait_for_go(go_fd); /* closed when the test has seen its end */
	daemon_tell(fd, 1, "too late");
	(void)!write(report_fd, "lives", 5);
}

static void
a_primary_whose_starter_has_gone_lives_on(void **state)
{
	struct starter starter;
	char said[1024], report[1024];
	int status, go;

	(void)state;
	starter = start(outlive_the_starter, &go);
	assert_int_equal(waitpid(starter.pid, &status, 0), starter.pid);
	assert_true(WIFSIGNALED(status));
	(void)close(go);
	read_all(starter.report, report, sizeof(report));
	assert_string_equal(report, "lives");
	read_all(starter.said, said, sizeof(said));
	assert_string_equal(said, "");
}

static bool
is_null_device(int fd)
{
	struct stat null, st;

	return stat("/dev/null", &null) == 0 && fstat(fd, &st) == 0 &&
	    st.st_rdev == null.st_rdev && S_ISCHR(st.st_mode);
}

static void
look_around(int *fd, int report_fd, int go_fd)
{
	bool ok[6];

	(void)go_fd;
	ok[0] = getsid(0) == getpid();
	ok[1] = is_null_device(STDIN_FILENO);
	ok[2] = is_null_device(STDOUT_FILENO);
	ok[3] = is_null_device(STDERR_FILENO);
	/* No worker gets it: the starter would wait for it, too. */
	ok[4] = (fcntl(*fd, F_GETFD) & FD_CLOEXEC) != 0;
	ok[5] = *fd > STDERR_FILENO;
	for (size_t i = 0; i < ARRAY_LEN(ok); i++)
		(void)!write(report_fd, ok[i] ? "1" : "0", 1);
	daemon_tell(fd, 0, "");
}

static void
the_primary_is_detached_from_the_terminal(void **state)
{
	char said[1024], report[1024];

	(void)state;
	assert_int_equal(run(look_around, said, report, sizeof(said)), 0);
	assert_string_equal(report, "111111");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_starter_stays_until_the_primary_is_ready),
		cmocka_unit_test(a_failed_start_is_said_with_its_status),
		cmocka_unit_test(
		    a_primary_that_dies_without_a_word_is_a_failure),
		cmocka_unit_test(a_long_reason_is_cut_and_not_lost),
		cmocka_unit_test(telling_nobody_does_nothing),
		cmocka_unit_test(a_primary_whose_starter_has_gone_lives_on),
		cmocka_unit_test(the_primary_is_detached_from_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

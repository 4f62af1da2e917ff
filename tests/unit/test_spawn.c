/* test_spawn.c - a child that has been told to go before it could know how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "primary/spawn.h"

enum {
	SLOW_MS = 100,
	DEADLINE_MS = 20000
};

static char program[64] = "/tmp/cbus-spawn-XXXXXX";
static volatile sig_atomic_t taken;

static void
pause_ms(long ms)
{
	struct timespec rest = { .tv_nsec = ms * 1000000 };

	while (nanosleep(&rest, &rest) == -1)
		continue;
}

/* As when the machine is busy: the child does not get on with it. */
static void
dawdle(void)
{
	pause_ms(SLOW_MS);
}

static void
on_term(int number)
{
	(void)number;
	taken = 1;
}

/* A program that would go on for a minute. */
static int
set_up(void **state)
{
	static const char text[] = "#!/bin/sh\nexec sleep 60\n";
	struct sigaction action;
	int fd = mkstemp(program);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_int_equal(close(fd), 0);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_term; /* as the primary has one */
	assert_int_equal(sigaction(SIGTERM, &action, NULL), 0);
	return pthread_atfork(NULL, NULL, dawdle);
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(program);
}

/* Its wait status; it is killed when it does not end by itself. */
static int
end_of(pid_t pid)
{
	uint64_t until = clock_now_ms() + DEADLINE_MS;
	int status;

	while (clock_now_ms() < until) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		pause_ms(5);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
assert_ended_by_term(pid_t pid)
{
	int status = end_of(pid);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(taken, 0);
}

static void
a_worker_that_is_told_to_go_at_once_goes(void **state)
{
	pid_t pid;
	int fd;

	(void)state;
	pid = spawn_worker(0, "test", "/tmp", program, &fd);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_ended_by_term(pid);
	assert_int_equal(close(fd), 0);
}

static void
a_trial_that_is_ended_at_once_ends(void **state)
{
	char *argv[] = { program, NULL };
	pid_t pid;
	int fd;

	(void)state;
	pid = spawn_trial(program, argv, &fd);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_ended_by_term(pid);
	assert_int_equal(close(fd), 0);
}

static void
our_own_signals_are_as_before(void **state)
{
	sigset_t before, after;
	pid_t pid;
	int fd;

	(void)state;
	assert_int_equal(sigemptyset(&before), 0);
	assert_int_equal(sigaddset(&before, SIGUSR2), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	pid = spawn_worker(0, "test", "/tmp", program, &fd);
	assert_true(pid > 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
	for (int number = 1; number < SIGRTMIN; number++)
		assert_int_equal(sigismember(&after, number),
		    number == SIGUSR2);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_ended_by_term(pid); /* and the child has none blocked */
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_that_is_told_to_go_at_once_goes),
		cmocka_unit_test(a_trial_that_is_ended_at_once_ends),
		cmocka_unit_test(our_own_signals_are_as_before),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

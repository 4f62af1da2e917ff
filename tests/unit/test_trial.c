/* test_trial.c - another binary runs on its own and is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "primary/handover.h"
#include "primary/trial.h"
#include "primary_rig.h"

#define STATUS(code) ((code) << 8)

static struct trial_result result;

static const struct trial_result *
judge(int status, const char *fmt, unsigned ipc)
{
	char text[1024];
	int len;

	len = snprintf(text, sizeof(text), TRIAL_LINE, "2.0", ipc,
	    (unsigned)STATS_VERSION, (unsigned)sizeof(struct stats_page),
	    (unsigned)HANDOVER_VERSION);
	assert_true(len > 0);
	len += snprintf(text + len, sizeof(text) - (size_t)len, "%s", fmt);
	trial_judge(text, (size_t)len, status, &result);
	return &result;
}

static void
one_that_passed_fits_when_all_versions_are_ours(void **state)
{
	(void)state;
	(void)judge(0, TRIAL_PASSED, IPC_VERSION);
	assert_true(result.ok && result.fits);
	assert_string_equal(result.version, "2.0");
	(void)judge(0, TRIAL_PASSED, IPC_VERSION + 1);
	assert_true(result.ok && !result.fits);
	assert_non_null(strstr(result.why, "does not understand"));
}

static void
one_that_was_reaped_by_somebody_else_is_judged_by_its_words(void **state)
{
	(void)state;
	assert_true(judge(-1, TRIAL_PASSED, IPC_VERSION)->ok);
	assert_false(judge(-1, "failed: no", IPC_VERSION)->ok);
	assert_false(judge(STATUS(1), TRIAL_PASSED, IPC_VERSION)->ok);
	assert_false(judge(SIGKILL, TRIAL_PASSED, IPC_VERSION)->ok);
}

static void
why_it_failed_is_its_last_line(void **state)
{
	char text[] = "a\nb: it is broken\n\n", none[] = "", bytes[] = "a\0b";

	(void)state;
	trial_judge(text, strlen(text), STATUS(1), &result);
	assert_false(result.ok || result.fits);
	assert_string_equal(result.why,
	    "it exited with status 1: b: it is broken");
	trial_judge(none, 0, STATUS(3), &result);
	assert_string_equal(result.why, "it exited with status 3");
	trial_judge(bytes, 3, SIGSEGV, &result);
	assert_non_null(strstr(result.why, "a?b"));
	(void)judge(STATUS(1), "x\nfailed: the worker is away\n", IPC_VERSION);
	assert_string_equal(result.why,
	    "it exited with status 1: the worker is away");
}

static void
one_that_says_nothing_is_no_clusterbus(void **state)
{
	char none[] = "", strange[] = "clusterbus-rehearsal 1 2.0 ipc many\n";

	(void)state;
	trial_judge(none, 0, 0, &result);
	assert_false(result.ok);
	assert_non_null(strstr(result.why, "not a clusterbus"));
	trial_judge(strange, strlen(strange), 0, &result);
	assert_false(result.ok);
}

/* ---- running ----------------------------------------------------------- */

static unsigned done;

static void
on_done(void *arg, const struct trial_result *trial)
{
	struct ev_loop *loop = arg;

	result = *trial;
	done++;
	ev_break(loop, EVBREAK_ALL);
}

/* Run a script to its end; how many milliseconds it took. */
static uint64_t
run(const char *script, uint64_t timeout_ms)
{
	char sh[] = "sh", c[] = "-c", text[512];
	char *argv[] = { sh, c, text, NULL };
	uint64_t began = clock_now_ms();
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
	struct trial *trial;
	char why[128];

	(void)snprintf(text, sizeof(text), "%s", script);
	done = 0;
	trial = trial_new(loop, "/bin/sh", argv, timeout_ms, on_done, loop, why,
	    sizeof(why));
	assert_non_null(trial);
	ev_run(loop, 0);
	assert_int_equal(done, 1);
	trial_free(trial);
	ev_loop_destroy(loop);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
	return clock_now_ms() - began;
}

static void
its_words_and_its_end_are_seen(void **state)
{
	(void)state;
	(void)run("echo out; echo err >&2; exit 5", 10000);
	assert_string_equal(result.why, "it exited with status 5: err");
	(void)run("kill -SEGV $$", 10000);
	assert_non_null(strstr(result.why, "signal 11"));
}

static void
one_that_hangs_is_killed_with_what_it_started(void **state)
{
	char path[] = "/tmp/clusterbus-test-trial-XXXXXX", script[128];
	uint64_t end = clock_now_ms() + 5000;
	int fd = mkstemp(path);
	long pid = 0;
	FILE *file;

	(void)state;
	assert_int_not_equal(fd, -1);
	(void)snprintf(script, sizeof(script), "sleep 1000 & echo $! >%s; wait",
	    path);
	assert_true(run(script, 300) < 5000);
	assert_string_equal(result.why, "it did not come to an end in time");
	file = fdopen(fd, "r");
	assert_int_equal(fscanf(file, "%ld", &pid), 1);
	(void)fclose(file);
	(void)unlink(path);
	assert_true(pid > 1);
	/* It is init's to reap; killed it is. */
	while (kill((pid_t)pid, 0) == 0 && clock_now_ms() < end) {
		(void)snprintf(script, sizeof(script), "/proc/%ld/stat", pid);
		file = fopen(script, "r");
		if (file == NULL)
			break;
		if (fscanf(file, "%*d (%*[^)]) %31s", script) == 1 &&
		    script[0] == 'Z')
			end = 0;
		(void)fclose(file);
	}
	assert_true(clock_now_ms() < end || end == 0);
}

static void
one_that_talks_without_end_costs_nothing(void **state)
{
	(void)state;
	(void)run("i=0; while [ $i -lt 20000 ]; do echo "
		  "0123456789012345678901234567890123456789; i=$((i+1)); done; "
		  "echo the end; exit 1",
	    20000);
	assert_string_equal(result.why, "it exited with status 1: the end");
}

static void
it_has_none_of_our_descriptors_and_no_input(void **state)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD, 200); /* open across exec */

	(void)state;
	(void)run("[ -e /proc/self/fd/200 ] && echo there; read x && echo in; "
		  "echo nothing; exit 1",
	    10000);
	assert_string_equal(result.why, "it exited with status 1: nothing");
	(void)close(fd);
}

static void
what_cannot_be_executed_is_told(void **state)
{
	char name[] = "x", why[128] = "";
	char *argv[] = { name, NULL };
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
	struct trial *trial;

	(void)state;
	done = 0;
	trial = trial_new(loop, "/nonexistent/x", argv, 5000, on_done, loop,
	    why, sizeof(why));
	assert_non_null(trial);
	ev_run(loop, 0);
	assert_non_null(strstr(result.why, "No such file"));
	trial_free(trial);
	/* One that is freed while it runs is gone. */
	trial = trial_new(loop, "/bin/cat", argv, 5000, on_done, loop, why,
	    sizeof(why));
	assert_non_null(trial);
	trial_free(trial);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    one_that_passed_fits_when_all_versions_are_ours),
		cmocka_unit_test(
		    one_that_was_reaped_by_somebody_else_is_judged_by_its_words),
		cmocka_unit_test(why_it_failed_is_its_last_line),
		cmocka_unit_test(one_that_says_nothing_is_no_clusterbus),
		cmocka_unit_test(its_words_and_its_end_are_seen),
		cmocka_unit_test(one_that_hangs_is_killed_with_what_it_started),
		cmocka_unit_test(one_that_talks_without_end_costs_nothing),
		cmocka_unit_test(it_has_none_of_our_descriptors_and_no_input),
		cmocka_unit_test(what_cannot_be_executed_is_told),
	};

	return RIG_RUN_WITH_PIDFD(tests);
}

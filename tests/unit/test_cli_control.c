/*
 * test_cli_control.c - a conversation with a primary.
 *
 * The primary is a child that takes one connection, reads the line, writes
 * what the test wants, in the pieces it wants, and goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/net.h"
#include "base/rundir.h"
#include "capture.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "torture.h"

static char dir[] = "/tmp/clusterbus-test-ct-XXXXXX";
static char sock[64], pidfile[64];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(sock, sizeof(sock), "%s/control.sock", dir);
	(void)snprintf(pidfile, sizeof(pidfile), "%s/primary.pid", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int
remove_files(void **state)
{
	(void)state;
	(void)unlink(sock);    /* may be gone already */
	(void)unlink(pidfile); /* the same */
	return 0;
}

/* The child: exits 0 when it got the line it expects. */
static void
be_primary(int listener, const char *expected, const char *answer, size_t piece)
{
	size_t len = strlen(answer), n;
	char line[256] = "";
	ssize_t got;
	int fd;

	(void)alarm(10);
	fd = accept(listener, NULL, NULL);
	got = read(fd, line, sizeof(line) - 1);
	for (size_t at = 0; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		if (send(fd, answer + at, n, MSG_NOSIGNAL) == -1)
			break;
	}
	_exit(got > 0 && strcmp(line, expected) == 0 ? 0 : 1);
}

static pid_t
start_primary(const char *expected, const char *answer, size_t piece)
{
	int listener = net_listen_unix(sock, 0600, 4);
	pid_t pid;

	assert_true(listener >= 0);
	assert_int_equal(fcntl(listener, F_SETFL, 0), 0); /* accept() waits */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		be_primary(listener, expected, answer, piece);
	(void)close(listener);
	return pid;
}

/* Run a command against such a primary.  Returns its exit status. */
static int
ask(int (*command)(int, char **), const char *words, const char *expected,
    const char *answer, size_t piece)
{
	char text[256];
	char *argv[16], *more;
	int argc = 0, rc, status;
	pid_t pid = start_primary(expected, answer, piece);

	(void)snprintf(text, sizeof(text), "%s --run-dir %s", words, dir);
	for (char *word = strtok_r(text, " ", &more); word != NULL;
	     word = strtok_r(NULL, " ", &more))
		argv[argc++] = word;
	argv[argc] = NULL;
	capture_begin();
	rc = command(argc, argv);
	capture_end();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(unlink(sock), 0);
	return rc;
}

static void
the_result_is_printed_and_progress_is_not(void **state)
{
	(void)state;
	assert_int_equal(ask(cli_reload, "reload", "reload\n",
			     "info one\ninfo two\nok done in 3 ms\n", 4096),
	    CLI_OK);
	assert_string_equal(capture_out(), "done in 3 ms\n");
	assert_string_equal(capture_err(), "");
}

static void
verbose_shows_progress(void **state)
{
	(void)state;
	assert_int_equal(ask(cli_reload, "reload --verbose", "reload\n",
			     "info one\ninfo two\nok done\n", 4096),
	    CLI_OK);
	assert_string_equal(capture_out(), "done\n");
	assert_string_equal(capture_err(), "one\ntwo\n");
}

static void
a_failure_shows_all_that_was_said_and_its_status(void **state)
{
	(void)state;
	assert_int_equal(
	    ask(cli_reload, "reload", "reload\n",
		"info f:1: bad\ninfo f:2: worse\nerror 2 it stays\n", 4096),
	    CLI_USAGE);
	assert_string_equal(capture_out(), "");
	assert_string_equal(capture_err(),
	    "f:1: bad\nf:2: worse\nbusctl: it stays\n");
	assert_int_equal(ask(cli_stop, "stop", "stop\n", "error 75 busy\n", 99),
	    CLI_BUSY);
	assert_int_equal(ask(cli_stop, "stop", "stop\n", "error 0 odd\n", 99),
	    CLI_FAILED);
	assert_int_equal(ask(cli_stop, "stop", "stop\n", "error what\n", 99),
	    CLI_FAILED);
}

static void
it_does_not_matter_how_the_bytes_arrive(void **state)
{
	static const char answer[] = "info one\ninfo two\nok done\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof(answer); piece++) {
		assert_int_equal(ask(cli_reload, "reload --verbose", "reload\n",
				     answer, piece),
		    CLI_OK);
		assert_string_equal(capture_out(), "done\n");
		assert_string_equal(capture_err(), "one\ntwo\n");
	}
}

static void
each_command_is_sent_as_the_primary_knows_it(void **state)
{
	(void)state;
	assert_int_equal(ask(cli_stop, "stop --fast", "stop fast\n", "ok\n", 9),
	    CLI_OK);
	assert_string_equal(capture_out(), "");
	assert_int_equal(ask(cli_restart, "restart", "restart\n", "ok\n", 9),
	    CLI_OK);
	assert_int_equal(ask(cli_restart, "restart 03", "restart 3\n", "ok\n",
			     9),
	    CLI_OK);
	assert_int_equal(ask(cli_scale, "scale 256", "scale 256\n", "ok\n", 9),
	    CLI_OK);
}

static void
a_primary_that_goes_without_an_answer_has_failed(void **state)
{
	(void)state;
	assert_int_equal(ask(cli_reload, "reload", "reload\n",
			     "info half\nok no", 99),
	    CLI_FAILED);
	assert_non_null(strstr(capture_err(), "half\n"));
	assert_non_null(strstr(capture_err(), "went away"));
}

static void
a_primary_that_goes_when_told_to_stop_has_stopped(void **state)
{
	(void)state;
	assert_int_equal(ask(cli_stop, "stop", "stop\n", "", 1), CLI_OK);
	assert_string_equal(capture_out(), "stopped\n");
}

static void
nonsense_from_the_other_end_is_no_success(void **state)
{
	char line[20000];

	(void)state;
	assert_int_equal(ask(cli_reload, "reload", "reload\n", "\x1b[2J\n\n",
			     99),
	    CLI_FAILED);
	assert_null(strchr(capture_err(), '\x1b'));
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(ask(cli_reload, "reload", "reload\n", line, 4096),
	    CLI_FAILED);
}

/* A command with nobody to talk to. */
static int
run(int (*command)(int, char **), const char *words)
{
	char text[256];
	char *argv[16], *more;
	int argc = 0, rc;

	(void)snprintf(text, sizeof(text), "%s --run-dir %s", words, dir);
	for (char *word = strtok_r(text, " ", &more); word != NULL;
	     word = strtok_r(NULL, " ", &more))
		argv[argc++] = word;
	argv[argc] = NULL;
	capture_begin();
	rc = command(argc, argv);
	capture_end();
	return rc;
}

static void
no_bus_is_said_so(void **state)
{
	(void)state;
	assert_int_equal(run(cli_stop, "stop"), CLI_FAILED);
	assert_non_null(strstr(capture_err(), "no bus 'default' is running"));
	assert_non_null(strstr(capture_err(), dir));
	assert_int_equal(run(cli_status, "status"), CLI_FAILED);
	assert_non_null(strstr(capture_err(), "no bus 'default' is running"));
	assert_string_equal(capture_out(), "");
}

static void
a_primary_without_its_socket_is_named(void **state)
{
	struct rundir rundir;
	char pid[32];
	int fd, who;

	(void)state;
	assert_int_equal(rundir_path(&rundir, dir, ""), 0);
	fd = rundir_lock(&rundir, &who);
	assert_true(fd >= 0);
	assert_int_equal(run(cli_stop, "stop"), CLI_FAILED);
	(void)snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
	assert_non_null(strstr(capture_err(), pid));
	(void)close(fd);
}

static void
wrong_words_are_refused_before_anybody_is_asked(void **state)
{
	(void)state;
	assert_int_equal(run(cli_stop, "stop now"), CLI_USAGE);
	assert_int_equal(run(cli_stop, "stop --fats"), CLI_USAGE);
	assert_int_equal(run(cli_reload, "reload x"), CLI_USAGE);
	assert_int_equal(run(cli_scale, "scale"), CLI_USAGE);
	assert_int_equal(run(cli_scale, "scale 0"), CLI_USAGE);
	assert_int_equal(run(cli_scale, "scale 257"), CLI_USAGE);
	assert_int_equal(run(cli_scale, "scale 4x"), CLI_USAGE);
	assert_int_equal(run(cli_scale, "scale -1"), CLI_USAGE);
	assert_int_equal(run(cli_scale, "scale 4 5"), CLI_USAGE);
	assert_int_equal(run(cli_scale, "scale 99999999999999999999"),
	    CLI_USAGE);
	assert_int_equal(run(cli_restart, "restart 256"), CLI_USAGE);
	assert_int_equal(run(cli_status, "status -j"), CLI_USAGE);
	assert_int_equal(run(cli_stop, "stop --name a/b"), CLI_USAGE);
}

/* 0 when it went well; when not, it said why. */
static int
reload_once(void)
{
	static const char answer[] = "info one\ninfo two\nok done\n";
	pid_t pid = start_primary("reload\n", answer, 4096);
	int rc = run(cli_reload, "reload");

	assert_int_equal(kill(pid, SIGKILL), 0); /* nobody may have come */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(unlink(sock), 0);
	if (rc == CLI_OK) {
		assert_string_equal(capture_out(), "done\n");
		return 0;
	}
	assert_string_equal(capture_out(), "");
	assert_string_not_equal(capture_err(), "");
	return -1;
}

static void
without_memory_it_fails_and_says_so(void **state)
{
	(void)state;
	torture_malloc(reload_once);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, remove_files)
	const struct CMUnitTest tests[] = {
		TEST(the_result_is_printed_and_progress_is_not),
		TEST(verbose_shows_progress),
		TEST(a_failure_shows_all_that_was_said_and_its_status),
		TEST(it_does_not_matter_how_the_bytes_arrive),
		TEST(each_command_is_sent_as_the_primary_knows_it),
		TEST(a_primary_that_goes_without_an_answer_has_failed),
		TEST(a_primary_that_goes_when_told_to_stop_has_stopped),
		TEST(nonsense_from_the_other_end_is_no_success),
		TEST(no_bus_is_said_so),
		TEST(a_primary_without_its_socket_is_named),
		TEST(without_memory_it_fails_and_says_so),
		TEST(wrong_words_are_refused_before_anybody_is_asked),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

/* test_rundir.c - where a bus is, and that there is one primary in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rundir.h"

static char dir[] = "/tmp/clusterbus-test-rd-XXXXXX";
static struct rundir rundir;

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	return rundir_path(&rundir, dir, "");
}

static int
remove_dir(void **state)
{
	char path[128];

	(void)state;
	rundir_file(&rundir, "primary.pid", path, sizeof(path));
	(void)unlink(path); /* may be gone already */
	return rmdir(dir);
}

static void
the_option_says_it_outright_and_becomes_absolute(void **state)
{
	struct rundir found;
	char cwd[512], expected[600];

	(void)state;
	assert_int_equal(rundir_path(&found, "/a/b///", "x"), 0);
	assert_string_equal(found.path, "/a/b");
	assert_int_equal(rundir_path(&found, "/", "x"), 0);
	assert_string_equal(found.path, "/");
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir("/tmp"), 0);
	assert_int_equal(rundir_path(&found, "here", "x"), 0);
	assert_int_equal(chdir(cwd), 0);
	(void)snprintf(expected, sizeof(expected), "/tmp/here");
	assert_string_equal(found.path, expected);
}

static void
without_it_the_name_is_the_last_component(void **state)
{
	struct rundir found;

	(void)state;
	assert_int_equal(rundir_path(&found, "", "shop"), 0);
	assert_true(found.path[0] == '/');
	assert_string_equal(strrchr(found.path, '/'), "/shop");
	assert_non_null(strstr(found.path, "clusterbus"));
}

static void
names_that_leave_the_directory_are_refused(void **state)
{
	static const char *const names[] = { "", ".", "..", "a/b", "/a",
		".hidden" };
	struct rundir found;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(rundir_path(&found, "", names[i]), -EINVAL);
}

static void
a_path_too_long_for_a_socket_is_refused(void **state)
{
	struct rundir found;
	char text[200];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(rundir_path(&found, "", text), -ENAMETOOLONG);
	text[0] = '/';
	assert_int_equal(rundir_path(&found, text, ""), -ENAMETOOLONG);
	text[RUNDIR_MAX - 1] = '\0';
	assert_int_equal(rundir_path(&found, text, ""), 0);
	text[0] = 'x';
	assert_int_equal(rundir_path(&found, text, ""), -ENAMETOOLONG);
}

static void
it_is_created_with_its_parents_and_for_us_alone(void **state)
{
	struct rundir deep;
	char path[64], parent[64];
	struct stat st;

	(void)state;
	(void)snprintf(parent, sizeof(parent), "%s/a", dir);
	(void)snprintf(path, sizeof(path), "%s/a/b", dir);
	assert_int_equal(rundir_path(&deep, path, ""), 0);
	assert_int_equal(rundir_create(&deep), 0);
	assert_int_equal(rundir_create(&deep), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(chmod(path, 0707), 0);
	assert_int_equal(rundir_create(&deep), -EPERM);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(dir, path), 0);
	assert_int_equal(rundir_create(&deep), -ENOTDIR);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(parent), 0);
}

static void
a_directory_of_another_user_is_refused(void **state)
{
	struct rundir other;
	char path[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	(void)snprintf(path, sizeof(path), "%s/other", dir);
	assert_int_equal(rundir_path(&other, path, ""), 0);
	assert_int_equal(rundir_create(&other), 0);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_int_equal(rundir_create(&other), -EPERM);
	assert_int_equal(rmdir(path), 0);
}

static void
the_second_primary_is_told_who_the_first_is(void **state)
{
	int first, pid = 0;

	(void)state;
	assert_int_equal(rundir_primary(&rundir), 0);
	first = rundir_lock(&rundir, &pid);
	assert_true(first >= 0);
	assert_true((fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(rundir_lock(&rundir, &pid), -EWOULDBLOCK);
	assert_int_equal(pid, getpid());
	assert_int_equal(rundir_primary(&rundir), getpid());
	(void)close(first);
	assert_int_equal(rundir_primary(&rundir), 0);
}

/* Take the lock in a child, which then waits for its death. */
static pid_t
start_primary(void)
{
	int ready[2], unused, fd;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		fd = rundir_lock(&rundir, &unused);
		(void)!write(ready[1], fd >= 0 ? "y" : "n", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void
a_dead_primary_leaves_nothing_that_stops_the_next(void **state)
{
	pid_t pid = start_primary();
	int fd, who = 0;

	(void)state;
	assert_int_equal(rundir_lock(&rundir, &who), -EWOULDBLOCK);
	assert_int_equal(who, pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd = rundir_lock(&rundir, &who);
	assert_true(fd >= 0);
	assert_int_equal(rundir_primary(&rundir), getpid());
	(void)close(fd);
}

static void
the_lock_survives_a_fork_of_its_owner(void **state)
{
	int fd, unused, status;
	pid_t pid;

	(void)state;
	fd = rundir_lock(&rundir, &unused);
	assert_true(fd >= 0);
	pid = fork();
	if (pid == 0) {
		(void)close(fd);
		_exit(rundir_primary(&rundir) > 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(rundir_primary(&rundir) > 0);
	(void)close(fd);
}

static void
a_pid_file_that_was_removed_protects_nobody(void **state)
{
	char path[128];
	int old, fd, who = 0;

	(void)state;
	rundir_file(&rundir, "primary.pid", path, sizeof(path));
	old = rundir_lock(&rundir, &who);
	assert_true(old >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rundir_primary(&rundir), 0);
	fd = rundir_lock(&rundir, &who);
	assert_true(fd >= 0);
	(void)close(old);
	assert_int_equal(rundir_primary(&rundir), getpid());
	(void)close(fd);
}

static void
a_pid_file_full_of_nonsense_is_no_pid(void **state)
{
	char path[128];
	int fd, who = 7;

	(void)state;
	fd = rundir_lock(&rundir, &who);
	assert_true(fd >= 0);
	rundir_file(&rundir, "primary.pid", path, sizeof(path));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "-12 nonsense", 12, 0), 12);
	assert_int_equal(rundir_lock(&rundir, &who), -EWOULDBLOCK);
	assert_int_equal(who, 0);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_option_says_it_outright_and_becomes_absolute),
		cmocka_unit_test(without_it_the_name_is_the_last_component),
		cmocka_unit_test(names_that_leave_the_directory_are_refused),
		cmocka_unit_test(a_path_too_long_for_a_socket_is_refused),
		cmocka_unit_test(
		    it_is_created_with_its_parents_and_for_us_alone),
		cmocka_unit_test(a_directory_of_another_user_is_refused),
		cmocka_unit_test(the_second_primary_is_told_who_the_first_is),
		cmocka_unit_test(
		    a_dead_primary_leaves_nothing_that_stops_the_next),
		cmocka_unit_test(the_lock_survives_a_fork_of_its_owner),
		cmocka_unit_test(a_pid_file_that_was_removed_protects_nobody),
		cmocka_unit_test(a_pid_file_full_of_nonsense_is_no_pid),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

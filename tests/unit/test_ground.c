/*
 * test_ground.c - what a primary stands on: log, directory, lock, page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "capture.h"
#include "clusterbus/version.h"
#include "primary/ground.h"
#include "torture.h"

static char base[64], dir[96];

static void
path_of(const char *file, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%s", dir, file);
}

static bool
exists(const char *file)
{
	char path[128];

	path_of(file, path, sizeof(path));
	return access(path, F_OK) == 0;
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(base, sizeof(base),
	    "/tmp/clusterbus-test-ground-XXXXXX");
	if (mkdtemp(base) == NULL)
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/bus", base);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "hub.sock", "control.sock",
		"stats", "primary.pid" };
	char path[128];

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		path_of(names[i], path, sizeof(path));
		(void)unlink(path);
	}
	(void)rmdir(dir);
	return rmdir(base);
}

/* The configuration of a bus in dir, with one more word. */
static struct config *
make_config(const char *word)
{
	struct config_errors errors = { .text = NULL };
	char dir_word[128], quiet[] = "--log-level=warn", more[256];
	char *argv[] = { quiet, dir_word, more };
	struct config *config;
	int rest;

	(void)snprintf(dir_word, sizeof(dir_word), "--run-dir=%s", dir);
	(void)snprintf(more, sizeof(more), "%s", word);
	config = config_load(3, argv, NULL, &rest, &errors);
	config_errors_release(&errors);
	return config;
}

/* What the log said is in capture_err(). */
static int
lay(struct ground *ground, const char *word)
{
	struct config *config = make_config(word);
	int rc;

	assert_non_null(config);
	capture_begin();
	rc = ground_lay(ground, config);
	capture_end();
	config_free(config);
	return rc;
}

/* ---- laying ------------------------------------------------------------ */

static void
it_makes_the_directory_the_lock_and_the_page(void **state)
{
	struct ground ground;
	char path[128];
	struct stat st;

	(void)state;
	assert_int_equal(lay(&ground, "--name=a"), 0);
	assert_string_equal(ground.rundir.path, dir);
	assert_int_equal(rundir_primary(&ground.rundir), getpid());
	assert_non_null(ground.page);
	assert_false(ground.survivors);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	path_of("stats", path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
	assert_int_not_equal(fcntl(ground.lock_fd, F_GETFD) & FD_CLOEXEC, 0);
	assert_int_not_equal(fcntl(ground.page_fd, F_GETFD) & FD_CLOEXEC, 0);
	assert_string_equal(capture_err(), "");
	ground_release(&ground);
	/* The files stay, the lock does not. */
	assert_true(exists("stats"));
	assert_int_equal(rundir_primary(&ground.rundir), 0);
}

static void
a_second_primary_is_refused_and_touches_nothing(void **state)
{
	struct ground first, second;
	char text[128];

	(void)state;
	assert_int_equal(lay(&first, "--name=a"), 0);
	stats_add(&first.page->hub.reloads, 3);
	first.page->primary_pid = 4711;
	assert_int_equal(lay(&second, "--name=a"), 75);
	(void)snprintf(text, sizeof(text),
	    "bus \"a\" is running already, its primary is pid %ld",
	    (long)getpid());
	assert_non_null(strstr(capture_err(), text));
	assert_null(second.page);
	assert_int_equal(first.page->primary_pid, 4711);
	assert_int_equal(first.page->hub.reloads, 3);
	ground_release(&second);
	/* Giving that back did not take the lock away. */
	assert_int_equal(rundir_primary(&first.rundir), getpid());
	ground_release(&first);
	assert_int_equal(lay(&second, "--name=a"), 0);
	ground_release(&second);
}

static void
the_page_of_an_earlier_primary_goes_on(void **state)
{
	struct ground ground;
	uint32_t host;

	(void)state;
	assert_int_equal(lay(&ground, "--name=a"), 0);
	host = ground.page->host;
	stats_add(&ground.page->hub.reloads, 3);
	ground_release(&ground);
	assert_int_equal(lay(&ground, "--name=a"), 0);
	assert_int_equal(ground.page->host, host);
	assert_int_equal(ground.page->hub.reloads, 3);
	assert_false(ground.survivors); /* nobody lives */
	ground_release(&ground);
}

static void
what_is_no_page_is_replaced(void **state)
{
	struct ground ground;
	char path[128];
	FILE *file;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	path_of("stats", path, sizeof(path));
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs("no page at all", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(lay(&ground, "--name=a"), 0);
	assert_int_equal(ground.page->size, sizeof(*ground.page));
	assert_int_equal(ground.page->hub.reloads, 0);
	ground_release(&ground);
}

/* ---- refusing ---------------------------------------------------------- */

static void
a_log_file_that_cannot_be_opened_is_a_mistake_of_the_settings(void **state)
{
	struct ground ground;
	char word[128];

	(void)state;
	(void)snprintf(word, sizeof(word), "--log-file=%s/none/log", base);
	assert_int_equal(lay(&ground, word), 2);
	assert_non_null(strstr(capture_err(), "/none/log"));
	/* It is found before anything was made. */
	assert_false(exists("primary.pid"));
	ground_release(&ground);
}

static void
a_directory_that_is_none_is_said(void **state)
{
	struct ground ground;
	int fd = open(dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_not_equal(fd, -1);
	(void)close(fd);
	assert_int_equal(lay(&ground, "--name=a"), 1);
	assert_non_null(strstr(capture_err(), dir));
	ground_release(&ground);
	assert_int_equal(unlink(dir), 0);
}

static void
a_directory_that_others_may_write_to_is_not_taken(void **state)
{
	struct ground ground;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(lay(&ground, "--name=a"), 1);
	assert_false(exists("stats"));
	ground_release(&ground);
}

static void
who_waits_hears_why_there_is_no_bus(void **state)
{
	struct ground ground = { .lock_fd = -1, .page_fd = -1 };
	int pair[2], status;
	char word[512];

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	ground.daemon_fd = pair[1];
	capture_begin();
	assert_int_equal(ground_refuse(&ground, 75, "slot %d is on fire", 3),
	    75);
	capture_end();
	assert_non_null(strstr(capture_err(), "slot 3 is on fire"));
	assert_int_equal(ground.daemon_fd, -1);
	memset(word, 0, sizeof(word));
	assert_true(read(pair[0], word, sizeof(word) - 1) > 0);
	memcpy(&status, word, sizeof(status));
	assert_int_equal(status, 75);
	assert_string_equal(word + sizeof(status), "slot 3 is on fire");
	/* And the end: nobody is kept waiting. */
	assert_int_equal(read(pair[0], word, sizeof(word)), 0);
	(void)close(pair[0]);
}

/* ---- claiming, listening, leaving -------------------------------------- */

static void
claiming_forgets_gauges_and_keeps_what_was_counted(void **state)
{
	struct config *config = make_config("--name=mine");
	struct ground ground;

	(void)state;
	assert_int_equal(lay(&ground, "--name=mine"), 0);
	stats_set(&ground.page->hub.nodes, 5);
	stats_set(&ground.page->hub.queue_bytes, 6);
	stats_set(&ground.page->hub.reloads, 7);
	stats_set(&ground.page->slots[1].retired.deliveries, 8);
	ground.page->primary_pid = 4711;
	ground_claim_page(&ground, config);
	assert_int_equal(ground.page->primary_pid, getpid());
	assert_string_equal(ground.page->name, "mine");
	assert_string_equal(ground.page->software, CLUSTERBUS_VERSION);
	assert_int_equal(ground.page->hub.nodes, 0);
	assert_int_equal(ground.page->hub.queue_bytes, 0);
	assert_int_equal(ground.page->hub.reloads, 7);
	assert_int_equal(ground.page->slots[1].retired.deliveries, 8);
	ground_release(&ground);
	config_free(config);
}

static void
its_sockets_are_for_this_user_and_go_with_the_other_files(void **state)
{
	struct ground ground;
	struct stat st;
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(lay(&ground, "--name=a"), 0);
	fd = ground_listen(&ground, "hub.sock");
	assert_true(fd >= 0);
	path_of("hub.sock", path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	capture_begin();
	assert_int_equal(ground_listen(&ground, "hub.sock"), -EADDRINUSE);
	capture_end();
	assert_non_null(strstr(capture_err(), path));
	(void)close(fd);
	/* Nobody listens any more: a file that was left is no obstacle. */
	fd = ground_listen(&ground, "hub.sock");
	assert_true(fd >= 0);
	(void)close(fd);
	ground_clean(&ground);
	assert_false(exists("hub.sock"));
	assert_false(exists("stats"));
	assert_false(exists("primary.pid"));
	ground_clean(&ground); /* once more does no harm */
	ground_release(&ground);
}

/* ---- memory ------------------------------------------------------------ */

static struct config *tortured;

static int
lay_and_release(void)
{
	struct ground ground;
	int rc = ground_lay(&ground, tortured);

	assert_true(rc == 0 || rc == 1);
	ground_release(&ground);
	return rc;
}

static void
without_memory_there_is_no_bus_and_no_leak(void **state)
{
	(void)state;
	tortured = make_config("--name=a");
	capture_begin();
	torture_malloc(lay_and_release);
	capture_end();
	assert_non_null(strstr(capture_err(), "out of memory"));
	config_free(tortured);
}

#define GROUND_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GROUND_TEST(it_makes_the_directory_the_lock_and_the_page),
		GROUND_TEST(a_second_primary_is_refused_and_touches_nothing),
		GROUND_TEST(the_page_of_an_earlier_primary_goes_on),
		GROUND_TEST(what_is_no_page_is_replaced),
		GROUND_TEST(
		    a_log_file_that_cannot_be_opened_is_a_mistake_of_the_settings),
		GROUND_TEST(a_directory_that_is_none_is_said),
		GROUND_TEST(a_directory_that_others_may_write_to_is_not_taken),
		GROUND_TEST(who_waits_hears_why_there_is_no_bus),
		GROUND_TEST(claiming_forgets_gauges_and_keeps_what_was_counted),
		GROUND_TEST(
		    its_sockets_are_for_this_user_and_go_with_the_other_files),
		GROUND_TEST(without_memory_there_is_no_bus_and_no_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

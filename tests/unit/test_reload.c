/*
 * test_reload.c - a new configuration, applied as a whole or not at all.
 *
 * The words of the start are what a reload reads again, so a test changes them.
 * The workers are fakes (fake_worker.h); the one of slot BAD_SLOT, if that is
 * set in the environment, exits at once.
 */
#include "fake_worker.h"
#include "primary_rig.h"

#include "base/net.h"
#include "torture.h"

static const char *const flags[] = { "-n", "3", "--drain-window", "0",
	"--kill-timeout", "100ms", NULL };
static const char *const attach_only[] = { "-n", "2", NULL };

static struct rig rig;
static char said[4096];

/* As rig_on_info(), but what was said is kept. */
static void
on_info(struct waiter *waiter, const char *text)
{
	size_t len = strlen(said);

	(void)waiter;
	(void)snprintf(said + len, sizeof(said) - len, "%s\n", text);
}

static int
come_up(void **state, bool spawn, const char *const *words)
{
	said[0] = '\0';
	assert_int_equal(unsetenv("BAD_SLOT"), 0);
	rig_up(&rig, spawn, words);
	rig.waiter.info = on_info;
	*state = &rig;
	return 0;
}

static int
set_up(void **state)
{
	return come_up(state, true, flags);
}

static int
set_up_attach_only(void **state)
{
	return come_up(state, false, attach_only);
}

/* One more word at the end; it counts more than those before it. */
static void
add_word(const char *word)
{
	rig.argv[rig.argc++] = strdup(word);
	rig.jobs.argc = rig.argc;
}

static void
take_word_back(void)
{
	free(rig.argv[--rig.argc]);
	rig.jobs.argc = rig.argc;
}

static void
write_config(char *path, size_t size, const char *text)
{
	FILE *file;

	(void)snprintf(path, size, "%s/conf", rig.dir);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* ---- nothing changes --------------------------------------------------- */

static void
each_mistake_is_said_and_nothing_changes(void **state)
{
	char path[96], word[128];
	pid_t pid = rig_pid(&rig, 0);

	(void)state;
	write_config(path, sizeof(path),
	    "max-message 2m\nmax-clients many\nno-such-option 1\n");
	(void)snprintf(word, sizeof(word), "--config=%s", path);
	add_word(word);
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 2);
	assert_string_equal(rig.text,
	    "configuration has 2 mistakes; the old one stays");
	assert_non_null(strstr(said, "conf:2: "));
	assert_non_null(strstr(said, "conf:3: "));
	assert_null(strstr(said, "conf:1: "));
	/* The line that is right is not applied either. */
	assert_int_equal(rig.supervisor->now->config->max_message, 1 << 20);
	assert_null(rig.supervisor->next);
	assert_int_equal(rig.page->config_generation, 0);
	assert_int_equal(rig.page->hub.reloads, 0);
	assert_int_equal(rig.page->hub.reloads_failed, 1);
	assert_int_equal(rig_pid(&rig, 0), pid);
	/* Corrected, it works. */
	write_config(path, sizeof(path), "max-message 2m\n");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_int_equal(rig.supervisor->now->config->max_message, 2 << 20);
	assert_int_equal(unlink(path), 0);
}

static void
a_new_address_that_is_taken_refuses_the_whole(void **state)
{
	struct net_address address;
	char text[NET_ADDRESS_MAX], word[192];
	int fd;

	(void)state;
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	fd = net_listen(&address, 1);
	assert_true(fd >= 0);
	assert_int_equal(net_local(fd, &address), 0);
	net_format(&address, text, sizeof(text));
	(void)snprintf(word, sizeof(word), "--listen=%s", text);
	add_word("--max-message=2m");
	add_word(word);
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 1);
	assert_non_null(strstr(rig.text, text));
	assert_non_null(strstr(rig.text, "the old configuration stays"));
	assert_int_equal(rig.supervisor->now->listeners.count, 1);
	assert_int_equal(rig.supervisor->now->config->max_message, 1 << 20);
	assert_null(rig.supervisor->next);
	assert_int_equal(rig.page->page_generation[0], 1);
	(void)close(fd);
	/* It is free now. */
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_int_equal(rig.supervisor->now->listeners.count, 2);
	for (unsigned i = 0; i < 3; i++)
		assert_int_not_equal(rig.supervisor->now->listeners.items[1]
					 ->fds[i],
		    -1);
}

static void
what_only_a_restart_can_change_is_named_and_kept(void **state)
{
	(void)state;
	add_word("--name=other");
	add_word("--max-message=2m");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_non_null(strstr(rig.text, "changed in place: max-message"));
	assert_non_null(strstr(rig.text, "needs a restart of the bus: name"));
	assert_string_equal(rig.supervisor->now->config->name, "default");
	assert_int_equal(rig.supervisor->now->config->max_message, 2 << 20);
}

/* ---- new workers ------------------------------------------------------- */

static void
a_worker_that_fails_takes_those_before_it_back(void **state)
{
	pid_t pids[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		pids[i] = rig_pid(&rig, i);
	assert_int_equal(setenv("BAD_SLOT", "1", 1), 0);
	add_word("--max-clients=77");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 1);
	assert_non_null(strstr(rig.text, "the new worker of slot 1 failed"));
	assert_non_null(strstr(said, "slot 0 has a new worker\n"));
	assert_non_null(strstr(said, "going back\n"));
	/* There and back: two new ones in slot 0; the others stayed. */
	assert_int_equal(rig.page->page_generation[0], 3);
	assert_int_not_equal(rig_pid(&rig, 0), pids[0]);
	assert_int_equal(rig_pid(&rig, 1), pids[1]);
	assert_int_equal(rig_pid(&rig, 2), pids[2]);
	assert_int_equal(rig.page->page_generation[2], 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(rig.supervisor->slots[i].fresh);
		assert_false(rig.supervisor->slots[i].current->fresh);
	}
	assert_null(rig.supervisor->next);
	assert_int_not_equal(rig.supervisor->now->config->max_clients, 77);
	assert_int_equal(rig.page->config_generation, 0);
	assert_int_equal(rig.page->hub.reloads_failed, 1);
}

static void
a_reload_during_a_roll_is_remembered_once(void **state)
{
	(void)state;
	add_word("--max-clients=77");
	rig.code = -1;
	assert_int_equal(jobs_add(&rig.jobs, JOB_RELOAD, 0, &rig.waiter), 0);
	rig_until(&rig,
	    rig.jobs.running != NULL && rig.jobs.phase == JOB_ROLLING);
	for (int i = 0; i < 5; i++)
		assert_int_equal(jobs_add(&rig.jobs, JOB_RELOAD, 0, NULL), 0);
	assert_int_equal(rig.jobs.count, 2);
	/* What was written meanwhile is what the second one reads. */
	add_word("--max-message=2m");
	rig_until(&rig, rig.code != -1);
	assert_int_equal(rig.code, 0);
	assert_int_equal(rig.supervisor->now->config->max_message, 1 << 20);
	rig_until(&rig, rig.jobs.count == 0);
	assert_int_equal(rig.page->config_generation, 2);
	assert_int_equal(rig.supervisor->now->config->max_message, 2 << 20);
	assert_int_equal(rig.supervisor->now->config->max_clients, 77);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig.page->page_generation[i], 2);
}

/* ---- in place ---------------------------------------------------------- */

static void
a_worker_that_does_not_answer_is_said(void **state)
{
	pid_t pid = rig_pid(&rig, 1);

	(void)state;
	rig.supervisor->now->config->start_timeout = 100;
	add_word("--start-timeout=100ms");
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 1);
	assert_non_null(strstr(rig.text, "but 1 workers did not answer"));
	assert_int_equal(kill(pid, SIGCONT), 0);
	/* It is in force all the same; the worker reads it when it moves. */
	assert_int_equal(rig.page->config_generation, 1);
	assert_int_equal(rig_pid(&rig, 1), pid);
}

static void
another_number_of_workers_is_a_scale_at_the_end(void **state)
{
	(void)state;
	add_word("--workers=4");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_non_null(strstr(rig.text, "changed in place: workers; "));
	assert_non_null(strstr(rig.text, "4 workers, there were 3"));
	assert_int_equal(rig_running(&rig), 4);
	/* A reload that does not speak of it leaves a scale alone. */
	assert_int_equal(rig_job(&rig, JOB_SCALE, 3), 0);
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_int_equal(rig_running(&rig), 3);
}

/* ---- memory ------------------------------------------------------------ */

static bool
reloads_with(long allocations)
{
	uint64_t generation = rig.page->config_generation;

	said[0] = '\0';
	rig.code = -1;
	assert_int_equal(jobs_add(&rig.jobs, JOB_RELOAD, 0, &rig.waiter), 0);
	torture_fail_after(allocations);
	jobs_check(&rig.jobs);
	torture_off();
	rig_until(&rig, rig.code != -1);
	assert_null(rig.supervisor->next);
	if (rig.code == 0)
		return true;
	assert_int_equal(rig.page->config_generation, generation);
	assert_int_equal(rig.supervisor->now->config->max_message, 1 << 20);
	assert_non_null(strstr(rig.text, "stays"));
	/* The reader of the configuration lists it as one of its mistakes. */
	assert_true(strstr(rig.text, "out of memory") != NULL ||
	    strstr(said, "out of memory") != NULL);
	return false;
}

static void
without_memory_the_old_configuration_stays(void **state)
{
	long allocations = 0;

	(void)state;
	add_word("--max-message=2m");
	while (!reloads_with(allocations)) {
		allocations++;
		assert_int_equal(rig.page->hub.reloads_failed, allocations);
		assert_true(allocations < 10000);
	}
	assert_true(allocations > 10);
	assert_int_equal(rig.supervisor->now->config->max_message, 2 << 20);
	assert_int_equal(rig.page->config_generation, 1);
	take_word_back();
}

#define RELOAD_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RELOAD_TEST(each_mistake_is_said_and_nothing_changes),
		RELOAD_TEST(a_new_address_that_is_taken_refuses_the_whole),
		RELOAD_TEST(what_only_a_restart_can_change_is_named_and_kept),
		RELOAD_TEST(a_worker_that_fails_takes_those_before_it_back),
		RELOAD_TEST(a_reload_during_a_roll_is_remembered_once),
		RELOAD_TEST(a_worker_that_does_not_answer_is_said),
		RELOAD_TEST(another_number_of_workers_is_a_scale_at_the_end),
		cmocka_unit_test_setup_teardown(
		    without_memory_the_old_configuration_stays,
		    set_up_attach_only, rig_tear_down),
	};
	const char *bad = getenv("BAD_SLOT");

	if (argc > 3 && strcmp(argv[1], "worker") == 0) {
		/* worker --slot N ... */
		if (bad != NULL && strcmp(argv[3], bad) == 0)
			return 1;
		return fake_worker();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

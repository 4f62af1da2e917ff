/* test_config_load.c - flags, environment and file together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "torture.h"

static char file[] = "/tmp/clusterbus-test-cf-XXXXXX";
static struct config_errors errors;
static int rest;

static int
make_file(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	return fd == -1 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static int
no_mistakes_yet(void **state)
{
	(void)state;
	config_errors_release(&errors);
	return 0;
}

static void
write_file(const char *text)
{
	FILE *out = fopen(file, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* A command line of words, split at blanks; they stay as they are used. */
struct words {
	char text[512];
	char *argv[32];
	int argc;
};

static void
split(struct words *words, const char *text)
{
	char *more;

	words->argc = 0;
	(void)snprintf(words->text, sizeof(words->text), "%s", text);
	for (char *word = strtok_r(words->text, " ", &more); word != NULL;
	     word = strtok_r(NULL, " ", &more))
		words->argv[words->argc++] = word;
	words->argv[words->argc] = NULL;
}

static struct config *
load_words(struct words *words, char **environ_)
{
	return config_load(words->argc, words->argv, environ_, &rest, &errors);
}

static struct config *
load(const char *text, char **environ_)
{
	struct words words;
	struct config *config;

	split(&words, text);
	config = load_words(&words, environ_);
	assert_true(config != NULL || errors.text != NULL);
	return config;
}

static void
assert_mistakes(const char *text, char **environ_, const char *expected)
{
	assert_null(load(text, environ_));
	assert_string_equal(errors.text, expected);
	config_errors_release(&errors);
}

static void
flags_win_over_environment_and_environment_over_the_file(void **state)
{
	char line[128];
	char workers[] = "CLUSTERBUS_WORKERS=20";
	char rate[] = "CLUSTERBUS_MAX_RATE=21";
	char *variables[] = { workers, rate, NULL };
	struct config *config;

	(void)state;
	write_file("workers 10\nmax-rate 11\nmax-topic 12\n");
	(void)snprintf(line, sizeof(line), "--config %s -n 30", file);
	config = load(line, variables);
	assert_non_null(config);
	assert_int_equal(config->workers, 30);
	assert_int_equal(config->max_rate, 21);
	assert_int_equal(config->max_topic, 12);
	assert_int_equal(config->max_programs, 256);
	assert_string_equal(config_path(config), file);
	assert_int_equal(rest, 0);
	config_free(config);
}

static void
a_list_replaces_the_one_of_a_weaker_source(void **state)
{
	char line[128];
	char listen[] = "CLUSTERBUS_LISTEN=127.0.0.1:3,127.0.0.1:4";
	char *variables[] = { listen, NULL };
	struct config *config;

	(void)state;
	write_file("listen 127.0.0.1:1\nlisten 127.0.0.1:2\n");
	(void)snprintf(line, sizeof(line), "--config=%s", file);
	config = load(line, NULL);
	assert_non_null(config);
	assert_int_equal(config->listen.count, 2);
	assert_string_equal(config->listen.items[0], "127.0.0.1:1");
	config_free(config);
	config = load(line, variables);
	assert_non_null(config);
	assert_int_equal(config->listen.count, 2);
	assert_string_equal(config->listen.items[1], "127.0.0.1:4");
	config_free(config);
	(void)snprintf(line, sizeof(line),
	    "--listen 127.0.0.1:5 --config %s --listen=[::1]:6", file);
	config = load(line, variables);
	assert_non_null(config);
	assert_int_equal(config->listen.count, 2);
	assert_string_equal(config->listen.items[0], "127.0.0.1:5");
	assert_string_equal(config->listen.items[1], "[::1]:6");
	config_free(config);
}

static void
the_file_may_be_named_by_the_environment(void **state)
{
	char variable[128];
	char *variables[] = { variable, NULL };
	struct config *config;

	(void)state;
	write_file("workers 10\n");
	(void)snprintf(variable, sizeof(variable), "CLUSTERBUS_CONFIG=%s",
	    file);
	config = load("", variables);
	assert_non_null(config);
	assert_int_equal(config->workers, 10);
	config_free(config);
}

static void
variables_of_others_are_no_business_of_ours(void **state)
{
	char a[] = "CLUSTERBUS_PORT=tcp://10.0.0.1:80";
	char b[] = "CLUSTERBUS_WORKERSX=5";
	char c[] = "XCLUSTERBUS_WORKERS=5";
	char *variables[] = { a, b, c, NULL };
	struct config *config = load("", variables);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->workers, 0);
	config_free(config);
}

static void
flags_may_be_written_in_every_usual_way(void **state)
{
	struct config *config = load(
	    "-n8 --insecure --daemon=false --log-level=debug --max-topic 9",
	    NULL);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->workers, 8);
	assert_true(config->insecure);
	assert_false(config->daemon);
	assert_int_equal(config->log_level, 3);
	assert_int_equal(config->max_topic, 9);
	config_free(config);
	config = load("--insecure --no-insecure -n 1 --workers 2", NULL);
	assert_non_null(config);
	assert_false(config->insecure);
	assert_int_equal(config->workers, 2);
	config_free(config);
}

static void
what_is_no_flag_of_ours_is_left_in_front_in_its_order(void **state)
{
	struct config *config;
	struct words words;

	(void)state;
	split(&words, "chat -n 4 --json --name x data -- --workers 9 y");
	config = load_words(&words, NULL);
	assert_non_null(config);
	assert_int_equal(config->workers, 4);
	assert_int_equal(rest, 7);
	assert_string_equal(words.argv[0], "chat");
	assert_string_equal(words.argv[1], "--json");
	assert_string_equal(words.argv[2], "data");
	assert_string_equal(words.argv[3], "--");
	assert_string_equal(words.argv[4], "--workers");
	assert_string_equal(words.argv[6], "y");
	config_free(config);
}

static void
a_word_is_not_read_beyond_its_end(void **state)
{
	char *word = calloc(1, 1);
	struct config *config;

	(void)state;
	config = config_load(1, &word, NULL, &rest, &errors);
	assert_non_null(config);
	assert_int_equal(rest, 1);
	config_free(config);
	free(word);
}

static void
the_same_words_can_be_read_again(void **state)
{
	struct config *config;
	struct words words;

	(void)state;
	split(&words, "a -n 4 b --name x --listen 127.0.0.1:9 c");
	for (int i = 0; i < 3; i++) {
		config = load_words(&words, NULL);
		assert_non_null(config);
		assert_int_equal(config->workers, 4);
		assert_string_equal(config->name, "x");
		assert_string_equal(config->listen.items[0], "127.0.0.1:9");
		assert_int_equal(rest, 3);
		assert_string_equal(words.argv[2], "c");
		config_free(config);
	}
}

static void
a_mistake_says_where_it_was_made(void **state)
{
	char rate[] = "CLUSTERBUS_MAX_RATE=x";
	char listen[] = "CLUSTERBUS_LISTEN=";
	char *variables[] = { rate, NULL };
	char line[128], expected[512];

	(void)state;
	write_file("\nworkers x\n");
	(void)snprintf(line, sizeof(line),
	    "--config %s --max-topic 0 --drain-window --tls-key k --daemon=x",
	    file);
	(void)snprintf(expected, sizeof(expected),
	    "%s:2: workers: 'x': must be a number\n"
	    "CLUSTERBUS_MAX_RATE: 'x': must be a number\n"
	    "--max-topic: '0': must be 1 to 480\n"
	    "--drain-window: a value is missing\n"
	    "--daemon: 'x': must be true or false\n"
	    "--tls-key: needs tls-cert as well\n",
	    file);
	assert_mistakes(line, variables, expected);
	assert_mistakes("-n", NULL, "-n: a value is missing\n");
	assert_mistakes("--config", NULL, "--config: a value is missing\n");
	variables[0] = listen;
	assert_mistakes("", variables,
	    "CLUSTERBUS_LISTEN: '': must not be empty\n");
}

static void
a_file_that_cannot_be_read_is_a_mistake(void **state)
{
	char path[64], line[128], expected[256];

	(void)state;
	assert_mistakes("--config /nonexistent/x", NULL,
	    "/nonexistent/x: No such file or directory\n");
	assert_mistakes("--config /", NULL, "/: Is a directory\n");
	assert_mistakes("--config /dev/null", NULL,
	    "/dev/null: not a regular file\n");
	/* A pipe that nobody writes to must not be waited for. */
	(void)snprintf(path, sizeof(path), "%s.pipe", file);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(line, sizeof(line), "--config %s", path);
	(void)snprintf(expected, sizeof(expected), "%s: not a regular file\n",
	    path);
	assert_mistakes(line, NULL, expected);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(truncate(file, (1 << 20) + 1), 0);
	(void)snprintf(line, sizeof(line), "--config %s", file);
	(void)snprintf(expected, sizeof(expected), "%s: File too large\n",
	    file);
	assert_mistakes(line, NULL, expected);
}

static void
a_bus_is_found_even_when_its_file_has_been_broken(void **state)
{
	char rate[] = "CLUSTERBUS_MAX_RATE=x";
	char *variables[] = { rate, NULL };
	struct config *config;
	struct words words;
	char line[128];

	(void)state;
	write_file("name shop\nworkers x\ntls-cert y\n");
	(void)snprintf(line, sizeof(line), "--config %s --json", file);
	split(&words, line);
	config = config_load_place(words.argc, words.argv, variables, &rest,
	    &errors);
	assert_non_null(config);
	assert_int_equal(errors.count, 0);
	assert_string_equal(config->name, "shop");
	assert_int_equal(rest, 1);
	config_free(config);
	split(&words, "--name a/b");
	assert_null(config_load_place(words.argc, words.argv, variables, &rest,
	    &errors));
	assert_int_equal(errors.count, 1);
}

static int
load_all_sources(void)
{
	char listen[] = "CLUSTERBUS_LISTEN=127.0.0.1:3,127.0.0.1:4";
	char *variables[] = { listen, NULL };
	struct config *config;
	char line[128];
	size_t len;
	char *text;
	int rc;

	(void)snprintf(line, sizeof(line), "--config %s --name x", file);
	config = load(line, variables);
	if (config == NULL) {
		assert_true(errors.count > 0);
		config_errors_release(&errors);
		return -1;
	}
	text = config_text(config, &len);
	rc = text == NULL ? -1 : 0;
	free(text);
	config_free(config);
	return rc;
}

static void
no_memory_is_reported_from_every_source(void **state)
{
	(void)state;
	write_file("listen 127.0.0.1:1\nrun-dir /tmp/x\n");
	torture_malloc(load_all_sources);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, no_mistakes_yet)
	const struct CMUnitTest tests[] = {
		TEST(flags_win_over_environment_and_environment_over_the_file),
		TEST(a_list_replaces_the_one_of_a_weaker_source),
		TEST(the_file_may_be_named_by_the_environment),
		TEST(variables_of_others_are_no_business_of_ours),
		TEST(flags_may_be_written_in_every_usual_way),
		TEST(what_is_no_flag_of_ours_is_left_in_front_in_its_order),
		TEST(a_word_is_not_read_beyond_its_end),
		TEST(the_same_words_can_be_read_again),
		TEST(a_mistake_says_where_it_was_made),
		TEST(a_file_that_cannot_be_read_is_a_mistake),
		TEST(a_bus_is_found_even_when_its_file_has_been_broken),
		TEST(no_memory_is_reported_from_every_source),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make_file, remove_file);
}

/* test_cli.c - words, commands that are none, and what help says. */
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

#include "capture.h"
#include "cli/cli.h"
#include "config/config.h"

static void
the_distance_of_words_is_letters_to_change(void **state)
{
	(void)state;
	assert_int_equal(cli_distance("", ""), 0);
	assert_int_equal(cli_distance("start", "start"), 0);
	assert_int_equal(cli_distance("strat", "start"), 2);
	assert_int_equal(cli_distance("stop", "stopp"), 1);
	assert_int_equal(cli_distance("", "abc"), 3);
	assert_int_equal(cli_distance("abc", ""), 3);
	assert_int_equal(cli_distance("kitten", "sitting"), 3);
}

static void
very_long_words_are_measured_as_far_as_they_matter(void **state)
{
	char a[500], b[500];

	(void)state;
	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'b', sizeof(b) - 1);
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	assert_true(cli_distance(a, b) > 3);
	assert_true(cli_distance(a, "a") > 3);
	assert_true(cli_distance("a", b) > 3);
}

static void
a_flag_is_taken_wherever_it_stands_but_not_behind_two_dashes(void **state)
{
	char json[] = "--json", a[] = "a", b[] = "b", end[] = "--";
	char *words[] = { a, json, b, json, end, json };
	int count = 6;

	(void)state;
	assert_true(cli_take_flag(&count, words, "--json"));
	assert_int_equal(count, 4);
	assert_string_equal(words[0], "a");
	assert_string_equal(words[1], "b");
	assert_string_equal(words[2], "--");
	assert_string_equal(words[3], "--json");
	assert_false(cli_take_flag(&count, words, "--json"));
	assert_int_equal(count, 4);
}

/* The complaint about these words holds this text. */
static void
assert_complaint(int count, char **words, const char *text)
{
	int rc;

	capture_begin();
	rc = cli_no_words("stop", count, words);
	capture_end();
	assert_int_equal(rc, CLI_USAGE);
	assert_string_equal(capture_out(), "");
	assert_non_null(strstr(capture_err(), text));
}

static void
words_that_are_left_over_are_complained_about(void **state)
{
	char wrong[] = "--lissten=x", odd[] = "--zzzzzzz", s[] = "-x";
	char extra[] = "extra", end[] = "--", evil[] = "a\x1b[31mb";
	char *words[] = { wrong, NULL };

	(void)state;
	assert_int_equal(cli_no_words("stop", 0, words), CLI_OK);
	assert_complaint(1, words, "the nearest is '--listen'");
	words[0] = odd;
	assert_complaint(1, words, "there is no flag '--zzzzzzz'");
	words[0] = s;
	assert_complaint(1, words, "there is no flag '-x'");
	words[0] = extra;
	assert_complaint(1, words, "'extra' is one word too many");
	words[0] = evil;
	assert_complaint(1, words, "'a?[31mb'");
	words[0] = end;
	assert_int_equal(cli_no_words("stop", 1, words), CLI_OK);
	words[1] = extra;
	assert_complaint(2, words, "'extra' is one word too many");
}

static const char *
complaint_about(const char *name)
{
	int rc;

	capture_begin();
	rc = cli_unknown(name);
	capture_end();
	assert_int_equal(rc, CLI_USAGE);
	assert_string_equal(capture_out(), "");
	return capture_err();
}

static void
an_unknown_command_names_the_nearest(void **state)
{
	(void)state;
	assert_non_null(strstr(complaint_about("strat"), "'start'"));
	assert_non_null(strstr(complaint_about("stat"), "'status'"));
	assert_non_null(strstr(complaint_about("relaod"), "'reload'"));
	assert_non_null(strstr(complaint_about("qqqqq"), "busctl help"));
	assert_non_null(strstr(complaint_about(""), "no command ''"));
}

static void
a_command_of_the_other_busctl_says_where_that_is(void **state)
{
	static const char *const names[] = { "list", "tree", "introspect",
		"call", "monitor", "capture", "get-property", "set-property",
		"--user" };
	char dir[] = "/tmp/clusterbus-test-cli-XXXXXX", path[64];
	FILE *out;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/busctl", dir);
	assert_int_equal(setenv("PATH", dir, 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(
		    strstr(complaint_about(names[i]), "no other busctl"));
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(complaint_about("list"), "no other busctl"));
	assert_int_equal(chmod(path, 0755), 0);
	assert_non_null(strstr(complaint_about("list"), path));
	assert_int_equal(unlink(path), 0);
	/* Ourselves under this name is not the other one. */
	assert_int_equal(symlink("/proc/self/exe", path), 0);
	assert_non_null(strstr(complaint_about("list"), "no other busctl"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* What help prints for these words. */
static const char *
help(const char *a, const char *b)
{
	char words[3][32] = { "help", "", "" };
	char *argv[] = { words[0], words[1], words[2], NULL };
	int rc;

	(void)snprintf(words[1], sizeof(words[1]), "%s", a);
	(void)snprintf(words[2], sizeof(words[2]), "%s", b);
	capture_begin();
	rc = cli_help(*a == '\0' ? 1 : *b == '\0' ? 2 : 3, argv);
	capture_end();
	assert_int_equal(rc, CLI_OK);
	assert_string_equal(capture_err(), "");
	return capture_out();
}

static void
help_names_every_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < cli_command_count; i++) {
		assert_non_null(strstr(help("", ""), cli_commands[i].name));
		assert_non_null(strstr(help("--markdown", "commands"),
		    cli_commands[i].name));
		assert_non_null(
		    strstr(help("--man", ""), cli_commands[i].name));
		assert_ptr_equal(cli_find(cli_commands[i].name),
		    &cli_commands[i]);
		if (cli_commands[i].own_help)
			continue;
		assert_non_null(strstr(help(cli_commands[i].name, ""),
		    cli_commands[i].summary));
	}
	assert_null(cli_find("nonsense"));
}

static void
help_explains_every_option(void **state)
{
	char flag[64];

	(void)state;
	for (size_t i = 0; i < config_option_count; i++) {
		(void)snprintf(flag, sizeof(flag), "--%s",
		    config_options[i].name);
		assert_non_null(strstr(help("start", ""), flag));
		assert_non_null(strstr(help("options", ""), flag));
		assert_non_null(strstr(help("--markdown", ""), flag));
		assert_non_null(
		    strstr(help("options", ""), config_options[i].help));
	}
}

static void
every_row_of_a_table_has_as_many_cells(void **state)
{
	const char *text = help("--markdown", "options");

	(void)state;
	while (*text != '\0') {
		int cells = 0;
		char before = '\n';

		for (; *text != '\n'; before = *text++)
			cells += *text == '|' && before != '\\';
		assert_int_equal(cells, 5);
		text++;
	}
}

static void
the_completion_is_a_script_that_bash_can_read(void **state)
{
	char name[] = "completion", shell[] = "bash";
	char *argv[] = { name, shell, NULL };
	FILE *bash;
	int rc;

	(void)state;
	capture_begin();
	rc = cli_completion(2, argv);
	capture_end();
	assert_int_equal(rc, CLI_OK);
	assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
	bash = popen("bash -n", "we");
	assert_non_null(bash);
	assert_true(fputs(capture_out(), bash) >= 0);
	assert_int_equal(pclose(bash), 0);
	assert_non_null(strstr(capture_out(), "--outbox-policy"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_distance_of_words_is_letters_to_change),
		cmocka_unit_test(
		    very_long_words_are_measured_as_far_as_they_matter),
		cmocka_unit_test(
		    a_flag_is_taken_wherever_it_stands_but_not_behind_two_dashes),
		cmocka_unit_test(words_that_are_left_over_are_complained_about),
		cmocka_unit_test(an_unknown_command_names_the_nearest),
		cmocka_unit_test(
		    a_command_of_the_other_busctl_says_where_that_is),
		cmocka_unit_test(help_names_every_command),
		cmocka_unit_test(help_explains_every_option),
		cmocka_unit_test(every_row_of_a_table_has_as_many_cells),
		cmocka_unit_test(the_completion_is_a_script_that_bash_can_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

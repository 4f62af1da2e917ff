/* test_config_contract.c - the files that a configuration names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/contract_text.h"
#include "contract/contract.h"
#include "torture.h"

static char path[] = "/tmp/clusterbus-test-contract-XXXXXX";
static struct config_errors errors;

static int
make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd == -1 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int
no_mistakes(void **state)
{
	(void)state;
	config_errors_release(&errors);
	return 0;
}

static void
write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static struct config *
config_with(const char *option, const char *value)
{
	struct config *config;
	char text[256];

	(void)snprintf(text, sizeof(text), "%s %s\n", option, value);
	config = config_parse("f", text, strlen(text), &errors);
	assert_non_null(config);
	return config;
}

static void
no_contract_is_an_empty_text(void **state)
{
	struct config *config = config_parse("f", "", 0, &errors);
	char *text = path;
	size_t len = 77;

	(void)state;
	assert_int_equal(config_contract_text(config, &errors, &text, &len), 0);
	assert_null(text);
	assert_int_equal(len, 0);
	config_free(config);
}

static void
the_text_is_that_of_the_file(void **state)
{
	static const char contract[] = "{\"shared\":{}}\n";
	struct config *config = config_with("contract", path);
	char *text;
	size_t len;

	(void)state;
	write_file(contract, sizeof(contract) - 1);
	assert_int_equal(config_contract_text(config, &errors, &text, &len), 0);
	assert_int_equal(len, sizeof(contract) - 1);
	assert_memory_equal(text, contract, len);
	assert_int_equal(errors.count, 0);
	free(text);
	config_free(config);
}

static void
each_mistake_in_it_is_a_mistake_with_its_line(void **state)
{
	static const char contract[] =
	    "{\"shard\":{},\n\"roles\":{\"a/b\":{}}}";
	struct config *config = config_with("contract", path);
	char wanted[128];

	(void)state;
	write_file(contract, sizeof(contract) - 1);
	assert_int_equal(config_contract_check(config, &errors), -EINVAL);
	assert_int_equal(errors.count, 2);
	(void)snprintf(wanted, sizeof(wanted), "%s:1: /shard: ", path);
	assert_non_null(strstr(errors.text, wanted));
	(void)snprintf(wanted, sizeof(wanted), "%s:2: /roles/a~1b: ", path);
	assert_non_null(strstr(errors.text, wanted));
	config_free(config);
}

static void
mistakes_that_found_no_room_are_counted(void **state)
{
	struct config *config = config_with("contract", path);
	size_t size = 100000, at;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	at = (size_t)snprintf(text, size, "{\"shared\":{\"serverToClient\":{");
	for (int i = 0; i < 3000; i++)
		at += (size_t)snprintf(text + at, size - at,
		    "%s\"t%d\":{\"x\":1}", i == 0 ? "" : ",", i);
	at += (size_t)snprintf(text + at, size - at, "}}}");
	write_file(text, at);
	free(text);
	assert_int_equal(config_contract_check(config, &errors), -EINVAL);
	assert_int_equal(errors.count, 3000);
	config_free(config);
}

static void
a_file_that_cannot_be_read_is_a_mistake(void **state)
{
	struct config *config = config_with("contract", "/nowhere/c.json");

	(void)state;
	assert_int_equal(config_contract_check(config, &errors), -EINVAL);
	assert_string_equal(errors.text,
	    "/nowhere/c.json: No such file or directory\n");
	config_free(config);
	config = config_with("contract", "/tmp");
	assert_int_equal(config_contract_check(config, &errors), -EINVAL);
	assert_int_equal(errors.count, 2);
	config_free(config);
}

static void
a_file_that_is_too_long_is_a_mistake(void **state)
{
	static char text[CONTRACT_FILE_MAX + 2];
	struct config *config = config_with("contract", path);

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"shared\":{}}", 13);
	write_file(text, sizeof(text));
	assert_int_equal(config_contract_check(config, &errors), -EINVAL);
	assert_non_null(strstr(errors.text, "at most 1048576 bytes"));
	write_file(text, CONTRACT_FILE_MAX);
	assert_int_equal(config_contract_check(config, &errors), 0);
	config_free(config);
}

static struct config *used;

static int
check_once(void)
{
	int rc = config_contract_check(used, &errors);

	if (rc != 0)
		assert_true(errors.count > 0);
	config_errors_release(&errors);
	return rc;
}

static void
without_memory_it_is_a_mistake_and_no_leak(void **state)
{
	static const char contract[] =
	    "{\"shared\":{\"serverToClient\":{\"a\":{\"payload\":true}}}}";

	(void)state;
	write_file(contract, sizeof(contract) - 1);
	used = config_with("contract", path);
	torture_malloc(check_once);
	config_free(used);
}

/* ---- worker-program ---------------------------------------------------- */

static struct config *
load_with_program(const char *program)
{
	char flag[] = "--worker-program", value[128];
	char *argv[] = { flag, value, NULL };
	int rest;

	(void)snprintf(value, sizeof(value), "%s", program);
	return config_load(2, argv, NULL, &rest, &errors);
}

static void
a_worker_program_must_be_one(void **state)
{
	static const char *const bad[] = { "/nowhere/program", "/tmp", path };
	struct config *config;

	(void)state;
	assert_int_equal(chmod(path, 0600), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(load_with_program(bad[i]));
		assert_int_equal(errors.count, 1);
		assert_non_null(strstr(errors.text, "--worker-program: '"));
		assert_non_null(strstr(errors.text, bad[i]));
		config_errors_release(&errors);
	}
	config = load_with_program("/bin/sh");
	assert_non_null(config);
	assert_string_equal(config->worker_program, "/bin/sh");
	config_free(config);
	/* Who is only told of it does not look. */
	config_free(config_with("worker-program", "/nowhere/program"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, no_mistakes)
	const struct CMUnitTest tests[] = {
		TEST(no_contract_is_an_empty_text),
		TEST(the_text_is_that_of_the_file),
		TEST(each_mistake_in_it_is_a_mistake_with_its_line),
		TEST(mistakes_that_found_no_room_are_counted),
		TEST(a_file_that_cannot_be_read_is_a_mistake),
		TEST(a_file_that_is_too_long_is_a_mistake),
		TEST(without_memory_it_is_a_mistake_and_no_leak),
		TEST(a_worker_program_must_be_one),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make_file, remove_file);
}

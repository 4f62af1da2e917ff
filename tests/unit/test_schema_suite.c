/*
 * test_schema_suite.c - the official JSON-Schema-Test-Suite, draft 2020-12.
 *
 * All required tests of the draft.  A schema that is refused is listed with the
 * reason; a schema that is taken must give the right answer every time.  The
 * suite is what $JSON_SCHEMA_TEST_SUITE names, or Debian's
 * libtest-json-schema-acceptance-perl; without either the test is skipped.
 */
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "contract/schema.h"
#include "value_print.h"

#define INSTALLED "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance"

enum {
	SKIPPED = 77,
	FILE_MAX = 4 * 1024 * 1024,
	REFUSED_PERCENT_MAX = 15
};

struct score {
	unsigned passed;
	unsigned refused;
	unsigned failed;
};

static char *
read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rbe");
	char *text = malloc(FILE_MAX);

	if (file == NULL || text == NULL) {
		perror(path);
		exit(1);
	}
	*ret_len = fread(text, 1, FILE_MAX, file);
	(void)fclose(file); /* was only read */
	return text;
}

static const struct value *
member(const struct value *object, const char *name)
{
	const struct value *found = value_get(object, name, strlen(name));

	if (found == NULL) {
		printf("not ok - no \"%s\" where one must be\n", name);
		exit(1);
	}
	return found;
}

/* The value as JSON; good until the next call. */
static const struct buf *
json_of(const struct value *value)
{
	static struct buf out;

	buf_release(&out);
	buf_init(&out, FILE_MAX);
	if (value_print(value, &out) != 0)
		exit(1);
	return &out;
}

static void
run_test(const struct schema *schema, const struct value *group,
    const struct value *test, struct score *score)
{
	const struct value *title = member(group, "description");
	const struct value *what = member(test, "description");
	bool valid = member(test, "valid")->type == VALUE_TRUE;
	const struct buf *json = json_of(member(test, "data"));
	struct schema_fault fault;
	int rc;

	rc = schema_check(schema, (const char *)buf_data(json), json->len,
	    &fault);
	if ((rc == 0) == valid && (rc == 0 || fault.message[0] != '\0')) {
		score->passed++;
		return;
	}
	score->failed++;
	printf("# wrong: %.*s: %.*s: %s %s\n", (int)title->len, title->text,
	    (int)what->len, what->text, rc == 0 ? "accepted" : fault.message,
	    rc == 0 ? "" : fault.schema);
}

static void
run_group(const struct value *group, struct score *score)
{
	const struct value *title = member(group, "description");
	const struct value *test = member(group, "tests");
	const struct buf *json = json_of(member(group, "schema"));
	struct mistakes mistakes;
	struct schema *schema;

	mistakes_init(&mistakes, NULL);
	schema = schema_new((const char *)buf_data(json), json->len, &mistakes);
	if (schema == NULL) {
		score->refused += test->len;
		printf("# refused: %.*s (%u): %s", (int)title->len, title->text,
		    test->len, mistakes.text);
		mistakes_release(&mistakes);
		return;
	}
	for (test = test->first; test != NULL; test = test->next)
		run_test(schema, group, test, score);
	schema_free(schema);
}

static void
run_file(const char *path, struct score *total)
{
	struct score score = { 0 };
	struct value_fault fault;
	const struct value *group;
	struct value *root;
	struct arena arena;
	size_t len;
	char *text = read_file(path, &len);

	arena_init(&arena, NULL, 0);
	if (value_parse(&arena, text, len, &root, &fault) != 0) {
		printf("not ok - %s: %s\n", path, fault.why);
		exit(1);
	}
	for (group = root->first; group != NULL; group = group->next)
		run_group(group, &score);
	printf("%s - %s: %u right, %u refused, %u wrong\n",
	    score.failed == 0 ? "ok" : "not ok", strrchr(path, '/') + 1,
	    score.passed, score.refused, score.failed);
	total->passed += score.passed;
	total->refused += score.refused;
	total->failed += score.failed;
	arena_release(&arena);
	free(text);
}

int
main(void)
{
	const char *suite = getenv("JSON_SCHEMA_TEST_SUITE");
	struct score total = { 0 };
	struct buf *last;
	char path[4096];
	glob_t files;
	bool few;

	(void)snprintf(path, sizeof(path), "%s/tests/draft2020-12/*.json",
	    suite != NULL ? suite : INSTALLED);
	if (glob(path, 0, NULL, &files) != 0) {
		printf("# skipped: no tests at %s\n", path);
		return SKIPPED;
	}
	for (size_t i = 0; i < files.gl_pathc; i++)
		run_file(files.gl_pathv[i], &total);
	globfree(&files);
	last = (struct buf *)(uintptr_t)json_of(&(struct value){ .type = 0 });
	buf_release(last);
	few = total.refused * 100 <
	    (total.passed + total.refused) * REFUSED_PERCENT_MAX;
	printf("# %u right, %u refused, %u wrong\n", total.passed,
	    total.refused, total.failed);
	printf("%s - few schemas are refused\n", few ? "ok" : "not ok");
	return total.failed != 0 || !few;
}

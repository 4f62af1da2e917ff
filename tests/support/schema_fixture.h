/*
 * schema_fixture.h - schemas and payloads as texts, and what comes of them.
 */
#ifndef SUPPORT_SCHEMA_FIXTURE_H
#define SUPPORT_SCHEMA_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/schema.h"

/* A schema that must be right. */
static inline struct schema *
compile(const char *text)
{
	struct mistakes mistakes;
	struct schema *schema;

	mistakes_init(&mistakes, NULL);
	schema = schema_new(text, strlen(text), &mistakes);
	if (schema == NULL)
		print_error("%s", mistakes.text);
	assert_non_null(schema);
	assert_int_equal(mistakes.count, 0);
	assert_null(mistakes.text);
	return schema;
}

/* As schema_check(), with nothing behind the text. */
static inline int
check(const struct schema *schema, const char *json, struct schema_fault *fault)
{
	size_t len = strlen(json);
	char *copy = malloc(len + 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, json, len);
	rc = schema_check(schema, copy, len, fault);
	free(copy);
	return rc;
}

/* The payload must fit the schema, or must not. */
static inline void
fits(const char *schema_text, const char *json, bool wanted)
{
	struct schema *schema = compile(schema_text);
	struct schema_fault fault;
	int rc = check(schema, json, &fault);

	if ((rc == 0) != wanted)
		print_error("%s: %s: %s\n", schema_text, json, fault.message);
	assert_int_equal(rc, wanted ? 0 : -EINVAL);
	schema_free(schema);
}

/* The schema must be refused, with these words in the reason. */
static inline void
refused(const char *text, const char *wanted)
{
	struct mistakes mistakes;

	mistakes_init(&mistakes, NULL);
	assert_null(schema_new(text, strlen(text), &mistakes));
	assert_true(mistakes.count > 0);
	if (strstr(mistakes.text, wanted) == NULL)
		print_error("wanted: %s\ngot: %s", wanted, mistakes.text);
	assert_non_null(strstr(mistakes.text, wanted));
	mistakes_release(&mistakes);
}

#endif /* SUPPORT_SCHEMA_FIXTURE_H */

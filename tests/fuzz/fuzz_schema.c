/*
 * fuzz_schema.c - a schema, a line break, and payloads a line each.
 *
 * Whatever they are: a schema that is refused has a reason, and so has a
 * payload; the same payload gets the same answer twice, and the answer to
 * {"not": schema} is the other one unless it took too much.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "contract/schema.h"
#include "tests/fuzz/fuzz.h"

/* The schema {"not": text}, or NULL: its references mean something else. */
static struct schema *
negate(const char *text, size_t len)
{
	char *other = malloc(len + 8);
	struct mistakes mistakes;
	struct schema *schema;

	assert(other != NULL);
	memcpy(other, "{\"not\":", 7);
	memcpy(other + 7, text, len);
	other[7 + len] = '}';
	mistakes_init(&mistakes, NULL);
	schema = schema_new(other, len + 8, &mistakes);
	mistakes_release(&mistakes);
	free(other);
	return schema;
}

static void
check(const struct schema *schema, const struct schema * not, const char *json,
    size_t len)
{
	struct schema_fault fault, again;
	int rc = schema_check(schema, json, len, &fault), other;

	assert((rc == 0) == (fault.message[0] == '\0'));
	assert(utf8_valid(fault.message, strlen(fault.message)));
	assert(utf8_valid(fault.instance, strlen(fault.instance)));
	assert(utf8_valid(fault.schema, strlen(fault.schema)));
	assert(schema_check(schema, json, len, &again) == rc);
	assert(strcmp(fault.message, again.message) == 0);
	if (not == NULL || strncmp(fault.message, "byte ", 5) == 0)
		return;
	other = schema_check(not, json, len, &again);
	if (rc == 0 || strstr(fault.message, "too much") == NULL)
		assert((other == 0) != (rc == 0) ||
		    strstr(again.message, "too much") != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size, *next;
	struct mistakes mistakes;
	struct schema *schema, *not = NULL;
	size_t len;

	next = memchr(text, '\n', size);
	len = next != NULL ? (size_t)(next - text) : size;
	mistakes_init(&mistakes, "fuzz");
	schema = schema_new(text, len, &mistakes);
	assert((schema == NULL) == (mistakes.count != 0));
	assert((schema == NULL) == (mistakes.text != NULL));
	mistakes_release(&mistakes);
	if (schema == NULL)
		return 0;
	if (memchr(text, '$', len) == NULL)
		not = negate(text, len);
	while (next != NULL) {
		text = next + 1;
		next = memchr(text, '\n', (size_t)(end - text));
		check(schema, not, text,
		    (size_t)((next != NULL ? next : end) - text));
	}
	schema_free(schema);
	schema_free(not );
	return 0;
}

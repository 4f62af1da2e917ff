/*
 * schema_check.c - does a payload fit?  See schema.h.
 *
 * The first rule that is not obeyed ends it and becomes the fault, unless it is
 * inside of something that may fail (anyOf, not, if ...): there run->quiet is
 * not 0 and nothing is written down.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "contract/schema_internal.h"

enum {
	STACK_BYTES = 8192 /* for the tree of a small payload */
};

/* The schema that a pointer to the keyword begins at. */
static const struct value *
root_of(const struct value *keyword, const struct run *run)
{
	const struct scope *scope = run->scope;
	const struct value *at;

	for (; scope != NULL; scope = scope->outer) {
		for (at = keyword; at != NULL; at = at->parent) {
			if (at == scope->resource->schema->source)
				return at;
		}
	}
	return NULL;
}

bool
check_fault(struct run *run, const struct value *keyword,
    const struct value *value, const char *fmt, ...)
{
	struct schema_fault *fault = run->fault;
	va_list ap;

	if (run->quiet != 0 || run->aborted != 0)
		return false;
	value_pointer(value, run->root, fault->instance,
	    sizeof(fault->instance));
	value_pointer(keyword, root_of(keyword, run), fault->schema,
	    sizeof(fault->schema));
	va_start(ap, fmt);
	(void)vsnprintf(fault->message, sizeof(fault->message), fmt, ap);
	va_end(ap);
	return false;
}

bool
check_abort(struct run *run, int error)
{
	if (run->aborted == 0)
		run->aborted = error;
	return false;
}

bool
check_pay(struct run *run, uint64_t steps)
{
	if (run->aborted != 0)
		return false;
	if (steps > run->work)
		return check_abort(run, -E2BIG);
	run->work -= steps;
	return true;
}

bool
check_pattern(struct run *run, const struct pattern *pattern, const char *text,
    size_t len)
{
	int rc;

	if (!check_pay(run, 1))
		return false;
	rc = pattern_match(pattern, text, len, &run->work);
	if (rc < 0)
		return check_abort(run, rc);
	return rc == 1;
}

bool
marks_init(struct run *run, struct marks *marks, const struct value *value)
{
	size_t words = (size_t)value->len / 64 + 1;

	if (value->type != VALUE_ARRAY && value->type != VALUE_OBJECT)
		words = 1;
	if (!check_pay(run, words))
		return false;
	marks->bits = arena_zalloc(&run->arena, words * sizeof(*marks->bits));
	return marks->bits != NULL || check_abort(run, -ENOMEM);
}

void
marks_merge(struct marks *marks, const struct marks *from,
    const struct value *value)
{
	if (marks == NULL ||
	    (value->type != VALUE_ARRAY && value->type != VALUE_OBJECT))
		return;
	for (size_t i = 0; i < (size_t)value->len / 64 + 1; i++)
		marks->bits[i] |= from->bits[i];
}

static bool
check_rules(struct run *run, const struct node *node, const struct value *value,
    struct marks *marks)
{
	const struct rule *rule;
	unsigned type = TYPE_BIT(value->type);

	for (rule = node->rules; rule != NULL; rule = rule->next) {
		if ((rule->types & type) != 0 &&
		    !rule->check(run, rule, value, marks))
			return false;
	}
	return run->aborted == 0;
}

bool
check_node(struct run *run, const struct node *node, const struct value *value,
    struct marks *marks)
{
	const struct scope *outer = run->scope;
	struct scope scope = { node->resource, outer };
	struct marks own;
	bool fits;

	if (node->rules == NULL)
		return true;
	if (!check_pay(run, 1))
		return false;
	if (run->depth == CHECK_DEPTH_MAX)
		return check_abort(run, -E2BIG);
	if (outer == NULL || outer->resource != node->resource)
		run->scope = &scope;
	run->depth++;
	if (!node->unevaluated) {
		fits = check_rules(run, node, value, marks);
	} else {
		/* It sees what is in it, not what is around it. */
		fits = marks_init(run, &own, value) &&
		    check_rules(run, node, value, &own);
		if (fits)
			marks_merge(marks, &own, value);
	}
	run->depth--;
	run->scope = outer;
	return fits;
}

bool
check_try(struct run *run, const struct node *node, const struct value *value,
    struct marks *marks)
{
	struct marks own, *inner = NULL;
	bool fits;

	if (marks != NULL) {
		if (!marks_init(run, &own, value))
			return false;
		inner = &own;
	}
	run->quiet++;
	fits = check_node(run, node, value, inner);
	run->quiet--;
	if (fits && marks != NULL)
		marks_merge(marks, inner, value);
	return fits;
}

bool
check_never(struct run *run, const struct rule *rule, const struct value *value,
    struct marks *marks)
{
	(void)marks;
	return check_fault(run, rule->source, value, "this is not allowed");
}

static int
check_payload(struct run *run, const struct schema *schema, const char *json,
    size_t len)
{
	struct value_fault fault;
	struct value *root;
	int rc;

	rc = value_parse(&run->arena, json, len, &root, &fault);
	if (rc != 0) {
		(void)snprintf(run->fault->message, sizeof(run->fault->message),
		    "byte %zu: %s", fault.offset, fault.why);
		return rc;
	}
	run->root = root;
	run->work = WORK_BASE + WORK_PER_BYTE * (uint64_t)len;
	if (check_node(run, schema->root, root, NULL) && run->aborted == 0)
		return 0;
	if (run->aborted == 0)
		return -EINVAL;
	(void)snprintf(run->fault->message, sizeof(run->fault->message), "%s",
	    run->aborted == -ENOMEM ? "out of memory" :
				      "to check this would take too much work");
	return run->aborted;
}

void
schema_fault_text(const struct schema_fault *fault, const char *what,
    char *text, size_t size)
{
	(void)snprintf(text, size, "%s%s: %s (%s)", what, fault->instance,
	    fault->message, fault->schema); /* may be cut */
}

int
schema_check(const struct schema *schema, const char *json, size_t len,
    struct schema_fault *ret_fault)
{
	_Alignas(8) unsigned char stack[STACK_BYTES];
	struct run run = { .fault = ret_fault };
	int rc;

	ret_fault->instance[0] = '\0';
	ret_fault->schema[0] = '\0';
	ret_fault->message[0] = '\0';
	arena_init(&run.arena, stack, sizeof(stack));
	rc = check_payload(&run, schema, json, len);
	arena_release(&run.arena);
	return rc;
}

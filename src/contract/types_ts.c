/*
 * types_ts.c - TypeScript declarations; see types.h.
 *
 * For what is shared and for each role there is an interface, which is what
 * worker/web/bus.d.ts calls a Contract: connect<User>() gives a client whose
 * calls take only the names there are and the data that belongs to them.
 * Topics with variables stand in the order in which the contract looks names
 * up, so that of several that fit the most specific one counts.
 *
 * What is said has its types in a namespace, so that a role and a schema may
 * have the same name.
 *
 * A type says less than a schema: lengths, bounds and patterns are not in it.
 * It never says more, but for two things: a schema with "properties" or
 * "items" and without "type" is taken for an object or an array, and members
 * that an open object does not name are left out.
 */
#include <errno.h>
#include <string.h>

#include "contract/types.h"
#include "contract/types_names.h"
#include "contract/types_ts_internal.h"

/* Names that roles may not take. */
static const char *const reserved[] = { "Shared", "Contract", "Types" };

static void
write_comment(FILE *out, const struct declaration *d)
{
	const char *text = d->description;

	if (text == NULL)
		return;
	(void)fputs("\t\t/** ", out);
	for (size_t i = 0; i < d->description_len; i++) {
		(void)fputc((unsigned char)text[i] < 0x20 ? ' ' : text[i], out);
		if (text[i] == '*')
			(void)fputc(' ', out); /* no end of the comment */
	}
	(void)fputs(" */\n", out);
}

/*
 * A type's name for a declaration, as in UserNotifyInput; "" for what may be
 * anything.  NULL: no memory.
 */
static const char *
name_schema(struct type_names *names, const struct declaration *d,
    const struct schema *schema, const char *suffix)
{
	char role[48] = "Shared", word[48], wanted[TYPE_NAME_MAX - 16];

	if (schema == NULL)
		return "";
	if (d->entry.role != NULL)
		type_word(d->entry.role, strlen(d->entry.role), role,
		    sizeof(role));
	type_word(d->entry.name, d->entry.name_len, word, sizeof(word));
	(void)snprintf(wanted, sizeof(wanted), "%s%s%s", role, word, suffix);
	return type_name(names, schema_source(schema), wanted);
}

static void
write_type(FILE *out, struct type_names *names, const struct declaration *d,
    const struct schema *schema, const char *suffix)
{
	const char *name = name_schema(names, d, schema, suffix);

	(void)fprintf(out, "%s%s", name[0] != '\0' ? "Types." : "unknown",
	    name);
}

/* What a payload's type is called beyond its declaration's name. */
static const char *
payload_suffix(const struct declaration *d)
{
	if (d->entry.kind == CONTRACT_METHOD)
		return "Input";
	return d->entry.kind == CONTRACT_RESOURCE ? "Change" : "";
}

/* All that a declaration needs gets its name, in the file's order. */
static int
name_list(struct type_names *names, const struct declaration *d)
{
	for (; d != NULL; d = d->next) {
		if (name_schema(names, d, d->entry.payload,
			payload_suffix(d)) == NULL ||
		    name_schema(names, d, d->entry.output, "Output") == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* A topic's name as a type: a string, or a template for a pattern. */
static void
write_topic(FILE *out, const struct declaration *d)
{
	const char *at = d->entry.name, *end = at + d->entry.name_len;

	if (!d->entry.has_pattern) {
		ts_string(out, at, d->entry.name_len);
		return;
	}
	(void)fputc('`', out);
	for (; at < end; at++) {
		if (*at == '{') {
			(void)fputs("${string}", out);
			at = memchr(at, '}', (size_t)(end - at));
			continue;
		}
		if (*at == '`' || *at == '\\' || *at == '$')
			(void)fputc('\\', out);
		(void)fputc(*at, out);
	}
	(void)fputc('`', out);
}

/* One scope or two: what is shared, and the role's own. */
struct scopes {
	const struct contract_scope *at[2];
	size_t count;
};

static void
write_publish(FILE *out, const struct scopes *scopes)
{
	const struct declaration *d;

	(void)fputs("\tpublish:", out);
	for (size_t i = 0; i < scopes->count; i++) {
		for (d = scopes->at[i]->all; d != NULL; d = d->next) {
			if (d->entry.kind != CONTRACT_TOPIC ||
			    !d->entry.publish)
				continue;
			(void)fputs("\n\t\t| ", out);
			write_topic(out, d);
		}
	}
	(void)fputs("\n\t\t| never;\n", out);
}

static void
write_payload(FILE *out, struct type_names *names, const struct declaration *d)
{
	write_type(out, names, d, d->entry.payload, payload_suffix(d));
}

static void
write_pattern(FILE *out, struct type_names *names, const struct declaration *d)
{
	write_comment(out, d);
	(void)fputs("\t\t[", out);
	write_topic(out, d);
	(void)fputs(", ", out);
	write_payload(out, names, d);
	(void)fputs("],\n", out);
}

/* Patterns of one or two scopes, the most specific first. */
static void
write_patterns(FILE *out, struct type_names *names, const struct declaration *a,
    const struct declaration *b)
{
	while (a != NULL || b != NULL) {
		if (b == NULL || (a != NULL && contract_more_specific(a, b))) {
			write_pattern(out, names, a);
			a = a->fewer;
		} else {
			write_pattern(out, names, b);
			b = b->fewer;
		}
	}
	(void)fputs("\t];\n", out);
}

static void
write_member(FILE *out, struct type_names *names, const struct declaration *d)
{
	bool method = d->entry.kind == CONTRACT_METHOD;

	write_comment(out, d);
	(void)fputs("\t\t", out);
	ts_string(out, d->entry.name, d->entry.name_len);
	(void)fputs(method ? ": { input: " : ": ", out);
	write_payload(out, names, d);
	if (method) {
		(void)fputs("; output: ", out);
		write_type(out, names, d, d->entry.output, "Output");
		(void)fputs(" }", out);
	}
	(void)fputs(";\n", out);
}

/* What has a plain name: topics, events, methods or resources. */
static void
write_members(FILE *out, struct type_names *names, const struct scopes *scopes,
    enum contract_kind kind)
{
	static const char *const words[] = { [CONTRACT_TOPIC] = "topics",
		[CONTRACT_EVENT] = "events",
		[CONTRACT_METHOD] = "methods",
		[CONTRACT_RESOURCE] = "resources" };
	const struct declaration *d;

	(void)fprintf(out, "\t%s: {\n", words[kind]);
	for (size_t i = 0; i < scopes->count; i++) {
		for (d = scopes->at[i]->all; d != NULL; d = d->next)
			if (d->entry.kind == kind && !d->entry.has_pattern)
				write_member(out, names, d);
	}
	(void)fputs("\t};\n", out);
}

static void
write_scopes(FILE *out, struct type_names *names, const struct scopes *scopes,
    const char *name)
{
	const struct contract_scope *own =
	    scopes->count > 1 ? scopes->at[1] : NULL;

	(void)fprintf(out, "\nexport interface %s extends Contract {\n", name);
	write_members(out, names, scopes, CONTRACT_TOPIC);
	(void)fputs("\ttopicPatterns: [\n", out);
	write_patterns(out, names,
	    scopes->at[0]->names[CONTRACT_TOPIC].patterns,
	    own != NULL ? own->names[CONTRACT_TOPIC].patterns : NULL);
	write_publish(out, scopes);
	write_members(out, names, scopes, CONTRACT_EVENT);
	write_members(out, names, scopes, CONTRACT_METHOD);
	write_members(out, names, scopes, CONTRACT_RESOURCE);
	(void)fputs("\tresourcePatterns: [\n", out);
	write_patterns(out, names,
	    scopes->at[0]->names[CONTRACT_RESOURCE].patterns,
	    own != NULL ? own->names[CONTRACT_RESOURCE].patterns : NULL);
	(void)fputs("}\n", out);
}

/* A role as a word that no role before it has. */
static void
role_word(const struct contract *contract, const struct contract_scope *role,
    char *out, size_t size)
{
	const struct contract_scope *before = contract->roles;
	char word[TYPE_NAME_MAX - 64], other[TYPE_NAME_MAX - 64];
	unsigned same = 1;

	type_word(role->role, strlen(role->role), word, sizeof(word));
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		same += strcmp(word, reserved[i]) == 0;
	for (; before != role; before = before->next) {
		type_word(before->role, strlen(before->role), other,
		    sizeof(other));
		same += strcmp(word, other) == 0;
	}
	if (same == 1)
		(void)snprintf(out, size, "%s", word);
	else
		(void)snprintf(out, size, "%s_%u", word, same);
}

/* All names, before any is written: memory may end here only. */
static int
name_all(struct type_names *names)
{
	const struct contract_scope *role = names->contract->roles;
	int rc = name_list(names, names->contract->shared.all);

	for (; rc == 0 && role != NULL; role = role->next)
		rc = name_list(names, role->all);
	return rc;
}

static int
write_all(FILE *out, struct type_names *names)
{
	const struct contract *contract = names->contract;
	struct scopes scopes = { { &contract->shared }, 1 };
	const struct contract_scope *role = contract->roles;
	const struct named_type *type;
	char word[TYPE_NAME_MAX];
	int rc = name_all(names);

	if (rc != 0)
		return rc;
	write_scopes(out, names, &scopes, "Shared");
	for (; role != NULL; role = role->next) {
		scopes.at[1] = role;
		scopes.count = 2;
		role_word(contract, role, word, sizeof(word));
		write_scopes(out, names, &scopes, word);
	}
	(void)fputs("\n/** What is said. */\nexport namespace Types {\n", out);
	/* Types that are referred to are added to the end meanwhile. */
	for (type = names->all; rc == 0 && type != NULL; type = type->next)
		rc = ts_type(out, names, type);
	(void)fputs("}\n", out);
	return rc;
}

int
types_ts(const struct contract *contract, const char *title, FILE *out)
{
	struct type_names names;
	int rc;

	(void)fprintf(out,
	    "/* Made by `busctl contract types` from %s. Do not edit. */\n\n"
	    "import type { Contract } from \"clusterbus\";\n",
	    title);
	type_names_init(&names, contract);
	rc = write_all(out, &names);
	type_names_release(&names);
	if (rc == 0 && (fflush(out) != 0 || ferror(out)))
		rc = -EIO;
	return rc;
}

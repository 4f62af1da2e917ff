/*
 * types_ts.c - TypeScript declarations; see types.h.
 *
 * For what is shared and for each role there is a client's interface, whose
 * methods take only the names there are and the data that belongs to them.
 * Which data belongs to a topic is asked in the order in which the contract
 * looks names up, so that of several patterns the most specific one counts.
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

/* The clients' methods that do not depend on the contract. */
static const char common[] =
    "export type Off = (() => void) & { ready: Promise<void> };\n"
    "export interface TopicInfo { topic: string; from: string; "
    "binary: boolean }\n"
    "export interface EventInfo { event: string }\n"
    "export interface ChangeInfo { resource: string; type: string }\n"
    "export interface BusClient {\n"
    "\treadonly state: \"connecting\" | \"open\" | \"waiting\" | \"closed\";\n"
    "\treadonly conn: string | null;\n"
    "\treadonly node: string | null;\n"
    "\treadonly retryAt: number | null;\n"
    "\tonstate: ((state: string, client: BusClient) => void) | null;\n"
    "\tonerror: ((error: Error & { code?: string; topic?: string }) => void)"
    " | null;\n"
    "\tongap: ((topic: string, missed: number) => void) | null;\n"
    "\twatch(resource: string,\n"
    "\t    fn: (data: unknown, info: ChangeInfo) => void): Off;\n"
    "\tping(): Promise<number>;\n"
    "\tclose(code?: number, reason?: string): void;\n"
    "}\n";

static void
write_comment(FILE *out, const struct declaration *d)
{
	const char *text = d->description;

	if (text == NULL)
		return;
	(void)fputs("\t/** ", out);
	for (size_t i = 0; i < d->description_len; i++) {
		(void)fputc((unsigned char)text[i] < 0x20 ? ' ' : text[i], out);
		if (text[i] == '*')
			(void)fputc(' ', out); /* no end of the comment */
	}
	(void)fputs(" */\n", out);
}

/* A type's name for a declaration, as in UserNotifyInput.  NULL: no memory. */
static const char *
name_schema(struct type_names *names, const struct declaration *d,
    const struct schema *schema, const char *suffix)
{
	char role[48] = "Shared", word[48], wanted[TYPE_NAME_MAX - 16];

	if (schema == NULL)
		return "unknown";
	if (d->entry.role != NULL)
		type_word(d->entry.role, strlen(d->entry.role), role,
		    sizeof(role));
	type_word(d->entry.name, d->entry.name_len, word, sizeof(word));
	(void)snprintf(wanted, sizeof(wanted), "%s%s%s", role, word, suffix);
	return type_name(names, schema_source(schema), wanted);
}

/* All that a declaration needs gets its name, in the file's order. */
static int
name_scope(struct type_names *names, const struct contract_scope *scope)
{
	const struct declaration *d = scope->all;
	bool method;

	for (; d != NULL; d = d->next) {
		method = d->entry.kind == CONTRACT_METHOD;
		if (name_schema(names, d, d->entry.payload,
			method ? "Input" : "") == NULL ||
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
	char name[TYPE_NAME_MAX - 32];
};

static void
write_topic_names(FILE *out, const struct scopes *scopes, bool publish)
{
	const struct declaration *d;

	(void)fprintf(out, "export type %s%s =", scopes->name,
	    publish ? "PublishTopic" : "Topic");
	for (size_t i = 0; i < scopes->count; i++) {
		for (d = scopes->at[i]->all; d != NULL; d = d->next) {
			if (d->entry.kind != CONTRACT_TOPIC ||
			    (publish && !d->entry.publish))
				continue;
			(void)fputs("\n\t| ", out);
			write_topic(out, d);
		}
	}
	(void)fputs("\n\t| never;\n", out);
}

static void
write_topic_case(FILE *out, struct type_names *names,
    const struct declaration *d)
{
	(void)fputs("\tN extends ", out);
	write_topic(out, d);
	(void)fprintf(out, " ? %s :\n",
	    name_schema(names, d, d->entry.payload, ""));
}

/* Patterns of one or two scopes, the most specific first. */
static void
write_patterns(FILE *out, struct type_names *names, const struct scopes *scopes)
{
	const struct declaration *a = scopes->at[0]->patterns;
	const struct declaration *b =
	    scopes->count > 1 ? scopes->at[1]->patterns : NULL;

	while (a != NULL || b != NULL) {
		if (b == NULL || (a != NULL && contract_more_specific(a, b))) {
			write_topic_case(out, names, a);
			a = a->fewer;
		} else {
			write_topic_case(out, names, b);
			b = b->fewer;
		}
	}
}

static void
write_topic_data(FILE *out, struct type_names *names,
    const struct scopes *scopes)
{
	const struct declaration *d;

	(void)fprintf(out, "export type %sData<N extends string> =\n",
	    scopes->name);
	for (size_t i = 0; i < scopes->count; i++) {
		for (d = scopes->at[i]->all; d != NULL; d = d->next) {
			if (d->entry.kind == CONTRACT_TOPIC &&
			    !d->entry.has_pattern)
				write_topic_case(out, names, d);
		}
	}
	write_patterns(out, names, scopes);
	(void)fputs("\tnever;\n", out);
}

/* Events, or methods with what goes in and out. */
static void
write_members(FILE *out, struct type_names *names, const struct scopes *scopes,
    enum contract_kind kind)
{
	const struct declaration *d;

	(void)fprintf(out, "export interface %s%s {\n", scopes->name,
	    kind == CONTRACT_EVENT ? "Events" : "Methods");
	for (size_t i = 0; i < scopes->count; i++) {
		for (d = scopes->at[i]->all; d != NULL; d = d->next) {
			if (d->entry.kind != kind)
				continue;
			write_comment(out, d);
			(void)fputc('\t', out);
			ts_string(out, d->entry.name, d->entry.name_len);
			if (kind == CONTRACT_EVENT)
				(void)fprintf(out, ": %s;\n",
				    name_schema(names, d, d->entry.payload,
					""));
			else
				(void)fprintf(out,
				    ": { input: %s; output: %s };\n",
				    name_schema(names, d, d->entry.payload,
					"Input"),
				    name_schema(names, d, d->entry.output,
					"Output"));
		}
	}
	(void)fputs("}\n", out);
}

static void
write_client(FILE *out, const char *name)
{
	(void)fprintf(out,
	    "export interface %sClient extends BusClient {\n"
	    "\tsubscribe<N extends %sTopic>(topic: N,\n"
	    "\t    fn: (data: %sData<N>, info: TopicInfo) => void): Off;\n"
	    "\tpublish<N extends %sPublishTopic>(topic: N, data: %sData<N>,\n"
	    "\t    options?: { echo?: boolean }): Promise<void>;\n"
	    "\ton<N extends keyof %sEvents>(event: N,\n"
	    "\t    fn: (data: %sEvents[N], info: EventInfo) => void): Off;\n"
	    "\tcall<N extends keyof %sMethods>(method: N,\n"
	    "\t    ...data: null extends %sMethods[N][\"input\"]\n"
	    "\t\t? [data?: %sMethods[N][\"input\"]]\n"
	    "\t\t: [data: %sMethods[N][\"input\"]])\n"
	    "\t    : Promise<%sMethods[N][\"output\"]>;\n"
	    "}\n",
	    name, name, name, name, name, name, name, name, name, name, name,
	    name);
}

static void
write_scopes(FILE *out, struct type_names *names, const struct scopes *scopes)
{
	(void)fprintf(out, "\n/* ---- %s */\n", scopes->name);
	write_topic_names(out, scopes, false);
	write_topic_names(out, scopes, true);
	write_topic_data(out, names, scopes);
	write_members(out, names, scopes, CONTRACT_EVENT);
	write_members(out, names, scopes, CONTRACT_METHOD);
	write_client(out, scopes->name);
}

static int
reserve(struct type_names *names, const char *name)
{
	struct value *nothing = arena_zalloc(&names->arena, sizeof(*nothing));

	if (nothing == NULL || type_name(names, nothing, name) == NULL)
		return -ENOMEM;
	return 0;
}

/* The names that a scope has anyway are not for the contract's types. */
static int
reserve_scope(struct type_names *names, const char *scope)
{
	static const char *const words[] = { "Topic", "PublishTopic", "Data",
		"Events", "Methods", "Client" };
	char name[TYPE_NAME_MAX - 16];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(words); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", scope, words[i]);
		rc = reserve(names, name);
	}
	return rc;
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
	same += strcmp(word, "Shared") == 0;
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

/* All names, those of the contract's types last. */
static int
name_all(struct type_names *names)
{
	static const char *const words[] = { "Off", "TopicInfo", "EventInfo",
		"ChangeInfo", "BusClient", "Promise", "Error", "N" };
	const struct contract *contract = names->contract;
	const struct contract_scope *role = contract->roles;
	char word[TYPE_NAME_MAX - 48];
	int rc = reserve_scope(names, "Shared");

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(words); i++)
		rc = reserve(names, words[i]);
	for (; rc == 0 && role != NULL; role = role->next) {
		role_word(contract, role, word, sizeof(word));
		rc = reserve_scope(names, word);
	}
	if (rc == 0)
		rc = name_scope(names, &contract->shared);
	role = contract->roles;
	for (; rc == 0 && role != NULL; role = role->next)
		rc = name_scope(names, role);
	return rc;
}

static int
write_all(FILE *out, struct type_names *names)
{
	const struct contract *contract = names->contract;
	struct scopes scopes = { { &contract->shared }, 1, "Shared" };
	const struct contract_scope *role = contract->roles;
	const struct named_type *type;
	int rc = name_all(names);

	if (rc != 0)
		return rc;
	write_scopes(out, names, &scopes);
	for (; role != NULL; role = role->next) {
		scopes.at[1] = role;
		scopes.count = 2;
		role_word(contract, role, scopes.name, sizeof(scopes.name));
		write_scopes(out, names, &scopes);
	}
	(void)fputs("\n/* ---- what is said */\n", out);
	/* Types that are referred to are added to the end meanwhile. */
	for (type = names->all; rc == 0 && type != NULL; type = type->next) {
		if (type->source->offset != 0) /* not a reserved name */
			rc = ts_type(out, names, type);
	}
	return rc;
}

int
types_ts(const struct contract *contract, const char *title, FILE *out)
{
	struct type_names names;
	int rc;

	(void)fprintf(out,
	    "/* Made by `busctl contract types` from %s. Do not edit. */\n\n",
	    title);
	(void)fputs(common, out);
	type_names_init(&names, contract);
	rc = write_all(out, &names);
	type_names_release(&names);
	if (rc == 0 && (fflush(out) != 0 || ferror(out)))
		rc = -EIO;
	return rc;
}

/*
 * types_c.c - a C header; see types.h.
 *
 * The header stands alone: it needs cJSON, and two functions of whoever uses it
 * that publish and subscribe.
 */
#include <errno.h>
#include <string.h>

#include "contract/types.h"
#include "contract/types_c_internal.h"
#include "contract/types_c_runtime.h"

enum {
	WORD_MAX = 64
};

struct writer {
	FILE *out;
	struct type_names types; /* of structs and enums */
	struct type_names words; /* of topics, by their declarations */
};

/* A word for a declaration that no other one has.  NULL: no memory. */
static const char *
entry_word(struct writer *w, const struct declaration *d)
{
	const char *role = d->entry.role != NULL ? d->entry.role : "shared";
	char scope[40], name[56], word[100];

	c_word(role, strlen(role), scope, sizeof(scope));
	c_word(d->entry.name, d->entry.name_len, name, sizeof(name));
	(void)snprintf(word, sizeof(word), "%s_%s", scope, name);
	return type_name(&w->words, d->source, word);
}

static int
name_schema(struct writer *w, const struct schema *schema, const char *word,
    const char *suffix)
{
	char wanted[TYPE_NAME_MAX];

	if (schema == NULL)
		return 0;
	(void)snprintf(wanted, sizeof(wanted), "%.100s%s", word, suffix);
	return c_name_types(&w->types, schema_source(schema), wanted);
}

static int
name_scope(struct writer *w, const struct contract_scope *scope)
{
	const struct declaration *d = scope->all;
	const char *word;
	bool method;
	int rc = 0;

	for (; rc == 0 && d != NULL; d = d->next) {
		word = entry_word(w, d);
		if (word == NULL)
			return -ENOMEM;
		method = d->entry.kind == CONTRACT_METHOD;
		rc = name_schema(w, d->entry.payload, word,
		    method ? "_input" : "");
		if (rc == 0)
			rc = name_schema(w, d->entry.output, word, "_output");
	}
	return rc;
}

/* The type of a topic's data. */
static struct c_type
data_type(struct writer *w, const struct declaration *d)
{
	const struct schema *schema = d->entry.payload;
	struct c_type type =
	    c_type_of(&w->types, schema != NULL ? schema_source(schema) : NULL);

	type.pointer = false;
	return type;
}

static bool
is_struct(const struct c_type *type)
{
	return type->kind == C_OBJECT || type->kind == C_ARRAY;
}

/* "const struct x *data", "int64_t data" ... */
static void
put_data(FILE *out, const struct c_type *type)
{
	bool pointed =
	    is_struct(type) || type->kind == C_STRING || type->kind == C_RAW;

	(void)fputs(pointed ? "const " : "", out);
	c_put_type(out, type);
	(void)fputs(is_struct(type) ? "*data" : "data", out);
}

/* A part of a topic's name: something literal, then a variable. */
struct part {
	const char *literal;
	size_t literal_len;
	char variable[WORD_MAX]; /* "": there is none */
};

/* The part at *at, which moves on.  number tells variables apart. */
static struct part
next_part(const char **at, const char *end, unsigned number)
{
	struct part part = { .literal = *at };
	const char *open = memchr(*at, '{', (size_t)(end - *at)), *close;
	size_t len;

	part.literal_len = (size_t)((open != NULL ? open : end) - *at);
	*at = end;
	if (open == NULL)
		return part;
	close = memchr(open, '}', (size_t)(end - open));
	c_word(open + 1, (size_t)(close - open - 1), part.variable,
	    sizeof(part.variable) - 8);
	/* The first has its own name, those after it also a number. */
	len = strlen(part.variable);
	if (number > 1)
		(void)snprintf(part.variable + len, sizeof(part.variable) - len,
		    "_%u", number);
	else if (strcmp(part.variable, "bus") == 0 ||
	    strcmp(part.variable, "data") == 0 ||
	    strcmp(part.variable, "topic") == 0 ||
	    strcmp(part.variable, "on") == 0)
		memcpy(part.variable + len, "_", 2);
	*at = close + 1;
	return part;
}

static void
put_variables(FILE *out, const struct declaration *d)
{
	const char *at = d->entry.name, *end = at + d->entry.name_len;
	struct part part;

	for (unsigned number = 1; at < end; number++) {
		part = next_part(&at, end, number);
		if (part.variable[0] != '\0')
			(void)fprintf(out, " const char *%s,", part.variable);
	}
}

/* Make the topic's name in the function's "topic". */
static void
put_topic(FILE *out, const struct declaration *d)
{
	const char *at = d->entry.name, *end = at + d->entry.name_len;
	struct part part;

	(void)fprintf(out, "\tchar topic[%d] = \"\";\n\n",
	    CONTRACT_NAME_MAX + 1);
	for (unsigned number = 1; at < end; number++) {
		part = next_part(&at, end, number);
		(void)fputs("\tif (!cb_put(topic, sizeof(topic), ", out);
		c_string(out, part.literal, part.literal_len);
		(void)fprintf(out, ", %s))\n\t\treturn -EINVAL;\n",
		    part.variable[0] != '\0' ? part.variable : "NULL");
	}
}

static void
write_publish(FILE *out, const struct declaration *d, const char *word,
    const struct c_type *type)
{
	(void)fprintf(out,
	    "\n/* Publish to the topic; 0, -EINVAL: a variable cannot be in "
	    "its name,\n * -ENOMEM, or what publish() of the bus returns. */\n"
	    "static inline int\n"
	    "%s_publish(const struct cb_bus *bus,",
	    word);
	put_variables(out, d);
	(void)fputs("\n    ", out);
	put_data(out, type);
	(void)fputs(")\n{\n", out);
	put_topic(out, d);
	(void)fprintf(out,
	    "\treturn cb_publish(bus, topic, %s_encode(data));\n}\n",
	    type->name);
}

static void
write_listener(FILE *out, const char *word, const struct c_type *type)
{
	const char *by = is_struct(type) ? "&" : "";

	(void)fprintf(out,
	    "\n/* Who gets the data; bad (or NULL) hears of what does not fit. "
	    "*/\n"
	    "struct on_%s {\n\tvoid (*fn)(void *arg, ",
	    word);
	put_data(out, type);
	(void)fprintf(out,
	    ", const void *info);\n"
	    "\tvoid (*bad)(void *arg, int error);\n\tvoid *arg;\n};\n\n"
	    "static inline void\n"
	    "%s_on_data(void *arg, const char *text, size_t len,\n"
	    "    const void *info)\n{\n"
	    "\tconst struct on_%s *on = (const struct on_%s *)arg;\n"
	    "\tcJSON *json = cJSON_ParseWithLength(text, len);\n\t",
	    word, word, word);
	c_put_type(out, type);
	(void)fprintf(out,
	    "data;\n"
	    "\tint rc = json != NULL ? %s_decode(json, &data) : -EINVAL;\n\n"
	    "\tcJSON_Delete(json);\n"
	    "\tif (rc == 0) {\n"
	    "\t\ton->fn(on->arg, %sdata, info);\n"
	    "\t\t%s_release(%sdata);\n"
	    "\t} else if (on->bad != NULL) {\n"
	    "\t\ton->bad(on->arg, rc);\n\t}\n}\n",
	    type->name, by, type->name, by);
}

static void
write_subscribe(FILE *out, const struct declaration *d, const char *word)
{
	(void)fprintf(out,
	    "\n/* Subscribe; on must live as long as the subscription. */\n"
	    "static inline int\n"
	    "%s_subscribe(const struct cb_bus *bus,",
	    word);
	put_variables(out, d);
	(void)fprintf(out, "\n    struct on_%s *on)\n{\n", word);
	put_topic(out, d);
	(void)fprintf(out,
	    "\treturn bus->subscribe(bus->bus, topic, %s_on_data, on);\n}\n",
	    word);
}

static int
write_scope(struct writer *w, const struct contract_scope *scope)
{
	const struct declaration *d = scope->all;
	struct c_type type;
	const char *word;

	for (; d != NULL; d = d->next) {
		if (d->entry.kind != CONTRACT_TOPIC)
			continue;
		word = entry_word(w, d);
		if (word == NULL)
			return -ENOMEM;
		type = data_type(w, d);
		write_publish(w->out, d, word, &type);
		/* What is a role's own, only its clients subscribe to. */
		if (scope->role == NULL) {
			write_listener(w->out, word, &type);
			write_subscribe(w->out, d, word);
		}
	}
	return 0;
}

/* The names that the header has anyway. */
static int
reserve(struct writer *w)
{
	static const char *const names[] = { "cb_bus", "cb_string",
		"cb_integer", "cb_number", "cb_boolean", "cb_raw" };
	static const struct value nothing[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (type_name(&w->types, &nothing[i], names[i]) == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int
write_all(struct writer *w, const struct contract *contract, const char *guard)
{
	const struct contract_scope *role = contract->roles;
	int rc = reserve(w);

	if (rc == 0)
		rc = name_scope(w, &contract->shared);
	for (; rc == 0 && role != NULL; role = role->next)
		rc = name_scope(w, role);
	if (rc != 0)
		return rc;
	(void)fprintf(w->out, "#ifndef %s\n#define %s\n\n", guard, guard);
	for (size_t i = 0; types_c_runtime[i] != NULL; i++)
		(void)fprintf(w->out, "%s\n", types_c_runtime[i]);
	(void)fputc('\n', w->out);
	c_write_types(w->out, &w->types);
	rc = write_scope(w, &contract->shared);
	for (role = contract->roles; rc == 0 && role != NULL; role = role->next)
		rc = write_scope(w, role);
	(void)fprintf(w->out, "\n#endif /* %s */\n", guard);
	return rc;
}

int
types_c(const struct contract *contract, const char *title, FILE *out)
{
	struct writer w = { .out = out };
	char guard[WORD_MAX];
	int rc;

	c_word(title, strlen(title), guard, sizeof(guard) - 8);
	for (char *at = guard; *at != '\0'; at++)
		*at = (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
	memcpy(guard + strlen(guard), "_TYPES", 7);
	(void)fprintf(out,
	    "/* Made by `busctl contract types` from %s. Do not edit. */\n",
	    title);
	type_names_init(&w.types, contract);
	type_names_init(&w.words, contract);
	rc = write_all(&w, contract, guard);
	type_names_release(&w.types);
	type_names_release(&w.words);
	if (rc == 0 && (fflush(out) != 0 || ferror(out)))
		rc = -EIO;
	return rc;
}

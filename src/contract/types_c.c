/*
 * types_c.c - a C header; see types.h.
 *
 * The header needs cJSON and clusterbus/app.h.  All functions in it are inline,
 * so that it can be used in as many files as one likes.
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
name_list(struct writer *w, const struct declaration *d)
{
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

/* The type of what a function is given. */
static struct c_type
type_of(struct writer *w, const struct schema *schema)
{
	struct c_type type =
	    c_type_of(&w->types, schema != NULL ? schema_source(schema) : NULL);

	type.pointer = false;
	return type;
}

static int
write_list(struct writer *w, const struct declaration *d)
{
	struct c_type data, output;
	const char *word;

	for (; d != NULL; d = d->next) {
		word = entry_word(w, d);
		if (word == NULL)
			return -ENOMEM;
		data = type_of(w, d->entry.payload);
		output = type_of(w, d->entry.output);
		c_write_calls(w->out, &d->entry, word, &data, &output);
	}
	return 0;
}

/* The names that the header has anyway. */
static int
reserve(struct writer *w)
{
	static const char *const names[] = { "cb_string", "cb_integer",
		"cb_number", "cb_boolean", "cb_raw", "cbus", "cbus_app",
		"cbus_call", "cbus_conn", "cbus_error", "cbus_identity",
		"cbus_info", "cbus_message", "cbus_publish_opts",
		"cbus_request", "cbus_sub", "cbus_watch", "cbus_answer",
		"cbus_member", "ev_loop" };
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
		rc = name_list(w, contract->shared.all);
	for (; rc == 0 && role != NULL; role = role->next)
		rc = name_list(w, role->all);
	if (rc != 0)
		return rc;
	(void)fprintf(w->out, "#ifndef %s\n#define %s\n\n", guard, guard);
	for (size_t i = 0; types_c_runtime[i] != NULL; i++)
		(void)fprintf(w->out, "%s\n", types_c_runtime[i]);
	(void)fputc('\n', w->out);
	c_write_types(w->out, &w->types);
	rc = write_list(w, contract->shared.all);
	for (role = contract->roles; rc == 0 && role != NULL; role = role->next)
		rc = write_list(w, role->all);
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

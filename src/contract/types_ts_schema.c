/* types_ts_schema.c - see types_ts_internal.h; what it leaves out: types_ts.c. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "contract/number.h"
#include "contract/types_ts_internal.h"

struct writer {
	FILE *out;
	struct type_names *names;
	unsigned indent;
	int rc;
};

static void write_schema(struct writer *w, const struct value *schema);

static void
put(struct writer *w, const char *text)
{
	(void)fputs(text, w->out);
}

static void
new_line(struct writer *w)
{
	put(w, "\n");
	for (unsigned i = 0; i < w->indent; i++)
		put(w, "\t");
}

void
ts_string(FILE *out, const char *text, size_t len)
{
	unsigned char c;

	(void)fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			(void)fprintf(out, "\\u%04x", (unsigned)c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

static const struct value *
get(const struct value *object, const char *name)
{
	return value_get(object, name, strlen(name));
}

/* A value that a const or an enum has, as the type of just this value. */
static void
write_literal(struct writer *w, const struct value *value)
{
	const struct value *child;
	bool is_object = value->type == VALUE_OBJECT;

	switch ((enum value_type)value->type) {
	case VALUE_NULL:
		put(w, "null");
		return;
	case VALUE_FALSE:
		put(w, "false");
		return;
	case VALUE_TRUE:
		put(w, "true");
		return;
	case VALUE_NUMBER:
		(void)fprintf(w->out, "%.*s", (int)value->len, value->text);
		return;
	case VALUE_STRING:
		ts_string(w->out, value->text, value->len);
		return;
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		break;
	}
	put(w, is_object ? "{ " : "[");
	for (child = value->first; child != NULL; child = child->next) {
		if (child != value->first)
			put(w, is_object ? "; " : ", ");
		if (is_object) {
			ts_string(w->out, child->key, child->key_len);
			put(w, ": ");
		}
		write_literal(w, child);
	}
	put(w, is_object ? " }" : "]");
}

static bool
is_required(const struct value *schema, const char *name, size_t len)
{
	const struct value *required = get(schema, "required");
	const struct value *item = required != NULL ? required->first : NULL;

	while (item != NULL &&
	    (item->len != len || memcmp(item->text, name, len) != 0))
		item = item->next;
	return item != NULL;
}

static void
write_description(struct writer *w, const struct value *schema)
{
	const struct value *text =
	    schema->type == VALUE_OBJECT ? get(schema, "description") : NULL;

	if (text == NULL)
		return;
	put(w, "/** ");
	for (uint32_t i = 0; i < text->len; i++) {
		(void)fputc((unsigned char)text->text[i] < 0x20 ? ' ' :
								  text->text[i],
		    w->out);
		if (text->text[i] == '*')
			put(w, " "); /* no end of the comment */
	}
	put(w, " */");
	new_line(w);
}

static void
write_member(struct writer *w, const char *name, size_t len, bool required,
    const struct value *schema)
{
	new_line(w);
	if (schema != NULL)
		write_description(w, schema);
	ts_string(w->out, name, len);
	put(w, required ? ": " : "?: ");
	if (schema != NULL)
		write_schema(w, schema);
	else
		put(w, "unknown");
	put(w, ";");
}

/* What members without a name of their own may be. */
static void
write_index(struct writer *w, const struct value *schema, bool alone)
{
	const struct value *additional = get(schema, "additionalProperties");
	const struct value *patterns = get(schema, "patternProperties");
	bool open = additional == NULL || additional->type != VALUE_FALSE;

	if (patterns == NULL && (!open || (additional == NULL && !alone)))
		return;
	new_line(w);
	put(w, "[name: string]: ");
	/* Beside others it would have to be the type of those too. */
	if (alone && patterns == NULL && additional != NULL)
		write_schema(w, additional);
	else if (alone && patterns != NULL && patterns->len == 1 && !open)
		write_schema(w, patterns->first);
	else
		put(w, "unknown");
	put(w, ";");
}

static void
write_object(struct writer *w, const struct value *schema)
{
	const struct value *properties = get(schema, "properties");
	const struct value *required = get(schema, "required");
	const struct value *member, *name;
	bool alone = true;

	put(w, "{");
	w->indent++;
	member = properties != NULL ? properties->first : NULL;
	for (; member != NULL; member = member->next) {
		alone = false;
		write_member(w, member->key, member->key_len,
		    is_required(schema, member->key, member->key_len), member);
	}
	name = required != NULL ? required->first : NULL;
	for (; name != NULL; name = name->next) {
		if (properties != NULL &&
		    value_get(properties, name->text, name->len) != NULL)
			continue;
		alone = false;
		write_member(w, name->text, name->len, true, NULL);
	}
	write_index(w, schema, alone);
	w->indent--;
	new_line(w);
	put(w, "}");
}

/* How many items there must be, as far as a tuple has use for it. */
static uint32_t
min_items(const struct value *schema, uint32_t max)
{
	const struct value *min = get(schema, "minItems");
	struct number number;
	size_t size;

	if (min == NULL)
		return 0;
	number_read(&number, min->text, min->len);
	return number_size(&number, max, &size) ? (uint32_t)size : max;
}

static void
write_array(struct writer *w, const struct value *schema)
{
	const struct value *prefix = get(schema, "prefixItems");
	const struct value *items = get(schema, "items");
	const struct value *item = prefix != NULL ? prefix->first : NULL;
	uint32_t min = prefix != NULL ? min_items(schema, prefix->len) : 0;

	if (prefix != NULL)
		put(w, "[");
	for (uint32_t i = 0; item != NULL; item = item->next, i++) {
		put(w, i != 0 ? ", (" : "(");
		write_schema(w, item);
		put(w, i < min ? ")" : ")?");
	}
	if (prefix == NULL || items == NULL || items->type != VALUE_FALSE) {
		if (prefix != NULL)
			put(w, ", ...");
		put(w, "(");
		if (items != NULL)
			write_schema(w, items);
		else
			put(w, "unknown");
		put(w, ")[]");
	}
	if (prefix != NULL)
		put(w, "]");
}

static void
write_one_type(struct writer *w, const struct value *schema,
    const struct value *name)
{
	if (value_text_is(name, "object"))
		write_object(w, schema);
	else if (value_text_is(name, "array"))
		write_array(w, schema);
	else if (value_text_is(name, "integer"))
		put(w, "number");
	else
		(void)fprintf(w->out, "%.*s", (int)name->len, name->text);
}

/* The types that "type" names, or that other keywords are for. */
static bool
write_types(struct writer *w, const struct value *schema)
{
	const struct value *type = get(schema, "type");
	const struct value *name;

	if (type == NULL) {
		if (get(schema, "properties") != NULL ||
		    get(schema, "required") != NULL ||
		    get(schema, "additionalProperties") != NULL)
			write_object(w, schema);
		else if (get(schema, "items") != NULL ||
		    get(schema, "prefixItems") != NULL)
			write_array(w, schema);
		else
			return false;
		return true;
	}
	if (type->type == VALUE_STRING) {
		write_one_type(w, schema, type);
		return true;
	}
	put(w, "(");
	for (name = type->first; name != NULL; name = name->next) {
		if (name != type->first)
			put(w, " | ");
		write_one_type(w, schema, name);
	}
	put(w, ")");
	return true;
}

/* (A | B) or (A & B) of a keyword with several schemas. */
static void
write_several(struct writer *w, const struct value *schemas,
    const char *between)
{
	const struct value *schema = schemas->first;

	put(w, "(");
	for (; schema != NULL; schema = schema->next) {
		if (schema != schemas->first)
			put(w, between);
		write_schema(w, schema);
	}
	put(w, ")");
}

static void
write_values(struct writer *w, const struct value *list)
{
	const struct value *value = list->first;

	put(w, value == NULL ? "(never" : "(");
	for (; value != NULL; value = value->next) {
		if (value != list->first)
			put(w, " | ");
		write_literal(w, value);
	}
	put(w, ")");
}

static void
write_reference(struct writer *w, const struct value *reference)
{
	const char *name = type_name_of_ref(w->names, reference);

	if (name == NULL)
		w->rc = -ENOMEM;
	else
		put(w, name);
}

/* All keywords that say something about the type must hold. */
static void
write_keywords(struct writer *w, const struct value *schema)
{
	static const struct {
		const char *name;
		const char *between; /* or how it is written: */
		void (*write)(struct writer *w, const struct value *value);
	} keywords[] = {
		{ "$ref", NULL, write_reference },
		{ "allOf", " & ", NULL },
		{ "anyOf", " | ", NULL },
		{ "oneOf", " | ", NULL },
	};
	const struct value *value;
	bool any = false;

	if (get(schema, "const") != NULL) {
		write_literal(w, get(schema, "const"));
		return;
	}
	if (get(schema, "enum") != NULL) {
		write_values(w, get(schema, "enum"));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		value = get(schema, keywords[i].name);
		if (value == NULL)
			continue;
		if (any)
			put(w, " & ");
		any = true;
		if (keywords[i].write != NULL)
			keywords[i].write(w, value);
		else
			write_several(w, value, keywords[i].between);
	}
	if (any &&
	    (get(schema, "type") != NULL || get(schema, "properties") != NULL ||
		get(schema, "required") != NULL))
		put(w, " & ");
	else if (any)
		return;
	if (!write_types(w, schema))
		put(w, "unknown");
}

static void
write_schema(struct writer *w, const struct value *schema)
{
	if (schema->type == VALUE_OBJECT)
		write_keywords(w, schema);
	else
		put(w, schema->type == VALUE_TRUE ? "unknown" : "never");
}

int
ts_type(FILE *out, struct type_names *names, const struct named_type *type)
{
	struct writer w = { .out = out, .names = names, .indent = 1 };

	put(&w, "\t");
	write_description(&w, type->source);
	(void)fprintf(out, "export type %s = ", type->name);
	write_schema(&w, type->source);
	put(&w, ";\n");
	return w.rc;
}

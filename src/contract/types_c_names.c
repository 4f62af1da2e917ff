/* types_c_names.c - which C type a schema has; see types_c_internal.h. */
#include <errno.h>
#include <string.h>

#include "contract/types_c_internal.h"

/* Of C and C++, and what headers and compilers define in small letters. */
static const char *const keywords[] = { "auto", "bool", "break", "case", "char",
	"const", "continue", "default", "do", "double", "else", "enum",
	"extern", "false", "float", "for", "goto", "if", "inline", "int",
	"long", "register", "restrict", "return", "short", "signed", "sizeof",
	"static", "struct", "switch", "true", "typedef", "union", "unsigned",
	"void", "volatile", "while", "class", "new", "delete", "this",
	"private", "public", "namespace", "template", "operator", "asm",
	"typeof", "errno", "linux", "unix" };

void
c_word(const char *text, size_t len, char *out, size_t size)
{
	size_t at = 0;
	bool gap = false, lower = false;
	char c;

	for (size_t i = 0; i < len && at + 4 < size; i++) {
		c = text[i];
		if (c >= 'A' && c <= 'Z') {
			gap = gap || lower;
			c = (char)(c - 'A' + 'a');
			lower = false;
		} else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			lower = true;
		} else {
			gap = true;
			continue;
		}
		if (at == 0 && c >= '0' && c <= '9')
			out[at++] = 'n';
		if (gap && at != 0)
			out[at++] = '_';
		gap = false;
		out[at++] = c;
	}
	if (at == 0)
		out[at++] = 'x';
	out[at] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (strcmp(out, keywords[i]) == 0) {
			out[at++] = '_';
			out[at] = '\0';
			return;
		}
	}
}

static const struct value *
get(const struct value *object, const char *name)
{
	return value_get(object, name, strlen(name));
}

/* Is it an enum of strings, and of nothing else? */
static bool
is_words(const struct value *list)
{
	const struct value *value = list->first;

	if (value == NULL)
		return false;
	while (value != NULL && value->type == VALUE_STRING)
		value = value->next;
	return value == NULL;
}

/* What has several shapes has none in C. */
static bool
is_mixed(const struct value *source)
{
	static const char *const names[] = { "$ref", "$dynamicRef", "allOf",
		"anyOf", "oneOf", "const" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (get(source, names[i]) != NULL)
			return true;
	}
	return false;
}

static struct c_type
plain_type(const struct value *source)
{
	static const struct {
		const char *type;
		enum c_kind kind;
		const char *name;
	} plain[] = {
		{ "string", C_STRING, "cb_string" },
		{ "integer", C_INTEGER, "cb_integer" },
		{ "number", C_NUMBER, "cb_number" },
		{ "boolean", C_BOOLEAN, "cb_boolean" },
	};
	const struct value *type = get(source, "type");

	for (size_t i = 0; type != NULL && i < ARRAY_LEN(plain); i++) {
		if (value_text_is(type, plain[i].type))
			return (struct c_type){ .kind = plain[i].kind,
				.name = plain[i].name };
	}
	return (struct c_type){ .kind = C_RAW, .name = "cb_raw" };
}

/* The kind, without a name for a struct or enum. */
static struct c_type
kind_of(const struct value *source)
{
	const struct value *type, *members, *items, *words;
	struct c_type c = { .kind = C_RAW, .name = "cb_raw" };

	if (source == NULL || source->type != VALUE_OBJECT || is_mixed(source))
		return c;
	type = get(source, "type");
	words = get(source, "enum");
	members = get(source, "properties");
	items = get(source, "items");
	c.source = source;
	c.name = NULL;
	if (words != NULL)
		c.kind = is_words(words) ? C_ENUM : C_RAW;
	else if (type != NULL && value_text_is(type, "object") &&
	    members != NULL && members->len != 0)
		c.kind = C_OBJECT;
	else if (type != NULL && value_text_is(type, "array") &&
	    items != NULL && get(source, "prefixItems") == NULL)
		c.kind = C_ARRAY;
	else
		c = plain_type(source);
	if (c.kind == C_RAW)
		c.name = "cb_raw";
	return c;
}

/* Is it a "$ref" and nothing else that says what it looks like? */
static const struct value *
only_reference(const struct value *source)
{
	const struct value *reference = NULL;

	if (source != NULL && source->type == VALUE_OBJECT &&
	    get(source, "type") == NULL && get(source, "properties") == NULL &&
	    get(source, "allOf") == NULL && get(source, "anyOf") == NULL &&
	    get(source, "oneOf") == NULL)
		reference = get(source, "$ref");
	return reference;
}

static const struct value *
follow(struct type_names *names, const struct value *source)
{
	const struct value *reference;

	/* The schema has no loops of references; those are mistakes. */
	while ((reference = only_reference(source)) != NULL)
		source = schema_set_target(names->contract->schemas, reference);
	return source;
}

struct c_type
c_type_of(struct type_names *names, const struct value *source)
{
	const struct value *target = follow(names, source);
	struct c_type c = kind_of(target);

	c.pointer =
	    target != source && (c.kind == C_OBJECT || c.kind == C_ARRAY);
	if (c.name == NULL)
		c.name = type_name(names, target, "cb_type");
	if (c.name == NULL)
		c = kind_of(NULL);
	return c;
}

static const struct named_type *
last_name(const struct type_names *names)
{
	return names->all != NULL ?
	    CONTAINER_OF(names->tail, struct named_type, next) :
	    NULL;
}

int
c_name_types(struct type_names *names, const struct value *source,
    const char *wanted)
{
	const struct value *target = follow(names, source), *child;
	const struct named_type *before = last_name(names);
	struct c_type c = kind_of(target);
	char word[48], inner[TYPE_NAME_MAX];
	const char *name;
	int rc = 0;

	if (c.name != NULL)
		return 0;
	if (target != source && target->key != NULL) {
		c_word(target->key, target->key_len, word, sizeof(word));
		wanted = word;
	}
	name = type_name(names, target, wanted);
	if (name == NULL)
		return -ENOMEM;
	if (last_name(names) == before || c.kind == C_ENUM)
		return 0; /* it has been here already, or nothing is in it */
	if (c.kind == C_ARRAY) {
		(void)snprintf(inner, sizeof(inner), "%.90s_item", name);
		return c_name_types(names, get(target, "items"), inner);
	}
	child = get(target, "properties")->first;
	for (; rc == 0 && child != NULL; child = child->next) {
		c_word(child->key, child->key_len, word, sizeof(word));
		(void)snprintf(inner, sizeof(inner), "%.60s_%s", name, word);
		rc = c_name_types(names, child, inner);
	}
	return rc;
}

void
c_put_type(FILE *out, const struct c_type *type)
{
	static const char *const plain[] = { "char *", "int64_t ", "double ",
		"bool ", "cJSON *" };

	if (type->kind < ARRAY_LEN(plain))
		(void)fputs(plain[type->kind], out);
	else
		(void)fprintf(out, "%s %s %s",
		    type->kind == C_ENUM ? "enum" : "struct", type->name,
		    type->pointer ? "*" : "");
}

void
c_string(FILE *out, const char *text, size_t len)
{
	unsigned char c;

	(void)fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (c == '"' || c == '\\' || c == '?')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)fprintf(out, "\\%03o", (unsigned)c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

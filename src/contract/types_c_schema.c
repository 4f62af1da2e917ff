/*
 * types_c_schema.c - structs, enums and their functions; types_c_internal.h.
 *
 * Before a struct come those that it has in itself; those that it only points
 * to are declared before all others.
 */
#include <string.h>

#include "contract/types_c_internal.h"

/* A member of a struct while it is written. */
struct member {
	const struct value *source; /* its schema; the key is its name */
	struct c_type type;
	bool required;
	char word[64];
};

/* The place of a value among those beside it, from 1. */
static unsigned
place_of(const struct value *value)
{
	const struct value *before = value->parent->first;
	unsigned place = 1;

	for (; before != value; before = before->next)
		place++;
	return place;
}

static bool
is_required(const struct value *object, const struct value *member)
{
	const struct value *list = value_get(object, "required", 8);
	const struct value *name = list != NULL ? list->first : NULL;

	while (name != NULL && !value_key_is(member, name->text, name->len))
		name = name->next;
	return name != NULL;
}

/* Is the word another member's before this one, with or without has_? */
static bool
is_taken(const struct value *members, const struct value *end, const char *word)
{
	const struct value *member = members->first;
	char other[64];

	for (; member != end; member = member->next) {
		c_word(member->key, member->key_len, other, sizeof(other) - 8);
		if (strcmp(word, other) == 0)
			return true;
	}
	return false;
}

static struct member
member_of(struct type_names *names, const struct value *object,
    const struct value *source)
{
	struct member m = { .source = source,
		.type = c_type_of(names, source),
		.required = is_required(object, source) };
	size_t len;

	c_word(source->key, source->key_len, m.word, sizeof(m.word) - 8);
	if (strncmp(m.word, "has_", 4) == 0) {
		memmove(m.word + 2, m.word, strlen(m.word) + 1);
		memcpy(m.word, "x_", 2);
	}
	len = strlen(m.word);
	if (is_taken(source->parent, source, m.word))
		(void)snprintf(m.word + len, sizeof(m.word) - len, "_%u",
		    place_of(source));
	return m;
}

static const struct value *
members_of(const struct c_type *type)
{
	return value_get(type->source, "properties", 10)->first;
}

static struct c_type
item_of(struct type_names *names, const struct c_type *type)
{
	struct c_type item =
	    c_type_of(names, value_get(type->source, "items", 5));

	item.pointer = false; /* an array may have them in itself */
	return item;
}

/* An enumerator: the enum's name and its word, in capitals. */
static void
write_enumerator(FILE *out, const struct c_type *type, const struct value *word)
{
	const struct value *before = word->parent->first;
	char own[64], other[64];
	bool twice = false;

	c_word(word->text, word->len, own, sizeof(own));
	for (; before != word; before = before->next) {
		c_word(before->text, before->len, other, sizeof(other));
		twice = twice || strcmp(own, other) == 0;
	}
	(void)fputc('\t', out);
	for (const char *at = type->name; *at != '\0'; at++)
		(void)fputc(*at >= 'a' && *at <= 'z' ? *at - 32 : *at, out);
	(void)fputc('_', out);
	for (const char *at = own; *at != '\0'; at++)
		(void)fputc(*at >= 'a' && *at <= 'z' ? *at - 32 : *at, out);
	if (twice)
		(void)fprintf(out, "_%u", place_of(word));
	(void)fputs(",\n", out);
}

static void
write_enum(FILE *out, const struct c_type *type)
{
	const struct value *words = value_get(type->source, "enum", 4);
	const struct value *word;

	(void)fprintf(out, "\nenum %s {\n", type->name);
	for (word = words->first; word != NULL; word = word->next)
		write_enumerator(out, type, word);
	(void)fprintf(out, "};\n\nstatic const char *const %s_words[] = {\n",
	    type->name);
	for (word = words->first; word != NULL; word = word->next) {
		(void)fputc('\t', out);
		c_string(out, word->text, word->len);
		(void)fputs(",\n", out);
	}
	(void)fputs("};\n", out);
}

static void
write_struct(FILE *out, struct type_names *names, const struct c_type *type)
{
	const struct value *source = members_of(type);
	struct member m;

	(void)fprintf(out, "\nstruct %s {\n", type->name);
	for (; source != NULL; source = source->next) {
		m = member_of(names, type->source, source);
		if (!m.required)
			(void)fprintf(out, "\tbool has_%s;\n", m.word);
		(void)fputc('\t', out);
		c_put_type(out, &m.type);
		(void)fprintf(out, "%s;\n", m.word);
	}
	(void)fputs("};\n", out);
}

static void
write_array(FILE *out, struct type_names *names, const struct c_type *type)
{
	struct c_type item = item_of(names, type);

	(void)fprintf(out, "\nstruct %s {\n\t", type->name);
	c_put_type(out, &item);
	(void)fputs("*items;\n\tsize_t count;\n};\n", out);
}

/* The type that a name belongs to. */
static struct c_type
named(struct type_names *names, const struct named_type *name)
{
	return c_type_of(names, name->source);
}

static void define(FILE *out, struct type_names *names,
    struct named_type *name);

/* A type that is in another one must be known there, unless by address. */
static void
define_inner(FILE *out, struct type_names *names, const struct c_type *inner,
    bool by_address)
{
	if (inner->kind == C_ENUM ||
	    ((inner->kind == C_OBJECT || inner->kind == C_ARRAY) &&
		!by_address && !inner->pointer))
		define(out, names, type_find(names, inner->source));
}

static void
define(FILE *out, struct type_names *names, struct named_type *name)
{
	const struct value *source;
	struct c_type type, inner;

	if (name == NULL || name->written)
		return;
	name->written = true;
	type = named(names, name);
	if (type.kind == C_ENUM) {
		write_enum(out, &type);
	} else if (type.kind == C_ARRAY) {
		inner = item_of(names, &type);
		define_inner(out, names, &inner, true);
		write_array(out, names, &type);
	} else if (type.kind == C_OBJECT) {
		for (source = members_of(&type); source != NULL;
		     source = source->next) {
			inner = c_type_of(names, source);
			define_inner(out, names, &inner, false);
		}
		write_struct(out, names, &type);
	}
}

static void
write_prototypes(FILE *out, const struct c_type *type)
{
	const char *n = type->name;

	if (type->kind == C_ENUM)
		(void)fprintf(out, "CB_ENUM(%s)\n", n);
	else if (type->kind == C_OBJECT || type->kind == C_ARRAY)
		(void)fprintf(out, "CB_STRUCT(%s)\n", n);
}

static bool
is_struct(const struct c_type *type)
{
	return type->kind == C_OBJECT || type->kind == C_ARRAY;
}

/* What a member or item is for its functions: itself, or where it is. */
static const char *
by(const struct c_type *type)
{
	return is_struct(type) && !type->pointer ? "&" : "";
}

static void
write_member_decode(FILE *out, const struct member *m)
{
	(void)fputs("\titem = cJSON_GetObjectItemCaseSensitive(json, ", out);
	c_string(out, m->source->key, m->source->key_len);
	(void)fputs(");\n", out);
	if (m->required)
		(void)fputs("\trc = item == NULL ? -EINVAL : ", out);
	else
		(void)fputs("\trc = item == NULL ? 0 : ", out);
	(void)fprintf(out, "%s_%s(item, &out->%s);\n", m->type.name,
	    m->type.pointer ? "make" : "decode", m->word);
	(void)fputs("\tif (rc != 0)\n\t\tgoto fail;\n", out);
	if (!m->required)
		(void)fprintf(out, "\tout->has_%s = item != NULL;\n", m->word);
}

static void
write_object_decode(FILE *out, struct type_names *names,
    const struct c_type *type)
{
	const struct value *source = members_of(type);
	struct member m;

	(void)fprintf(out,
	    "\nstatic inline int\n"
	    "%s_decode(const cJSON *json, struct %s *out)\n{\n"
	    "\tconst cJSON *item;\n\tint rc;\n\n"
	    "\tmemset(out, 0, sizeof(*out));\n"
	    "\tif (!cJSON_IsObject(json))\n\t\treturn -EINVAL;\n",
	    type->name, type->name);
	for (; source != NULL; source = source->next) {
		m = member_of(names, type->source, source);
		write_member_decode(out, &m);
	}
	(void)fprintf(out,
	    "\treturn 0;\nfail:\n\t%s_release(out);\n\treturn rc;\n}\n",
	    type->name);
}

static void
write_object_encode(FILE *out, struct type_names *names,
    const struct c_type *type)
{
	const struct value *source = members_of(type);
	struct member m;

	(void)fprintf(out,
	    "\nstatic inline cJSON *\n"
	    "%s_encode(const struct %s *value)\n{\n"
	    "\tcJSON *json = value != NULL ? cJSON_CreateObject() : NULL;\n\n"
	    "\tif (json == NULL)\n\t\treturn NULL;\n",
	    type->name, type->name);
	for (; source != NULL; source = source->next) {
		m = member_of(names, type->source, source);
		(void)fputs("\tif (", out);
		if (!m.required)
			(void)fprintf(out, "value->has_%s &&\n\t    ", m.word);
		(void)fputs("!cb_add(json, ", out);
		c_string(out, source->key, source->key_len);
		(void)fprintf(out,
		    ", %s_encode(%svalue->%s)))\n\t\tgoto fail;\n", m.type.name,
		    by(&m.type), m.word);
	}
	(void)fputs("\treturn json;\nfail:\n\tcJSON_Delete(json);\n"
		    "\treturn NULL;\n}\n",
	    out);
}

static void
write_object_release(FILE *out, struct type_names *names,
    const struct c_type *type)
{
	const struct value *source = members_of(type);
	struct member m;

	(void)fprintf(out,
	    "\nstatic inline void\n%s_release(struct %s *value)\n{\n",
	    type->name, type->name);
	for (; source != NULL; source = source->next) {
		m = member_of(names, type->source, source);
		(void)fprintf(out, "\t%s_%s(%svalue->%s);\n", m.type.name,
		    m.type.pointer ? "drop" : "release", by(&m.type), m.word);
	}
	(void)fputs("\tmemset(value, 0, sizeof(*value));\n}\n", out);
}

static void
write_array_functions(FILE *out, struct type_names *names,
    const struct c_type *type)
{
	struct c_type item = item_of(names, type);
	const char *n = type->name, *i = item.name, *at = by(&item);

	(void)fprintf(out,
	    "\nstatic inline int\n"
	    "%s_decode(const cJSON *json, struct %s *out)\n{\n"
	    "\tconst cJSON *item = json != NULL ? json->child : NULL;\n"
	    "\tint rc = 0;\n\n"
	    "\tmemset(out, 0, sizeof(*out));\n"
	    "\tif (!cJSON_IsArray(json))\n\t\treturn -EINVAL;\n"
	    "\tout->items = calloc((size_t)cJSON_GetArraySize(json) + 1,\n"
	    "\t    sizeof(*out->items));\n"
	    "\tif (out->items == NULL)\n\t\treturn -ENOMEM;\n"
	    "\tfor (; rc == 0 && item != NULL; item = item->next) {\n"
	    "\t\trc = %s_decode(item, &out->items[out->count]);\n"
	    "\t\tif (rc == 0)\n\t\t\tout->count++;\n\t}\n"
	    "\tif (rc != 0)\n\t\t%s_release(out);\n\treturn rc;\n}\n",
	    n, n, i, n);
	(void)fprintf(out,
	    "\nstatic inline cJSON *\n"
	    "%s_encode(const struct %s *value)\n{\n"
	    "\tcJSON *json = value != NULL ? cJSON_CreateArray() : NULL;\n\n"
	    "\tfor (size_t i = 0; json != NULL && i < value->count; i++) {\n"
	    "\t\tif (cb_append(json, %s_encode(%svalue->items[i])))\n"
	    "\t\t\tcontinue;\n"
	    "\t\tcJSON_Delete(json);\n\t\treturn NULL;\n\t}\n"
	    "\treturn json;\n}\n",
	    n, n, i, at);
	(void)fprintf(out,
	    "\nstatic inline void\n%s_release(struct %s *value)\n{\n"
	    "\tfor (size_t i = 0; i < value->count; i++)\n"
	    "\t\t%s_release(%svalue->items[i]);\n"
	    "\tfree(value->items);\n\tmemset(value, 0, sizeof(*value));\n}\n",
	    n, n, i, at);
}

void
c_write_types(FILE *out, struct type_names *names)
{
	struct named_type *name;
	struct c_type type;

	for (name = names->all; name != NULL; name = name->next) {
		type = named(names, name);
		if (is_struct(&type))
			(void)fprintf(out, "struct %s;\n", type.name);
	}
	for (name = names->all; name != NULL; name = name->next)
		define(out, names, name);
	(void)fputc('\n', out);
	for (name = names->all; name != NULL; name = name->next) {
		type = named(names, name);
		write_prototypes(out, &type);
	}
	for (name = names->all; name != NULL; name = name->next) {
		type = named(names, name);
		if (type.kind == C_OBJECT) {
			write_object_decode(out, names, &type);
			write_object_encode(out, names, &type);
			write_object_release(out, names, &type);
		} else if (type.kind == C_ARRAY) {
			write_array_functions(out, names, &type);
		}
	}
}

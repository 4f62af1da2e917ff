/* types_names.c - see types_names.h. */
#include "contract/types_names.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

void
type_names_init(struct type_names *names, const struct contract *contract)
{
	*names = (struct type_names){ .contract = contract };
	arena_init(&names->arena, NULL, 0);
	table_init(&names->by_source);
	table_init(&names->by_name);
	names->tail = &names->all;
}

void
type_names_release(struct type_names *names)
{
	table_release(&names->by_source);
	table_release(&names->by_name);
	arena_release(&names->arena);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void
type_word(const char *text, size_t len, char *out, size_t size)
{
	bool capital = true;
	size_t at = 0;
	char c;

	for (size_t i = 0; i < len && at + 2 < size; i++) {
		c = text[i];
		if (!is_letter(c) && !(c >= '0' && c <= '9')) {
			capital = true;
			continue;
		}
		if (at == 0 && !is_letter(c))
			out[at++] = 'N';
		if (capital && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		out[at++] = c;
		capital = false;
	}
	if (at == 0)
		out[at++] = 'X';
	out[at] = '\0';
}

static bool
is_taken(const struct type_names *names, const char *name)
{
	size_t len = strlen(name);

	return table_find(&names->by_name, name, len, hash_bytes(name, len)) !=
	    NULL;
}

struct named_type *
type_find(const struct type_names *names, const struct value *source)
{
	struct table_entry *entry =
	    table_find(&names->by_source, (const char *)&source, sizeof(source),
		hash_bytes(&source, sizeof(source)));

	return entry != NULL ?
	    CONTAINER_OF(entry, struct named_type, by_source) :
	    NULL;
}

/* Take the wanted name, or the first free one that is like it. */
static void
choose(const struct type_names *names, struct named_type *type,
    const char *wanted)
{
	(void)snprintf(type->name, sizeof(type->name), "%s", wanted);
	for (unsigned i = 2; is_taken(names, type->name); i++)
		(void)snprintf(type->name, sizeof(type->name), "%.110s%u",
		    wanted, i);
}

static int
enter(struct table *table, struct table_entry *entry, const void *key,
    size_t len)
{
	entry->key = key;
	entry->key_len = len;
	entry->hash = hash_bytes(key, len);
	return table_insert(table, entry);
}

const char *
type_name(struct type_names *names, const struct value *source,
    const char *wanted)
{
	struct named_type *type = type_find(names, source);
	char word[TYPE_NAME_MAX] = "Item";

	if (type != NULL)
		return type->name;
	type = arena_zalloc(&names->arena, sizeof(*type));
	if (type == NULL)
		return NULL;
	if (wanted != NULL)
		(void)snprintf(word, sizeof(word), "%s", wanted);
	else if (source->key != NULL)
		type_word(source->key, source->key_len, word, sizeof(word));
	word[TYPE_NAME_MAX - 16] = '\0';
	choose(names, type, word);
	type->source = source;
	if (enter(&names->by_source, &type->by_source, &type->source,
		sizeof(type->source)) != 0 ||
	    enter(&names->by_name, &type->by_name, type->name,
		strlen(type->name)) != 0)
		return NULL;
	*names->tail = type;
	names->tail = &type->next;
	return type->name;
}

const char *
type_name_of_ref(struct type_names *names, const struct value *reference)
{
	const struct value *target =
	    schema_set_target(names->contract->schemas, reference);

	return type_name(names, target, NULL);
}

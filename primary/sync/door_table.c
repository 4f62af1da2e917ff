/* door_table.c - see door_table.h. */
#include "primary/sync/door_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum {
	FIRST_CAP = 4
};

void
door_table_init(struct door_table *table)
{
	for (int kind = 0; kind < DOOR_KINDS; kind++)
		table_init(&table->names[kind]);
	table_init(&table->pairs);
}

static struct door_name *
name_of(struct table_entry *entry)
{
	return entry != NULL ? CONTAINER_OF(entry, struct door_name, entry) :
			       NULL;
}

static void
name_free(struct door_name *name)
{
	free(name->subs);
	free(name);
}

void
door_table_release(struct door_table *table)
{
	struct door_name *name, *next;

	for (int kind = 0; kind < DOOR_KINDS; kind++) {
		for (name = door_table_next(table, (enum door_kind)kind, NULL);
		     name != NULL; name = next) {
			next =
			    door_table_next(table, (enum door_kind)kind, name);
			for (uint32_t i = 0; i < name->count; i++)
				free(name->subs[i]);
			name_free(name);
		}
		table_release(&table->names[kind]);
	}
	table_release(&table->pairs);
}

void
door_subs_init(struct door_subs *subs)
{
	for (int kind = 0; kind < DOOR_KINDS; kind++) {
		list_init(&subs->list[kind]);
		subs->count[kind] = 0;
	}
}

struct door_name *
door_table_find(const struct door_table *table, enum door_kind kind,
    const char *name, size_t len)
{
	return name_of(
	    table_find(&table->names[kind], name, len, hash_bytes(name, len)));
}

struct door_name *
door_table_next(const struct door_table *table, enum door_kind kind,
    const struct door_name *name)
{
	return name_of(table_next(&table->names[kind],
	    name != NULL ? &name->entry : NULL));
}

static struct door_name *
name_new(struct door_table *table, enum door_kind kind, const char *text,
    size_t len)
{
	struct door_name *name = malloc(sizeof(*name) + len);

	if (name == NULL)
		return NULL;
	*name = (struct door_name){ .kind = kind };
	if (len != 0)
		memcpy(name->name, text, len);
	name->entry.key = name->name;
	name->entry.key_len = len;
	name->entry.hash = hash_bytes(name->name, len);
	if (table_insert(&table->names[kind], &name->entry) != 0) {
		free(name);
		return NULL;
	}
	return name;
}

static void
drop_if_unwanted(struct door_table *table, struct door_name *name)
{
	if (name->count != 0)
		return;
	table_remove(&table->names[name->kind], &name->entry);
	name_free(name);
}

static int
grow(struct door_name *name)
{
	uint32_t cap = name->cap != 0 ? name->cap * 2 : FIRST_CAP;
	struct door_sub **subs;

	if (name->count < name->cap)
		return 0;
	subs = realloc(name->subs, cap * sizeof(struct door_sub *));
	if (subs == NULL)
		return -ENOMEM;
	name->subs = subs;
	name->cap = cap;
	return 0;
}

static struct door_sub *
find_pair(const struct door_table *table, struct door_client *client,
    struct door_name *name)
{
	struct door_sub key = { .pair = { client, name } };
	struct table_entry *entry;

	entry = table_find(&table->pairs, (const char *)&key.pair,
	    sizeof(key.pair), hash_bytes(&key.pair, sizeof(key.pair)));
	return entry != NULL ? CONTAINER_OF(entry, struct door_sub, entry) :
			       NULL;
}

/* NULL: no memory. */
static struct door_sub *
pair_new(struct door_table *table, struct door_client *client,
    struct door_name *name)
{
	struct door_sub *sub = malloc(sizeof(*sub));

	if (sub == NULL || grow(name) != 0) {
		free(sub);
		return NULL;
	}
	*sub =
	    (struct door_sub){ .pair = { client, name }, .index = name->count };
	sub->entry.key = (const char *)&sub->pair;
	sub->entry.key_len = sizeof(sub->pair);
	sub->entry.hash = hash_bytes(&sub->pair, sizeof(sub->pair));
	if (table_insert(&table->pairs, &sub->entry) != 0) {
		free(sub);
		return NULL;
	}
	name->subs[name->count++] = sub;
	return sub;
}

int
door_table_add(struct door_table *table, enum door_kind kind,
    struct door_client *client, struct door_subs *subs, const char *text,
    size_t len)
{
	struct door_name *name = door_table_find(table, kind, text, len);
	struct door_sub *sub;

	if (name == NULL)
		name = name_new(table, kind, text, len);
	else if (find_pair(table, client, name) != NULL)
		return 0;
	if (name == NULL)
		return -ENOMEM;
	sub = pair_new(table, client, name);
	if (sub == NULL) {
		drop_if_unwanted(table, name);
		return -ENOMEM;
	}
	list_append(&subs->list[kind], &sub->link);
	subs->count[kind]++;
	return 1;
}

int
door_table_remove(struct door_table *table, enum door_kind kind,
    struct door_client *client, struct door_subs *subs, const char *text,
    size_t len)
{
	struct door_name *name = door_table_find(table, kind, text, len);
	struct door_sub *sub, *last;

	sub = name != NULL ? find_pair(table, client, name) : NULL;
	if (sub == NULL)
		return 0;
	assert(name->subs[sub->index] == sub);
	last = name->subs[--name->count];
	last->index = sub->index;
	name->subs[sub->index] = last;
	list_remove(&sub->link);
	subs->count[kind]--;
	table_remove(&table->pairs, &sub->entry);
	free(sub);
	drop_if_unwanted(table, name);
	return 1;
}

/* table.c - see table.h. */
#include "base/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_BUCKETS = 64
};

void
table_init(struct table *table)
{
	*table = (struct table){ 0 };
}

void
table_release(struct table *table)
{
	free(table->buckets);
	table_init(table);
}

static struct table_entry **
bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

struct table_entry *
table_find(const struct table *table, const char *key, size_t len,
    uint64_t hash)
{
	struct table_entry *entry;

	if (table->buckets == NULL)
		return NULL;
	for (entry = *bucket_of(table, hash); entry != NULL;
	     entry = entry->next) {
		if (entry->hash == hash && entry->key_len == len &&
		    memcmp(entry->key, key, len) == 0)
			return entry;
	}
	return NULL;
}

static int
resize(struct table *table, size_t count)
{
	struct table bigger = { .bucket_count = count, .count = table->count };
	struct table_entry *entry, *next, **bucket;

	bigger.buckets = calloc(count, sizeof(bigger.buckets[0]));
	if (bigger.buckets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->bucket_count; i++) {
		for (entry = table->buckets[i]; entry != NULL; entry = next) {
			next = entry->next;
			bucket = bucket_of(&bigger, entry->hash);
			entry->next = *bucket;
			*bucket = entry;
		}
	}
	free(table->buckets);
	*table = bigger;
	return 0;
}

int
table_insert(struct table *table, struct table_entry *entry)
{
	struct table_entry **bucket;
	int rc;

	if (table->count >= table->bucket_count) {
		rc = resize(table,
		    table->bucket_count != 0 ? table->bucket_count * 2 :
					       FIRST_BUCKETS);
		if (rc != 0 && table->buckets == NULL)
			return rc;
	}
	bucket = bucket_of(table, entry->hash);
	entry->next = *bucket;
	*bucket = entry;
	table->count++;
	return 0;
}

void
table_remove(struct table *table, struct table_entry *entry)
{
	struct table_entry **at;

	assert(table->buckets != NULL);
	for (at = bucket_of(table, entry->hash); *at != entry;
	     at = &(*at)->next)
		assert(*at != NULL);
	*at = entry->next;
	entry->next = NULL;
	table->count--;
}

struct table_entry *
table_next(const struct table *table, const struct table_entry *entry)
{
	size_t i = 0;

	if (entry != NULL) {
		if (entry->next != NULL)
			return entry->next;
		i = (entry->hash & (table->bucket_count - 1)) + 1;
	}
	for (; i < table->bucket_count; i++) {
		if (table->buckets[i] != NULL)
			return table->buckets[i];
	}
	return NULL;
}

/*
 * table.h - hash table from byte strings to structs that embed an entry.
 *
 * The table owns its bucket array and nothing else: entries live inside the
 * caller's structs, and so do the keys.  Chains are short because the table
 * doubles at one entry per bucket; when there is no memory to double, it goes
 * on with longer chains.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct table_entry {
	struct table_entry *next;
	uint64_t hash;
	const char *key; /* key_len bytes, must outlive the entry */
	size_t key_len;
};

struct table {
	struct table_entry **buckets; /* owned; NULL until the first insert */
	size_t bucket_count;          /* a power of two */
	size_t count;
};

/* An empty table; nothing is allocated yet. */
void table_init(struct table *table);

/* Free the buckets.  Entries that are still in it are forgotten. */
void table_release(struct table *table);

/* The entry with this key, or NULL.  hash is hash_bytes() of the key. */
struct table_entry *table_find(const struct table *table, const char *key,
    size_t len, uint64_t hash);

/*
 * Put in an entry whose key, key_len and hash are set; the key must not be in
 * the table yet.  0 or -ENOMEM (only possible for the very first insert).
 */
WARN_UNUSED int table_insert(struct table *table, struct table_entry *entry);

/* Take out an entry that is in the table. */
void table_remove(struct table *table, struct table_entry *entry);

/*
 * Walk all entries in no order: start with NULL, end at NULL.  The entry got
 * last may be removed before the next call when its successor was fetched.
 */
struct table_entry *table_next(const struct table *table,
    const struct table_entry *entry);

#endif /* BASE_TABLE_H */

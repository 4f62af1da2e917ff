/*
 * door_table.h - who at the Redis door has subscribed to what.
 *
 * Three sets of names that have nothing to do with each other: channels,
 * patterns, shard channels.  A name has its subscribers in an array, dense, so
 * that a message walks memory in order; a client has its subscriptions in
 * lists; and one hash table knows each pair, so that subscribing and leaving
 * take the same time with one subscription and with a million.
 *
 * Nothing here knows the hub or writes to anybody.
 */
#ifndef PRIMARY_SYNC_DOOR_TABLE_H
#define PRIMARY_SYNC_DOOR_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "base/table.h"

struct door_client;

enum door_kind {
	DOOR_CHANNEL = 0,
	DOOR_PATTERN,
	DOOR_SHARD,
	DOOR_KINDS /* must be last */
};

/* A name that somebody has subscribed to. */
struct door_name {
	struct table_entry entry; /* key: name */
	enum door_kind kind;
	struct door_sub **subs; /* owned; who has subscribed */
	uint32_t count, cap;
	char name[]; /* entry.key_len bytes */
};

/* A client and a name. */
struct door_sub {
	struct table_entry entry; /* key: pair */

	struct {
		struct door_client *client;
		struct door_name *name;
	} pair;

	uint32_t index;   /* in name->subs */
	struct list link; /* in the client's list */
};

/* What a client has subscribed to. */
struct door_subs {
	struct list list[DOOR_KINDS];
	size_t count[DOOR_KINDS];
};

struct door_table {
	struct table names[DOOR_KINDS];
	struct table pairs;
};

/* Nobody has subscribed to anything; and: free what is left. */
void door_table_init(struct door_table *table);
void door_table_release(struct door_table *table);

/* A client without subscriptions. */
void door_subs_init(struct door_subs *subs);

/* The name, or NULL when nobody has subscribed to it. */
struct door_name *door_table_find(const struct door_table *table,
    enum door_kind kind, const char *name, size_t len);

/* The first and the next name of a kind, in no order; NULL: no more. */
struct door_name *door_table_next(const struct door_table *table,
    enum door_kind kind, const struct door_name *name);

/* 1: subscribed; 0: had before; -ENOMEM.  subs are the client's. */
WARN_UNUSED int door_table_add(struct door_table *table, enum door_kind kind,
    struct door_client *client, struct door_subs *subs, const char *name,
    size_t len);

/* Whether it had subscribed to it. */
int door_table_remove(struct door_table *table, enum door_kind kind,
    struct door_client *client, struct door_subs *subs, const char *name,
    size_t len);

#endif /* PRIMARY_SYNC_DOOR_TABLE_H */

/* presence_members.c - see presence_members.h. */
#include "api/presence_members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "wire/node_id.h"

static struct member *
member_of(struct table_entry *entry)
{
	return CONTAINER_OF(entry, struct member, entry);
}

bool
member_row_read(struct json_span row, struct member_row *ret_row)
{
	api_row_text(row, "conn", ret_row->conn, sizeof(ret_row->conn));
	api_row_text(row, "user", ret_row->user, sizeof(ret_row->user));
	api_row_text(row, "role", ret_row->role, sizeof(ret_row->role));
	return ret_row->conn[0] != '\0';
}

void
members_init(struct members *members)
{
	*members = (struct members){ .count = 0 };
	table_init(&members->table);
}

/* Take it out; it belongs to the caller then. */
static void
take(struct members *members, struct member *member)
{
	table_remove(&members->table, &member->entry);
	members->count -= member->present;
}

void
members_release(struct members *members)
{
	struct table_entry *entry;

	while ((entry = table_next(&members->table, NULL)) != NULL) {
		take(members, member_of(entry));
		free(member_of(entry));
	}
	table_release(&members->table);
}

static struct member *
find(const struct members *members, const char *conn)
{
	size_t len = strlen(conn);
	struct table_entry *entry =
	    table_find(&members->table, conn, len, hash_bytes(conn, len));

	return entry != NULL ? member_of(entry) : NULL;
}

/* A new one, present.  NULL: no memory. */
static struct member *
add(struct members *members, const struct member_row *who)
{
	size_t conn_len = strlen(who->conn), user_len = strlen(who->user);
	size_t role_len = strlen(who->role);
	struct member *member =
	    malloc(sizeof(*member) + conn_len + user_len + role_len + 3);

	if (member == NULL)
		return NULL;
	*member = (struct member){ .present = true };
	memcpy(member->text, who->conn, conn_len + 1);
	member->user =
	    memcpy(member->text + conn_len + 1, who->user, user_len + 1);
	member->role = memcpy(member->text + conn_len + user_len + 2, who->role,
	    role_len + 1);
	list_init(&member->link);
	member->entry.key = member->text;
	member->entry.key_len = conn_len;
	member->entry.hash = hash_bytes(member->text, conn_len);
	if (table_insert(&members->table, &member->entry) != 0) {
		free(member);
		return NULL;
	}
	members->count++;
	return member;
}

bool
members_come(struct members *members, const struct member_row *who,
    const struct ipc_node_id *owner, uint32_t round, bool is_row, int *ret_err)
{
	struct member *member = find(members, who->conn);
	bool is_new = member == NULL || !member->present;

	*ret_err = 0;
	if (member != NULL && !member->present && is_row)
		return false; /* it has left since the row was written */
	if (member != NULL && is_new) {
		take(members,
		    member); /* back again, as somebody else perhaps */
		free(member);
	}
	if (is_new)
		member = add(members, who);
	if (member == NULL) {
		*ret_err = -ENOMEM;
		return false;
	}
	/* A row may be older than the event that it is elsewhere now. */
	if (is_new || !is_row || member->heard != round)
		member->owner = *owner;
	member->seen = round;
	if (!is_row)
		member->heard = round;
	return is_new;
}

bool
members_leave(struct members *members, const char *conn, uint32_t round,
    bool keep)
{
	struct member *member = find(members, conn);
	struct member_row who = { .user = "", .role = "" };
	bool was_there = member != NULL && member->present;

	if (member == NULL && keep) {
		/* Its row may be on the way all the same. */
		memcpy(who.conn, conn, strlen(conn) + 1);
		member = add(members, &who);
	}
	if (member == NULL)
		return false;
	if (!keep) {
		take(members, member);
		free(member);
		return was_there;
	}
	members->count -= member->present;
	member->present = false;
	member->seen = round;
	return was_there;
}

void
members_take_node(struct members *members, const struct ipc_node_id *node,
    struct list *left)
{
	struct table_entry *entry, *next;
	struct member *member;

	for (entry = table_next(&members->table, NULL); entry != NULL;
	     entry = next) {
		next = table_next(&members->table, entry);
		member = member_of(entry);
		if (!member->present || !node_id_equal(&member->owner, node))
			continue;
		take(members, member);
		list_append(left, &member->link);
	}
}

void
members_end_round(struct members *members, uint32_t round, bool complete,
    struct list *left)
{
	struct table_entry *entry, *next;
	struct member *member;

	for (entry = table_next(&members->table, NULL); entry != NULL;
	     entry = next) {
		next = table_next(&members->table, entry);
		member = member_of(entry);
		if (!member->present) {
			take(members, member);
			free(member);
		} else if (complete && member->seen != round) {
			take(members, member);
			list_append(left, &member->link);
		}
	}
}

/*
 * presence_members.h - the set of members that a watch (presence.c) knows.
 *
 * Inside src/api/ only.  A member is known by its connection's id and belongs
 * to the node that told of it last: it may move from one to another, and stays
 * the same member.  A round is one question to all workers and
 * their answers: `seen` is the last round in which a row or an event said
 * something about the member.  Who leaves during a round is remembered until
 * its end, so that a row that was written before cannot bring it back.
 */
#ifndef API_PRESENCE_MEMBERS_H
#define API_PRESENCE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"

enum {
	ROLE_TEXT_MAX = 256
};

struct member {
	struct table_entry entry; /* key: conn */
	struct list link;         /* in a list of those who leave */
	struct ipc_node_id owner; /* the node that it is on */
	uint32_t seen;            /* round */
	uint32_t heard;           /* round of the last event */
	bool present;             /* false: has left in this round */
	const char *user, *role;  /* in text */
	char text[];              /* conn, user, role, each with '\0' */
};

struct members {
	struct table table;
	size_t count; /* those that are present */
};

/* A row of QUERY_MEMBERS, decoded: strings of one's own. */
struct member_row {
	char conn[CONN_ID_TEXT_MAX];
	char user[CBUS_NAME_MAX + 1];
	char role[ROLE_TEXT_MAX];
};

/* Read a row.  False: it names no connection. */
bool member_row_read(struct json_span row, struct member_row *ret_row);

/* Nothing is known yet; nothing is allocated. */
void members_init(struct members *members);

/* Forget them all. */
void members_release(struct members *members);

/*
 * A row or a `join` says that it is there, on this node.  True: it was nowhere.
 * False: it was known; or it has left in this round and `row` is older; or there is no
 * memory (*ret_err -ENOMEM, else 0).
 */
bool members_come(struct members *members, const struct member_row *who,
    const struct ipc_node_id *owner, uint32_t round, bool is_row, int *ret_err);

/* It has left; keep: a round is under way.  True: it was there. */
bool members_leave(struct members *members, const char *conn, uint32_t round,
    bool keep);

/* Move into `left` all members of a node. */
void members_take_node(struct members *members, const struct ipc_node_id *node,
    struct list *left);

/*
 * A round is over: forget who has left in it; if it was complete, move into
 * `left` all of whom nothing was heard.
 */
void members_end_round(struct members *members, uint32_t round, bool complete,
    struct list *left);

#endif /* API_PRESENCE_MEMBERS_H */

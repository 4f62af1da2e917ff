/*
 * presence_internal.h - what presence.c and presence_round.c share; others
 * include api.h.
 */
#ifndef API_PRESENCE_INTERNAL_H
#define API_PRESENCE_INTERNAL_H

#include "api/presence_members.h"

enum {
	PRESENCE_GRACE_MS = 3000,  /* workers knock once a second */
	PRESENCE_RETRY_MS = 500,   /* after a round that was not complete */
	PRESENCE_AUDIT_MS = 60000, /* a dropped event may be the last one */
	/* Room for others' questions. */
	PRESENCE_ROUNDS_MAX = IPC_QUERIES_MAX / 2,
};

struct cbus_watch {
	struct list link; /* in bus->watches */
	struct cbus *bus;
	bool dead; /* ended, not freed yet */
	bool asking;
	bool stale; /* ask again when this round is over */
	bool ready; /* READY was told */
	bool bad;   /* this round: no memory, or rows were left out */
	bool told;  /* an error about rows that were left out */
	uint32_t round;
	uint64_t due_ms;   /* when to ask again */
	uint64_t grace_ms; /* until then nobody is missed */
	struct cbus_sub *sub;
	cbus_presence_fn *fn;
	void *arg;
	struct members members;
	struct channel_name channel; /* without "p:" */
};

/*
 * While callbacks may run: watches that end meanwhile are freed at the last
 * watch_leave().
 */
void watch_enter(struct cbus *bus);
void watch_leave(struct cbus *bus);

/* ---- presence_round.c ---- */

/* Ask who is there; after the round that is under way, if one is. */
void watch_ask(struct cbus_watch *watch);

/* Tell an event, unless the watch has ended. */
void watch_tell(struct cbus_watch *watch, enum cbus_presence_event event,
    const char *conn, const char *user, const char *role);

/* They have been taken out of the set; tell and free them. */
void watch_tell_left(struct cbus_watch *watch, struct list *left);

/* There was no memory for somebody: told, and asked anew. */
void watch_no_memory(struct cbus_watch *watch);

#endif /* API_PRESENCE_INTERNAL_H */

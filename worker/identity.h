/*
 * identity.h - who a client is: user, role, what its token grants.
 *
 * Made once by whoever authenticates (auth.c from a token, app.c from what an
 * application said), owned by the client, replaced as a whole when the token
 * is refreshed.  A client without one is anonymous: no user, no role.
 *
 * Grants narrow what the contract (or the open bus) allows: a token without a
 * list of grants narrows nothing, one with an empty list allows no topic.
 */
#ifndef WORKER_IDENTITY_H
#define WORKER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum {
	IDENTITY_USER_MAX = 255,   /* bytes */
	IDENTITY_ROLE_MAX = 255,   /* bytes; CONTRACT_NAME_MAX */
	IDENTITY_GRANTS_MAX = 1000 /* patterns in one list */
};

/* A list of topics; "chat:*" is every topic that begins with "chat:". */
struct grants {
	char **patterns; /* owned, count of them */
	size_t count;
	bool given; /* false: there is no list, all is granted */
};

struct identity {
	char *user;            /* owned; "" : none */
	char *role;            /* owned; "": none */
	uint64_t expires_s;    /* Unix time; 0: never */
	struct grants topics;  /* may subscribe to, and publish to */
	struct grants publish; /* may publish to; given: instead of topics */
	bool api;              /* may use the HTTP API */
};

/* An identity without grants lists.  NULL: out of memory, or too long. */
struct identity *identity_new(const char *user, const char *role);

/* NULL is allowed. */
void identity_free(struct identity *identity);

/*
 * Add a pattern to a list.  0, -ENOMEM, -E2BIG (IDENTITY_GRANTS_MAX), -EINVAL:
 * empty or longer than a topic's name can be.
 */
WARN_UNUSED int grants_add(struct grants *grants, const char *pattern,
    size_t len);

/* Is the topic granted?  identity NULL: nothing is narrowed. */
bool identity_may_subscribe(const struct identity *identity, const char *topic,
    size_t len);
bool identity_may_publish(const struct identity *identity, const char *topic,
    size_t len);

/* The role, or NULL when there is none (or no identity). */
const char *identity_role(const struct identity *identity);

/* The user, or NULL when there is none (or no identity). */
const char *identity_user(const struct identity *identity);

#endif /* WORKER_IDENTITY_H */

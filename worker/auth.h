/*
 * auth.h - who may connect, and as whom.
 *
 *	handshake -----> opened: a good token, or none needed ----> goes on
 *	                    |    a bad token: close 4401, 4403
 *	                    |    none, but one is needed
 *	                    v
 *	                 waits (welcome says "auth":"required")
 *	                    |    `auth` with a good token --------> goes on
 *	                    |    auth-timeout: close 4401
 *
 * A token is judged by the keys of --jwt-key, or, when an application has an
 * authenticate hook, by that alone.  While a client waits only `auth` and
 * `ping` are taken (protocol.c looks at client->authenticated).  An identity
 * ends at its time: close 4401, unless `auth` has renewed it.
 *
 * A bus without keys and without such an application looks at no token.
 */
#ifndef WORKER_AUTH_H
#define WORKER_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "worker/errors.h"
#include "worker/handshake.h"
#include "worker/identity.h"

struct client;
struct config;
struct jwt_keys;
struct worker;

enum {
	/* What auth_describe() writes at most. */
	AUTH_DESCRIBE_MAX = 2 * (IDENTITY_USER_MAX + IDENTITY_ROLE_MAX) + 40,
	/* Tokens of one client in band: so many, then one in so much time. */
	AUTH_TRIES_MAX = 10,
	AUTH_TRY_BACK_MS = 1000,
};

/*
 * An application's judgement.  0 and the identity (the caller's now; NULL:
 * nobody in particular); -EACCES: not authenticated (4401); -EPERM: known, but
 * not allowed (4403); -ENOMEM.  handshake->token is "" when there is none.
 */
typedef int auth_hook(struct worker *worker, struct client *client,
    const struct handshake *handshake, struct identity **ret_identity);

struct auth {
	struct jwt_keys *keys;   /* owned; NULL: there are none */
	struct jwt_keys *next;   /* owned; those of auth_prepare() */
	auth_hook *authenticate; /* set with worker->app_authenticates */
	bool warned;             /* of a token in the address */
};

/*
 * Read the keys that a configuration names, for auth_apply(), which puts them
 * in force.  Makes worker->auth if there is none.  0; or -errno and why, and
 * the old keys stay.
 */
WARN_UNUSED int auth_prepare(struct worker *worker, const struct config *config,
    char *why, size_t size);
void auth_apply(struct worker *worker);

/* Free worker->auth; NULL is allowed. */
void auth_free(struct worker *worker);

/* Must every client say who it is? */
bool auth_required(const struct worker *worker);

/*
 * Who does the token say it is?  For requests that are no client (HTTP API).
 * 0 and a new identity; or -EACCES, -EPERM, -ENOMEM and why (static text).
 */
WARN_UNUSED int auth_check(struct worker *worker, const char *token, size_t len,
    struct identity **ret_identity, const char **ret_why);

/*
 * The client is open: decide by its handshake.  Afterwards it goes on, or
 * waits, or is being closed.  Called from client_opened() only.
 */
void auth_opened(struct client *client);

/*
 * The client has sent a token in band: its first, or a new one in place of one
 * that will expire, which has to keep user and role.  Memberships that a new
 * one does not grant end.  More than AUTH_TRIES_MAX of them are not looked at:
 * ERR_RATE_LIMITED.  0: the caller answers, and then calls
 * client_authenticated(); or -errno with code and text of the answer, and
 * everything stays as it was.
 */
WARN_UNUSED int auth_token(struct client *client, const char *token, size_t len,
    enum client_error *ret_code, const char **ret_why);

/*
 * Close it if its time is over, or if it has no token and a reload has made
 * one necessary; true: it was.
 */
bool auth_sweep(struct client *client);

/* A token came in the address, where logs keep it: count, warn once. */
void auth_note_address(struct worker *worker);

/*
 * What welcome and the answer to `auth` say of the client: members with a
 * comma before each, or "".  text has AUTH_DESCRIBE_MAX bytes.
 */
void auth_describe(const struct client *client, char *text, size_t size);

#endif /* WORKER_AUTH_H */

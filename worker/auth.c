/*
 * auth.c - see auth.h: what becomes of a client by what its token says.
 *
 * Whom the token names is auth_check.c's part.
 */
#include "worker/auth_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/jwt.h"
#include "base/json.h"
#include "base/log.h"
#include "wire/channel_name.h"
#include "worker/membership.h"
#include "worker/reply.h"
#include "worker/state.h"

/* ---- at the handshake -------------------------------------------------- */

static void
forget_handshake(struct client *client)
{
	handshake_free(client->handshake);
	client->handshake = NULL;
}

/* It is decided; the identity is the client's now. */
static void
let_in(struct client *client, struct identity *identity)
{
	identity_free(client->identity);
	client->identity = identity;
	client->authenticated = true;
	if (client->move != NULL)
		client->move->changed = true;
	forget_handshake(client);
}

static void
turn_away(struct client *client, int rc, const char *why)
{
	enum close_code code = rc == -EPERM ? CLOSE_FORBIDDEN :
	    rc == -ENOMEM                   ? CLOSE_INTERNAL :
					      CLOSE_UNAUTHORIZED;

	stats_add(&client->worker->stats->auth_failed, 1);
	log_debug("client turned away: %s", why);
	client_close(client, code, why, true);
	forget_handshake(client);
}

void
auth_opened(struct client *client)
{
	static const struct handshake nothing = { "", "", "", "" };
	struct worker *worker = client->worker;
	const struct handshake *handshake =
	    client->handshake != NULL ? client->handshake : &nothing;
	bool has_token = handshake->token[0] != '\0';
	struct identity *identity = NULL;
	const char *why = "";
	int rc = -EACCES;

	client->auth_ms = client_now(worker);
	if (auth_app_judges(worker) || (auth_has_keys(worker) && has_token))
		rc = auth_identify(client, handshake, &identity, &why);
	else if (!auth_required(worker))
		rc = 0;
	if (rc == 0)
		let_in(client, identity);
	else if (rc != -EACCES || has_token)
		turn_away(client, rc, why);
}

/*
 * It was let in without a token, and a reload has made one necessary.  Whom an
 * application let in is the application's business.
 */
static bool
needs_token_now(const struct client *client)
{
	const struct worker *worker = client->worker;

	return client->authenticated && client->identity == NULL &&
	    !worker->app_authenticates && auth_required(worker);
}

bool
auth_sweep(struct client *client)
{
	struct worker *worker = client->worker;
	const struct identity *identity = client->identity;

	if (!client->authenticated &&
	    client_now(worker) - client->auth_ms >=
		worker->config->auth_timeout) {
		turn_away(client, -EACCES, "not authenticated in time");
		return true;
	}
	if (needs_token_now(client)) {
		turn_away(client, -EACCES, "a token is needed now");
		return true;
	}
	if (identity != NULL && identity->expires_s != 0 &&
	    (uint64_t)time(NULL) >= identity->expires_s) {
		stats_add(&worker->stats->auth_expired, 1);
		client_close(client, CLOSE_UNAUTHORIZED, "token expired",
		    false);
		return true;
	}
	return false;
}

void
auth_note_address(struct worker *worker)
{
	stats_add(&worker->stats->auth_in_address, 1);
	if (worker->auth == NULL || worker->auth->warned)
		return;
	worker->auth->warned = true;
	log_warnx("a client gave its token in the address (?token=), where "
		  "proxies log it; not said again");
}

/* ---- in band ----------------------------------------------------------- */

/* Does the identity grant a channel?  Only topics are granted at all. */
static bool
is_granted(const struct identity *identity, const struct channel *channel)
{
	const char *topic = channel->name + CHANNEL_PREFIX_LEN;
	const char *end = channel->name + channel->entry.key_len;

	if (channel->name[0] == 'f')
		topic =
		    (const char *)memchr(topic, '/', (size_t)(end - topic)) +
		    1; /* "f:ROLE/TOPIC" */
	else if (channel->name[0] != 't')
		return true;
	return identity_may_subscribe(identity, topic, (size_t)(end - topic));
}

/* Memberships in topics that the client's identity does not grant end. */
static void
leave_ungranted(struct client *client)
{
	char text[128];
	const struct channel *channel;
	uint32_t left = 0;

	for (uint32_t i = client->sub_count; i-- > 0;) {
		if (i >= client->sub_count)
			continue; /* a listener has taken more out */
		channel = client->subs[i].channel;
		if (is_granted(client->identity, channel))
			continue;
		if (membership_leave(client->worker, client, channel->name,
			channel->entry.key_len) == 0)
			left++;
	}
	if (left == 0)
		return;
	(void)snprintf(text, sizeof(text),
	    "%u subscriptions ended: the new token does not grant them", left);
	client_push_own(client, reply_err("", 0, ERR_FORBIDDEN, text));
}

/* May the one take the place of the other? */
static bool
is_same_person(const struct identity *old, const struct identity *renewed)
{
	return renewed != NULL && strcmp(old->user, renewed->user) == 0 &&
	    strcmp(old->role, renewed->role) == 0;
}

static enum client_error
code_of(int rc)
{
	switch (rc) {
	case -EPERM:
		return ERR_FORBIDDEN;
	case -ENOMEM:
		return ERR_INTERNAL;
	default:
		return ERR_UNAUTHORIZED;
	}
}

/* Judge a '\0'-terminated token with what is left of the handshake. */
static int
judge(struct client *client, const char *token, struct identity **ret_identity,
    const char **ret_why)
{
	struct handshake request = { token, "", "", "" };

	if (client->handshake != NULL) {
		request = *client->handshake;
		request.token = token;
	}
	return auth_identify(client, &request, ret_identity, ret_why);
}

/*
 * A signature costs thousands of times what a message costs, and everybody may
 * send one: so each client may try a few times, and then once in a while.
 */
static bool
may_try(struct client *client)
{
	uint32_t now = client_now(client->worker);
	uint32_t back = (now - client->tries_ms) / AUTH_TRY_BACK_MS;

	client->tries_ms += back * AUTH_TRY_BACK_MS;
	client->tries = client->tries > back ? client->tries - back : 0;
	if (client->tries == AUTH_TRIES_MAX)
		return false;
	if (client->tries++ == 0)
		client->tries_ms = now;
	return true;
}

int
auth_token(struct client *client, const char *token, size_t len,
    enum client_error *ret_code, const char **ret_why)
{
	struct worker *worker = client->worker;
	struct identity *identity = NULL;
	char text[JWT_TOKEN_MAX + 1];
	int rc;

	if (!auth_app_judges(worker) && !auth_has_keys(worker)) {
		*ret_code = ERR_NOT_FOUND;
		*ret_why = "this bus has no tokens";
		return -ENOENT;
	}
	if (!may_try(client)) {
		stats_add(&worker->stats->rate_limited, 1);
		*ret_code = ERR_RATE_LIMITED;
		*ret_why = "too many tokens; try again later";
		return -EBUSY;
	}
	if (len > JWT_TOKEN_MAX || memchr(token, '\0', len) != NULL) {
		*ret_why = "the token is longer than 8192 bytes";
		rc = -EACCES;
	} else {
		memcpy(text, token, len);
		text[len] = '\0';
		rc = judge(client, text, &identity, ret_why);
		explicit_bzero(text, len);
	}
	if (rc == 0 && client->identity != NULL &&
	    !is_same_person(client->identity, identity)) {
		identity_free(identity);
		*ret_why = "a new token must keep user and role";
		rc = -EPERM;
	}
	if (rc != 0) {
		stats_add(&worker->stats->auth_failed, 1);
		*ret_code = code_of(rc);
		return rc;
	}
	let_in(client, identity);
	leave_ungranted(client);
	return 0;
}

/* ---- what is said of it ------------------------------------------------ */

static size_t
put_member(char *text, size_t size, const char *name, const char *value)
{
	int n = snprintf(text, size, ",\"%s\":", name);
	size_t at = (size_t)n;

	at += json_string_encode(value, strlen(value), text + at, size - at);
	text[at] = '\0';
	return at;
}

void
auth_describe(const struct client *client, char *text, size_t size)
{
	const char *user = identity_user(client->identity);
	const char *role = identity_role(client->identity);
	size_t at = 0;

	text[0] = '\0';
	if (!client->authenticated)
		(void)snprintf(text, size, ",\"auth\":\"required\"");
	if (user != NULL)
		at = put_member(text, size, "user", user);
	if (role != NULL)
		(void)put_member(text + at, size - at, "role", role);
}

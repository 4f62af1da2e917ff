/*
 * auth_check.c - the keys, and whom a token names; see auth.h.
 *
 * What comes out is an identity whose names can be used on this bus; nothing
 * is done to the client yet, that is auth.c's part.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/jwt.h"
#include "contract/contract.h"
#include "wire/channel_name.h"
#include "worker/auth_internal.h"
#include "worker/state.h"

/* ---- keys -------------------------------------------------------------- */

int
auth_prepare(struct worker *worker, const struct config *config, char *why,
    size_t size)
{
	struct jwt_keys *keys = NULL;
	int rc;

	if (worker->auth == NULL)
		worker->auth = calloc(1, sizeof(*worker->auth));
	if (worker->auth == NULL) {
		(void)snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	if (config->jwt_key.count != 0) {
		rc = jwt_keys_load(config->jwt_key.items, config->jwt_key.count,
		    &keys, why, size);
		if (rc != 0)
			return rc;
	}
	jwt_keys_free(worker->auth->next);
	worker->auth->next = keys;
	return 0;
}

void
auth_apply(struct worker *worker)
{
	struct auth *auth = worker->auth;

	jwt_keys_free(auth->keys);
	auth->keys = auth->next;
	auth->next = NULL;
}

void
auth_free(struct worker *worker)
{
	if (worker->auth == NULL)
		return;
	jwt_keys_free(worker->auth->keys);
	jwt_keys_free(worker->auth->next);
	free(worker->auth);
	worker->auth = NULL;
}

bool
auth_app_judges(const struct worker *worker)
{
	return worker->app_authenticates && worker->auth != NULL &&
	    worker->auth->authenticate != NULL;
}

bool
auth_has_keys(const struct worker *worker)
{
	return worker->auth != NULL && worker->auth->keys != NULL;
}

bool
auth_required(const struct worker *worker)
{
	return worker->app_authenticates ||
	    (auth_has_keys(worker) && !worker->config->anonymous);
}

/* ---- who is it? -------------------------------------------------------- */

static int
take_grants(const struct jwt_list *from, struct grants *to)
{
	int rc = 0;

	to->given = from->given;
	for (size_t i = 0; rc == 0 && i < from->count; i++)
		rc = grants_add(to, from->names[i], strlen(from->names[i]));
	return rc;
}

static int
from_claims(const struct config *config, const struct jwt_claims *claims,
    struct identity **ret_identity, const char **ret_why)
{
	struct identity *identity;
	int rc;

	*ret_why = "the token's user or role is too long";
	if (strlen(claims->user) > IDENTITY_USER_MAX ||
	    strlen(claims->role) > IDENTITY_ROLE_MAX)
		return -EACCES;
	identity = identity_new(claims->user, claims->role);
	if (identity == NULL)
		return -ENOMEM;
	identity->expires_s = claims->expires_s;
	identity->api = strcmp(claims->role, config->api_role) == 0;
	rc = take_grants(&claims->topics, &identity->topics);
	if (rc == 0)
		rc = take_grants(&claims->publish, &identity->publish);
	if (rc != 0) {
		*ret_why = "the token grants something that is no topic";
		identity_free(identity);
		return rc == -ENOMEM ? rc : -EACCES;
	}
	*ret_identity = identity;
	return 0;
}

/* Can there be such a user and such a role here? */
static int
check_names(const struct worker *worker, const struct identity *identity,
    const char **ret_why)
{
	const char *user = identity_user(identity);
	const char *role = identity_role(identity);

	*ret_why = "the user's name cannot be one here";
	if (user != NULL &&
	    channel_name_fault(user, strlen(user), IDENTITY_USER_MAX) != NULL)
		return -EACCES;
	*ret_why = "the role's name cannot be one here";
	if (role != NULL &&
	    (strchr(role, '/') != NULL ||
		channel_name_fault(role, strlen(role), IDENTITY_ROLE_MAX) !=
		    NULL))
		return -EACCES;
	*ret_why = "there is no such role here";
	if (role != NULL && worker->contract != NULL &&
	    !contract_has_role(worker->contract, role))
		return -EPERM;
	return 0;
}

static int
check_token(const struct worker *worker, const char *token, size_t len,
    struct identity **ret_identity, const char **ret_why)
{
	const struct config *config = worker->config;
	struct jwt_rules rules = {
		.issuer = config->jwt_issuer,
		.audience = config->jwt_audience,
		.user_claim = config->jwt_user_claim,
		.role_claim = config->jwt_role_claim,
	};
	struct jwt_claims claims;
	int rc;

	rc = jwt_check(worker->auth->keys, &rules, token, len,
	    (uint64_t)time(NULL), &claims, ret_why);
	if (rc != 0)
		return rc;
	rc = from_claims(config, &claims, ret_identity, ret_why);
	jwt_claims_release(&claims);
	return rc;
}

int
auth_identify(struct client *client, const struct handshake *handshake,
    struct identity **ret_identity, const char **ret_why)
{
	struct worker *worker = client->worker;
	struct identity *identity = NULL;
	int rc;

	*ret_why = "";
	if (auth_app_judges(worker))
		rc = worker->auth->authenticate(worker, client, handshake,
		    &identity);
	else
		rc = check_token(worker, handshake->token,
		    strlen(handshake->token), &identity, ret_why);
	if (rc == 0) {
		rc = check_names(worker, identity, ret_why);
		if (rc != 0)
			identity_free(identity);
	} else if ((*ret_why)[0] == '\0') {
		*ret_why = rc == -EPERM ? "not allowed" : "not authenticated";
	}
	if (rc == -ENOMEM)
		*ret_why = "out of memory";
	if (rc == 0)
		*ret_identity = identity;
	return rc;
}

int
auth_check(struct worker *worker, const char *token, size_t len,
    struct identity **ret_identity, const char **ret_why)
{
	struct identity *identity = NULL;
	int rc;

	*ret_why = "no token is accepted here";
	if (!auth_has_keys(worker))
		return -EACCES;
	rc = check_token(worker, token, len, &identity, ret_why);
	if (rc == 0)
		rc = check_names(worker, identity, ret_why);
	/* The contract is about clients: who uses the API need not be one. */
	if (rc == -EPERM && identity != NULL && identity->api)
		rc = 0;
	if (rc != 0) {
		identity_free(identity);
		return rc;
	}
	*ret_identity = identity;
	return 0;
}

/*
 * protocol_more.c - ping, auth, watch, unwatch and call.
 */
#include <stdio.h>

#include "api/api.h"
#include "auth/jwt.h"
#include "worker/auth.h"
#include "worker/call.h"
#include "worker/membership.h"
#include "worker/protocol_internal.h"
#include "worker/reply.h"
#include "worker/state.h"

void
protocol_ping(struct client *client, const struct command *command)
{
	client_push_own(client, reply_ok(command->id.at, command->id.len, ""));
}

void
protocol_auth(struct client *client, const struct command *command)
{
	char token[JWT_TOKEN_MAX + 1], who[AUTH_DESCRIBE_MAX];
	enum client_error code = ERR_INTERNAL;
	const char *fault, *why = "";
	size_t len;

	fault = protocol_text_of(command->token, command->token_type, "token",
	    token, JWT_TOKEN_MAX, &len);
	if (fault != NULL) {
		protocol_bad(client, command, fault);
		return;
	}
	if (auth_token(client, token, len, &code, &why) != 0) {
		protocol_refuse(client, command, code, why);
		return;
	}
	auth_describe(client, who, sizeof(who));
	client_push_own(client, reply_ok(command->id.at, command->id.len, who));
	client_authenticated(client); /* does nothing the second time */
}

/* ---- resources --------------------------------------------------------- */

/* The channel of the resource.  False: an error was answered. */
static bool
take_resource(struct client *client, const struct command *command,
    struct channel_name *channel)
{
	const struct worker *worker = client->worker;
	char name[IPC_CHANNEL_MAX + 1], text[96];
	const char *fault;
	size_t len;

	fault = protocol_text_of(command->resource, command->resource_type,
	    "resource", name, IPC_CHANNEL_MAX, &len);
	if (fault != NULL) {
		protocol_bad(client, command, fault);
		return false;
	}
	fault = channel_name_fault(name, len, worker->config->max_topic);
	if (fault != NULL || channel_name(channel, 'w', name, len) != 0) {
		(void)snprintf(text, sizeof(text), "the resource %s",
		    fault != NULL ? fault : "is too long");
		protocol_bad(client, command, text);
		return false;
	}
	if (worker->contract != NULL &&
	    contract_find(worker->contract, CONTRACT_RESOURCE,
		identity_role(client->identity), name, len) == NULL) {
		protocol_refuse(client, command, ERR_NOT_FOUND,
		    "there is no such resource");
		return false;
	}
	return true;
}

void
protocol_watch(struct client *client, const struct command *command)
{
	struct channel_name channel;

	if (take_resource(client, command, &channel))
		protocol_joined(client, command,
		    membership_join(client->worker, client, channel.text,
			channel.len, command->id.at, command->id.len));
}

void
protocol_unwatch(struct client *client, const struct command *command)
{
	struct channel_name channel;

	if (!take_resource(client, command, &channel))
		return;
	if (membership_leave(client->worker, client, channel.text,
		channel.len) != 0)
		protocol_refuse(client, command, ERR_NOT_FOUND,
		    "not watching it");
	else
		protocol_ok(client, command);
}

/* ---- methods ----------------------------------------------------------- */

void
protocol_call(struct client *client, const struct command *command)
{
	char method[PUSH_NAME_MAX + 1];
	const char *fault;
	size_t len;

	fault = protocol_text_of(command->method, command->method_type,
	    "method", method, PUSH_NAME_MAX, &len);
	if (fault != NULL)
		protocol_bad(client, command, fault);
	else
		call_begin(client, method, len, command->id.at, command->id.len,
		    command->data.at, command->data.len);
}

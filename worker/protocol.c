/*
 * protocol.c - a message is parsed and its command found; see protocol.h.
 *
 * `data` is never taken apart: the scanner says where it lies, and these bytes
 * go to the subscribers.  That is why cJSON, which would turn 1e400 into null,
 * is not used here.
 */
#include "worker/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "worker/protocol_internal.h"
#include "worker/reply.h"
#include "worker/state.h"

enum {
	BINARY_PUBLISH = 1
};

struct op {
	const char *name;
	bool before_auth; /* also while it is not known who it is */
	void (*run)(struct client *client, const struct command *command);
};

static const struct op ops[] = {
	{ "sub", false, protocol_sub },
	{ "unsub", false, protocol_unsub },
	{ "pub", false, protocol_pub },
	{ "ping", true, protocol_ping },
	{ "call", false, protocol_call },
	{ "watch", false, protocol_watch },
	{ "unwatch", false, protocol_unwatch },
	{ "auth", true, protocol_auth },
};

/* ---- answers ----------------------------------------------------------- */

void
protocol_refuse(struct client *client, const struct command *command,
    enum client_error code, const char *message)
{
	struct stats_worker *stats = client->worker->stats;

	stats_add(&stats->errors_out, 1);
	if (code == ERR_NOT_FOUND || code == ERR_FORBIDDEN)
		stats_add(&stats->refused_contract, 1);
	else if (code == ERR_VALIDATION)
		stats_add(&stats->refused_data, 1);
	client_push_own(client,
	    reply_err(command->id.at, command->id.len, code, message));
}

void
protocol_bad(struct client *client, const struct command *command,
    const char *message)
{
	stats_add(&client->worker->stats->bad_messages, 1);
	protocol_refuse(client, command, ERR_BAD_REQUEST, message);
}

void
protocol_ok(struct client *client, const struct command *command)
{
	if (command->id.len != 0)
		client_push_own(client,
		    reply_ok(command->id.at, command->id.len, ""));
}

const char *
protocol_text_of(struct json_span span, enum json_type type, const char *what,
    char *name, size_t size, size_t *ret_len)
{
	static char text[96]; /* of the last fault */
	const char *before = "the ", *after = " is not valid text";
	int rc;

	if (span.len == 0) {
		before = "\"";
		after = "\" is missing";
	} else if (type != JSON_STRING) {
		before = "\"";
		after = "\" must be a string";
	} else {
		rc = json_string_decode(span, name, size, ret_len);
		if (rc == 0) {
			name[*ret_len] = '\0';
			return NULL;
		}
		if (rc == -ENOBUFS)
			after = " is too long";
	}
	(void)snprintf(text, sizeof(text), "%s%s%s", before, what, after);
	return text;
}

void
protocol_joined(struct client *client, const struct command *command, int rc)
{
	if (rc == -ENOSPC)
		protocol_refuse(client, command, ERR_TOO_LARGE,
		    "no more subscriptions here");
	else if (rc != 0)
		protocol_refuse(client, command, ERR_INTERNAL, "out of memory");
}

/* ---- parsing ----------------------------------------------------------- */

/* Sort one member into the command.  False: it was there already. */
static bool
take_member(struct command *command, const struct json_member *member)
{
	struct json_span *span = NULL;
	enum json_type unused, *type = &unused;

	if (json_span_is(member->key, "op")) {
		span = &command->op;
		type = &command->op_type;
	} else if (json_span_is(member->key, "id")) {
		span = &command->id;
		type = &command->id_type;
	} else if (json_span_is(member->key, "topic")) {
		span = &command->topic;
		type = &command->topic_type;
	} else if (json_span_is(member->key, "data")) {
		span = &command->data;
	} else if (json_span_is(member->key, "echo")) {
		span = &command->echo;
		type = &command->echo_type;
	} else if (json_span_is(member->key, "method")) {
		span = &command->method;
		type = &command->method_type;
	} else if (json_span_is(member->key, "resource")) {
		span = &command->resource;
		type = &command->resource_type;
	} else if (json_span_is(member->key, "token")) {
		span = &command->token;
		type = &command->token_type;
	}
	if (span == NULL)
		return true; /* members of later versions are ignored */
	if (span->len != 0)
		return false;
	*span = member->value;
	*type = member->type;
	return true;
}

/* An id is a string or a number of at most PROTOCOL_ID_MAX bytes. */
static bool
id_is_valid(const struct command *command)
{
	return command->id.len == 0 ||
	    (command->id.len <= PROTOCOL_ID_MAX &&
		(command->id_type == JSON_STRING ||
		    command->id_type == JSON_NUMBER));
}

static void
run(struct client *client, const struct command *command)
{
	struct json_span name = command->op;

	if (name.len == 0 || command->op_type != JSON_STRING) {
		protocol_bad(client, command,
		    "\"op\" is missing or not a string");
		return;
	}
	name.at++; /* without its quotes */
	name.len -= 2;
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (!json_span_is(name, ops[i].name))
			continue;
		if (client->authenticated || ops[i].before_auth)
			ops[i].run(client, command);
		else
			protocol_refuse(client, command, ERR_UNAUTHORIZED,
			    "say who you are first: \"auth\"");
		return;
	}
	protocol_bad(client, command, "no such \"op\"");
}

/* What the scanner did not like. */
static void
bad_json(struct client *client, ssize_t error, size_t offset)
{
	struct command none = { .id = { NULL, 0 } };
	char text[96];
	const char *what = error == -ELOOP ? "nested too deeply" :
	    error == -E2BIG                ? "too many members" :
					     "not a JSON object";

	(void)snprintf(text, sizeof(text), "%s, at byte %zu", what, offset);
	protocol_bad(client, &none, text);
}

static bool
over_rate(struct client *client, const struct command *command)
{
	if (client_may_send(client)) {
		client->refused = 0;
		return false;
	}
	stats_add(&client->worker->stats->rate_limited, 1);
	protocol_refuse(client, command, ERR_RATE_LIMITED, "too many messages");
	if (++client->refused == PROTOCOL_REFUSED_MAX) {
		stats_add(&client->worker->stats->closed_protocol, 1);
		client_close(client, CLOSE_RATE, "far over its rate", false);
	}
	return true;
}

/* Sort the members into the command.  What is wrong; NULL: nothing. */
static const char *
take_members(struct command *command, const struct json_member *members,
    ssize_t count)
{
	for (ssize_t i = 0; i < count; i++) {
		if (!take_member(command, &members[i])) {
			command->id.len = 0;
			return "a member stands there twice";
		}
	}
	if (!id_is_valid(command)) {
		command->id.len = 0;
		return "\"id\" must be a number or a string of at most 128 "
		       "bytes";
	}
	return NULL;
}

void
protocol_text(struct client *client, const char *text, size_t len)
{
	struct json_member members[PROTOCOL_MEMBERS_MAX];
	struct command command = { .id = { NULL, 0 } };
	const char *fault = NULL;
	size_t offset = 0;
	ssize_t count;

	count = json_object(text, len, members, ARRAY_LEN(members), &offset);
	if (count >= 0)
		fault = take_members(&command, members, count);
	if (over_rate(client, &command))
		return;
	if (count < 0)
		bad_json(client, count, offset);
	else if (fault != NULL)
		protocol_bad(client, &command, fault);
	else
		run(client, &command);
}

void
protocol_binary(struct client *client, const unsigned char *data, size_t len)
{
	struct command none = { .id = { NULL, 0 } };

	if (over_rate(client, &none))
		return;
	if (len < 2 || data[0] != BINARY_PUBLISH || len - 2 < data[1])
		protocol_bad(client, &none,
		    "a binary message is opcode 1, topic length, topic, bytes");
	else if (!client->authenticated)
		protocol_refuse(client, &none, ERR_UNAUTHORIZED,
		    "say who you are first: \"auth\"");
	else
		protocol_pub_binary(client, (const char *)data + 2, data[1],
		    data + 2 + data[1], len - 2 - data[1]);
}

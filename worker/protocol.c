/*
 * protocol.c - see protocol.h.
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

#include "base/json.h"
#include "base/utf8.h"
#include "worker/bus.h"
#include "worker/membership.h"
#include "worker/reply.h"
#include "worker/state.h"

enum {
	BINARY_PUBLISH = 1,
	TOPIC_PREFIX_LEN = 2
};

/* The members of a command, where they lie; len 0: not there. */
struct command {
	struct json_span op, id, topic, data, echo;
	enum json_type op_type, id_type, topic_type, echo_type;
};

struct op {
	const char *name;
	void (*run)(struct client *client, const struct command *command);
};

/* ---- answers ----------------------------------------------------------- */

static void
refuse(struct client *client, const struct command *command,
    enum client_error code, const char *message)
{
	stats_add(&client->worker->stats->errors_out, 1);
	client_push_own(client,
	    reply_err(command->id.at, command->id.len, code, message));
}

static void
bad(struct client *client, const struct command *command, const char *message)
{
	stats_add(&client->worker->stats->bad_messages, 1);
	refuse(client, command, ERR_BAD_REQUEST, message);
}

static void
ok(struct client *client, const struct command *command)
{
	if (command->id.len != 0)
		client_push_own(client,
		    reply_ok(command->id.at, command->id.len, ""));
}

/* ---- topics ------------------------------------------------------------ */

/* What is wrong with a topic's name; NULL: nothing. */
static const char *
topic_fault(const struct worker *worker, const char *topic, size_t len)
{
	if (len == 0)
		return "the topic is empty";
	if (len > worker->config->max_topic)
		return "the topic is too long";
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)topic[i] < 0x20 || topic[i] == 0x7f)
			return "the topic has a control character";
	}
	return NULL;
}

/*
 * Write the channel's name ("t:" and the topic) to channel, of IPC_CHANNEL_MAX
 * bytes.  Its length, or 0 when an error was answered.
 */
static size_t
topic_channel(struct client *client, const struct command *command,
    char *channel)
{
	const char *fault;
	size_t len = 0;

	if (command->topic.len == 0) {
		bad(client, command, "\"topic\" is missing");
		return 0;
	}
	if (command->topic_type != JSON_STRING) {
		bad(client, command, "\"topic\" must be a string");
		return 0;
	}
	memcpy(channel, "t:", TOPIC_PREFIX_LEN);
	switch (json_string_decode(command->topic, channel + TOPIC_PREFIX_LEN,
	    IPC_CHANNEL_MAX - TOPIC_PREFIX_LEN, &len)) {
	case 0:
		fault = topic_fault(client->worker, channel + TOPIC_PREFIX_LEN,
		    len);
		break;
	case -ENOBUFS:
		fault = "the topic is too long";
		break;
	default:
		fault = "the topic is not valid text";
		break;
	}
	if (fault != NULL) {
		bad(client, command, fault);
		return 0;
	}
	return TOPIC_PREFIX_LEN + len;
}

/* ---- commands ---------------------------------------------------------- */

static void
run_sub(struct client *client, const struct command *command)
{
	char channel[IPC_CHANNEL_MAX];
	size_t len = topic_channel(client, command, channel);

	if (len == 0)
		return;
	switch (membership_join(client->worker, client, channel, len,
	    command->id.at, command->id.len)) {
	case 0:
		break;
	case -ENOSPC:
		refuse(client, command, ERR_TOO_LARGE,
		    "no more subscriptions here");
		break;
	default:
		refuse(client, command, ERR_INTERNAL, "out of memory");
		break;
	}
}

static void
run_unsub(struct client *client, const struct command *command)
{
	char channel[IPC_CHANNEL_MAX];
	size_t len = topic_channel(client, command, channel);

	if (len == 0)
		return;
	if (membership_leave(client->worker, client, channel, len) != 0)
		refuse(client, command, ERR_NOT_FOUND, "not subscribed to it");
	else
		ok(client, command);
}

static void
run_pub(struct client *client, const struct command *command)
{
	char channel[IPC_CHANNEL_MAX];
	size_t len = topic_channel(client, command, channel);
	struct bus_publish publish = {
		.channel = channel,
		.channel_len = len,
		.data = command->data.at,
		.len = command->data.len,
	};

	if (len == 0)
		return;
	if (command->data.len == 0) {
		bad(client, command, "\"data\" is missing");
		return;
	}
	if (command->echo.len != 0) {
		if (command->echo_type != JSON_TRUE &&
		    command->echo_type != JSON_FALSE) {
			bad(client, command, "\"echo\" must be true or false");
			return;
		}
		if (command->echo_type == JSON_FALSE)
			publish.exclude = client;
	}
	bus_publish(client->worker, &publish);
	ok(client, command);
}

static void
run_ping(struct client *client, const struct command *command)
{
	client_push_own(client, reply_ok(command->id.at, command->id.len, ""));
}

/* These need a contract or an application, and a bus without has none. */
static void
run_unknown_here(struct client *client, const struct command *command)
{
	refuse(client, command, ERR_NOT_FOUND,
	    "this bus has no methods, resources or tokens");
}

static const struct op ops[] = {
	{ "sub", run_sub },
	{ "unsub", run_unsub },
	{ "pub", run_pub },
	{ "ping", run_ping },
	{ "call", run_unknown_here },
	{ "watch", run_unknown_here },
	{ "unwatch", run_unknown_here },
	{ "auth", run_unknown_here },
};

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
		bad(client, command, "\"op\" is missing or not a string");
		return;
	}
	name.at++; /* without its quotes */
	name.len -= 2;
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (json_span_is(name, ops[i].name)) {
			ops[i].run(client, command);
			return;
		}
	}
	bad(client, command, "no such \"op\"");
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
	bad(client, &none, text);
}

static bool
over_rate(struct client *client, const struct command *command)
{
	if (client_may_send(client)) {
		client->refused = 0;
		return false;
	}
	stats_add(&client->worker->stats->rate_limited, 1);
	refuse(client, command, ERR_RATE_LIMITED, "too many messages");
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
		bad(client, &command, fault);
	else
		run(client, &command);
}

void
protocol_binary(struct client *client, const unsigned char *data, size_t len)
{
	struct command none = { .id = { NULL, 0 } };
	char channel[IPC_CHANNEL_MAX];
	const char *topic, *fault;
	size_t topic_len;

	if (over_rate(client, &none))
		return;
	if (len < 2 || data[0] != BINARY_PUBLISH || len - 2 < data[1]) {
		bad(client, &none,
		    "a binary message is opcode 1, topic length, topic, bytes");
		return;
	}
	topic = (const char *)data + 2;
	topic_len = data[1];
	fault = topic_fault(client->worker, topic, topic_len);
	if (fault == NULL && !utf8_valid(topic, topic_len))
		fault = "the topic is not valid text";
	if (fault != NULL) {
		bad(client, &none, fault);
		return;
	}
	memcpy(channel, "t:", TOPIC_PREFIX_LEN);
	memcpy(channel + TOPIC_PREFIX_LEN, topic, topic_len);
	bus_publish(client->worker,
	    &(struct bus_publish){
		.channel = channel,
		.channel_len = TOPIC_PREFIX_LEN + topic_len,
		.data = data + 2 + topic_len,
		.len = len - 2 - topic_len,
		.binary = true,
	    });
}

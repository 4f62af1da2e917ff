/*
 * protocol_topics.c - sub, unsub and pub.
 *
 * What a topic's name means depends on who says it: with a contract it is a
 * shared topic ("t:NAME"), or one of the client's role ("f:ROLE/NAME"), or
 * nothing: another role's names are not found, as if they were not there.  On
 * an open bus all names are shared topics.
 *
 *	sub   declared, and granted by the token
 *	pub   the same, "publish" in the contract, the data fits, and no
 *	      application refuses it
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "worker/app.h"
#include "worker/bus.h"
#include "worker/identity.h"
#include "worker/membership.h"
#include "worker/protocol_internal.h"
#include "worker/state.h"

/* A topic as a client means it. */
struct topic {
	size_t len; /* of name */
	char name[IPC_CHANNEL_MAX + 1];
	const struct contract_entry *entry; /* NULL: the bus is open */
	struct channel_name channel;
};

/* Find what a topic's name means.  False: an error was answered. */
static bool
find_topic(struct client *client, const struct command *command,
    struct topic *topic)
{
	const struct worker *worker = client->worker;
	const char *fault = channel_name_fault(topic->name, topic->len,
	    worker->config->max_topic);
	char text[96];
	int rc;

	if (fault != NULL) {
		(void)snprintf(text, sizeof(text), "the topic %s", fault);
		protocol_bad(client, command, text);
		return false;
	}
	topic->entry = NULL;
	if (worker->contract != NULL) {
		topic->entry = contract_find(worker->contract, CONTRACT_TOPIC,
		    identity_role(client->identity), topic->name, topic->len);
		if (topic->entry == NULL) {
			protocol_refuse(client, command, ERR_NOT_FOUND,
			    "there is no such topic");
			return false;
		}
	}
	rc = topic->entry != NULL && topic->entry->role != NULL ?
	    channel_name_role(&topic->channel, topic->entry->role, topic->name,
		topic->len) :
	    channel_name(&topic->channel, 't', topic->name, topic->len);
	if (rc != 0)
		protocol_bad(client, command, "the topic is too long");
	return rc == 0;
}

static bool
take_topic(struct client *client, const struct command *command,
    struct topic *topic)
{
	const char *fault =
	    protocol_text_of(command->topic, command->topic_type, "topic",
		topic->name, IPC_CHANNEL_MAX, &topic->len);

	if (fault != NULL) {
		protocol_bad(client, command, fault);
		return false;
	}
	return find_topic(client, command, topic);
}

void
protocol_sub(struct client *client, const struct command *command)
{
	struct topic topic;

	if (!take_topic(client, command, &topic))
		return;
	if (!identity_may_subscribe(client->identity, topic.name, topic.len)) {
		protocol_refuse(client, command, ERR_FORBIDDEN,
		    "your token does not grant this topic");
		return;
	}
	protocol_joined(client, command,
	    membership_join(client->worker, client, topic.channel.text,
		topic.channel.len, command->id.at, command->id.len));
}

void
protocol_unsub(struct client *client, const struct command *command)
{
	struct topic topic;

	if (!take_topic(client, command, &topic))
		return;
	if (membership_leave(client->worker, client, topic.channel.text,
		topic.channel.len) != 0)
		protocol_refuse(client, command, ERR_NOT_FOUND,
		    "not subscribed to it");
	else
		protocol_ok(client, command);
}

/* ---- publishing -------------------------------------------------------- */

/* May it publish there?  False: an error was answered. */
static bool
may_publish(struct client *client, const struct command *command,
    const struct topic *topic)
{
	if (topic->entry != NULL && !topic->entry->publish) {
		protocol_refuse(client, command, ERR_FORBIDDEN,
		    "clients do not publish to this topic");
		return false;
	}
	if (!identity_may_publish(client->identity, topic->name, topic->len)) {
		protocol_refuse(client, command, ERR_FORBIDDEN,
		    "your token does not grant publishing to this topic");
		return false;
	}
	return true;
}

/* Does the data fit?  False: an error was answered. */
static bool
data_fits(struct client *client, const struct command *command,
    const struct topic *topic, const struct api_push *push)
{
	struct schema_fault fault;
	char text[sizeof(fault) + 16];

	if (topic->entry == NULL || topic->entry->payload == NULL)
		return true;
	if (push->binary) {
		protocol_refuse(client, command, ERR_VALIDATION,
		    "this topic takes JSON, not bytes");
		return false;
	}
	if (contract_check(topic->entry->payload, push->data, push->len,
		&fault) == 0)
		return true;
	schema_fault_text(&fault, "data", text, sizeof(text));
	protocol_refuse(client, command, ERR_VALIDATION, text);
	return false;
}

/* Does an application agree?  False: an error was answered. */
static bool
app_agrees(struct client *client, const struct command *command,
    const struct topic *topic, const struct api_push *push)
{
	const struct cbus_message message = { topic->name, push->data,
		push->len, push->binary };

	switch (app_message(client, &message)) {
	case 0:
		return true;
	case -EINVAL:
		protocol_refuse(client, command, ERR_VALIDATION,
		    "the application does not take this data");
		return false;
	default:
		protocol_refuse(client, command, ERR_FORBIDDEN,
		    "the application does not allow it");
		return false;
	}
}

static void
publish(struct client *client, const struct command *command,
    struct topic *topic, struct api_push *push)
{
	struct worker *worker = client->worker;

	if (!may_publish(client, command, topic) ||
	    !data_fits(client, command, topic, push))
		return;
	if (worker->app != NULL && !app_agrees(client, command, topic, push))
		return;
	push->channel = topic->channel.text;
	push->channel_len = topic->channel.len;
	bus_push(worker, push);
	protocol_ok(client, command);
}

void
protocol_pub(struct client *client, const struct command *command)
{
	struct api_push push = {
		.data = command->data.at,
		.len = command->data.len,
	};
	struct topic topic;

	if (!take_topic(client, command, &topic))
		return;
	if (command->data.len == 0) {
		protocol_bad(client, command, "\"data\" is missing");
		return;
	}
	if (command->echo.len != 0 && command->echo_type != JSON_TRUE &&
	    command->echo_type != JSON_FALSE) {
		protocol_bad(client, command, "\"echo\" must be true or false");
		return;
	}
	if (command->echo.len != 0 && command->echo_type == JSON_FALSE)
		client_conn_id(client, &push.exclude);
	publish(client, command, &topic, &push);
}

void
protocol_pub_binary(struct client *client, const char *name, size_t name_len,
    const void *data, size_t len)
{
	struct api_push push = { .data = data, .len = len, .binary = true };
	struct command none = { .id = { NULL, 0 } };
	struct topic topic;

	memcpy(topic.name, name, name_len); /* its length was one byte */
	topic.name[name_len] = '\0';
	topic.len = name_len;
	if (find_topic(client, &none, &topic))
		publish(client, &none, &topic, &push);
}

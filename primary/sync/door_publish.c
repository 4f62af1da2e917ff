/*
 * door_publish.c - messages on their way in and out of the Redis door.
 *
 *	client --> door's subscribers       as it came, at once
 *	       --> hub: nodes, other hosts  JSON, a JSON string, or bytes
 *	hub    --> door's subscribers       JSON, the string's text, bytes
 *
 * A message is framed once for each version of the protocol that is spoken by
 * a subscriber, and the same bytes are copied to all of them.  The payload is
 * brought into the hub's form only when somebody outside wants it.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "primary/sync/door_glob.h"
#include "primary/sync/door_internal.h"
#include "wire/channel_name.h"
#include "wire/push.h"

/* A message for the door's clients. */
struct message {
	const char *channel;
	size_t channel_len;
	const void *data;
	size_t len;
};

size_t
door_hub_channel(struct redis_door *door, const char *name, size_t len)
{
	if (channel_name_fault(name, len, DOOR_TOPIC_MAX) != NULL)
		return 0;
	door->channel[0] = 't';
	door->channel[1] = ':';
	memcpy(door->channel + CHANNEL_PREFIX_LEN, name, len);
	return CHANNEL_PREFIX_LEN + len;
}

/* ---- to the door's subscribers ----------------------------------------- */

/* pattern NULL: there is none in this message. */
static void
put_message(struct resp_out *out, const char *word,
    const struct door_name *pattern, const struct message *message)
{
	resp_push(out, pattern != NULL ? 4 : 3);
	resp_text(out, word);
	if (pattern != NULL)
		resp_bulk(out, pattern->name, pattern->entry.key_len);
	resp_bulk(out, message->channel, message->channel_len);
	resp_bulk(out, message->data, message->len);
}

/* To all who have subscribed to the name.  How many those are. */
static uint32_t
give(struct redis_door *door, const struct door_name *name, const char *word,
    const struct door_name *pattern, const struct message *message)
{
	struct door_client *client;
	struct resp_out *frame;

	if (name->count == 1) { /* nobody to share a frame with */
		client = name->subs[0]->pair.client;
		if (!client->closing) {
			put_message(&client->out, word, pattern, message);
			door_client_wrote(client);
		}
		return 1;
	}
	for (uint32_t i = 0; i < name->count; i++) {
		client = name->subs[i]->pair.client;
		if (client->closing)
			continue;
		frame = &door->frames[client->out.version - 2];
		if (frame->buf.len == 0 && frame->error == 0)
			put_message(frame, word, pattern, message);
		if (frame->error != 0) {
			stats_add(&door->stats->door_errors, 1);
			continue; /* no memory: it misses this one */
		}
		resp_raw(&client->out, buf_data(&frame->buf), frame->buf.len);
		door_client_wrote(client);
	}
	for (size_t i = 0; i < ARRAY_LEN(door->frames); i++) {
		buf_clear(&door->frames[i].buf);
		door->frames[i].error = 0;
	}
	return name->count;
}

static bool
matches(const struct door_name *name, const struct message *message)
{
	return door_glob(name->name, name->entry.key_len, message->channel,
	    message->channel_len);
}

/* Is anybody there for it?  Most of what the tap sees is for nobody. */
static bool
has_pattern(const struct redis_door *door, const struct message *message)
{
	const struct door_name *name = NULL;

	do {
		name = door_table_next(&door->table, DOOR_PATTERN, name);
	} while (name != NULL && !matches(name, message));
	return name != NULL;
}

static uint32_t
give_patterns(struct redis_door *door, const struct message *message)
{
	const struct door_name *name;
	uint32_t given = 0;

	for (name = door_table_next(&door->table, DOOR_PATTERN, NULL);
	     name != NULL;
	     name = door_table_next(&door->table, DOOR_PATTERN, name)) {
		if (matches(name, message))
			given += give(door, name, "pmessage", name, message);
	}
	return given;
}

/* ---- from a client ----------------------------------------------------- */

/*
 * The payload as the hub has it: flags, and bytes that are the client's or lie
 * in door->scratch.  0 or -ENOMEM.
 */
static int
to_envelope(struct redis_door *door, const struct resp_arg *data,
    struct ipc_envelope *envelope)
{
	size_t need;
	int rc = 0;
	char *to;

	envelope->payload = (const unsigned char *)data->at;
	envelope->payload_len = data->len;
	if (!utf8_valid(data->at, data->len) ||
	    memchr(data->at, '\0', data->len) != NULL) {
		envelope->head.flags = IPC_PUBLISH_BINARY;
		return 0;
	}
	if (json_valid(data->at, data->len))
		return 0;
	envelope->head.flags = IPC_PUBLISH_TEXT;
	need = json_string_encode(data->at, data->len, NULL, 0);
	buf_clear(&door->scratch);
	to = (char *)buf_reserve(&door->scratch, need, &rc);
	if (to == NULL)
		return rc;
	need = json_string_encode(data->at, data->len, to, need);
	envelope->payload = (const unsigned char *)to;
	envelope->payload_len = need;
	return 0;
}

/*
 * The number of this client's next envelope on door->channel.  Each node counts
 * for itself; the place stands before the name in the key.
 */
static uint64_t
number(const struct door_client *client, size_t len)
{
	struct redis_door *door = client->door;

	memcpy(door->key, &client->place, DOOR_KEY_HEAD);
	return track_number(&door->numbers, door->key, DOOR_KEY_HEAD + len);
}

/* To the nodes of the hub.  How many, or -errno. */
static int
publish_outside(const struct door_client *client,
    const struct resp_arg *channel, const struct resp_arg *data)
{
	struct redis_door *door = client->door;
	size_t len = door_hub_channel(door, channel->at, channel->len);
	struct ipc_envelope envelope = { .head.origin =
					     door_client_node(client),
		.channel = door->channel,
		.channel_len = len };
	int rc;

	if (len == 0 ||
	    !hub_is_wanted(door->hub, door->sink, door->channel, len))
		return 0;
	envelope.head.seq = number(client, len);
	rc = to_envelope(door, data, &envelope);
	return rc != 0 ? rc : hub_inject(door->hub, door->sink, &envelope);
}

static struct message
message_of(const struct door_call *call)
{
	return (struct message){ call->args[1].at, call->args[1].len,
		call->args[2].at, call->args[2].len };
}

void
door_publish(struct door_call *call)
{
	struct redis_door *door = call->client->door;
	struct message message = message_of(call);
	const struct door_name *name;
	int64_t given = 0;
	int outside;

	if (door_is_too_long(call, &call->args[1]))
		return;
	name = door_table_find(&door->table, DOOR_CHANNEL, message.channel,
	    message.channel_len);
	if (name != NULL)
		given += give(door, name, "message", NULL, &message);
	if (door->has_tap)
		given += give_patterns(door, &message);
	outside = publish_outside(call->client, &call->args[1], &call->args[2]);
	if (outside < 0)
		stats_add(&door->stats->door_errors, 1);
	else
		given += outside;
	resp_integer(&call->client->out, given);
}

void
door_spublish(struct door_call *call)
{
	struct redis_door *door = call->client->door;
	struct message message = message_of(call);
	const struct door_name *name;

	if (door_is_too_long(call, &call->args[1]))
		return;
	name = door_table_find(&door->table, DOOR_SHARD, message.channel,
	    message.channel_len);
	resp_integer(&call->client->out,
	    name != NULL ? give(door, name, "smessage", NULL, &message) : 0);
}

/* ---- from the hub ------------------------------------------------------ */

/*
 * An envelope as a message; what it was before it came to the bus may be in
 * door->scratch.  0; -EPROTO: it contradicts itself; -ENOMEM.
 */
static int
from_envelope(struct redis_door *door, const struct ipc_envelope *envelope,
    struct message *ret_message)
{
	struct push push = { .data = envelope->payload,
		.len = envelope->payload_len };
	struct json_span raw;
	int rc = 0;
	char *to;

	if ((envelope->head.flags & IPC_PUBLISH_PUSH) != 0)
		rc = push_read(envelope, &push);
	if (rc != 0)
		return rc;
	*ret_message = (struct message){
		.channel = envelope->channel + CHANNEL_PREFIX_LEN,
		.channel_len = envelope->channel_len - CHANNEL_PREFIX_LEN,
		.data = push.data,
		.len = push.len,
	};
	if ((envelope->head.flags & IPC_PUBLISH_TEXT) == 0)
		return 0;
	raw = (struct json_span){ (const char *)push.data, push.len };
	buf_clear(&door->scratch);
	to = (char *)buf_reserve(&door->scratch, push.len, &rc);
	if (to == NULL)
		return rc;
	rc = json_string_decode(raw, to, push.len, &ret_message->len);
	ret_message->data = to;
	return rc == 0 ? 0 : -EPROTO;
}

static bool
is_topic(const struct ipc_envelope *envelope)
{
	return envelope->channel_len > CHANNEL_PREFIX_LEN &&
	    envelope->channel[0] == 't' && envelope->channel[1] == ':';
}

void
door_on_envelope(void *arg, const struct ipc_envelope *envelope)
{
	struct redis_door *door = arg;
	struct message message;
	const struct door_name *name;

	assert(is_topic(envelope)); /* it has joined nothing else */
	if (from_envelope(door, envelope, &message) != 0) {
		stats_add(&door->stats->door_errors, 1);
		return;
	}
	name = door_table_find(&door->table, DOOR_CHANNEL, message.channel,
	    message.channel_len);
	if (name != NULL)
		(void)give(door, name, "message", NULL, &message);
}

void
door_on_tap(void *arg, const struct ipc_envelope *envelope)
{
	struct redis_door *door = arg;
	struct message message = {
		.channel = envelope->channel + CHANNEL_PREFIX_LEN,
		.channel_len = envelope->channel_len - CHANNEL_PREFIX_LEN,
	};

	if (!is_topic(envelope) || !has_pattern(door, &message))
		return;
	if (from_envelope(door, envelope, &message) != 0)
		stats_add(&door->stats->door_errors, 1);
	else
		(void)give_patterns(door, &message);
}

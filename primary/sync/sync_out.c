/*
 * sync_out.c - what this host publishes goes to the backplane; see sync.h.
 *
 * The hub has queued the envelope for this host already.  Whatever fails here
 * is counted and told, and the envelope is forgotten.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "primary/sync/redis_door.h"
#include "primary/sync/sync_frame.h"
#include "primary/sync/sync_internal.h"
#include "wire/channel_name.h"
#include "wire/node_id.h"
#include "wire/push.h"

bool
sync_names_host(const struct sync *sync, const char *channel, size_t len)
{
	char text[NODE_ID_TEXT_MAX];
	struct ipc_node_id id;

	len -= CHANNEL_PREFIX_LEN;
	if (len >= sizeof(text))
		return false;
	memcpy(text, channel + CHANNEL_PREFIX_LEN, len);
	text[len] = '\0';
	return node_id_parse(text, &id) == 0 && id.host == sync->host;
}

/* Count what did not go out, and tell why. */
static void
lose(struct sync *sync, int code)
{
	switch (code) {
	case -ENOTCONN:
		stats_add(&sync->stats->drop_sync_away, 1);
		sync_fail(sync, CBUS_SYNC_PUBLISH, code,
		    "the backplane is away: other hosts did not get a message");
		break;
	case -ENOBUFS:
		stats_add(&sync->stats->drop_sync_full, 1);
		sync_fail(sync, CBUS_SYNC_PUBLISH, code,
		    "sync-queue is full: other hosts did not get a message");
		break;
	case -ENOMEM:
		stats_add(&sync->stats->drop_sync_full, 1);
		sync_fail(sync, CBUS_SYNC_PUBLISH, code,
		    "out of memory: other hosts did not get a message");
		break;
	case -EMSGSIZE:
		stats_add(&sync->stats->drop_sync_large, 1);
		sync_fail(sync, CBUS_SYNC_PUBLISH, code,
		    "too large for the backplane: other hosts did not get a "
		    "message");
		break;
	default:
		stats_add(&sync->stats->sync_bad, 1);
		sync_fail(sync, CBUS_SYNC_PUBLISH, code,
		    "a message that is no text, or that the backplane refused");
		break;
	}
}

static void
publish(struct sync *sync, const struct cbus_sync_message *message)
{
	int rc = sync->driver->publish(sync->handle, message);

	if (rc != 0) {
		lose(sync, rc);
		return;
	}
	stats_add(&sync->stats->sync_out, 1);
	stats_add(&sync->stats->sync_bytes_out, message->len);
}

/* The text that a JSON string means.  NULL: it is none, or no memory. */
static char *
plain_text(const void *json, size_t len, size_t *ret_len)
{
	struct json_span raw = { json, len };
	char *text = malloc(len + 1);

	if (text == NULL || json_string_decode_js(raw, text, len, ret_len) == 0)
		return text;
	free(text);
	return NULL;
}

/* t: to everybody, crossws or not. */
static void
send_topic(struct sync *sync, const struct ipc_envelope *envelope)
{
	struct cbus_sync_message message = {
		.namespace_ = sync->namespace_,
		.namespace_len = sync->namespace_len,
		.topic = envelope->channel + CHANNEL_PREFIX_LEN,
		.topic_len = envelope->channel_len - CHANNEL_PREFIX_LEN,
		.data = envelope->payload,
		.len = envelope->payload_len,
		.binary = (envelope->head.flags & IPC_PUBLISH_BINARY) != 0,
	};
	struct push push;
	char *text = NULL;

	/* Who is excluded is a client of this host. */
	if ((envelope->head.flags & IPC_PUBLISH_PUSH) != 0) {
		if (push_read(envelope, &push) != 0) {
			lose(sync, -EINVAL);
			return;
		}
		message.data = push.data;
		message.len = push.len;
	}
	if ((envelope->head.flags & IPC_PUBLISH_TEXT) != 0 && !message.binary)
		text = plain_text(message.data, message.len, &message.len);
	if (text != NULL)
		message.data = text;
	publish(sync, &message);
	free(text);
}

/* All other channels: to hosts of our kind. */
static void
send_frame(struct sync *sync, const struct ipc_envelope *envelope)
{
	struct cbus_sync_message message = {
		.namespace_ = SYNC_OWN_NAMESPACE,
		.namespace_len = strlen(SYNC_OWN_NAMESPACE),
		.topic = envelope->channel,
		.topic_len = envelope->channel_len,
		.len = SYNC_FRAME_HEAD + envelope->payload_len,
		.binary = true,
	};
	unsigned char *frame = malloc(message.len);

	if (frame == NULL) {
		lose(sync, -ENOMEM);
		return;
	}
	sync_frame_write(frame, envelope->head.flags, &envelope->head.origin);
	if (envelope->payload_len != 0)
		memcpy(frame + SYNC_FRAME_HEAD, envelope->payload,
		    envelope->payload_len);
	message.data = frame;
	publish(sync, &message);
	free(frame);
}

void
sync_send(void *arg, const struct ipc_envelope *envelope)
{
	struct sync *sync = arg;

	if (envelope->channel_len < CHANNEL_PREFIX_LEN ||
	    envelope->channel[1] != ':')
		return;
	/* Another bus uses our Redis door as its backplane, see redis_door.h. */
	if (envelope->head.origin.host == sync->host &&
	    envelope->head.origin.slot == DOOR_BRIDGE_SLOT)
		return;
	switch (envelope->channel[0]) {
	case 't':
		send_topic(sync, envelope);
		break;
	case 'n':
		if (!sync_names_host(sync, envelope->channel,
			envelope->channel_len))
			send_frame(sync, envelope);
		break;
	case 'f':
	case 'r':
	case 'u':
	case 'a':
	case 'w':
		send_frame(sync, envelope);
		break;
	default:
		break; /* presence is each host's own */
	}
}

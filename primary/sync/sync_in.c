/*
 * sync_in.c - what other instances send is published on this host; see sync.h.
 *
 * Anybody who reaches the backplane may have written it.  Names, sizes and the
 * frame are looked at here; that data is what it says it is, in the workers,
 * as with everything that does not come from a worker of this host.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "primary/sync/sync_frame.h"
#include "primary/sync/sync_internal.h"
#include "wire/channel_name.h"

static void
refuse(struct sync *sync, const char *text)
{
	stats_add(&sync->stats->sync_bad, 1);
	sync_fail(sync, CBUS_SYNC_DELIVERY, -EPROTO, text);
}

static void
inject(struct sync *sync, const struct ipc_envelope *envelope)
{
	int rc = hub_inject(sync->hub, sync->sink, envelope);

	if (rc == -ENOMEM)
		refuse(sync, "out of memory for a message of another host");
	else if (rc < 0)
		refuse(sync, "a message larger than a bus carries");
}

/* Value of a hexadecimal digit, or -1. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*
 * A host number for an instance: the first 32 bits of its id, or a hash of an
 * id of another form; never ours, never 0.
 */
static uint32_t
host_of(const struct sync *sync, const struct cbus_sync_message *message)
{
	uint32_t host = 0, hash = 2166136261u; /* FNV-1a */
	bool is_hex = message->id_len >= 8;

	for (size_t i = 0; i < 8 && is_hex; i++) {
		is_hex = hex_digit(message->id[i]) >= 0;
		host = host << 4 | (uint32_t)hex_digit(message->id[i]);
	}
	for (size_t i = 0; i < message->id_len && !is_hex; i++)
		hash = (hash ^ (unsigned char)message->id[i]) * 16777619u;
	if (!is_hex)
		host = hash;
	if (host == 0)
		host = 1;
	return host != sync->host ? host : host ^ 0x80000000u;
}

/* Text that is no JSON becomes a JSON string.  NULL: no memory. */
static char *
as_json(const void *text, size_t len, size_t *ret_len)
{
	size_t size = json_string_encode(text, len, NULL, 0);
	char *json = malloc(size);

	if (json != NULL)
		*ret_len = json_string_encode(text, len, json, size);
	return json;
}

/* A topic: from crossws, or from a host of ours. */
static void
take_topic(struct sync *sync, const struct cbus_sync_message *message)
{
	struct ipc_envelope envelope = {
		.head.origin = { host_of(sync, message), SYNC_SLOT, 1 },
		.payload = message->data,
		.payload_len = message->len,
	};
	struct channel_name channel;
	char *json = NULL;

	if (channel_name_fault(message->topic, message->topic_len,
		sync->topic_max) != NULL ||
	    channel_name(&channel, 't', message->topic, message->topic_len) !=
		0) {
		refuse(sync,
		    "a topic's name that is none here: empty, too "
		    "long, or with control characters");
		return;
	}
	if (!hub_is_wanted(sync->hub, sync->sink, channel.text, channel.len))
		return; /* no need to look at its data */
	envelope.channel = channel.text;
	envelope.channel_len = channel.len;
	if (message->binary) {
		envelope.head.flags = IPC_PUBLISH_BINARY;
	} else if (!utf8_valid(message->data, message->len)) {
		refuse(sync, "text that is not UTF-8");
		return;
	} else if (!json_valid(message->data, message->len)) {
		envelope.head.flags = IPC_PUBLISH_TEXT;
		json =
		    as_json(message->data, message->len, &envelope.payload_len);
		if (json == NULL) {
			refuse(sync, "out of memory");
			return;
		}
		envelope.payload = (const unsigned char *)json;
	}
	inject(sync, &envelope);
	free(json);
}

/* Every other channel: from a host of ours. */
static void
take_frame(struct sync *sync, const struct cbus_sync_message *message)
{
	const unsigned char *frame = message->data;
	struct ipc_envelope envelope = {
		.channel = message->topic,
		.channel_len = message->topic_len,
	};

	if (!message->binary || message->len < SYNC_FRAME_HEAD ||
	    (frame[0] & (unsigned char)~SYNC_FRAME_FLAGS) !=
		sync_frame_order()) {
		refuse(sync, "a frame of another version or byte order");
		return;
	}
	if (message->topic_len > IPC_CHANNEL_MAX ||
	    !channel_name_valid(message->topic, message->topic_len) ||
	    strchr("fruawn", message->topic[0]) == NULL) {
		refuse(sync, "a channel that hosts do not share");
		return;
	}
	if (message->topic[0] == 'n' &&
	    !sync_names_host(sync, message->topic, message->topic_len))
		return; /* for a third host */
	sync_frame_read(frame, &envelope.head.origin);
	if (envelope.head.origin.host == sync->host ||
	    envelope.head.origin.host == 0) {
		refuse(sync, "another bus on this channel has our host number");
		return;
	}
	envelope.head.flags = frame[0] & SYNC_FRAME_FLAGS;
	envelope.payload = frame + SYNC_FRAME_HEAD;
	envelope.payload_len = message->len - SYNC_FRAME_HEAD;
	inject(sync, &envelope);
}

static bool
is_same(const char *text, size_t len, const char *wanted, size_t wanted_len)
{
	return len == wanted_len &&
	    (len == 0 || memcmp(text, wanted, len) == 0);
}

void
sync_take(void *arg, const struct cbus_sync_message *message)
{
	const char *namespace_ = message->namespace_;
	size_t len = message->namespace_len;
	struct sync *sync = arg;

	if (is_same(message->id, message->id_len, sync->id, CBUS_SYNC_ID_LEN))
		return; /* our own echo */
	if (is_same(namespace_, len, SYNC_OWN_NAMESPACE,
		strlen(SYNC_OWN_NAMESPACE))) {
		stats_add(&sync->stats->sync_in, 1);
		stats_add(&sync->stats->sync_bytes_in, message->len);
		take_frame(sync, message);
		return;
	}
	/* Empty is everybody, on either side. */
	if (len != 0 && sync->namespace_len != 0 &&
	    !is_same(namespace_, len, sync->namespace_, sync->namespace_len))
		return;
	stats_add(&sync->stats->sync_in, 1);
	stats_add(&sync->stats->sync_bytes_in, message->len);
	take_topic(sync, message);
}

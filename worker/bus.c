/* bus.c - see bus.h. */
#include "worker/bus.h"

#include "base/json.h"
#include "base/utf8.h"
#include "worker/link.h"
#include "worker/reply.h"
#include "worker/state.h"

enum {
	PREFIX_LEN = 2,         /* "t:" */
	BINARY_TOPIC_MAX = 255, /* its length is one byte */
};

/* What members get, made when the first one needs it. */
enum variant {
	VARIANT_JSON,
	VARIANT_BASE64,
	VARIANT_BINARY,
	VARIANT_COUNT
};

struct delivery {
	const char *topic;
	size_t topic_len;
	const void *data;
	size_t len;
	bool binary;
	const char *from;
	const struct client *exclude;
	struct frame *frames[VARIANT_COUNT];
};

static struct frame *
make_frame(const struct delivery *d, enum variant variant)
{
	switch (variant) {
	case VARIANT_JSON:
		return reply_msg(d->topic, d->topic_len, d->data, d->len,
		    d->from);
	case VARIANT_BASE64:
		return reply_msg_base64(d->topic, d->topic_len, d->data, d->len,
		    d->from);
	case VARIANT_BINARY:
		return reply_msg_binary(d->topic, d->topic_len, d->data,
		    d->len);
	case VARIANT_COUNT:
		break;
	}
	return NULL;
}

static void
deliver_to(struct worker *worker, struct client *client, struct delivery *d)
{
	enum variant variant = VARIANT_JSON;

	if (client == d->exclude)
		return;
	if (d->binary)
		variant =
		    client->wants_binary && d->topic_len <= BINARY_TOPIC_MAX ?
		    VARIANT_BINARY :
		    VARIANT_BASE64;
	if (d->frames[variant] == NULL)
		d->frames[variant] = make_frame(d, variant);
	if (d->frames[variant] == NULL)
		stats_add(&worker->stats->drop_memory, 1);
	else
		client_push(client, d->frames[variant]);
}

static void
deliver(struct worker *worker, struct channel *channel, struct delivery *d)
{
	worker->channels.walking++;
	for (uint32_t i = 0; i < channel->count; i++)
		deliver_to(worker, channel->members[i].client, d);
	worker->channels.walking--;
	for (size_t i = 0; i < ARRAY_LEN(d->frames); i++)
		frame_unref(d->frames[i]);
}

/* Tell all members that something is missing; what tells is not dropped. */
static void
tell_gap(struct worker *worker, struct channel *channel, uint64_t missed)
{
	char topic[IPC_CHANNEL_MAX * 6 + 2];
	size_t len;
	struct frame *frame;

	stats_add(&worker->stats->gaps, missed);
	len = json_string_encode(channel->name + PREFIX_LEN,
	    channel->entry.key_len - PREFIX_LEN, topic, sizeof(topic));
	frame = reply_gap(topic + 1, len - 2, missed);
	if (frame == NULL)
		return; /* counted above */
	worker->channels.walking++;
	for (uint32_t i = 0; i < channel->count; i++)
		client_push_own(channel->members[i].client, frame_ref(frame));
	worker->channels.walking--;
	frame_unref(frame);
}

void
bus_publish(struct worker *worker, const struct bus_publish *publish)
{
	struct channel *channel = channel_get(&worker->channels,
	    publish->channel, publish->channel_len);
	struct delivery d = {
		.topic = publish->channel + PREFIX_LEN,
		.topic_len = publish->channel_len - PREFIX_LEN,
		.data = publish->data,
		.len = publish->len,
		.binary = publish->binary,
		.from = worker->node,
		.exclude = publish->exclude,
	};
	struct ipc_envelope envelope = {
		.head = { .origin = worker->id,
		    .flags = publish->binary ? IPC_PUBLISH_BINARY : 0 },
		.channel = publish->channel,
		.channel_len = publish->channel_len,
		.payload = publish->data,
		.payload_len = publish->len,
	};

	stats_add(&worker->stats->published, 1);
	if (channel == NULL) {
		/* No memory for the counter: the others still get it. */
		stats_add(&worker->stats->drop_memory, 1);
	} else {
		deliver(worker, channel, &d);
		envelope.head.seq = ++channel->seq;
		channel_settle(&worker->channels, channel);
	}
	link_publish(worker->link, &envelope);
	channels_trim(&worker->channels);
}

/*
 * Workers have checked what their clients sent.  A program may have any bug,
 * and a broken text would break every subscriber's connection.
 */
static bool
is_sound(const struct ipc_envelope *e)
{
	if (e->channel_len <= PREFIX_LEN)
		return false;
	if (e->head.origin.slot < IPC_PROGRAM_SLOT)
		return true;
	if (!utf8_valid(e->channel, e->channel_len))
		return false;
	return (e->head.flags & IPC_PUBLISH_BINARY) != 0 ||
	    (utf8_valid(e->payload, e->payload_len) &&
		json_valid((const char *)e->payload, e->payload_len));
}

void
bus_deliver(struct worker *worker, const struct ipc_envelope *envelope)
{
	struct channel *channel = channel_find(&worker->channels,
	    envelope->channel, envelope->channel_len);
	char from[NODE_ID_TEXT_MAX];
	uint64_t missed;
	struct delivery d = {
		.topic = envelope->channel + PREFIX_LEN,
		.data = envelope->payload,
		.len = envelope->payload_len,
		.binary = (envelope->head.flags & IPC_PUBLISH_BINARY) != 0,
		.from = from,
	};

	stats_add(&worker->stats->relayed_in, 1);
	if (!is_sound(envelope)) {
		stats_add(&worker->stats->drop_invalid, 1);
		return;
	}
	/*
	 * Before JOINED there is nothing for us: what comes was sent before
	 * the hub read an earlier LEAVE.
	 */
	if (channel == NULL || channel->count == 0 ||
	    channel->interest != INTEREST_JOINED) {
		stats_add(&worker->stats->relayed_in_unwanted, 1);
		return;
	}
	d.topic_len = envelope->channel_len - PREFIX_LEN;
	missed = channel_note_seq(channel, &envelope->head.origin,
	    envelope->head.seq);
	if (missed != 0)
		tell_gap(worker, channel, missed);
	node_id_format(&envelope->head.origin, from, sizeof(from));
	deliver(worker, channel, &d);
}

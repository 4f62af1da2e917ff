/* bus.c - see bus.h. */
#include "worker/bus.h"

#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "worker/fanout.h"
#include "worker/reply.h"
#include "worker/state.h"

static bool
is_excluded(const struct worker *worker, const struct api_push *push)
{
	return push->exclude_node.host != 0 &&
	    node_id_equal(&push->exclude_node, &worker->id);
}

/*
 * For one connection, which is here or was born here.  True: that was all.
 * False: it is elsewhere, or on its way, and the hub hears of it as well.
 */
static bool
push_to_one(struct worker *worker, const struct api_push *push,
    struct fanout *d)
{
	const struct client *client = client_find(worker, &push->target);
	bool ours = node_id_equal(&push->target.node, &worker->id);

	if (client == NULL && (!ours || worker->moved_away != 0))
		return false;
	fanout_deliver(worker, NULL, d);
	if (client != NULL && client->move != NULL)
		return false;
	fanout_report(worker, d);
	return true;
}

void
bus_push(struct worker *worker, const struct api_push *push)
{
	struct fanout d = fanout_begin(push, NULL, worker->node);
	bool far = push->channel[0] == 'n' || is_excluded(worker, push);
	struct channel *channel;
	uint64_t seq = 0;
	int rc = 0;

	stats_add(&worker->stats->published, 1);
	if (push->channel[0] == 'n' && push_to_one(worker, push, &d))
		return;
	channel =
	    channel_get(&worker->channels, push->channel, push->channel_len);
	/* No memory for the counter: the others still get it. */
	if (channel == NULL)
		stats_add(&worker->stats->drop_memory, 1);
	else if (!far)
		fanout_deliver(worker, channel, &d);
	if (channel != NULL) {
		if (!push->local_only)
			seq = ++channel->seq;
		channel_settle(&worker->channels, channel);
	}
	channels_trim(&worker->channels);
	if (!push->local_only)
		rc = bus_relay(worker, push, seq);
	fanout_report(worker, &d);
	if (worker->bus->listener_count != 0 && !far)
		api_fire(worker->bus, push, &worker->id, seq);
	if (rc != 0)
		bus_not_relayed(worker, push, rc);
}

/* ---- in ---------------------------------------------------------------- */

/* Tell all members that something is missing; what tells is not dropped. */
static void
tell_members(struct worker *worker, struct channel *channel, const char *topic,
    size_t topic_len, uint64_t missed)
{
	char quoted[IPC_CHANNEL_MAX * 6 + 2];
	size_t len;
	struct frame *frame;

	len = json_string_encode(topic, topic_len, quoted, sizeof(quoted));
	frame = reply_gap(quoted + 1, len - 2, missed);
	if (frame == NULL)
		return; /* counted by the caller */
	worker->channels.walking++;
	for (uint32_t i = 0; i < channel->count; i++)
		client_push_own(channel->members[i].client, frame_ref(frame));
	worker->channels.walking--;
	frame_unref(frame);
}

static void
tell_gap(struct worker *worker, const struct ipc_envelope *envelope,
    uint64_t missed)
{
	const struct fanout d =
	    fanout_begin(&(struct api_push){ .channel = envelope->channel,
			     .channel_len = envelope->channel_len },
		NULL, "");
	char text[64];

	/* Without a listener for it the counter and the client's gap tell. */
	if (worker->bus->on_error != NULL) {
		(void)snprintf(text, sizeof(text), "%llu were missed",
		    (unsigned long long)missed);
		api_error(worker->bus,
		    envelope->channel[0] == 't' || envelope->channel[0] == 'f' ?
			"topic" :
			envelope->channel[0] == 'w' ? "resource" :
						      "event",
		    d.name, d.name_len, "delivery", &envelope->head.origin,
		    -ENODATA, text);
	}
	api_on_gap(worker->bus, envelope->channel, envelope->channel_len,
	    &envelope->head.origin, missed);
}

static uint64_t
note_seq(struct worker *worker, struct channel *channel,
    const struct ipc_envelope *envelope)
{
	uint64_t missed = channel_note_seq(channel, &envelope->head.origin,
	    envelope->head.seq);
	struct fanout d;

	if (missed == 0)
		return 0;
	stats_add(&worker->stats->gaps, missed);
	if (channel->name[0] == 't' || channel->name[0] == 'f') {
		d = fanout_begin(&(struct api_push){ .channel =
							 envelope->channel,
				     .channel_len = envelope->channel_len },
		    NULL, "");
		tell_members(worker, channel, d.name, d.name_len, missed);
	}
	return missed;
}

void
bus_deliver(struct worker *worker, const struct ipc_envelope *envelope)
{
	struct channel *channel = channel_find(&worker->channels,
	    envelope->channel, envelope->channel_len);
	char from[NODE_ID_TEXT_MAX];
	struct api_push push;
	struct fanout d;
	uint64_t missed;

	stats_add(&worker->stats->relayed_in, 1);
	/*
	 * Before JOINED there is nothing for us: what comes was sent before
	 * the hub read an earlier LEAVE; unless it was sent to all workers.
	 */
	if (channel == NULL || !channel_is_wanted(channel) ||
	    (channel->interest != INTEREST_JOINED &&
		(envelope->head.flags & IPC_PUBLISH_WORKERS) == 0)) {
		stats_add(&worker->stats->relayed_in_unwanted, 1);
		return;
	}
	missed = note_seq(worker, channel, envelope);
	if (api_check(worker->bus, envelope, &push) != 0) {
		/* It has been told: the channel may not be there any more. */
		stats_add(&worker->stats->drop_invalid, 1);
	} else if (!is_excluded(worker, &push)) {
		node_id_format(&envelope->head.origin, from, sizeof(from));
		d = fanout_begin(&push, &envelope->head.origin, from);
		fanout_deliver(worker, channel, &d);
		fanout_report(worker, &d);
		api_fire(worker->bus, &push, &envelope->head.origin,
		    envelope->head.seq);
	}
	if (missed != 0)
		tell_gap(worker, envelope, missed);
}

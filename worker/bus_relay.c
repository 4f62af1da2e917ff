/*
 * bus_relay.c - what was pushed here goes to the hub; see bus.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/bus.h"
#include "worker/link.h"
#include "worker/state.h"

/* Does the channel's name say all that the others must know? */
static bool
is_plain(const struct worker *worker, const struct api_push *push)
{
	const struct client *client;

	if (push->channel[0] != 't' && push->channel[0] != 'f')
		return false;
	if (push->exclude.number == 0)
		return true;
	/* One of ours that is left out is not there either. */
	client = client_find(worker, &push->exclude);
	if (client != NULL)
		return client->move == NULL;
	return worker->moved_away == 0 &&
	    node_id_equal(&push->exclude.node, &worker->id);
}

void
bus_not_relayed(struct worker *worker, const struct api_push *push, int code)
{
	bool topic = push->name_len == 0;

	/*
	 * Counted it was already.  A hub that is away is told once, by place.c:
	 * not in the log for every envelope.
	 */
	if (worker->bus->on_error != NULL)
		api_error(worker->bus, topic ? "topic" : "event",
		    topic ? push->channel + CHANNEL_PREFIX_LEN : push->name,
		    topic ? push->channel_len - CHANNEL_PREFIX_LEN :
			    push->name_len,
		    "publish", NULL, code,
		    code == -EPIPE ? "the hub is away" : NULL);
}

/* Tell the others, with what stands before the payload. */
static int
relay_push(struct worker *worker, const struct api_push *push,
    struct ipc_envelope *envelope)
{
	struct push_head head = {
		.target = push->target,
		.exclude = push->exclude,
		.exclude_node = push->exclude_node,
		.name_len = (uint16_t)push->name_len,
	};
	size_t len = sizeof(head) + push->name_len + push->len;
	unsigned char *payload = malloc(len);
	int rc;

	if (payload == NULL) {
		stats_add(&worker->stats->drop_memory, 1);
		return -ENOMEM;
	}
	memcpy(payload, &head, sizeof(head));
	if (push->name_len != 0)
		memcpy(payload + sizeof(head), push->name, push->name_len);
	if (push->len != 0)
		memcpy(payload + sizeof(head) + push->name_len, push->data,
		    push->len);
	envelope->head.flags |= IPC_PUBLISH_PUSH;
	envelope->payload = payload;
	envelope->payload_len = len;
	rc = link_publish(worker->link, envelope);
	free(payload);
	return rc;
}

int
bus_relay(struct worker *worker, const struct api_push *push, uint64_t seq)
{
	struct ipc_envelope envelope = {
		.head = { .origin = worker->id,
		    .seq = seq,
		    .flags = api_publish_flags(worker->bus, push) },
		.channel = push->channel,
		.channel_len = push->channel_len,
		.payload = push->data,
		.payload_len = push->len,
	};

	return is_plain(worker, push) ? link_publish(worker->link, &envelope) :
					relay_push(worker, push, &envelope);
}

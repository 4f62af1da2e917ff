/*
 * hub_sink.c - see hub_sink.h.
 *
 * What is injected must lie somewhere until the turn's writev(): in chunks
 * that are given back at the end of the turn.  Neighbours in a chunk go out as
 * one part, as neighbours in a read buffer do.
 */
#include "primary/hub_sink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "primary/hub_node.h"

enum {
	CHUNK_BYTES = 64 * 1024
};

struct hub_sink {
	struct hub *hub;
	uint32_t index; /* in hub->sinks */
	struct ipc_node_id id;
	hub_sink_fn *fn; /* NULL: closed inside a call, freed after it */
	void *arg;
	size_t joined;
};

/* Bytes that parts of this turn may point to. */
struct hub_chunk {
	struct list link;
	size_t len, cap;
	unsigned char bytes[];
};

/* ---- calls ------------------------------------------------------------- */

static void
sink_free(struct hub_sink *sink)
{
	struct hub *hub = sink->hub;

	if (sink->joined != 0)
		(void)interest_forget(&hub->interest,
		    HUB_NODES_MAX + sink->index);
	hub_note_interests(hub);
	hub->sinks[sink->index] = NULL;
	free(sink);
}

/* Those that were closed inside a call: somebody walked over them then. */
static void
free_closed(struct hub *hub)
{
	hub->sinks_closed = false;
	for (uint32_t i = 0; i < hub->sink_count; i++) {
		if (hub->sinks[i] != NULL && hub->sinks[i]->fn == NULL)
			sink_free(hub->sinks[i]);
	}
}

void
hub_sink_call(struct hub *hub, uint32_t index,
    const struct ipc_envelope *envelope)
{
	struct hub_sink *sink = hub->sinks[index - HUB_NODES_MAX];

	hub->calling++;
	if (sink->fn != NULL)
		sink->fn(sink->arg, envelope);
	hub->calling--;
}

void
hub_tap_call(struct hub *hub, const struct hub_sink *from,
    const struct ipc_envelope *envelope)
{
	const struct hub_tap *tap;

	hub->calling++;
	for (size_t i = 0; i < hub->tap_count; i++) {
		tap = &hub->taps[i];
		if (tap->own == NULL || tap->own != from)
			tap->fn(tap->arg, envelope);
	}
	hub->calling--;
}

/* ---- life -------------------------------------------------------------- */

struct hub_sink *
hub_sink_new(struct hub *hub, const struct ipc_node_id *id, hub_sink_fn *fn,
    void *arg)
{
	struct hub_sink *sink;
	uint32_t index = 0;

	while (index < HUB_SINKS_MAX && hub->sinks[index] != NULL)
		index++;
	sink = index < HUB_SINKS_MAX ? calloc(1, sizeof(*sink)) : NULL;
	if (sink == NULL)
		return NULL;
	sink->hub = hub;
	sink->index = index;
	sink->id = *id;
	sink->fn = fn;
	sink->arg = arg;
	hub->sinks[index] = sink;
	if (hub->sink_count <= index)
		hub->sink_count = index + 1;
	return sink;
}

void
hub_sink_close(struct hub_sink *sink)
{
	if (sink == NULL)
		return;
	sink->fn = NULL;
	if (sink->hub->calling != 0)
		sink->hub->sinks_closed = true;
	else
		sink_free(sink);
}

int
hub_sink_join(struct hub_sink *sink, const char *channel, size_t len)
{
	int rc;

	assert(sink->hub->calling == 0);
	rc = interest_join(&sink->hub->interest, HUB_NODES_MAX + sink->index,
	    channel, len);
	if (rc == 1)
		sink->joined++;
	hub_note_interests(sink->hub);
	return rc;
}

int
hub_sink_leave(struct hub_sink *sink, const char *channel, size_t len)
{
	int rc;

	assert(sink->hub->calling == 0);
	rc = interest_leave(&sink->hub->interest, HUB_NODES_MAX + sink->index,
	    channel, len);
	sink->joined -= (size_t)rc;
	hub_note_interests(sink->hub);
	return rc;
}

int
hub_add_tap(struct hub *hub, hub_sink_fn *fn, void *arg, struct hub_sink *own)
{
	assert(hub->calling == 0);
	if (hub->tap_count == HUB_TAPS_MAX)
		return -ENOBUFS;
	hub->taps[hub->tap_count++] = (struct hub_tap){ fn, arg, own };
	return 0;
}

void
hub_remove_tap(struct hub *hub, hub_sink_fn *fn, void *arg)
{
	assert(hub->calling == 0);
	for (size_t i = 0; i < hub->tap_count; i++) {
		if (hub->taps[i].fn == fn && hub->taps[i].arg == arg) {
			hub->taps[i] = hub->taps[--hub->tap_count];
			return;
		}
	}
}

void
hub_sinks_release(struct hub *hub)
{
	struct list *pos, *tmp;

	for (uint32_t i = 0; i < hub->sink_count; i++) {
		free(hub->sinks[i]);
		hub->sinks[i] = NULL;
	}
	list_for_each_safe(pos, tmp, &hub->chunks)
		free(LIST_ENTRY(pos, struct hub_chunk, link));
}

/* ---- injecting --------------------------------------------------------- */

/* Room for len bytes until the end of the turn.  NULL: out of memory. */
static unsigned char *
chunk_reserve(struct hub *hub, size_t len)
{
	struct hub_chunk *chunk = NULL;
	size_t cap = len > CHUNK_BYTES ? len : CHUNK_BYTES;
	unsigned char *at;

	if (!list_is_empty(&hub->chunks))
		chunk = LIST_ENTRY(hub->chunks.prev, struct hub_chunk, link);
	if (chunk == NULL || chunk->cap - chunk->len < len) {
		chunk = malloc(sizeof(*chunk) + cap);
		if (chunk == NULL)
			return NULL;
		chunk->len = 0;
		chunk->cap = cap;
		list_append(&hub->chunks, &chunk->link);
	}
	at = chunk->bytes + chunk->len;
	chunk->len += len;
	return at;
}

void
hub_sinks_turn_end(struct hub *hub)
{
	struct hub_chunk *chunk;

	if (hub->sinks_closed)
		free_closed(hub);
	while (!list_is_empty(&hub->chunks)) {
		chunk = LIST_ENTRY(hub->chunks.next, struct hub_chunk, link);
		if (chunk->link.next == &hub->chunks &&
		    chunk->cap == CHUNK_BYTES) {
			chunk->len = 0; /* the last one stays for next time */
			return;
		}
		list_remove(&chunk->link);
		free(chunk);
	}
}

/* The envelope as a message.  NULL: out of memory. */
static unsigned char *
write_message(struct hub *hub, const struct ipc_envelope *envelope,
    size_t *ret_len)
{
	struct ipc_header head = { .type = IPC_PUBLISH };
	size_t len = sizeof(envelope->head) + envelope->channel_len +
	    envelope->payload_len;
	unsigned char *whole = chunk_reserve(hub, sizeof(head) + len), *to;

	if (whole == NULL)
		return NULL;
	head.len = (uint32_t)len;
	memcpy(whole, &head, sizeof(head));
	to = whole + sizeof(head);
	memcpy(to, &envelope->head, sizeof(envelope->head));
	to += sizeof(envelope->head);
	memcpy(to, envelope->channel, envelope->channel_len);
	if (envelope->payload_len != 0)
		memcpy(to + envelope->channel_len, envelope->payload,
		    envelope->payload_len);
	*ret_len = sizeof(head) + len;
	return whole;
}

/* To all that joined its channel but one.  How many, or -ENOMEM. */
static int
give(struct hub *hub, const struct hub_sink *from,
    const struct ipc_envelope *envelope)
{
	uint32_t except =
	    from != NULL ? HUB_NODES_MAX + from->index : UINT32_MAX;
	const struct interest_channel *channel = interest_find(&hub->interest,
	    envelope->channel, envelope->channel_len);
	unsigned char *whole = NULL;
	size_t len = 0;
	int given = 0;

	for (uint32_t i = 0; channel != NULL && i < channel->count; i++) {
		if (channel->nodes[i] == except)
			continue;
		given++;
		if (channel->nodes[i] >= HUB_NODES_MAX) {
			hub_sink_call(hub, channel->nodes[i], envelope);
			continue;
		}
		if (whole == NULL)
			whole = write_message(hub, envelope, &len);
		if (whole == NULL)
			return -ENOMEM;
		hub_node_queue(hub->nodes[channel->nodes[i]], whole, len);
	}
	return given;
}

int
hub_inject(struct hub *hub, struct hub_sink *from,
    const struct ipc_envelope *envelope)
{
	struct ipc_envelope copy = *envelope;
	int given;

	if (envelope->channel_len == 0 ||
	    envelope->channel_len > IPC_CHANNEL_MAX ||
	    envelope->payload_len > IPC_PAYLOAD_MAX)
		return -EMSGSIZE;
	copy.head.channel_len = (uint16_t)envelope->channel_len;
	if (copy.head.origin.host == 0 && from != NULL)
		copy.head.origin = from->id;
	given = give(hub, from, &copy);
	if (hub->tap_count != 0)
		hub_tap_call(hub, from, &copy);
	return given;
}

bool
hub_is_wanted(const struct hub *hub, const struct hub_sink *from,
    const char *channel, size_t len)
{
	uint32_t except =
	    from != NULL ? HUB_NODES_MAX + from->index : UINT32_MAX;
	const struct interest_channel *found;

	for (size_t i = 0; i < hub->tap_count; i++) {
		if (hub->taps[i].own == NULL || hub->taps[i].own != from)
			return true;
	}
	found = interest_find(&hub->interest, channel, len);
	for (uint32_t i = 0; found != NULL && i < found->count; i++) {
		if (found->nodes[i] != except)
			return true;
	}
	return false;
}

uint32_t
hub_interested(const struct hub *hub, const char *channel, size_t len,
    uint32_t *ret_sinks)
{
	const struct interest_channel *found =
	    interest_find(&hub->interest, channel, len);
	uint32_t count = found != NULL ? found->count : 0;

	*ret_sinks = 0;
	for (uint32_t i = 0; i < count; i++)
		*ret_sinks += found->nodes[i] >= HUB_NODES_MAX;
	return count;
}

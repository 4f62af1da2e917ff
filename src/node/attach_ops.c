/*
 * attach_ops.c - what the public API wants of an attached program: push, join,
 * leave, ask; see attached.h.
 *
 * Nothing here waits and nothing fails towards who publishes.  Own listeners
 * come first; then the envelope is put into a queue with a limit, and as much of
 * it is written as the socket takes; the rest when the program comes by again.  What finds no room, or no hub, is
 * told to the error function, and so counted.
 */
#include <errno.h>
#include <string.h>

#include "node/attached.h"
#include "wire/node_id.h"

/* What kind of thing a channel is, in the words of struct cbus_error. */
static const char *
kind_of(const struct api_push *push)
{
	switch (push->channel[0]) {
	case 't':
	case 'f':
	case 'p':
		return "topic";
	case 'w':
		return "resource";
	default:
		return "event";
	}
}

static void
not_sent(struct attached *attached, const struct api_push *push, int err,
    const char *message)
{
	size_t skip = push->channel_len < CHANNEL_PREFIX_LEN ?
	    push->channel_len :
	    CHANNEL_PREFIX_LEN;
	bool is_event = push->name_len != 0 && push->channel[0] != 'w';

	api_error(&attached->bus, kind_of(push),
	    is_event ? push->name : push->channel + skip,
	    is_event ? push->name_len : push->channel_len - skip, "publish",
	    NULL, err, message);
}

/* Must the payload begin with a struct push_head? */
static bool
needs_head(const struct api_push *push)
{
	return (push->channel[0] != 't' && push->channel[0] != 'f') ||
	    push->exclude.number != 0;
}

static int
append(struct buf *out, const struct api_push *push, struct ipc_publish *head)
{
	struct push_head more = {
		.target = push->target,
		.exclude = push->exclude,
		.exclude_node = push->exclude_node,
		.name_len = (uint16_t)push->name_len,
	};
	size_t len = push->channel_len, total;
	struct ipc_header header;
	unsigned char *to;
	int err = 0;

	if (!needs_head(push)) {
		struct ipc_envelope envelope = {
			.head = *head,
			.channel = push->channel,
			.channel_len = len,
			.payload = push->data,
			.payload_len = push->len,
		};

		return ipc_append_envelope(out, &envelope);
	}
	total = sizeof(*head) + len + sizeof(more) + push->name_len + push->len;
	header = (struct ipc_header){
		.len = (uint32_t)total,
		.type = IPC_PUBLISH,
	};
	head->flags |= IPC_PUBLISH_PUSH;
	head->channel_len = (uint16_t)len;
	if (sizeof(more) + push->name_len + push->len > IPC_PAYLOAD_MAX)
		return -EMSGSIZE;
	to = buf_reserve(out, sizeof(header) + total, &err);
	if (to == NULL)
		return err;
	to = mempcpy(to, &header, sizeof(header));
	to = mempcpy(to, head, sizeof(*head));
	to = mempcpy(to, push->channel, len);
	to = mempcpy(to, &more, sizeof(more));
	if (push->name_len != 0)
		to = mempcpy(to, push->name, push->name_len);
	if (push->len != 0)
		memcpy(to, push->data, push->len);
	buf_commit(out, sizeof(header) + total);
	return 0;
}

/* Put it into the queue.  0, -EPIPE, -ENOBUFS, -ENOMEM, -EMSGSIZE. */
static int
send_out(struct attached *attached, const struct api_push *push, uint64_t seq)
{
	struct buf *out = &attached->stream.out;
	struct ipc_publish head = {
		.seq = seq,
		.flags = api_publish_flags(&attached->bus, push),
	};

	if (attached->state != ATTACHED_UP || attached->broken)
		return -EPIPE;
	if (out->len + push->len > attached->queue_max && out->len != 0) {
		attached_flush(attached);
		if (out->len + push->len > attached->queue_max && out->len != 0)
			return -ENOBUFS;
	}
	return append(out, push, &head);
}

/*
 * The envelope is queued before own listeners are called, so that what they
 * publish stands behind it; it is written, and a failure told, after them.
 */
static void
push_out(void *impl, const struct api_push *push)
{
	struct attached *attached = impl;
	struct cbus *bus = &attached->bus;
	uint64_t seq =
	    track_number(&attached->tracks, push->channel, push->channel_len);
	int rc = push->local_only ? 0 : send_out(attached, push, seq);

	if (bus->listener_count != 0 && !attached->doomed &&
	    !(push->exclude_node.host != 0 &&
		node_id_equal(&push->exclude_node, &bus->id)))
		api_fire(bus, push, &bus->id, seq);
	if (rc != 0)
		not_sent(attached, push, rc,
		    rc == -EPIPE ?
			"the hub is away: only listeners here got it" :
			rc == -ENOBUFS ?
			"the queue to the hub is full: only listeners here "
			"got it" :
			NULL);
	/* Inside of a listener the outermost publish or turn writes. */
	if (bus->firing == 0 && !attached->wants_write)
		attached_flush(attached);
}

int
attached_say_join(struct attached *attached, const char *name, size_t len)
{
	struct ipc_join join = { .token = 0 };

	return ipc_append(&attached->stream.out, IPC_JOIN, &join, sizeof(join),
	    name, len, NULL, 0);
}

static int
join(void *impl, const char *channel, size_t len)
{
	struct attached *attached = impl;
	int rc;

	if (attached->tracks.joined >= attached->channels_max)
		return -ENOSPC;
	rc = track_join(&attached->tracks, channel, len);
	if (rc != 0 || attached->state != ATTACHED_UP || attached->broken)
		return rc; /* away: it is said when the hub is back */
	rc = attached_say_join(attached, channel, len);
	if (rc != 0)
		track_leave(&attached->tracks, channel, len);
	else
		attached_flush(attached);
	return rc == -ENOBUFS ? -ENOSPC : rc;
}

static void
leave(void *impl, const char *channel, size_t len)
{
	struct attached *attached = impl;

	track_leave(&attached->tracks, channel, len);
	if (attached->state != ATTACHED_UP || attached->broken)
		return;
	if (ipc_append(&attached->stream.out, IPC_LEAVE, NULL, 0, channel, len,
		NULL, 0) != 0)
		attached->broken =
		    true; /* the hub forgets all, and we return */
	else
		attached_flush(attached);
}

static int
ask(void *impl, uint32_t token, enum query_kind kind, uint16_t slot,
    const struct query_args *args)
{
	struct attached *attached = impl;
	struct ipc_query query = {
		.token = token,
		.kind = (uint16_t)kind,
		.slot = slot,
	};
	struct buf text;
	int rc;

	if (attached->state != ATTACHED_UP || attached->broken)
		return -EPIPE;
	buf_init(&text, IPC_QUERY_MAX);
	rc = query_append(&text, args);
	if (rc == 0)
		rc = ipc_append(&attached->stream.out, IPC_QUERY, &query,
		    sizeof(query), buf_data(&text), text.len, NULL, 0);
	buf_release(&text);
	if (rc == 0)
		attached_flush(attached);
	return rc == -ENOBUFS ? -ENOMEM : rc;
}

const struct api_ops attached_ops = {
	.push = push_out,
	.join = join,
	.leave = leave,
	.query = ask,
};

/*
 * fuzz_envelope.c - the body of a PUBLISH message.
 *
 * Whatever is accepted and written again is the same bytes, and the hub's
 * stamp changes the origin and nothing else.  Then a worker with two members
 * in that channel, one for text and one for bytes, delivers it: as often as it
 * is sound, each gets it, and what a program sent can break nobody's
 * connection.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "wire/ipc.h"
#include "wire/push.h"
#include "worker/bus.h"
#include "worker/state.h"

enum {
	MEMBERS = 2,
	BINARY_HEAD = 2, /* opcode and the topic's length */
};

static const struct ipc_envelope *delivered;
static const void *payload; /* without what stands before it */
static size_t payload_len;
static unsigned frames, gap_frames;

static void
check_binary(const unsigned char *at, size_t len)
{
	size_t topic = delivered->channel_len - 2;

	assert(len == BINARY_HEAD + topic + payload_len);
	assert(at[0] == 2 && at[1] == topic);
	assert(memcmp(at + BINARY_HEAD, delivered->channel + 2, topic) == 0);
	if (payload_len != 0)
		assert(memcmp(at + BINARY_HEAD + topic, payload, payload_len) ==
		    0);
}

/* In place of client.c: the frame that a member gets. */
void
client_push(struct client *client, struct frame *frame)
{
	const unsigned char *at = frame_payload(frame);
	size_t len = frame->len - frame->header_len;

	frames++;
	if (frame->op == FRAME_BINARY) {
		assert(client->wants_binary);
		check_binary(at, len);
		return;
	}
	assert(frame->op == FRAME_TEXT);
	gap_frames += len > 9 && memcmp(at, "{\"op\":\"gap", 10) == 0;
	if (delivered->head.origin.slot < IPC_PROGRAM_SLOT)
		return; /* a worker has looked before it sent */
	assert(utf8_valid(at, len));
	assert(json_valid((const char *)at, len));
}

void
client_push_own(struct client *client, struct frame *frame)
{
	client_push(client, frame);
	frame_unref(frame);
}

/* Nobody is on its way. */
bool
move_takes(const struct client *client, const struct ipc_node_id *origin)
{
	(void)client;
	(void)origin;
	return true;
}

static void
deliver(struct worker *worker, struct ipc_envelope *envelope, bool is_gap)
{
	uint64_t invalid = worker->unplaced.drop_invalid;
	struct push push;

	payload = envelope->payload;
	payload_len = envelope->payload_len;
	if (push_read(envelope, &push) == 0) {
		payload = push.data;
		payload_len = push.len;
	}
	frames = 0;
	gap_frames = 0;
	delivered = envelope;
	bus_deliver(worker, envelope);
	if (worker->unplaced.drop_invalid != invalid) {
		assert(frames == gap_frames);
		return;
	}
	assert(gap_frames == (is_gap ? MEMBERS : 0));
	assert(frames == gap_frames + MEMBERS);
}

/* Can clients be members of it?  Then protocol.c has made its name. */
static bool
is_topic(const struct ipc_envelope *e)
{
	return e->channel_len > 2 && memcmp(e->channel, "t:", 2) == 0 &&
	    utf8_valid(e->channel, e->channel_len);
}

static void
ignore_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	(void)error;
}

/* Is one of us excluded?  Then fewer get it. */
static bool
excludes(const struct ipc_envelope *e)
{
	struct push push;

	return push_read(e, &push) == 0 &&
	    (push.head.exclude_node.host == 7 ||
		push.head.exclude.node.host == 7);
}

static void
check_delivery(const struct ipc_envelope *envelope)
{
	struct worker worker = { .stats = &worker.unplaced };
	struct client clients[MEMBERS] = { { .wants_binary = true } };
	static const struct api_ops no_ops;
	struct cbus bus;
	struct ipc_envelope e = *envelope;
	struct channel *channel;

	worker.id = (struct ipc_node_id){ 7, 7, 7 };
	channels_init(&worker.channels);
	api_init(&bus, &no_ops, NULL); /* nobody listens: none is called */
	cbus_on_error(&bus, ignore_error, NULL);
	worker.bus = &bus;
	channel = channel_get(&worker.channels, e.channel, e.channel_len);
	assert(channel != NULL);
	channel->interest = INTEREST_JOINED;
	for (int i = 0; i < MEMBERS; i++) {
		clients[i].home = worker.id;
		clients[i].number = (uint64_t)i + 1;
	}
	for (int i = 0; i < MEMBERS; i++)
		assert(
		    channel_add(&worker.channels, channel, &clients[i]) == 0);
	deliver(&worker, &e, false);
	if (e.head.seq != 0 && e.head.seq < UINT64_MAX - 3) {
		e.head.seq++;
		deliver(&worker, &e, false);
		e.head.seq += 2;
		deliver(&worker, &e, true);
	}
	for (int i = 0; i < MEMBERS; i++)
		(void)channel_remove(&worker.channels, &clients[i], 0);
	channel_settle(&worker.channels, channel);
	channels_release(&worker.channels);
	api_release(&bus);
	for (int i = 0; i < MEMBERS; i++)
		free(clients[i].subs);
}

static void
check_written_again(const struct ipc_envelope *envelope, const uint8_t *data,
    size_t size)
{
	struct ipc_header header;
	const unsigned char *written;
	struct buf out;

	buf_init(&out, sizeof(header) + size);
	assert(ipc_append_envelope(&out, envelope) == 0);
	assert(out.len == sizeof(header) + size);
	written = buf_data(&out);
	assert(written != NULL);
	memcpy(&header, written, sizeof(header));
	assert(header.len == size);
	assert(header.type == IPC_PUBLISH);
	assert(memcmp(written + sizeof(header), data, size) == 0);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ipc_node_id origin = { 0x01020304, 5, 6 };
	struct ipc_message message = { .type = IPC_PUBLISH, .len = size };
	struct ipc_envelope envelope, stamped;

	/* What the table lets through to ipc_read_envelope(). */
	if (size < sizeof(struct ipc_publish) + 1)
		return 0;
	message.body = malloc(size);
	assert(message.body != NULL);
	memcpy(message.body, data, size);
	if (ipc_read_envelope(&message, &envelope) == 0) {
		check_written_again(&envelope, data, size);
		ipc_stamp_origin(&message, &origin);
		assert(ipc_read_envelope(&message, &stamped) == 0);
		assert(
		    memcmp(&stamped.head.origin, &origin, sizeof(origin)) == 0);
		stamped.head.origin = envelope.head.origin;
		check_written_again(&stamped, data, size);
		if (is_topic(&envelope) && !excludes(&envelope))
			check_delivery(&envelope);
	}
	free(message.body);
	return 0;
}

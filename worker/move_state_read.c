/* move_state_read.c - the taker reads the rest; see move_state.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/move_state.h"
#include "worker/move_state_bytes.h"
#include "worker/state.h"
#include "worker/ws_move.h"

enum {
	/* A topic as in a JSON string; one in a binary frame is shorter. */
	QUOTED_MAX = 6 * IPC_CHANNEL_MAX,
	BINARY_TOPIC_MAX = UINT8_MAX,
	PAYLOAD_MAX = MOVE_STATE_MAX,
};

static void
take_head(struct move_reader *reader, const struct client *client)
{
	struct ipc_node_id home;

	if (move_take(reader, 4) != MOVE_REST_MAGIC ||
	    move_take(reader, 2) != MOVE_STATE_VERSION)
		move_fail(reader, -EPROTO);
	home.host = (uint32_t)move_take(reader, 4);
	home.slot = (uint16_t)move_take(reader, 2);
	home.generation = (uint16_t)move_take(reader, 2);
	if (!node_id_equal(&home, &client->home) ||
	    move_take(reader, 8) != client->number)
		move_fail(reader, -EPROTO);
}

/* A moment that is so long ago. */
static uint32_t
take_age(struct move_reader *reader, const struct client *client)
{
	return client_now(client->worker) - (uint32_t)move_take(reader, 4);
}

static void
take_numbers(struct move_reader *reader, struct client *client)
{
	uint64_t flags = move_take(reader, 1);

	if ((flags & ~(uint64_t)MOVE_REST_ALL) != 0)
		move_fail(reader, -EPROTO);
	client->in_binary = (flags & MOVE_REST_IN_BINARY) != 0;
	client->pinged = (flags & MOVE_REST_PINGED) != 0;
	client->seen_ms = take_age(reader, client);
	if ((flags & MOVE_REST_SOFT) != 0)
		/* As client_note_soft() has it. */
		client->soft_since_ms = (take_age(reader, client) - 1) | 1;
	client->refused = (uint16_t)move_take(reader, 2);
	client->tries = (uint32_t)move_take(reader, 4);
	client->tries_ms = take_age(reader, client);
	client->rate_tokens = (uint32_t)move_take(reader, 4);
	client->rate_ms = take_age(reader, client);
	client->dropped += (uint32_t)move_take(reader, 4);
	client->gaps += (uint32_t)move_take(reader, 4);
	if ((flags & MOVE_REST_IN) != 0 && reader->rc == 0) {
		client->in = calloc(1, sizeof(*client->in));
		if (client->in == NULL)
			move_fail(reader, -ENOMEM);
	}
}

/* The part of a message that has come. */
static void
take_in(struct move_reader *reader, struct client *client)
{
	const unsigned char *bytes;
	size_t len;
	int rc;

	if (client->in == NULL)
		return;
	buf_init(client->in, SIZE_MAX / 2); /* ws_read.c looks at its length */
	bytes = move_take_text(reader, 4, PAYLOAD_MAX, &len);
	if (len > client->worker->config->max_message)
		move_fail(reader, -ENOBUFS);
	rc = reader->rc == 0 ? buf_append(client->in, bytes, len) : 0;
	if (rc != 0)
		move_fail(reader, rc);
}

#define TAKE_NUMBER(name, type) s->name = (type)move_take(reader, sizeof(type));

static void
take_moved(struct move_reader *reader, struct ws_moved *moved)
{
	struct ws_shadow *s = &moved->shadow;
	const unsigned char *tail;
	size_t len;

	MOVE_SHADOW_NUMBERS(TAKE_NUMBER)
	move_take_array(reader, s->mask, sizeof(s->mask));
	move_take_array(reader, s->header, sizeof(s->header));
	move_take_array(reader, s->kept, sizeof(s->kept));
	if (reader->rc == 0 && ws_shadow_check(s) != 0)
		move_fail(reader, -EPROTO);
	tail = move_take_text(reader, 4, MOVE_STATE_MAX, &len);
	if (len == 0)
		return;
	moved->tail = malloc(len);
	if (moved->tail == NULL) {
		move_fail(reader, -ENOMEM);
		return;
	}
	memcpy(moved->tail, tail, len);
	moved->tail_len = len;
}

/* ---- the outbox -------------------------------------------------------- */

/* Can its topic stand there? */
static bool
topic_fits(const struct frame *frame, uint64_t at, uint64_t len)
{
	if (at == 0)
		return len == 0;
	return at >= frame->header_len && at + len <= frame->len &&
	    len <= (frame->op == FRAME_TEXT ? QUOTED_MAX : BINARY_TOPIC_MAX);
}

/* One frame, or NULL when something went wrong. */
static struct frame *
take_frame(struct move_reader *reader)
{
	uint64_t op = move_take(reader, 1);
	uint64_t topic_at = move_take(reader, 4);
	uint64_t topic_len = move_take(reader, 2);
	size_t len;
	const unsigned char *payload =
	    move_take_text(reader, 4, PAYLOAD_MAX, &len);
	struct frame *frame;

	if (op != FRAME_TEXT && op != FRAME_BINARY && op != FRAME_PING)
		move_fail(reader, -EPROTO);
	if (op == FRAME_PING && len > WS_SHADOW_CONTROL_MAX)
		move_fail(reader, -EPROTO);
	if (reader->rc != 0)
		return NULL;
	frame = frame_new((enum frame_op)op, len);
	if (frame == NULL) {
		move_fail(reader, -ENOMEM);
		return NULL;
	}
	if (!topic_fits(frame, topic_at, topic_len)) {
		move_fail(reader, -EPROTO);
		frame_unref(frame);
		return NULL;
	}
	if (len != 0)
		memcpy(frame_payload(frame), payload, len);
	frame->topic_at = (uint32_t)topic_at;
	frame->topic_len = (uint16_t)topic_len;
	return frame;
}

/*
 * More than may wait here?  The largest frame does not count: alone it may be
 * of any size, and an answer may come on top of a full outbox.
 */
static bool
too_much(const struct outbox *outbox, const struct client *client)
{
	size_t largest = 0, bytes = outbox->bytes;
	const struct frame *frame;

	for (uint32_t i = 0; i < outbox->count; i++) {
		frame = outbox_at(outbox, i);
		if (frame->op == FRAME_PING)
			bytes -= frame->len;
		else if (frame->len > largest)
			largest = frame->len;
	}
	return bytes - largest > client->worker->config->outbox_hard;
}

/* In front of what the client has got since. */
static int
put_in_front(struct client *client, const struct outbox *frames)
{
	struct stats_worker *stats = client->worker->stats;
	struct frame *frame;
	int rc = 0;

	for (uint32_t i = frames->count; i > 0 && rc == 0; i--) {
		frame = outbox_at(frames, i - 1);
		rc = outbox_push_front(&client->outbox, frame);
		if (rc == 0)
			stats_add(&stats->outbox_bytes, frame->len);
	}
	return rc;
}

static void
take_frames(struct move_reader *reader, struct client *client)
{
	uint64_t count = move_take(reader, 4);
	struct outbox frames = { .count = 0 };
	struct frame *frame;
	int rc;

	/* Not believed: each has its bytes in what was sent. */
	for (uint64_t i = 0; i < count && reader->rc == 0; i++) {
		frame = take_frame(reader);
		rc = frame != NULL ? outbox_push(&frames, frame) : 0;
		if (rc != 0)
			move_fail(reader, rc);
		frame_unref(frame);
	}
	if (reader->rc == 0 && too_much(&frames, client))
		move_fail(reader, -ENOBUFS);
	if (reader->rc == 0)
		reader->rc = put_in_front(client, &frames);
	outbox_release(&frames);
}

static void
take_gaps(struct move_reader *reader, struct client *client)
{
	uint64_t count = move_take(reader, 1), missed;
	const unsigned char *text;
	char *topic;
	size_t len;
	int rc;

	if (count > OUTBOX_GAPS_MAX)
		move_fail(reader, -EPROTO);
	for (uint64_t i = 0; i < count && reader->rc == 0; i++) {
		missed = move_take(reader, 8);
		text = move_take_text(reader, 2, QUOTED_MAX, &len);
		if (len == 0)
			move_fail(reader, -EPROTO);
		if (reader->rc != 0)
			return;
		topic = malloc(len);
		if (topic != NULL)
			memcpy(topic, text, len);
		rc = outbox_add_gap(&client->outbox, topic, len, missed);
		if (rc != 0)
			move_fail(reader, rc);
	}
}

int
move_state_read(const void *bytes, size_t len, struct client *client,
    struct ws_moved *ret_moved, const void **ret_app, size_t *ret_app_len)
{
	struct move_reader reader = { .at = bytes, .left = len };
	struct ws_moved moved = { .tail = NULL };
	const void *app;
	size_t app_len;

	take_head(&reader, client);
	take_numbers(&reader, client);
	take_in(&reader, client);
	take_moved(&reader, &moved);
	take_frames(&reader, client);
	take_gaps(&reader, client);
	app = move_take_text(&reader, 4, MOVE_STATE_APP_MAX, &app_len);
	if (reader.left != 0)
		move_fail(&reader, -EPROTO);
	if (reader.rc != 0) {
		free(moved.tail);
		return reader.rc;
	}
	*ret_moved = moved;
	*ret_app = app;
	*ret_app_len = app_len;
	return 0;
}

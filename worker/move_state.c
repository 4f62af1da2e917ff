/*
 * move_state.c - the giver writes what it knows of a connection; see
 * move_state.h.
 *
 * Times are written as ages: clocks of two processes need not agree.  Of frames
 * the header is not written, it follows from the payload's length.
 */
#include "worker/move_state.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/net.h"
#include "worker/identity.h"
#include "worker/move_state_bytes.h"
#include "worker/state.h"
#include "worker/ws_move.h"

static void
begin(struct move_writer *writer, uint32_t magic, const struct client *client)
{
	move_put(writer, magic, 4);
	move_put(writer, MOVE_STATE_VERSION, 2);
	move_put(writer, client->home.host, 4);
	move_put(writer, client->home.slot, 2);
	move_put(writer, client->home.generation, 2);
	move_put(writer, client->number, 8);
}

/* ---- who it is --------------------------------------------------------- */

/* Family 4, 6 or 0 (not known), port, address. */
static void
put_address(struct move_writer *writer, const struct client *client)
{
	struct net_address address = { .len = sizeof(address.sa) };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (client->fd == -1 ||
	    getpeername(client->fd, (struct sockaddr *)&address.sa,
		&address.len) != 0)
		address.sa.ss_family = AF_UNSPEC;
	if (address.sa.ss_family == AF_INET) {
		memcpy(&v4, &address.sa, sizeof(v4));
		move_put(writer, 4, 1);
		move_put_bytes(writer, &v4.sin_port, 2);
		move_put_bytes(writer, &v4.sin_addr, 4);
	} else if (address.sa.ss_family == AF_INET6) {
		memcpy(&v6, &address.sa, sizeof(v6));
		move_put(writer, 6, 1);
		move_put_bytes(writer, &v6.sin6_port, 2);
		move_put_bytes(writer, &v6.sin6_addr, 16);
	} else {
		move_put(writer, 0, 1);
	}
}

static void
put_grants(struct move_writer *writer, const struct grants *grants)
{
	if (!grants->given)
		return;
	move_put(writer, grants->count, 4);
	for (size_t i = 0; i < grants->count; i++)
		move_put_string(writer, grants->patterns[i]);
}

static uint64_t
who_flags(const struct client *client)
{
	const struct identity *identity = client->identity;
	uint64_t flags = 0;

	if (client->wants_binary)
		flags |= MOVE_WHO_BINARY;
	if (identity == NULL)
		return flags;
	flags |= MOVE_WHO_IDENTITY;
	if (identity->api)
		flags |= MOVE_WHO_API;
	if (identity->topics.given)
		flags |= MOVE_WHO_TOPICS;
	if (identity->publish.given)
		flags |= MOVE_WHO_PUBLISH;
	return flags;
}

static void
put_identity(struct move_writer *writer, const struct identity *identity)
{
	if (identity == NULL)
		return;
	move_put_string(writer, identity->user);
	move_put_string(writer, identity->role);
	move_put(writer, identity->expires_s, 8);
	put_grants(writer, &identity->topics);
	put_grants(writer, &identity->publish);
}

/* Does it move with its member?  The channel of its home does not. */
static bool
moves(const struct channel *channel)
{
	return channel->name[0] != 'n';
}

static void
put_channels(struct move_writer *writer, const struct client *client)
{
	const struct channel *channel;
	uint32_t count = 0;

	for (uint32_t i = 0; i < client->sub_count; i++)
		count += moves(client->subs[i].channel);
	move_put(writer, count, 4);
	for (uint32_t i = 0; i < client->sub_count; i++) {
		channel = client->subs[i].channel;
		if (moves(channel))
			move_put_text(writer, channel->name,
			    channel->entry.key_len, 2);
	}
}

int
move_who_write(const struct client *client, struct buf *out)
{
	const struct worker *worker = client->worker;
	struct move_writer writer = { .out = out };
	size_t before = out->len;

	begin(&writer, MOVE_WHO_MAGIC, client);
	put_address(&writer, client);
	move_put(&writer, who_flags(client), 1);
	move_put(&writer, worker->now_ms - client->opened_ms, 8);
	put_identity(&writer, client->identity);
	put_channels(&writer, client);
	if (writer.rc == 0 && out->len - before > IPC_OFFER_MAX)
		writer.rc = -ENOBUFS;
	return writer.rc;
}

/* ---- the rest ---------------------------------------------------------- */

static void
put_numbers(struct move_writer *writer, const struct client *client)
{
	uint32_t now = client_now(client->worker);

	move_put(writer, now - client->seen_ms, 4);
	if (client->soft_since_ms != 0)
		move_put(writer, now - client->soft_since_ms, 4);
	move_put(writer, client->refused, 2);
	move_put(writer, client->tries, 4);
	move_put(writer, now - client->tries_ms, 4);
	move_put(writer, client->rate_tokens, 4);
	move_put(writer, now - client->rate_ms, 4);
	move_put(writer, client->dropped, 4);
	move_put(writer, client->gaps, 4);
}

static void
put_outbox(struct move_writer *writer, const struct outbox *outbox)
{
	struct frame *frame;

	move_put(writer, outbox->count, 4);
	for (uint32_t i = 0; i < outbox->count; i++) {
		frame = outbox_at(outbox, i);
		move_put(writer, frame->op, 1);
		move_put(writer, frame->topic_at, 4);
		move_put(writer, frame->topic_len, 2);
		move_put_text(writer, frame_payload(frame),
		    frame->len - frame->header_len, 4);
	}
	move_put(writer, outbox->gap_count, 1);
	for (uint32_t i = 0; i < outbox->gap_count; i++) {
		move_put(writer, outbox->gaps[i].missed, 8);
		move_put_text(writer, outbox->gaps[i].topic,
		    outbox->gaps[i].len, 2);
	}
}

#define PUT_NUMBER(name, type) move_put(writer, s->name, sizeof(type));

static void
put_moved(struct move_writer *writer, const struct ws_moved *moved)
{
	const struct ws_shadow *s = &moved->shadow;

	MOVE_SHADOW_NUMBERS(PUT_NUMBER)
	move_put_bytes(writer, s->mask, sizeof(s->mask));
	move_put_bytes(writer, s->header, sizeof(s->header));
	move_put_bytes(writer, s->kept, sizeof(s->kept));
	move_put_text(writer, moved->tail, moved->tail_len, 4);
}

static uint64_t
rest_flags(const struct client *client)
{
	uint64_t flags = 0;

	if (client->in != NULL)
		flags |= MOVE_REST_IN;
	if (client->in_binary)
		flags |= MOVE_REST_IN_BINARY;
	if (client->pinged)
		flags |= MOVE_REST_PINGED;
	if (client->soft_since_ms != 0)
		flags |= MOVE_REST_SOFT;
	return flags;
}

int
move_state_write(const struct client *client, const struct ws_moved *moved,
    const void *app, size_t app_len, struct buf *out)
{
	struct move_writer writer = { .out = out };
	size_t before = out->len;

	if (app_len > MOVE_STATE_APP_MAX || moved->tail_len > MOVE_STATE_MAX)
		return -ENOBUFS;
	begin(&writer, MOVE_REST_MAGIC, client);
	move_put(&writer, rest_flags(client), 1);
	put_numbers(&writer, client);
	if (client->in != NULL)
		move_put_text(&writer, buf_data(client->in), client->in->len,
		    4);
	put_moved(&writer, moved);
	put_outbox(&writer, &client->outbox);
	move_put_text(&writer, app, app_len, 4);
	if (writer.rc == 0 && out->len - before > MOVE_STATE_MAX)
		writer.rc = -ENOBUFS;
	return writer.rc;
}

/*
 * state_rig.h - clients that have something of everything, and their state as
 * bytes (move_state.h).  Giver and taker are the same worker.
 */
#ifndef SUPPORT_STATE_RIG_H
#define SUPPORT_STATE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/identity.h"
#include "worker/membership.h"
#include "worker/move_state.h"
#include "worker/reply.h"
#include "worker/ws_move.h"
#include "worker_fixture.h"

/* The channels that a reader was told of. */
struct names {
	char text[512];
	int rc;
};

static inline int
note_name(void *arg, const char *channel, size_t len)
{
	struct names *names = arg;
	size_t at = strlen(names->text);

	(void)snprintf(names->text + at, sizeof(names->text) - at, "%.*s ",
	    (int)len, channel);
	return names->rc;
}

static inline struct ws_moved
some_moved(unsigned char *tail, size_t len)
{
	struct ws_moved moved = { .tail = tail, .tail_len = len };

	moved.shadow.phase = WS_SHADOW_HEADER;
	moved.shadow.payload = 4711;
	return moved;
}

static inline struct client *
new_taken(struct worker *worker)
{
	struct client *client = client_new_moved(worker);

	assert_non_null(client);
	return client;
}

static inline void
push(struct client *client, struct frame *frame)
{
	assert_non_null(frame);
	client_push(client, frame);
	frame_unref(frame);
}

/* A message that is not whole yet. */
static inline struct buf *
open_message(const char *text)
{
	struct buf *in = calloc(1, sizeof(*in));

	assert_non_null(in);
	buf_init(in, SIZE_MAX / 2);
	assert_int_equal(buf_append(in, text, strlen(text)), 0);
	return in;
}

/* A client that has something of everything. */
static inline struct client *
full_client(struct worker *worker)
{
	struct client *client = fixture_client(worker);
	struct identity *identity;
	struct frame *lost = reply_msg("lost", 4, "1", 1, "n");

	fixture_identify(client, "ann", "editor");
	identity = client->identity;
	identity->expires_s = 1234567890123;
	identity->api = true;
	assert_int_equal(grants_add(&identity->topics, "chat:*", 6), 0);
	assert_int_equal(grants_add(&identity->topics, "news", 4), 0);
	identity->publish.given = true; /* an empty list */
	assert_int_equal(fixture_join(client, "t:news", "1"), 0);
	assert_int_equal(fixture_join(client, "w:doc", "2"), 0);
	assert_int_equal(membership_put(worker, client, "r:lobby", 7), 0);
	assert_int_equal(membership_put(worker, client, "u:ann", 5), 0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	client->wants_binary = true;
	client->opened_ms = worker->now_ms - 86400000;
	client->in = open_message("{\"op\":");
	client->in_binary = true;
	client->pinged = true;
	client->seen_ms -= 7;
	client->soft_since_ms = (client_now(worker) - 301) | 1;
	client->refused = 2;
	client->tries = 3;
	client->tries_ms = client_now(worker) - 11;
	client->rate_tokens = 4500;
	client->rate_ms = client_now(worker) - 13;
	client->dropped = 5;
	client->gaps = 6;
	push(client, reply_msg("news", 4, "\"hi\"", 4, "n"));
	push(client, reply_msg_binary("news", 4, "\1\2\3", 3));
	client_push_own(client, reply_ok("9", 1, ""));
	push(client, reply_evt("knock", 5, "{}", 2));
	assert_non_null(lost);
	outbox_note_gap(&client->outbox, lost);
	outbox_note_gap(&client->outbox, lost);
	frame_unref(lost);
	return client;
}

static inline void
write_who(const struct client *client, struct buf *out)
{
	buf_init(out, IPC_OFFER_MAX);
	assert_int_equal(move_who_write(client, out), 0);
}

static inline void
write_rest(const struct client *client, struct buf *out)
{
	unsigned char tail[] = "rest of a frame";
	const struct ws_moved moved = some_moved(tail, sizeof(tail));

	buf_init(out, MOVE_STATE_MAX);
	assert_int_equal(move_state_write(client, &moved, "app", 3, out), 0);
}

/* One that takes its state; nobody finds it. */
static inline struct client *
taken_like(struct worker *worker, const struct client *client)
{
	struct client *taken = new_taken(worker);

	taken->home = client->home;
	taken->number = client->number;
	return taken;
}

#endif /* SUPPORT_STATE_RIG_H */

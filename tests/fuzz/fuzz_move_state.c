/*
 * fuzz_move_state.c - the state of a connection that comes from another worker.
 *
 * The first byte says which part follows: 'w' who it is, else the rest.  What
 * was read is used as the worker would: topics are dropped and told as gaps,
 * grants are asked, the parser is brought to its place.  And it is written and
 * read once more: the same must come out.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "base/utf8.h"
#include "config/config.h"
#include "tests/fuzz/fuzz.h"
#include "wire/channel_name.h"
#include "worker/identity.h"
#include "worker/move_state.h"
#include "worker/state.h"
#include "worker/ws_move.h"

static struct config config = {
	.max_message = 1024,
	.max_subscriptions = 4,
	.outbox_soft = 1024,
	.outbox_hard = 2048,
};
static struct worker worker = {
	.config = &config,
	.now_ms = 1000000,
};

static int
on_channel(void *arg, const char *channel, size_t len)
{
	unsigned *count = arg;

	assert(channel_name_valid(channel, len));
	assert(memchr("tfruw", channel[0], 5) != NULL);
	return ++*count > 8 ? -ENOSPC : 0;
}

static void
release(struct client *client)
{
	outbox_release(&client->outbox);
	identity_free(client->identity);
	if (client->in != NULL)
		buf_release(client->in);
	free(client->in);
}

/* ---- who it is --------------------------------------------------------- */

static void
use_identity(const struct identity *identity)
{
	const char *user = identity_user(identity);

	assert(user == NULL || utf8_valid(user, strlen(user)));
	(void)identity_may_subscribe(identity, "chat:1", 6);
	(void)identity_may_publish(identity, "", 0);
}

static void
who(const uint8_t *data, size_t size)
{
	struct client client = { .worker = &worker, .fd = -1 };
	struct net_address address;
	char text[NET_ADDRESS_MAX];
	unsigned count = 0;
	int rc = move_who_read(data, size, &client, on_channel, &count);

	if (rc == 0) {
		assert(client.number != 0 && client.home.host != 0);
		assert(move_who_address(data, size, &address) == 0);
		if (address.len != 0)
			net_format(&address, text, sizeof(text));
		use_identity(client.identity);
	} else {
		assert(rc == -EPROTO || rc == -ENOBUFS || rc == -ENOSPC);
		assert(rc == -ENOSPC || count == 0);
	}
	release(&client);
}

/* ---- the rest ---------------------------------------------------------- */

static struct client
known_client(void)
{
	return (struct client){ .worker = &worker,
		.home = { 0x2a, 1, 3 },
		.number = 1,
		.fd = -1 };
}

static void
check_outbox(const struct outbox *outbox)
{
	const struct frame *frame;
	size_t bytes = 0;

	for (uint32_t i = 0; i < outbox->count; i++) {
		frame = outbox_at(outbox, i);
		assert(frame->refs == 1);
		assert(frame->topic_at + frame->topic_len <= frame->len);
		bytes += frame->len;
	}
	assert(outbox->bytes == bytes);
	assert(outbox->gap_count <= OUTBOX_GAPS_MAX);
}

static void
drop_all(struct outbox *outbox)
{
	struct frame *gap;

	while (outbox_drop_oldest(outbox))
		check_outbox(outbox);
	while (outbox->gap_count != 0) {
		gap = outbox_take_gap(outbox);
		assert(gap != NULL);
		frame_unref(gap);
	}
}

/* Once more by the same way. */
static void
again(const struct client *first, const struct ws_moved *moved, const void *app,
    size_t app_len)
{
	struct client client = known_client();
	struct ws_moved second;
	const void *second_app;
	size_t second_len;
	struct buf bytes;

	buf_init(&bytes, MOVE_STATE_MAX);
	assert(move_state_write(first, moved, app, app_len, &bytes) == 0);
	assert(move_state_read(buf_data(&bytes), bytes.len, &client, &second,
		   &second_app, &second_len) == 0);
	assert(client.outbox.count == first->outbox.count);
	assert(client.outbox.bytes == first->outbox.bytes);
	assert(client.outbox.gap_count == first->outbox.gap_count);
	assert((client.in == NULL) == (first->in == NULL));
	assert(client.rate_tokens == first->rate_tokens);
	assert(client.seen_ms == first->seen_ms);
	assert(second.tail_len == moved->tail_len);
	assert(second_len == app_len && memcmp(second_app, app, app_len) == 0);
	free(second.tail);
	buf_release(&bytes);
	release(&client);
}

static void
rest(const uint8_t *data, size_t size)
{
	unsigned char replay[WS_SHADOW_REPLAY_MAX];
	struct client client = known_client();
	struct ws_moved moved;
	const void *app;
	size_t app_len;
	int rc = move_state_read(data, size, &client, &moved, &app, &app_len);

	check_outbox(&client.outbox);
	if (rc == 0) {
		again(&client, &moved, app, app_len);
		assert(
		    client.in == NULL || client.in->len <= config.max_message);
		(void)ws_shadow_replay(&moved.shadow, replay);
		drop_all(&client.outbox);
		free(moved.tail);
	} else {
		assert(rc == -EPROTO || rc == -ENOBUFS);
	}
	release(&client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	worker.stats = &worker.unplaced;
	if (size == 0)
		return 0;
	if (data[0] == 'w')
		who(data + 1, size - 1);
	else
		rest(data + 1, size - 1);
	return 0;
}

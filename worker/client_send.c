/*
 * client_send.c - frames are queued for a client; see client.h.
 *
 * Here is where a slow client meets its limit: hard is too much at once, soft
 * is too much for outbox-time.  Then the policy acts: the client is closed, or
 * the newest or the oldest publishes are dropped and told to it as a gap.
 */
#include <string.h>

#include "worker/reply.h"
#include "worker/state.h"

void
client_clear_outbox(struct client *client)
{
	struct stats_worker *stats = client->worker->stats;

	stats_set(&stats->outbox_bytes,
	    stats->outbox_bytes - client->outbox.bytes);
	outbox_clear(&client->outbox);
}

static void
drop(struct client *client, const struct frame *frame, uint64_t *counter)
{
	stats_add(counter, 1);
	client->dropped++;
	outbox_note_gap(&client->outbox, frame);
}

size_t
client_limit(const struct client *client)
{
	const struct config *config = client->worker->config;

	if (client->soft_since_ms != 0 &&
	    client_now(client->worker) - client->soft_since_ms >=
		config->outbox_time)
		return config->outbox_soft;
	return config->outbox_hard;
}

/* Too much is queued: the policy acts.  True: the frame may be queued. */
static bool
make_way(struct client *client, const struct frame *frame, size_t limit)
{
	struct worker *worker = client->worker;
	struct stats_worker *stats = worker->stats;
	size_t before = client->outbox.bytes;

	switch ((enum config_outbox_policy)worker->config->outbox_policy) {
	case OUTBOX_CLOSE:
		stats_add(&stats->closed_slow, 1);
		stats_add(&stats->drop_outbox, 1);
		client_close(client, CLOSE_SLOW, "too slow", true);
		return false;
	case OUTBOX_DROP_NEWEST:
		drop(client, frame, &stats->drop_outbox);
		return false;
	case OUTBOX_DROP_OLDEST:
		/* For one that can never fit nothing is given up. */
		while (frame->len <= limit &&
		    client->outbox.bytes + frame->len > limit &&
		    outbox_drop_oldest(&client->outbox)) {
			stats_add(&stats->drop_outbox, 1);
			client->dropped++;
		}
		stats_set(&stats->outbox_bytes,
		    stats->outbox_bytes - (before - client->outbox.bytes));
		if (client->outbox.bytes + frame->len <= limit)
			return true;
		drop(client, frame, &stats->drop_outbox);
		return false;
	}
	return false;
}

void
client_note_soft(struct client *client)
{
	if (client->outbox.bytes <= client->worker->config->outbox_soft)
		client->soft_since_ms = 0;
	else if (client->soft_since_ms == 0)
		/* Never 0, and never later than now. */
		client->soft_since_ms = (client_now(client->worker) - 1) | 1;
}

void
client_push(struct client *client, struct frame *frame)
{
	struct worker *worker = client->worker;
	size_t limit;

	if (!client_takes(client))
		return;
	if (client->outbox.bytes + frame->len > worker->config->outbox_soft) {
		client_note_soft(client);
		limit = client_limit(client);
		/* A large frame alone says nothing about its reader. */
		if (client->outbox.bytes != 0 &&
		    client->outbox.bytes + frame->len > limit &&
		    !make_way(client, frame, limit))
			return;
	}
	if (outbox_push(&client->outbox, frame) != 0) {
		drop(client, frame, &worker->stats->drop_memory);
		return;
	}
	stats_add(&worker->stats->outbox_bytes, frame->len);
	stats_add(&worker->stats->deliveries, frame_is_publish(frame));
	flush_mark(&worker->flush, client);
}

static void
push_always(struct client *client, struct frame *frame, bool first)
{
	struct worker *worker = client->worker;
	int rc;

	if (!client_takes(client)) {
		frame_unref(frame);
		return;
	}
	if (frame == NULL) {
		stats_add(&worker->stats->drop_memory, 1);
		client_close(client, CLOSE_INTERNAL, "out of memory", true);
		return;
	}
	/*
	 * Answers are not dropped, but a client that sends commands and never
	 * reads is as slow as any other.
	 */
	if (!first && client->outbox.bytes > worker->config->outbox_hard) {
		stats_add(&worker->stats->closed_slow, 1);
		client_close(client, CLOSE_SLOW, "too slow", true);
		frame_unref(frame);
		return;
	}
	rc = first ? outbox_push_front(&client->outbox, frame) :
		     outbox_push(&client->outbox, frame);
	if (rc == 0) {
		stats_add(&worker->stats->outbox_bytes, frame->len);
		flush_mark(&worker->flush, client);
	} else {
		stats_add(&worker->stats->drop_memory, 1);
		client_close(client, CLOSE_INTERNAL, "out of memory", true);
	}
	frame_unref(frame);
}

void
client_push_own(struct client *client, struct frame *frame)
{
	push_always(client, frame, false);
}

void
client_push_first(struct client *client, struct frame *frame)
{
	push_always(client, frame, true);
}

void
client_close(struct client *client, enum close_code code, const char *reason,
    bool now)
{
	struct worker *worker = client->worker;

	if (!client_takes(client) || client->close_code != 0)
		return;
	/* One that is on its way ends when it has arrived. */
	if (client->state == CLIENT_OPEN)
		client->state = CLIENT_CLOSING;
	client->close_code = (uint16_t)code;
	/* Without memory for the reason the code has to do. */
	client->close_reason = reason != NULL ? strdup(reason) : NULL;
	if (now) {
		stats_add(&worker->stats->drop_outbox, client->outbox.count);
		client_clear_outbox(client);
	}
	client->seen_ms = client_now(worker);
	flush_mark(&worker->flush, client);
}

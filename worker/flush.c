/*
 * flush.c - see flush.h.
 *
 * Measured (200 subscribers, 64-byte payloads): one write of 16 frames costs
 * the server a fifteenth of 16 writes, because the kernel's send path is most
 * of the cost; comparing two lists of 64 pointers costs less than copying
 * 64 frames.
 */
#include "worker/flush.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/state.h"
#include "worker/ws.h"

int
flush_init(struct flush *flush)
{
	*flush = (struct flush){ 0 };
	list_init(&flush->dirty);
	flush->batch = malloc(WS_HEADROOM + FLUSH_BATCH_BYTES);
	flush->frames = calloc(FLUSH_BATCH_FRAMES, sizeof(flush->frames[0]));
	if (flush->batch == NULL || flush->frames == NULL) {
		flush_release(flush);
		return -ENOMEM;
	}
	return 0;
}

/* Forget the batch: its frames may be freed. */
static void
forget_batch(struct flush *flush)
{
	for (uint32_t i = 0; i < flush->frame_count; i++)
		frame_unref(flush->frames[i]);
	flush->frame_count = 0;
	flush->batch_bytes = 0;
	flush->batch_full = false;
}

void
flush_release(struct flush *flush)
{
	forget_batch(flush);
	free(flush->batch);
	free(flush->frames);
	flush->batch = NULL;
	flush->frames = NULL;
}

void
flush_mark(struct flush *flush, struct client *client)
{
	if (list_is_empty(&client->dirty))
		list_append(&flush->dirty, &client->dirty);
}

/*
 * Is the batch exactly what lies at the front of this outbox, and all that
 * may be put in front?  Its frames are referenced, so a pointer cannot have
 * become another frame's.
 */
static bool
batch_fits(const struct flush *flush, const struct outbox *outbox)
{
	uint32_t n = flush->frame_count;

	/* More frames may follow only where this batch could take no more. */
	if (n == 0 || outbox->count < n ||
	    (outbox->count > n && !flush->batch_full))
		return false;
	if (outbox->head + n <= outbox->cap)
		return memcmp(flush->frames, outbox->ring + outbox->head,
			   n * sizeof(flush->frames[0])) == 0;
	for (uint32_t i = 0; i < n; i++) {
		if (flush->frames[i] != outbox_at(outbox, i))
			return false;
	}
	return true;
}

/* Copy the frames at the front together.  At least one: it is not large. */
static void
make_batch(struct flush *flush, const struct outbox *outbox)
{
	unsigned char *to = flush->batch + WS_HEADROOM;
	struct frame *frame;

	forget_batch(flush);
	while (flush->frame_count < outbox->count &&
	    flush->frame_count < FLUSH_BATCH_FRAMES) {
		frame = outbox_at(outbox, flush->frame_count);
		if (frame->len > FLUSH_DIRECT_BYTES ||
		    flush->batch_bytes + frame->len > FLUSH_BATCH_BYTES) {
			flush->batch_full = true;
			break;
		}
		memcpy(to + flush->batch_bytes, frame->bytes, frame->len);
		flush->batch_bytes += frame->len;
		flush->frames[flush->frame_count++] = frame_ref(frame);
	}
	if (flush->frame_count == FLUSH_BATCH_FRAMES)
		flush->batch_full = true;
}

/* Choose the next write: its bytes, length and number of frames. */
static unsigned char *
next_write(struct flush *flush, struct outbox *outbox, size_t *ret_len,
    uint32_t *ret_frames)
{
	struct frame *first = outbox_at(outbox, 0);

	if (outbox->count == 1 || first->len > FLUSH_DIRECT_BYTES) {
		*ret_len = first->len;
		*ret_frames = 1;
		return first->bytes;
	}
	if (!batch_fits(flush, outbox))
		make_batch(flush, outbox);
	*ret_len = flush->batch_bytes;
	*ret_frames = flush->frame_count;
	return flush->batch + WS_HEADROOM;
}

/* Room again: tell what was dropped, newest room last. */
static void
tell_gaps(struct client *client)
{
	struct frame *frame;

	while ((frame = outbox_take_gap(&client->outbox)) != NULL) {
		client->gaps++;
		client_push_own(client, frame);
	}
}

/* One write of what is at the front.  False: the client is dead. */
static bool
write_some(struct worker *worker, struct client *client)
{
	struct stats_worker *stats = worker->stats;
	unsigned char *bytes;
	size_t len;
	uint32_t frames;

	bytes = next_write(&worker->flush, &client->outbox, &len, &frames);
	if (ws_write(client, bytes, len) != 0)
		return false; /* its end is under way */
	stats_add(&stats->frames_out, frames);
	stats_add(&stats->bytes_out, len);
	stats_add(&stats->writes, 1);
	stats_set(&stats->outbox_bytes, stats->outbox_bytes - len);
	outbox_pop(&client->outbox, frames);
	return true;
}

/*
 * One write, and to the end of the list with who has more: so the second batch
 * of many equal clients is shared as the first one was.
 */
void
flush_client(struct worker *worker, struct client *client)
{
	struct outbox *outbox = &client->outbox;

	if (client->partial || client->state == CLIENT_DEAD ||
	    client->state == CLIENT_MOVING)
		return;
	if (client->held != 0 && client->state == CLIENT_OPEN)
		return; /* membership_let_go() marks it again */
	if (outbox->count == 0 && outbox->gap_count != 0)
		tell_gaps(client);
	if (outbox->count != 0 && !write_some(worker, client))
		return;
	if (client->partial)
		return;
	if (outbox->count == 0 && outbox->gap_count != 0)
		tell_gaps(client); /* without memory the sweep tries again */
	if (outbox->count != 0)
		flush_mark(&worker->flush, client);
	else if (client->state == CLIENT_CLOSING)
		ws_close(client);
}

void
flush_run(struct worker *worker)
{
	struct flush *flush = &worker->flush;
	struct list *link;

	/*
	 * Clients marked while this runs (a gap that is told) stand in the
	 * list again and get their turn in it; clients that cannot write are
	 * taken out until libwebsockets says that they can.
	 */
	while (!list_is_empty(&flush->dirty)) {
		link = flush->dirty.next;
		list_remove(link);
		flush_client(worker, LIST_ENTRY(link, struct client, dirty));
	}
	forget_batch(flush);
}

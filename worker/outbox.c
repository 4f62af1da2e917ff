/* outbox.c - see outbox.h. */
#include "worker/outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "worker/reply.h"

enum {
	FIRST_CAP = 8,
	KEEP_CAP = 64, /* a larger ring is given back when it runs empty */
};

static int
grow(struct outbox *outbox)
{
	uint32_t cap = outbox->cap != 0 ? outbox->cap * 2 : FIRST_CAP;
	struct frame **ring;

	if (cap > OUTBOX_FRAMES_MAX)
		return -ENOBUFS;
	ring = malloc(cap * sizeof(ring[0]));
	if (ring == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < outbox->count; i++)
		ring[i] = outbox_at(outbox, i);
	free(outbox->ring);
	outbox->ring = ring;
	outbox->cap = cap;
	outbox->head = 0;
	return 0;
}

int
outbox_push(struct outbox *outbox, struct frame *frame)
{
	int rc;

	if (outbox->count == outbox->cap) {
		rc = grow(outbox);
		if (rc != 0)
			return rc;
	}
	outbox->ring[(outbox->head + outbox->count) & (outbox->cap - 1)] =
	    frame_ref(frame);
	outbox->count++;
	outbox->bytes += frame->len;
	return 0;
}

int
outbox_push_front(struct outbox *outbox, struct frame *frame)
{
	int rc;

	if (outbox->count == outbox->cap) {
		rc = grow(outbox);
		if (rc != 0)
			return rc;
	}
	outbox->head = (outbox->head - 1) & (outbox->cap - 1);
	outbox->ring[outbox->head] = frame_ref(frame);
	outbox->count++;
	outbox->bytes += frame->len;
	return 0;
}

void
outbox_pop(struct outbox *outbox, uint32_t n)
{
	struct frame *frame;

	assert(n <= outbox->count);
	for (uint32_t i = 0; i < n; i++) {
		frame = outbox_at(outbox, i);
		outbox->bytes -= frame->len;
		frame_unref(frame);
	}
	outbox->head += n;
	outbox->count -= n;
	if (outbox->count != 0)
		return;
	/* From the start again: then a batch lies in one piece (flush.c). */
	outbox->head = 0;
	if (outbox->cap > KEEP_CAP)
		outbox_trim(outbox);
}

void
outbox_clear(struct outbox *outbox)
{
	outbox_pop(outbox, outbox->count);
}

void
outbox_release(struct outbox *outbox)
{
	outbox_clear(outbox);
	free(outbox->ring);
	for (uint32_t i = 0; i < outbox->gap_count; i++)
		free(outbox->gaps[i].topic);
	free(outbox->gaps);
	*outbox = (struct outbox){ 0 };
}

void
outbox_trim(struct outbox *outbox)
{
	if (outbox->count != 0 || outbox->cap == 0)
		return;
	free(outbox->ring);
	outbox->ring = NULL;
	outbox->cap = 0;
	outbox->head = 0;
}

bool
outbox_drop_oldest(struct outbox *outbox)
{
	uint32_t mask = outbox->cap - 1;
	struct frame *frame = NULL;
	uint32_t i = 0;

	while (i < outbox->count) {
		frame = outbox_at(outbox, i);
		if (frame_is_publish(frame))
			break;
		i++;
	}
	if (i == outbox->count)
		return false;
	outbox_note_gap(outbox, frame);
	outbox->bytes -= frame->len;
	frame_unref(frame);
	/* The few answers in front of it move up by one. */
	for (; i > 0; i--)
		outbox->ring[(outbox->head + i) & mask] =
		    outbox->ring[(outbox->head + i - 1) & mask];
	outbox->head++;
	outbox->count--;
	return true;
}

/* The topic's text inside a JSON string, malloc()ed; NULL: no memory. */
static char *
gap_topic(const struct frame *frame, size_t *ret_len)
{
	const char *at = (const char *)frame->bytes + frame->topic_at;
	char quoted[UINT8_MAX * 6 + 2], *text;
	size_t len = frame->topic_len;

	if (frame->op != FRAME_TEXT) {
		assert(len <= UINT8_MAX); /* its length is one byte there */
		len = json_string_encode(at, len, quoted, sizeof(quoted)) - 2;
		at = quoted + 1;
	}
	text = malloc(len + 1); /* never 0 */
	if (text == NULL)
		return NULL;
	memcpy(text, at, len);
	*ret_len = len;
	return text;
}

int
outbox_add_gap(struct outbox *outbox, char *topic, size_t len, uint64_t missed)
{
	struct outbox_gap *gap;

	if (outbox->gaps == NULL)
		outbox->gaps = calloc(OUTBOX_GAPS_MAX, sizeof(*gap));
	if (outbox->gaps == NULL || topic == NULL) {
		free(topic);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < outbox->gap_count; i++) {
		gap = &outbox->gaps[i];
		/* The last one is for all topics that found no room. */
		if (i == OUTBOX_GAPS_MAX - 1 ||
		    (gap->len == len && memcmp(gap->topic, topic, len) == 0)) {
			gap->missed += missed;
			free(topic);
			return 0;
		}
	}
	gap = &outbox->gaps[outbox->gap_count++];
	*gap = (struct outbox_gap){ topic, len, missed };
	if (outbox->gap_count == OUTBOX_GAPS_MAX) {
		gap->topic[0] = '*';
		gap->len = 1;
	}
	return 0;
}

void
outbox_note_gap(struct outbox *outbox, const struct frame *frame)
{
	size_t len = 0;
	char *topic;

	if (frame->topic_len == 0)
		return;
	topic = gap_topic(frame, &len);
	/* Without memory it is still counted, by whoever dropped it. */
	(void)!outbox_add_gap(outbox, topic, len, 1);
}

struct frame *
outbox_take_gap(struct outbox *outbox)
{
	struct outbox_gap *gap;
	struct frame *frame;

	if (outbox->gap_count == 0)
		return NULL;
	gap = &outbox->gaps[outbox->gap_count - 1];
	frame = reply_gap(gap->topic, gap->len, gap->missed);
	if (frame == NULL)
		return NULL;
	free(gap->topic);
	if (--outbox->gap_count == 0) {
		free(outbox->gaps);
		outbox->gaps = NULL;
	}
	return frame;
}

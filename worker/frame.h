/*
 * frame.h - the bytes of one outgoing WebSocket message, shared by all who get
 * it.
 *
 * A frame is header and payload in one stretch (RFC 6455, 5.2; server frames
 * are not masked, so they are the same for every client).  It is written once,
 * then never changes, and is the only reference-counted type: fan-out takes a
 * reference for each outbox, the last write frees it.
 */
#ifndef WORKER_FRAME_H
#define WORKER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_op {
	FRAME_TEXT = 0x1,
	FRAME_BINARY = 0x2,
	FRAME_CLOSE = 0x8,
	FRAME_PING = 0x9,
};

struct frame {
	uint32_t refs;
	uint32_t len; /* header and payload */
	/*
	 * The topic as it stands in the payload, for the gap that is told
	 * when this frame is dropped; topic_len 0: not of a topic.  In a text
	 * frame it is the inside of a JSON string.
	 */
	uint32_t topic_at; /* from bytes on; 0: an answer, not a publish */
	uint16_t topic_len;
	uint8_t op;
	uint8_t header_len;
	unsigned char bytes[];
};

/*
 * A frame with room for a payload of len bytes and one reference; the header
 * is in place.  NULL: out of memory.
 */
struct frame *frame_new(enum frame_op op, size_t len);

static inline unsigned char *
frame_payload(struct frame *frame)
{
	return frame->bytes + frame->header_len;
}

/* Was it published or pushed?  Such a frame may be dropped; answers may not. */
static inline bool
frame_is_publish(const struct frame *frame)
{
	return frame->topic_at != 0;
}

/* Shorten the payload of a frame that nobody else has yet. */
void frame_trim(struct frame *frame, size_t len);

static inline struct frame *
frame_ref(struct frame *frame)
{
	frame->refs++;
	return frame;
}

/* Drop a reference; the last one frees.  NULL does nothing. */
void frame_unref(struct frame *frame);

#endif /* WORKER_FRAME_H */

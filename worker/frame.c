/* frame.c - see frame.h. */
#include "worker/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Lengths up to here fit the header's first form, then the second. */
enum {
	SHORT_MAX = 125,
	MEDIUM_MAX = 65535
};

static uint8_t
header_len(size_t len)
{
	return len <= SHORT_MAX ? 2 : len <= MEDIUM_MAX ? 4 : 10;
}

static void
write_header(struct frame *frame, size_t len)
{
	unsigned char *p = frame->bytes;

	*p++ = (unsigned char)(0x80 | frame->op);
	if (frame->header_len == 2) {
		*p = (unsigned char)len;
		return;
	}
	*p++ = frame->header_len == 4 ? 126 : 127;
	for (int shift = frame->header_len == 4 ? 8 : 56; shift >= 0;
	     shift -= 8)
		*p++ = (unsigned char)((uint64_t)len >> shift);
}

struct frame *
frame_new(enum frame_op op, size_t len)
{
	uint8_t head = header_len(len);
	struct frame *frame;

	if (len > UINT32_MAX - head)
		return NULL;
	frame = malloc(sizeof(*frame) + head + len);
	if (frame == NULL)
		return NULL;
	*frame = (struct frame){
		.refs = 1,
		.len = (uint32_t)(head + len),
		.op = (uint8_t)op,
		.header_len = head,
	};
	write_header(frame, len);
	return frame;
}

void
frame_trim(struct frame *frame, size_t len)
{
	uint8_t head = header_len(len);
	size_t had = frame->len - frame->header_len;

	assert(frame->refs == 1 && len <= had);
	if (head != frame->header_len) {
		memmove(frame->bytes + head, frame_payload(frame), len);
		frame->topic_at -= (uint32_t)(frame->header_len - head);
	}
	frame->header_len = head;
	frame->len = (uint32_t)(head + len);
	write_header(frame, len);
}

void
frame_unref(struct frame *frame)
{
	if (frame == NULL)
		return;
	assert(frame->refs > 0);
	if (--frame->refs == 0)
		free(frame);
}

/*
 * ws_shadow.h - where in a client's stream of frames the reading stands.
 *
 * libwebsockets does not tell, so the bytes that it reads are followed here,
 * headers only (RFC 6455, 5.2).  The state is small, has no pointers and means
 * the same in another process; a frame of which a part was read can be
 * continued there: ws_shadow_replay() makes the bytes that bring a fresh parser
 * to the same place.
 *
 * Between two messages there is nothing to remember: such a state is the one
 * of ws_shadow_init().
 */
#ifndef WORKER_WS_SHADOW_H
#define WORKER_WS_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum {
	WS_SHADOW_HEADER_MAX = 14,
	WS_SHADOW_CONTROL_MAX = 125,
	/* An open message, and a control frame that was read in part. */
	WS_SHADOW_REPLAY_MAX = 6 + WS_SHADOW_HEADER_MAX + WS_SHADOW_CONTROL_MAX,
};

enum ws_shadow_phase {
	WS_SHADOW_HEADER = 0, /* between frames, or inside a header */
	WS_SHADOW_PAYLOAD,
	WS_SHADOW_BAD, /* against RFC 6455; not to be moved */
};

struct ws_shadow {
	uint8_t phase;   /* enum ws_shadow_phase */
	uint8_t have;    /* HEADER: bytes of it in header[] */
	uint8_t opcode;  /* PAYLOAD: of this frame */
	uint8_t fin;     /* PAYLOAD: 0 or 1 */
	uint8_t message; /* opcode of the open message; 0: none is open */
	uint8_t control; /* bytes of a control frame's payload in kept[] */
	uint8_t closed;  /* a close frame has begun */
	uint8_t mask_at; /* PAYLOAD: which byte of mask comes next, 0 to 3 */
	uint8_t mask[4];
	uint16_t code;    /* closed: its code; 0: none, or not read yet */
	uint64_t left;    /* PAYLOAD: bytes of the frame still to come, > 0 */
	uint64_t payload; /* bytes of data frames seen so far */
	uint8_t header[WS_SHADOW_HEADER_MAX];
	uint8_t kept[WS_SHADOW_CONTROL_MAX]; /* as it came, masked */
};

/* The state of a connection on which no frame has come. */
void ws_shadow_init(struct ws_shadow *shadow);

/*
 * These bytes were read.  How many of them were good: less than len means that
 * the next one broke the rules, and phase is WS_SHADOW_BAD.
 */
size_t ws_shadow_feed(struct ws_shadow *shadow, const void *bytes, size_t len);

/* Is it at the end of a message, between two frames? */
bool ws_shadow_at_boundary(const struct ws_shadow *shadow);

/* Was what broke the rules a frame without a mask? */
bool ws_shadow_unmasked(const struct ws_shadow *shadow);

/*
 * The bytes after which a fresh parser stands where this one does; how many.
 * shadow then describes the frame as replayed (a mask that was turned, the rest
 * of the length).
 */
size_t ws_shadow_replay(struct ws_shadow *shadow,
    unsigned char bytes[WS_SHADOW_REPLAY_MAX]);

/*
 * Is this, from somewhere we do not trust, a state that can be, of a connection
 * that can be moved?  0, -EPROTO.
 */
WARN_UNUSED int ws_shadow_check(const struct ws_shadow *shadow);

#endif /* WORKER_WS_SHADOW_H */

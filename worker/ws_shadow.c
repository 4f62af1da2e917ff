/*
 * ws_shadow.c - see ws_shadow.h.
 *
 * A frame is a header of 6 to 14 bytes, then its payload:
 *
 *	FIN and opcode, mask bit and length, [length, 2 or 8], mask (4)
 *
 * What libwebsockets lets pass and what it refuses was read in its parser: what
 * is refused here it refuses as well, or it is no frame by the RFC (without a
 * mask).  Lengths that could be written shorter are taken by both.
 */
#include "worker/ws_shadow.h"

#include <errno.h>
#include <string.h>

enum {
	OP_CONTINUATION = 0x0,
	OP_TEXT = 0x1,
	OP_BINARY = 0x2,
	OP_CLOSE = 0x8,
	OP_PONG = 0xa,
	OP_CONTROL = 0x8, /* a bit of all control frames' opcodes */
	FIN = 0x80,
	MASKED = 0x80,
	SHORT_HEADER = 6,
	LEN_16 = 126,
	LEN_64 = 127,
};

void
ws_shadow_init(struct ws_shadow *shadow)
{
	memset(shadow, 0, sizeof(*shadow));
}

bool
ws_shadow_at_boundary(const struct ws_shadow *shadow)
{
	return shadow->phase == WS_SHADOW_HEADER && shadow->have == 0 &&
	    shadow->message == 0;
}

bool
ws_shadow_unmasked(const struct ws_shadow *shadow)
{
	return shadow->phase == WS_SHADOW_BAD && shadow->have == 2 &&
	    (shadow->header[1] & MASKED) == 0;
}

/* ---- a header ---------------------------------------------------------- */

static bool
first_byte_is_good(const struct ws_shadow *shadow, uint8_t byte)
{
	uint8_t opcode = byte & 0xf;

	if ((byte & 0x70) != 0)
		return false;
	if ((opcode & OP_CONTROL) != 0)
		return opcode <= OP_PONG && (byte & FIN) != 0;
	if (opcode == OP_CONTINUATION)
		return shadow->message != 0;
	return opcode <= OP_BINARY && shadow->message == 0;
}

/* The last byte of header[] has come: can it be? */
static bool
byte_is_good(struct ws_shadow *shadow)
{
	uint8_t byte = shadow->header[shadow->have - 1];

	switch (shadow->have) {
	case 1:
		if (!first_byte_is_good(shadow, byte))
			return false;
		if ((byte & 0xf) == OP_CLOSE)
			shadow->closed = 1;
		return true;
	case 2:
		return (byte & MASKED) != 0 &&
		    ((shadow->header[0] & OP_CONTROL) == 0 ||
			(byte & LEN_64) <= WS_SHADOW_CONTROL_MAX);
	case 3: /* the highest bit of a length must be 0 */
		return (shadow->header[1] & LEN_64) != LEN_64 ||
		    (byte & 0x80) == 0;
	default:
		return true;
	}
}

/* How long will this header be?  Two bytes of it are known. */
static uint8_t
header_len(const uint8_t *header)
{
	switch (header[1] & LEN_64) {
	case LEN_16:
		return SHORT_HEADER + 2;
	case LEN_64:
		return SHORT_HEADER + 8;
	default:
		return SHORT_HEADER;
	}
}

static void
end_frame(struct ws_shadow *shadow)
{
	const uint8_t *kept = shadow->kept, *mask = shadow->mask;

	shadow->phase = WS_SHADOW_HEADER;
	shadow->have = 0;
	if ((shadow->opcode & OP_CONTROL) == 0) {
		if (shadow->fin)
			shadow->message = 0;
		else if (shadow->opcode != OP_CONTINUATION)
			shadow->message = shadow->opcode;
	} else if (shadow->opcode == OP_CLOSE && shadow->control >= 2) {
		shadow->code =
		    (uint16_t)((kept[0] ^ mask[0]) << 8 | (kept[1] ^ mask[1]));
	}
}

/* The header is whole. */
static void
begin_payload(struct ws_shadow *shadow)
{
	const uint8_t *header = shadow->header;
	uint8_t len = shadow->have;

	shadow->opcode = header[0] & 0xf;
	shadow->fin = header[0] >> 7;
	shadow->control = 0;
	shadow->mask_at = 0;
	memcpy(shadow->mask, header + len - 4, 4);
	shadow->left = 0;
	for (uint8_t i = 2; i < len - 4; i++)
		shadow->left = shadow->left << 8 | header[i];
	if (len == SHORT_HEADER)
		shadow->left = header[1] & LEN_64;
	shadow->have = 0;
	shadow->phase = WS_SHADOW_PAYLOAD;
	if (shadow->left == 0)
		end_frame(shadow);
}

/* ---- bytes ------------------------------------------------------------- */

/* False: it is bad. */
static bool
take_header_byte(struct ws_shadow *shadow, uint8_t byte)
{
	shadow->header[shadow->have++] = byte;
	if (!byte_is_good(shadow)) {
		shadow->phase = WS_SHADOW_BAD;
		return false;
	}
	if (shadow->have >= SHORT_HEADER &&
	    shadow->have == header_len(shadow->header))
		begin_payload(shadow);
	return true;
}

/*
 * A whole header of one of the usual lengths at once.  Its length; 0: it is to
 * be taken byte by byte, which also finds the byte that is bad.
 */
static size_t
take_header(struct ws_shadow *shadow, const uint8_t *bytes, size_t len)
{
	size_t n = len >= 2 ? header_len(bytes) : SHORT_HEADER;

	if (shadow->have != 0 || len < n || n > SHORT_HEADER + 2 ||
	    (bytes[1] & MASKED) == 0 || (bytes[0] & 0xf) == OP_CLOSE ||
	    ((bytes[0] & OP_CONTROL) != 0 && n != SHORT_HEADER) ||
	    !first_byte_is_good(shadow, bytes[0]))
		return 0;
	memcpy(shadow->header, bytes, n);
	shadow->have = (uint8_t)n;
	begin_payload(shadow);
	return n;
}

/* How many of these belong to the frame. */
static size_t
take_payload(struct ws_shadow *shadow, const uint8_t *bytes, size_t len)
{
	if (len > shadow->left)
		len = (size_t)shadow->left;
	if ((shadow->opcode & OP_CONTROL) != 0) {
		memcpy(shadow->kept + shadow->control, bytes, len);
		shadow->control = (uint8_t)(shadow->control + len);
	} else {
		shadow->payload += len;
		shadow->mask_at = (shadow->mask_at + len) & 3;
	}
	shadow->left -= len;
	if (shadow->left == 0)
		end_frame(shadow);
	return len;
}

size_t
ws_shadow_feed(struct ws_shadow *shadow, const void *bytes, size_t len)
{
	const uint8_t *at = bytes, *end = at + len;
	size_t n;

	while (at < end && shadow->phase != WS_SHADOW_BAD) {
		if (shadow->phase == WS_SHADOW_PAYLOAD) {
			at += take_payload(shadow, at, (size_t)(end - at));
			continue;
		}
		n = take_header(shadow, at, (size_t)(end - at));
		if (n == 0 && take_header_byte(shadow, *at))
			n = 1;
		at += n;
	}
	return len - (size_t)(end - at);
}

/* ---- another parser ---------------------------------------------------- */

/* A header for a payload of len bytes; its length. */
static size_t
write_header(const struct ws_shadow *shadow, uint64_t len, uint8_t *header)
{
	size_t n = 2, more = 0;

	header[0] = (uint8_t)(shadow->fin << 7 | shadow->opcode);
	if (len < LEN_16) {
		header[1] = (uint8_t)(MASKED | len);
	} else {
		more = len <= UINT16_MAX ? 2 : 8;
		header[1] = MASKED | (more == 2 ? LEN_16 : LEN_64);
	}
	for (; more > 0; more--)
		header[n++] = (uint8_t)(len >> (more - 1) * 8);
	memcpy(header + n, shadow->mask, sizeof(shadow->mask));
	return n + sizeof(shadow->mask);
}

/* What is left of a data frame becomes a frame of its own. */
static void
turn_mask(struct ws_shadow *shadow)
{
	uint8_t mask[4];

	for (uint8_t i = 0; i < 4; i++)
		mask[i] = shadow->mask[(shadow->mask_at + i) & 3];
	memcpy(shadow->mask, mask, sizeof(mask));
	shadow->mask_at = 0;
}

size_t
ws_shadow_replay(struct ws_shadow *shadow,
    unsigned char bytes[WS_SHADOW_REPLAY_MAX])
{
	size_t n = 0;

	if (shadow->phase == WS_SHADOW_BAD)
		return 0;
	if (shadow->message != 0) { /* an empty first fragment opens it */
		memset(bytes, 0, SHORT_HEADER);
		bytes[0] = shadow->message;
		bytes[1] = MASKED;
		n = SHORT_HEADER;
	}
	if (shadow->phase == WS_SHADOW_HEADER) {
		memcpy(bytes + n, shadow->header, shadow->have);
		return n + shadow->have;
	}
	if ((shadow->opcode & OP_CONTROL) == 0) {
		turn_mask(shadow);
		return n + write_header(shadow, shadow->left, bytes + n);
	}
	n += write_header(shadow, shadow->control + shadow->left, bytes + n);
	memcpy(bytes + n, shadow->kept, shadow->control);
	return n + shadow->control;
}

/* Can ws_shadow_replay() be called with it? */
static bool
is_in_range(const struct ws_shadow *shadow)
{
	if (shadow->phase > WS_SHADOW_PAYLOAD || shadow->message > OP_BINARY ||
	    shadow->have >= WS_SHADOW_HEADER_MAX || shadow->fin > 1 ||
	    shadow->opcode > OP_PONG || shadow->mask_at > 3 || shadow->closed)
		return false;
	if (shadow->phase == WS_SHADOW_HEADER)
		return true;
	if ((shadow->opcode & OP_CONTROL) == 0)
		return shadow->left != 0;
	return shadow->control <= WS_SHADOW_CONTROL_MAX && shadow->left != 0 &&
	    shadow->left <= WS_SHADOW_CONTROL_MAX;
}

int
ws_shadow_check(const struct ws_shadow *shadow)
{
	struct ws_shadow copy, fresh;
	unsigned char bytes[WS_SHADOW_REPLAY_MAX];
	size_t len;

	if (!is_in_range(shadow))
		return -EPROTO;
	/* One that can be is where a fresh one gets to. */
	copy = *shadow;
	len = ws_shadow_replay(&copy, bytes);
	ws_shadow_init(&fresh);
	if (ws_shadow_feed(&fresh, bytes, len) != len || fresh.closed ||
	    fresh.phase != shadow->phase || fresh.message != shadow->message)
		return -EPROTO;
	if (shadow->phase == WS_SHADOW_HEADER)
		return fresh.have == shadow->have ? 0 : -EPROTO;
	return fresh.left == shadow->left && fresh.opcode == shadow->opcode &&
		fresh.fin == shadow->fin ?
	    0 :
	    -EPROTO;
}

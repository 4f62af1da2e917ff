/*
 * fuzz_ws_shadow.c - a client's bytes, followed.
 *
 * The first two bytes say where the rest is cut.  Whatever the bytes: pieces
 * lead to where the whole leads; a replay made at the cut brings a fresh one to
 * the same place, and what follows means the same to both.  And taken as a
 * state from elsewhere, the bytes are refused or can be replayed.
 */
#include <assert.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/ws_shadow.h"

static void
check_same(const struct ws_shadow *a, const struct ws_shadow *b)
{
	assert(a->phase == b->phase && a->closed == b->closed);
	if (a->phase == WS_SHADOW_BAD)
		return;
	assert(a->message == b->message && a->code == b->code);
	if (a->phase == WS_SHADOW_HEADER) {
		assert(a->have == b->have);
		assert(memcmp(a->header, b->header, a->have) == 0);
		return;
	}
	assert(a->opcode == b->opcode && a->fin == b->fin);
	assert(a->left == b->left && a->left != 0);
	assert(a->control == b->control);
	assert(memcmp(a->kept, b->kept, a->control) == 0);
	for (int i = 0; i < 4; i++)
		assert(a->mask[(a->mask_at + i) & 3] ==
		    b->mask[(b->mask_at + i) & 3]);
}

static void
check_stream(const uint8_t *data, size_t size, size_t cut)
{
	struct ws_shadow whole, pieces, moved;
	unsigned char bytes[WS_SHADOW_REPLAY_MAX];
	size_t good, len;

	ws_shadow_init(&whole);
	good = ws_shadow_feed(&whole, data, size);
	assert(good <= size);
	assert((good < size) == (whole.phase == WS_SHADOW_BAD));
	ws_shadow_init(&pieces);
	if (cut > good)
		cut = good;
	assert(ws_shadow_feed(&pieces, data, cut) == cut);
	assert((ws_shadow_check(&pieces) == 0) == !pieces.closed);
	len = ws_shadow_replay(&pieces, bytes);
	assert(len <= sizeof(bytes));
	ws_shadow_init(&moved);
	assert(ws_shadow_feed(&moved, bytes, len) == len);
	(void)ws_shadow_feed(&pieces, data + cut, size - cut);
	check_same(&whole, &pieces);
	assert(whole.payload == pieces.payload);
	if (pieces.closed)
		return; /* after its end a stream is not moved */
	(void)ws_shadow_feed(&moved, data + cut, size - cut);
	check_same(&pieces, &moved);
}

static void
check_state(const uint8_t *data, size_t size)
{
	struct ws_shadow shadow;
	unsigned char bytes[WS_SHADOW_REPLAY_MAX];

	memset(&shadow, 0, sizeof(shadow));
	memcpy(&shadow, data, size < sizeof(shadow) ? size : sizeof(shadow));
	if (ws_shadow_check(&shadow) == 0)
		assert(ws_shadow_replay(&shadow, bytes) <= sizeof(bytes));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	check_stream(data + 2, size - 2, (size_t)(data[0] << 8 | data[1]));
	check_state(data + 2, size - 2);
	return 0;
}

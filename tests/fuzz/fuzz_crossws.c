/*
 * fuzz_crossws.c - envelopes of crossws, from a backplane that anybody writes
 * to.
 *
 * Whatever the text: what is taken is written so that it says the same, and
 * what we write is always taken.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "clusterbus/sync.h"
#include "tests/fuzz/fuzz.h"

static void
assert_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	assert(a_len == b_len);
	assert(a_len == 0 || memcmp(a, b, a_len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cbus_envelope a, b;
	char *text;
	size_t len;

	if (cbus_envelope_decode((const char *)data, size, &a) != 0)
		return 0;
	assert(utf8_valid(a.id, a.id_len));
	assert(utf8_valid(a.message.topic, a.message.topic_len));
	assert(a.message.binary || utf8_valid(a.message.data, a.message.len));
	assert(
	    cbus_envelope_encode(a.id, a.id_len, &a.message, &text, &len) == 0);
	assert(cbus_envelope_decode(text, len, &b) == 0);
	assert_same(a.id, a.id_len, b.id, b.id_len);
	assert_same(a.message.namespace_, a.message.namespace_len,
	    b.message.namespace_, b.message.namespace_len);
	assert_same(a.message.topic, a.message.topic_len, b.message.topic,
	    b.message.topic_len);
	assert_same(a.message.data, a.message.len, b.message.data,
	    b.message.len);
	assert(a.message.binary == b.message.binary);
	free(text);
	cbus_envelope_release(&a);
	cbus_envelope_release(&b);
	return 0;
}

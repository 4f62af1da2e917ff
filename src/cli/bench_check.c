/*
 * bench_check.c - see bench_check.h.
 *
 * This runs for each delivery, millions a second.  The number alone is read
 * from the payload; it leads to the publish in the ring, whose head must be
 * the same byte for byte.  With --verify the rest of the payload is compared
 * too.
 */
#include "bench_check.h"

#include <string.h>

#include "bench_load.h"

enum {
	NUMBER_DIGITS = 8,
	LATE_MAX = 64, /* sequence numbers that are remembered */
};

/* Eight hexadecimal digits to a number; anything else gives some number. */
static uint32_t
read_hex8(const char *digits)
{
	uint64_t word;
	uint64_t value;

	memcpy(&word, digits, sizeof(word));
	word = __builtin_bswap64(word);
	/* '0'..'9' keep the low half of the byte, 'a'..'f' get nine more. */
	value = (word & 0x0f0f0f0f0f0f0f0fu) +
	    9 * ((word & 0x4040404040404040u) >> 6);
	value = (value | value >> 4) & 0x00ff00ff00ff00ffu;
	value = (value | value >> 8) & 0x0000ffff0000ffffu;
	return (uint32_t)(value | value >> 16);
}

static char *
write_hex(char *out, uint64_t value, unsigned digits)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < digits; i++)
		out[i] = hex[value >> 4 * (digits - 1 - i) & 15];
	return out + digits;
}

void
bench_check_write_head(struct bench_publish *publish)
{
	char *at = publish->head;

	memcpy(at, BENCH_MAGIC, BENCH_MAGIC_BYTES);
	at = write_hex(at + BENCH_MAGIC_BYTES, publish->number, NUMBER_DIGITS);
	at = write_hex(at, publish->publisher, 4);
	at = write_hex(at, publish->topic, 8);
	at = write_hex(at, publish->sequence, 8);
	(void)write_hex(at, publish->time_ns, 12);
}

enum bench_check_order
bench_check_order(struct bench_track *track, uint32_t sequence)
{
	uint32_t ahead = sequence - track->next;
	uint32_t behind = track->next - 1 - sequence;
	uint64_t bit;

	if (ahead < UINT32_MAX / 2) {
		track->seen =
		    ahead >= LATE_MAX - 1 ? 1 : track->seen << (ahead + 1) | 1;
		track->next = sequence + 1;
		return BENCH_CHECK_NEW;
	}
	/* So late that nobody knows: it cannot be told from a double. */
	if (behind >= LATE_MAX)
		return BENCH_CHECK_DOUBLE;
	bit = (uint64_t)1 << behind;
	if ((track->seen & bit) != 0)
		return BENCH_CHECK_DOUBLE;
	track->seen |= bit;
	return BENCH_CHECK_LATE;
}

static bool
is_altered(const struct bench *bench, const struct bench_publish *publish,
    const char *payload, size_t len)
{
	size_t size = bench->options->size;

	if (memcmp(payload, publish->head, BENCH_HEAD_BYTES) != 0)
		return true;
	if (!bench->options->verify)
		return false;
	return len < size ||
	    memcmp(payload + BENCH_HEAD_BYTES,
		bench->filler + publish->number % 26 + BENCH_HEAD_BYTES,
		size - BENCH_HEAD_BYTES) != 0;
}

void
bench_check_delivery(struct bench_client *client, const char *payload,
    size_t len)
{
	struct bench *bench = client->bench;
	const struct bench_options *options = bench->options;
	struct bench_publish *publish;
	enum bench_check_order order;
	uint32_t number;
	uint32_t place;

	if (client->publisher)
		return;
	if (len < BENCH_HEAD_BYTES) {
		bench->counts.altered++;
		return;
	}
	number = read_hex8(payload + BENCH_MAGIC_BYTES);
	publish = &bench->ring[number & bench->ring_mask];
	if (publish->number != number || number >= bench->next_number) {
		bench->counts.stale++;
		return;
	}
	place = publish->topic >= client->first_topic ?
	    publish->topic - client->first_topic :
	    publish->topic + options->topics - client->first_topic;
	if (place % bench->stride != 0 ||
	    place / bench->stride >= options->topics_per_subscriber ||
	    is_altered(bench, publish, payload, len)) {
		bench->counts.altered++;
		return;
	}

	place =
	    place / bench->stride * options->publishers + publish->publisher;
	order = bench_check_order(&client->tracks[place], publish->sequence);
	if (number < bench->first_counted)
		order = BENCH_CHECK_NEW; /* a probe: nothing is counted */
	if (order == BENCH_CHECK_DOUBLE) {
		bench->counts.doubled++;
		return;
	}
	if (order == BENCH_CHECK_LATE)
		bench->counts.reordered++;
	bench_load_arrived(bench, publish);
}

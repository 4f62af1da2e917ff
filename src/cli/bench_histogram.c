/*
 * bench_histogram.c - see bench_histogram.h.
 *
 * Values below 64 have a bucket each.  Above, the highest bit chooses a group
 * of 64 and the next six bits the bucket in it, so that the error stays the
 * same share of the value from nanoseconds to hours.
 */
#include "bench_histogram.h"

#include <string.h>

enum {
	SUB = 1 << BENCH_HISTOGRAM_SUB_BITS
};

void
bench_histogram_clear(struct bench_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

unsigned
bench_histogram_bucket(uint64_t value)
{
	unsigned shift;

	if (value < SUB)
		return (unsigned)value;
	shift =
	    63u - (unsigned)__builtin_clzll(value) - BENCH_HISTOGRAM_SUB_BITS;
	return (shift + 1) * SUB + (unsigned)(value >> shift) - SUB;
}

uint64_t
bench_histogram_value(unsigned bucket)
{
	unsigned shift;

	if (bucket < SUB)
		return bucket;
	shift = bucket / SUB - 1;
	return (((uint64_t)(bucket % SUB) + SUB + 1) << shift) - 1;
}

uint64_t
bench_histogram_at(const struct bench_histogram *histogram, unsigned permille)
{
	uint64_t wanted;
	uint64_t seen;
	uint64_t value;

	wanted = (histogram->count * permille + 999) / 1000;
	seen = 0;
	for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= wanted && seen > 0) {
			value = bench_histogram_value(i);
			return value < histogram->max ? value : histogram->max;
		}
	}
	return 0;
}

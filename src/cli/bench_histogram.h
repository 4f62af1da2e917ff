/*
 * bench_histogram.h - latencies, each kept to within 1.6 %, in fixed memory.
 */
#ifndef CLI_BENCH_HISTOGRAM_H
#define CLI_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
	BENCH_HISTOGRAM_SUB_BITS = 6, /* 64 buckets for each power of two */
	BENCH_HISTOGRAM_BUCKETS = (64 - BENCH_HISTOGRAM_SUB_BITS + 1)
	    << BENCH_HISTOGRAM_SUB_BITS,
};

struct bench_histogram {
	uint64_t buckets[BENCH_HISTOGRAM_BUCKETS];
	uint64_t count;
	uint64_t max; /* exact */
};

/* Empty it. */
void bench_histogram_clear(struct bench_histogram *histogram);

/* The bucket of a value, and the largest value that a bucket stands for. */
unsigned bench_histogram_bucket(uint64_t value);
uint64_t bench_histogram_value(unsigned bucket);

/*
 * The value that permille of all values do not exceed; 0 when it is empty,
 * never more than the exact maximum.
 */
uint64_t bench_histogram_at(const struct bench_histogram *histogram,
    unsigned permille);

static inline void
bench_histogram_add(struct bench_histogram *histogram, uint64_t value)
{
	histogram->buckets[bench_histogram_bucket(value)]++;
	histogram->count++;
	if (value > histogram->max)
		histogram->max = value;
}

#endif /* CLI_BENCH_HISTOGRAM_H */

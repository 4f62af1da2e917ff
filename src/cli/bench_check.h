/*
 * bench_check.h - every delivery is looked at: whose is it, is it the one that
 * had to come, is it whole?
 */
#ifndef CLI_BENCH_CHECK_H
#define CLI_BENCH_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench_run.h"

/*
 * A payload arrived; len is how many bytes there are from its beginning, which
 * may be more than the payload.
 */
void bench_check_delivery(struct bench_client *client, const char *payload,
    size_t len);

/* Write the head of a publish's payload. */
void bench_check_write_head(struct bench_publish *publish);

/* How a sequence number fits what has been seen. */
enum bench_check_order {
	BENCH_CHECK_NEW = 0,
	BENCH_CHECK_LATE,
	BENCH_CHECK_DOUBLE,
};

/* Note that this sequence number has arrived. */
enum bench_check_order bench_check_order(struct bench_track *track,
    uint32_t sequence);

#endif /* CLI_BENCH_CHECK_H */

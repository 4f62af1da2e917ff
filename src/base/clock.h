/*
 * clock.h - the time that never jumps.
 *
 * CLOCK_MONOTONIC is the same for all processes of a host, so a time that one
 * process writes into the statistics page can be read by another.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail on Linux */
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t
clock_now_ms(void)
{
	return clock_now_ns() / 1000000u;
}

#endif /* BASE_CLOCK_H */

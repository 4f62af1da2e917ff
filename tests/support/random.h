/*
 * random.h - numbers that look random and can be had again.
 *
 * A test that fails says with which seed (random_seed() prints it); the same
 * seed in the environment, SEED=123, gives the same numbers.
 */
#ifndef SUPPORT_RANDOM_H
#define SUPPORT_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state = 1;

/* Start from $SEED or from the clock, and say so. */
static inline void
random_seed(void)
{
	const char *text = getenv("SEED");
	uint64_t seed =
	    text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);

	printf("# SEED=%llu\n", (unsigned long long)seed);
	random_state = seed * 0x9e3779b97f4a7c15u + 1;
}

/* A number in [0, below); splitmix64. */
static inline uint32_t
random_below(uint32_t below)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	return (uint32_t)((x >> 32) * below >> 32);
}

#endif /* SUPPORT_RANDOM_H */

/* governor.c - see governor.h. */
#include "worker/governor.h"

#include <assert.h>

static const uint64_t MS = 1000;
static const uint64_t SECOND = 1000000;

/* The time that one connection takes from the bucket. */
static uint64_t
interval_us(const struct governor *governor, uint64_t rate)
{
	assert(rate > 0);
	return SECOND * GOVERNOR_WHOLE / (rate * governor->share);
}

void
governor_init(struct governor *governor)
{
	*governor = (struct governor){ .share = GOVERNOR_WHOLE };
}

uint64_t
governor_wait_us(const struct governor *governor, uint64_t rate,
    uint64_t now_us)
{
	uint64_t interval = interval_us(governor, rate);
	uint64_t burst = GOVERNOR_BURST_MS * MS;
	uint64_t full = governor->full_us;

	if (full < now_us)
		full = now_us;
	if (burst < interval)
		burst = interval;
	full += interval;
	return full > now_us + burst ? full - burst - now_us : 0;
}

void
governor_spend(struct governor *governor, uint64_t rate, uint64_t now_us)
{
	if (governor->full_us < now_us)
		governor->full_us = now_us;
	governor->full_us += interval_us(governor, rate);
}

void
governor_turn_begins(struct governor *governor, uint64_t now_us)
{
	governor->began_us = now_us;
}

void
governor_turn_ends(struct governor *governor, uint64_t now_us)
{
	uint64_t share = governor->share;
	uint64_t passed_ms = (now_us - governor->paid_us) / MS;

	if (governor->began_us != 0 &&
	    now_us - governor->began_us > GOVERNOR_BUSY_MS * MS) {
		share -= share / 4;
		governor->share =
		    share > GOVERNOR_LEAST ? (uint32_t)share : GOVERNOR_LEAST;
		governor->paid_us = now_us;
		return;
	}
	share += passed_ms;
	governor->share =
	    share < GOVERNOR_WHOLE ? (uint32_t)share : GOVERNOR_WHOLE;
	governor->paid_us += passed_ms * MS;
}

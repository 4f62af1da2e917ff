/* retry.c - see retry.h. */
#include "worker/retry.h"

#include <assert.h>

static const uint64_t MS = 1000;
static const uint64_t SECOND = 1000000;

uint32_t
retry_workers(const struct stats_page *page)
{
	uint32_t accepting =
	    __atomic_load_n(&page->accepting, __ATOMIC_RELAXED);
	uint32_t wanted = __atomic_load_n(&page->slot_count, __ATOMIC_RELAXED);
	uint32_t workers = accepting > 0 ? accepting : wanted;

	return workers > 0 && workers <= STATS_SLOTS_MAX ? workers : 1;
}

uint64_t
retry_gap_us(uint64_t rate, uint32_t workers, uint32_t clients)
{
	uint64_t room = (RETRY_MAX_MS - RETRY_MIN_MS) * MS;
	uint64_t gap;

	assert(rate > 0 && workers > 0);
	gap = SECOND / (rate * workers);
	if (clients > 0 && gap > room / clients)
		gap = room / clients;
	return gap > 0 ? gap : 1;
}

uint32_t
retry_take(uint64_t *row, uint64_t now_us, uint64_t earliest_us,
    uint64_t gap_us)
{
	uint64_t last = now_us + RETRY_MAX_MS * MS, taken;
	uint64_t next = __atomic_load_n(row, __ATOMIC_RELAXED);

	do {
		taken = next;
		/* Another clock, or a page that was written over. */
		if (taken > last + RETRY_MAX_MS * MS)
			taken = earliest_us;
		if (taken < earliest_us)
			taken = earliest_us;
		if (taken >= last)
			return RETRY_MAX_MS;
	} while (!__atomic_compare_exchange_n(row, &next, taken + gap_us, true,
	    __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (taken <= now_us)
		return 0;
	return (uint32_t)((taken - now_us + MS - 1) / MS);
}

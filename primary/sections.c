/* sections.c - see sections.h. */
#include "primary/sections.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"

int
sections_take(struct stats_page *page, uint32_t slot)
{
	struct stats_section *section;
	uint32_t generation;

	assert(slot < STATS_SLOTS_MAX);
	for (int i = 0; i < STATS_SECTIONS_MAX; i++) {
		section = &page->sections[i];
		if (section->used != 0)
			continue;
		memset(section, 0, sizeof(*section));
		/* 16 bits in a node's id; 0 is left out. */
		generation = (page->page_generation[slot] + 1) & UINT16_MAX;
		if (generation == 0)
			generation = 1;
		page->page_generation[slot] = generation;
		section->slot = slot;
		section->generation = generation;
		section->started_ms = clock_now_ms();
		section->heartbeat_ms = section->started_ms;
		__atomic_store_n(&section->used, 1, __ATOMIC_RELEASE);
		return i;
	}
	return -ENOSPC;
}

void
sections_retire(struct stats_page *page, uint32_t index)
{
	struct stats_section *section = &page->sections[index];

	assert(index < STATS_SECTIONS_MAX && section->used != 0);
	/* A reader in between misses it for a moment, and never counts twice. */
	__atomic_store_n(&section->used, 0, __ATOMIC_RELEASE);
	if (section->slot < STATS_SLOTS_MAX)
		stats_worker_add(&page->slots[section->slot].retired,
		    &section->now, false);
	section->pid = 0;
}

unsigned
sections_free_count(const struct stats_page *page)
{
	unsigned count = 0;

	for (int i = 0; i < STATS_SECTIONS_MAX; i++) {
		if (page->sections[i].used == 0)
			count++;
	}
	return count;
}

/*
 * sections.h - who owns which part of the statistics page.
 *
 * The primary gives every worker process a section before it starts and takes
 * it back when the process has gone for certain; what it counted is then added
 * to its slot's retired counters, so that sums only ever grow.
 */
#ifndef PRIMARY_SECTIONS_H
#define PRIMARY_SECTIONS_H

#include <stdint.h>

#include "base/base.h"
#include "wire/stats.h"

/*
 * A section for a new process in slot, with the slot's next generation.
 * Its index, or -ENOSPC: every section is in use.
 */
WARN_UNUSED int sections_take(struct stats_page *page, uint32_t slot);

/* The process has gone: keep its counters, free the section. */
void sections_retire(struct stats_page *page, uint32_t index);

/* How many are free. */
unsigned sections_free_count(const struct stats_page *page);

#endif /* PRIMARY_SECTIONS_H */

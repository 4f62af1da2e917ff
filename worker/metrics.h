/*
 * metrics.h - the statistics page as text for Prometheus (format 0.0.4).
 *
 * Every worker can tell the figures of the whole bus, for the page is shared:
 * one target is enough for a bus, whichever worker takes the connection.
 *
 *	clusterbus_<name>{worker="N"}   each column of STATS_WORKER, by slot:
 *	                                live processes and retired counters
 *	clusterbus_<name>               each column of STATS_HUB
 *	clusterbus_build_info ...       the bus itself, its slots
 *
 * Slots that were never used are left out, so the text grows with the workers
 * that exist: about 2 kB for each.
 */
#ifndef WORKER_METRICS_H
#define WORKER_METRICS_H

#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

struct stats_page;

/*
 * Append the whole text to out.  slot is the worker that answers, now_ms
 * clock_now_ms().  0; -ENOMEM or -ENOBUFS, then out may hold a part.
 */
WARN_UNUSED int metrics_write(const struct stats_page *page, uint32_t slot,
    uint64_t now_ms, struct buf *out);

#endif /* WORKER_METRICS_H */

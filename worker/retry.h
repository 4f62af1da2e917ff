/*
 * retry.h - when a client that is asked to go may come back.
 *
 * Clients that are sent away together must not return together.  Each gets a
 * time of its own, and all workers of a host take these times from one row:
 * the next one that is free stands in the statistics page.  So it does not
 * matter how many workers drain at once, or one after the other, or which of
 * them have been restarted meanwhile.
 *
 * Two times are as far apart as the whole bus needs to accept one connection:
 * accept-rate of each worker that stays.  A client's time is never before
 * RETRY_MIN_MS and never after RETRY_MAX_MS; who is asked first returns first.
 */
#ifndef WORKER_RETRY_H
#define WORKER_RETRY_H

#include <stdint.h>

#include "wire/stats.h"

enum {
	/* Nobody is told to come back before this, or after that. */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 60000,
};

/*
 * To how many workers clients can return: those that the primary sends new
 * connections to.  When there are none the whole bus leaves; then it is as many
 * as are wanted, for the next one will be like this one.  At least 1.
 */
uint32_t retry_workers(const struct stats_page *page);

/*
 * How far apart two times are, in microseconds, when each of `workers` accepts
 * `rate` connections a second (both at least 1).  When so many clients have to
 * go that the last ones' times would be after RETRY_MAX_MS, it is less: then
 * all of them are spread over that.
 */
uint64_t retry_gap_us(uint64_t rate, uint32_t workers, uint32_t clients);

/*
 * Take the next time of *row that is not before earliest_us and leave the next
 * gap_us behind it.  Returns the milliseconds from now_us to that time.  Times
 * are those of CLOCK_MONOTONIC.  A row that promises more than anybody can
 * have taken is begun anew; when all times up to RETRY_MAX_MS are taken it is
 * that, and the row stays as it is.
 */
uint32_t retry_take(uint64_t *row, uint64_t now_us, uint64_t earliest_us,
    uint64_t gap_us);

#endif /* WORKER_RETRY_H */

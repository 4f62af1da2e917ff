/*
 * status.h - what `busctl status` found, before it is shown.
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/stats.h"

/* One slot. */
struct status_worker {
	uint32_t slot;
	uint64_t uptime_ms;        /* 0: no process */
	uint64_t heartbeat_age_ms; /* 0: no process */
	struct stats_worker sum;
};

struct status {
	const struct stats_page *page; /* borrowed */
	bool primary_alive;
	uint64_t uptime_ms; /* of the primary; 0 when it has gone */
	struct status_worker workers[STATS_SLOTS_MAX];
	size_t worker_count;
	struct stats_worker total; /* of all slots, those gone included */
};

/* Print it for people, on standard output. */
void status_print(const struct status *status);

/* Print it as one line of JSON.  0 or -ENOMEM. */
WARN_UNUSED int status_print_json(const struct status *status);

/* "3d 4h", "12m 5s", "0s". */
void status_duration(uint64_t ms, char *text, size_t size);

/* "999", "12.3k", "4.5M". */
void status_number(uint64_t number, char *text, size_t size);

#endif /* CLI_STATUS_H */

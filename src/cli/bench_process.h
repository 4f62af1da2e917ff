/*
 * bench_process.h - what process trees cost, read from /proc.
 */
#ifndef CLI_BENCH_PROCESS_H
#define CLI_BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

struct bench_cost {
	uint64_t cpu_ns;    /* user and system, dead children included */
	uint64_t pss_bytes; /* memory, shared pages by their share */
	unsigned processes;
};

/*
 * Sum what the given processes and all their descendants have cost so far;
 * memory only when asked for, because looking disturbs them a little.
 * 0, -ESRCH when one of the given ones is not there, or another -errno.
 * Memory that may not be read counts as none.
 */
WARN_UNUSED int bench_process_cost(const pid_t *pids, size_t count, bool memory,
    struct bench_cost *ret_cost);

#endif /* CLI_BENCH_PROCESS_H */

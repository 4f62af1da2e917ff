/*
 * stats.h - the statistics page: one file in the run directory, mapped by all.
 *
 * Every worker process has a section of its own and is the only one to write
 * its counters; the primary writes the header, the slots and who owns a
 * section.  Anybody who may read the file can sum it: `busctl status`, every
 * worker's /metrics, a program of yours.  Nothing is asked and nobody waits,
 * so figures are there when the primary is gone or a worker hangs.
 *
 * A number is a 64-bit word, written and read whole (relaxed atomics).  When a
 * process has gone, the primary adds its counters to its slot's retired ones,
 * so that sums only ever grow; gauges vanish with the process.
 *
 * The file outlives a killed primary: the next one of the same name finds host
 * id, generations, addresses and live workers in it.
 */
#ifndef WIRE_STATS_H
#define WIRE_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/ipc_proto.h"
#include "wire/stats_rows.h"

enum {
	STATS_VERSION = 4,
	STATS_SLOTS_MAX = 256,
	STATS_SECTIONS_MAX = 520, /* two processes a slot while one replaces */
	STATS_NAME_MAX = 64,
	STATS_LISTEN_MAX = 1024,
	STATS_SYNC_MAX = 320,
};

/* What a slot is doing; the chart is in primary/slot.h. */
enum slot_state {
	SLOT_EMPTY = 0,
	SLOT_STARTING,
	SLOT_RUNNING,
	SLOT_DRAINING,
	SLOT_BACKOFF,
	SLOT_STATE_COUNT /* must be last */
};

struct stats_worker {
#define X(field, name, type, help) uint64_t field;
	STATS_WORKER(X)
#undef X
};

struct stats_hub {
#define X(field, name, type, help) uint64_t field;
	STATS_HUB(X)
#undef X
};

/* One worker process. */
struct stats_section {
	uint32_t used; /* written by the primary */
	uint32_t slot;
	uint32_t pid;
	uint32_t generation;
	uint64_t started_ms;   /* CLOCK_MONOTONIC */
	uint64_t heartbeat_ms; /* written by the worker, a few times a second */
	struct stats_worker now;
};

/* One slot, written by the primary. */
struct stats_slot {
	uint32_t state; /* enum slot_state */
	uint32_t pid;   /* 0: none */
	uint32_t generation;
	uint32_t restarts;
	uint64_t since_ms;   /* when the state was entered */
	uint64_t next_ms;    /* BACKOFF: when it will be tried again */
	uint32_t crash_loop; /* 1: it keeps dying soon after its start */
	int32_t last_status; /* wait status of the last worker that went */
	struct stats_worker retired;
};

struct stats_page {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* bytes of the whole page */
	uint32_t host; /* the node ids' first part */
	uint32_t primary_pid;
	uint32_t slot_count; /* how many are wanted now */
	uint32_t boot;       /* changes with every boot of the host */
	uint64_t started_ms;
	uint64_t config_generation; /* counts reloads */
	char name[STATS_NAME_MAX];
	char listen[STATS_LISTEN_MAX]; /* real addresses, blank between */
	char software[STATS_NAME_MAX]; /* version of the program */
	char sync[STATS_SYNC_MAX];     /* backplane and channel; empty: none */
	uint32_t page_generation[STATS_SLOTS_MAX]; /* last one given out */
	uint32_t roll_hash; /* of the options that only new workers take */
	uint32_t accepting; /* slots that get new connections */
	uint64_t return_us; /* next time for a client to return, retry.h */
	struct stats_hub hub;
	struct stats_slot slots[STATS_SLOTS_MAX];
	struct stats_section sections[STATS_SECTIONS_MAX];
};

/* A counter or gauge in shared memory, seen from its one writer. */
static inline void
stats_add(uint64_t *field, uint64_t n)
{
	__atomic_store_n(field, *field + n, __ATOMIC_RELAXED);
}

static inline void
stats_set(uint64_t *field, uint64_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

static inline uint64_t
stats_get(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_RELAXED);
}

/* The fields of the two structs, for whoever walks them. */
enum stats_type {
	STATS_COUNTER,
	STATS_GAUGE
};

struct stats_field {
	const char *field; /* as in the struct; the key in status --json */
	const char *name;  /* as in /metrics, without prefix and _total */
	enum stats_type type;
	const char *help;
};

extern const struct stats_field stats_worker_fields[];
extern const struct stats_field stats_hub_fields[];

enum {
#define X(field, name, type, help) +1
	STATS_WORKER_COUNT = 0 STATS_WORKER(X),
	STATS_HUB_COUNT = 0 STATS_HUB(X),
#undef X
};

/*
 * Create (or take over, when it is whole, of this version and of this boot) the
 * page's file.  *ret_fd stays open for handing to workers.  *ret_found says
 * whether a page of an earlier primary was taken over; nothing in it has been
 * changed then.  A new page has its host id and is 0 otherwise.  0 or -errno.
 */
WARN_UNUSED int stats_create(const char *path, struct stats_page **ret_page,
    int *ret_fd, bool *ret_found);

/* Map a page read-write (workers) from its descriptor, which stays open. */
WARN_UNUSED int stats_map(int fd, struct stats_page **ret_page);

/*
 * Map a page read-only (status, metrics of a bus without its primary).  0,
 * -EINVAL when the file is no page of this version, -ESTALE when it is from
 * before the host was booted, or -errno.
 */
WARN_UNUSED int stats_open(const char *path,
    const struct stats_page **ret_page);

/* Is this section in use by a process that is there? */
bool stats_section_alive(const struct stats_section *section);

/* Give a mapped page back.  NULL is allowed and does nothing. */
void stats_unmap(const struct stats_page *page);

/* The section of the slot's current process, or NULL. */
const struct stats_section *stats_section_of(const struct stats_page *page,
    uint32_t slot);

/* Sum of a slot's live sections and its retired counters. */
void stats_sum_slot(const struct stats_page *page, uint32_t slot,
    struct stats_worker *ret_sum);

/*
 * Add b's fields to a: all of them, or its counters only.  Of the two lag
 * gauges a gets the larger one instead of the sum.
 */
void stats_worker_add(struct stats_worker *a, const struct stats_worker *b,
    bool gauges);

/* "RUNNING" and so on; "?" for what is no state. */
const char *slot_state_name(uint32_t state);

#endif /* WIRE_STATS_H */

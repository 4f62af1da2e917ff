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

enum {
	STATS_VERSION = 3,
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

/*
 * A worker's numbers: field, metric's name, type (counter or gauge), help.
 * The metric's full name is clusterbus_<name>, with _total for counters.
 */
/* clang-format off */
#define STATS_WORKER(X)                                                        \
	X(clients, "clients", GAUGE, "clients connected")                      \
	X(clients_opened, "clients_opened", COUNTER,                           \
	    "clients that completed the WebSocket handshake")                  \
	X(clients_closed, "clients_closed", COUNTER, "clients that have gone") \
	X(handshakes, "handshakes", GAUGE,                                     \
	    "connections accepted and not yet upgraded or answered")           \
	X(accepted, "accepted", COUNTER, "connections accepted")               \
	X(refused_address, "refused_address", COUNTER,                         \
	    "connections closed: too many from one address")                   \
	X(refused_full, "refused_full", COUNTER,                               \
	    "connections closed: this worker has max-clients")                 \
	X(accept_errors, "accept_errors", COUNTER,                             \
	    "accept failed (out of descriptors or memory); accepting paused")  \
	X(handshake_errors, "handshake_errors", COUNTER,                       \
	    "connections that ended before they were upgraded or answered")    \
	X(http_requests, "http_requests", COUNTER, "HTTP requests answered")   \
	X(http_errors, "http_errors", COUNTER,                                 \
	    "HTTP requests answered with 4xx or 5xx")                          \
	X(auth_failed, "auth_failed", COUNTER,                                 \
	    "clients turned away, or tokens refused: not authenticated")       \
	X(auth_expired, "auth_expired", COUNTER,                               \
	    "clients closed: their token has expired")                         \
	X(auth_in_address, "auth_in_address", COUNTER,                         \
	    "tokens that came in the address (?token=)")                       \
	X(origin_refused, "origin_refused", COUNTER,                           \
	    "upgrades refused: a page of another origin")                      \
	X(channels, "channels", GAUGE, "channels with a member or listener")   \
	X(subscriptions, "subscriptions", GAUGE,                               \
	    "memberships of clients in channels")                              \
	X(api_requests, "api_requests", COUNTER,                               \
	    "requests to the HTTP API")                                        \
	X(api_errors, "api_errors", COUNTER,                                   \
	    "requests to the HTTP API that were refused or failed")            \
	X(api_refused, "api_refused", COUNTER,                                 \
	    "of these refused: answers held api-output already")               \
	X(api_cut, "api_cut", COUNTER,                                         \
	    "of these cut off: the client did not take its answer in time")    \
	X(api_output_bytes, "api_output_bytes", GAUGE,                         \
	    "bytes of answers of the HTTP API that are held")                  \
	X(queries, "queries", COUNTER, "questions answered to the hub")        \
	X(rows_cut, "rows_cut", COUNTER,                                       \
	    "rows left out of answers: max-rows, or no room")                  \
	X(closed_kicked, "closed_kicked", COUNTER, "clients closed: kicked")   \
	X(messages_in, "messages_in", COUNTER, "WebSocket messages received")  \
	X(bytes_in, "bytes_in", COUNTER,                                       \
	    "bytes of WebSocket messages received")                            \
	X(frames_out, "frames_out", COUNTER,                                   \
	    "WebSocket frames handed to the kernel")                           \
	X(bytes_out, "bytes_out", COUNTER,                                     \
	    "bytes of frames handed to the kernel")                            \
	X(writes, "writes", COUNTER,                                           \
	    "write calls that these frames needed")                            \
	X(deliveries, "deliveries", COUNTER,                                   \
	    "publishes queued for clients, counted per client")                \
	X(published, "published", COUNTER,                                     \
	    "messages published or pushed on this worker")                    \
	X(relayed_out, "relayed_out", COUNTER, "envelopes handed to the hub")  \
	X(relayed_in, "relayed_in", COUNTER, "envelopes got from the hub")     \
	X(relayed_in_unwanted, "relayed_in_unwanted", COUNTER,                 \
	    "envelopes got from the hub that nobody here wanted any more")     \
	X(calls, "calls", COUNTER, "methods called by clients")                \
	X(calls_failed, "calls_failed", COUNTER,                               \
	    "calls that an application answered with an error")                \
	X(calls_timeout, "calls_timeout", COUNTER,                             \
	    "calls that were not answered within call-timeout")                \
	X(calls_refused, "calls_refused", COUNTER,                             \
	    "calls refused: unknown, not valid, or too many at once")          \
	X(app_errors, "app_errors", COUNTER,                                   \
	    "errors told to cbus_on_error(), or logged without one")           \
	X(errors_out, "errors_out", COUNTER, "err answers to clients")         \
	X(bad_messages, "bad_messages", COUNTER,                               \
	    "messages that were no valid command")                             \
	X(rate_limited, "rate_limited", COUNTER,                               \
	    "messages refused: over the client's rate")                        \
	X(drop_outbox, "drop_outbox", COUNTER,                                 \
	    "frames dropped: the client did not read")                         \
	X(drop_gone, "drop_gone", COUNTER,                                     \
	    "frames dropped: the client had left")                             \
	X(drop_memory, "drop_memory", COUNTER, "frames dropped: out of memory")\
	X(drop_link_full, "drop_link_full", COUNTER,                           \
	    "envelopes dropped: the queue to the hub was full")                \
	X(drop_hub_away, "drop_hub_away", COUNTER,                             \
	    "envelopes delivered here only: no hub")                           \
	X(drop_invalid, "drop_invalid", COUNTER,                               \
	    "envelopes of attached programs that were no text or no JSON")     \
	X(push_not_for_role, "push_not_for_role", COUNTER,                     \
	    "events and changes not sent to a client whose role lacks them")   \
	X(refused_contract, "refused_contract", COUNTER,                       \
	    "commands refused: not declared, or not for this client")          \
	X(refused_data, "refused_data", COUNTER,                               \
	    "commands refused: the data does not fit the contract")            \
	X(subscriptions_ended, "subscriptions_ended", COUNTER,                 \
	    "subscriptions ended by a new contract")                           \
	X(answers_cut, "answers_cut", COUNTER,                                 \
	    "answers to questions that found no room in the queue to the hub") \
	X(gaps, "gaps", COUNTER,                                               \
	    "envelopes found missing by their sequence numbers")               \
	X(closed_slow, "closed_slow", COUNTER, "clients closed: too slow")     \
	X(closed_idle, "closed_idle", COUNTER,                                 \
	    "clients closed: did not answer a ping")                           \
	X(closed_protocol, "closed_protocol", COUNTER,                         \
	    "clients closed: broke the protocol or a limit")                   \
	X(closed_drain, "closed_drain", COUNTER,                               \
	    "clients asked to go to another worker")                           \
	X(outbox_bytes, "outbox_bytes", GAUGE,                                 \
	    "bytes that wait in clients' outboxes")                            \
	X(link_bytes, "link_bytes", GAUGE,                                     \
	    "bytes that wait in the queue to the hub")                         \
	X(hub_connected, "hub_connected", GAUGE,                               \
	    "1 while the hub answers, 0 while it is away")                     \
	X(loop_lag_us, "loop_lag_us", GAUGE,                                   \
	    "how late the last timer ran, in microseconds")                    \
	X(loop_lag_max_us, "loop_lag_max_us", GAUGE,                           \
	    "the worst of that since the worker started")                      \
	X(ready, "ready", GAUGE, "1 while clients are accepted")

/* The hub's numbers, written by the primary: the same columns. */
#define STATS_HUB(X)                                                           \
	X(envelopes_in, "hub_envelopes_in", COUNTER, "envelopes read by the hub")\
	X(envelopes_out, "hub_envelopes_out", COUNTER,                         \
	    "envelopes queued to nodes, counted per node")                     \
	X(bytes_in, "hub_bytes_in", COUNTER, "bytes read by the hub")          \
	X(bytes_out, "hub_bytes_out", COUNTER, "bytes written by the hub")     \
	X(drop_slow, "hub_drop_slow", COUNTER,                                 \
	    "envelopes dropped: the node's queue was full")                    \
	X(violations, "hub_violations", COUNTER,                               \
	    "nodes cut off: broke the protocol")                               \
	X(refused, "hub_refused", COUNTER, "nodes turned away")                \
	X(nodes, "hub_nodes", GAUGE, "nodes on the bus")                       \
	X(channels, "hub_channels", GAUGE, "channels that a node wants")       \
	X(interests, "hub_interests", GAUGE,                                   \
	    "pairs of a channel and a node that wants it")                     \
	X(queue_bytes, "hub_queue_bytes", GAUGE, "bytes queued to nodes")      \
	X(queue_bytes_max, "hub_queue_bytes_max", GAUGE,                       \
	    "the most that was ever queued to one node")                       \
	X(restarts, "worker_restarts", COUNTER,                                \
	    "workers started in place of one that died")                       \
	X(stalled, "workers_stalled", COUNTER,                                 \
	    "workers killed: did not move for stall-timeout")                  \
	X(reloads, "reloads", COUNTER, "reloads that took effect")             \
	X(reloads_failed, "reloads_failed", COUNTER,                           \
	    "reloads refused: the new configuration is invalid")               \
	X(adopted, "workers_adopted", COUNTER,                                 \
	    "workers taken over from a primary that had gone")                 \
	X(queries, "hub_queries", COUNTER, "questions to the workers")         \
	X(queries_late, "hub_queries_late", COUNTER,                           \
	    "workers that did not answer a question in time")                  \
	X(answers_late, "hub_answers_late", COUNTER,                           \
	    "answers that nobody waited for any more")                         \
	X(wanted, "hub_wanted", GAUGE,                                         \
	    "presence channels that somebody listens to")                      \
	X(door_clients, "door_clients", GAUGE, "clients at the Redis door")    \
	X(door_commands, "door_commands", COUNTER,                             \
	    "commands of the Redis door's clients")                            \
	X(door_errors, "door_errors", COUNTER,                                 \
	    "commands that failed, messages that could not be passed on")      \
	X(door_cut, "door_cut", COUNTER,                                       \
	    "clients of the door cut off: did not read")                       \
	X(door_refused, "door_refused", COUNTER,                               \
	    "clients of the door turned away")                                 \
	X(sync_connected, "sync_connected", GAUGE,                             \
	    "1 while the backplane is there")                                  \
	X(sync_reconnects, "sync_reconnects", COUNTER,                         \
	    "times that the backplane came back")                              \
	X(sync_out, "sync_out", COUNTER, "messages given to the backplane")    \
	X(sync_in, "sync_in", COUNTER,                                         \
	    "messages of other hosts taken from the backplane")                \
	X(sync_bytes_out, "sync_bytes_out", COUNTER,                           \
	    "bytes of data given to the backplane")                            \
	X(sync_bytes_in, "sync_bytes_in", COUNTER,                             \
	    "bytes of data taken from the backplane")                          \
	X(drop_sync_away, "drop_sync_away", COUNTER,                           \
	    "messages not sent to other hosts: the backplane was away")        \
	X(drop_sync_full, "drop_sync_full", COUNTER,                           \
	    "messages not sent to other hosts: sync-queue was full")           \
	X(drop_sync_large, "drop_sync_large", COUNTER,                         \
	    "messages not sent to other hosts: too large for the backplane")   \
	X(sync_bad, "sync_bad", COUNTER,                                       \
	    "messages that could not be sent, or taken, as they were")

/* clang-format on */

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
	uint32_t reserved;
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

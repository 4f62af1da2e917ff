/*
 * bench_run.h - one run of the load generator: its clients, what is in flight
 * and what was counted.
 *
 *	CONNECT -> PROBE -> WARMUP -> MEASURE -> DRAIN -> END
 *
 * CONNECT ends when every subscription is confirmed; PROBE is for protocols
 * that confirm nothing: it publishes until everybody gets everything.  Counts
 * of losses cover WARMUP, MEASURE and DRAIN; rates and latencies MEASURE only.
 *
 * The n-th publish goes from publisher n % P to topic (n / P) % T; so its
 * number says everything about it.
 */
#ifndef CLI_BENCH_RUN_H
#define CLI_BENCH_RUN_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "bench_conn.h"
#include "bench_histogram.h"
#include "bench_options.h"
#include "bench_process.h"

/*
 * What every payload begins with: "cb1:", then hexadecimal digits: number 8,
 * publisher 4, topic 8, sequence 8, time in ns since the start 12.
 */
enum {
	BENCH_MAGIC_BYTES = 4,
	BENCH_HEAD_BYTES = 44,
};

#define BENCH_MAGIC "cb1:"

enum bench_phase {
	BENCH_PHASE_CONNECT = 0,
	BENCH_PHASE_PROBE,
	BENCH_PHASE_WARMUP,
	BENCH_PHASE_MEASURE,
	BENCH_PHASE_DRAIN,
	BENCH_PHASE_END,
};

/* A publish that may still have deliveries to come. */
struct bench_publish {
	uint64_t time_ns; /* sent, or due when the rate is fixed */
	uint32_t number;
	uint32_t topic;
	uint32_t publisher;
	uint32_t sequence;  /* of this publisher on this topic */
	uint32_t remaining; /* deliveries that are still expected */
	bool live;          /* holds a place in the window */
	char head[BENCH_HEAD_BYTES];
};

/* What one subscriber has seen of one publisher on one topic. */
struct bench_track {
	uint32_t next; /* sequence that comes next */
	uint64_t seen; /* bit i: next - 1 - i has arrived */
};

struct bench_counts {
	uint64_t published;
	uint64_t completed;
	uint64_t given_up; /* publishes */
	uint64_t expected; /* deliveries */
	uint64_t arrived;  /* deliveries, each once */
	uint64_t doubled;
	uint64_t reordered;
	uint64_t altered;
	uint64_t stale;  /* arrived after they were given up and forgotten */
	uint64_t unsent; /* publishes a full queue of ours did not take */
	uint64_t gaps;   /* the server said that it dropped something */
	uint64_t errors; /* the server said that something is wrong */
	uint64_t closed; /* connections that ended before they should */
	uint64_t reads;
	uint64_t bytes;
	uint64_t segments; /* TCP segments with data that subscribers got */
};

struct bench;

struct bench_client {
	struct bench_conn conn;
	struct bench *bench;        /* borrowed */
	struct bench_track *tracks; /* a part of bench->tracks */
	struct buf stream;          /* NATS: a message that is not complete */
	size_t hint;                /* where the payload was last time */
	uint32_t index;             /* among its kind */
	uint32_t first_topic;
	uint32_t acks_wanted;
	bool publisher;
	bool ready;
};

struct bench {
	const struct bench_options *options;
	struct bench_shared shared;
	struct bench_target targets[BENCH_URLS_MAX];
	struct bench_client *clients; /* owned: subscribers, publishers */
	size_t client_count;
	size_t opened;
	size_t ready;
	struct bench_track *tracks; /* owned */
	uint32_t stride;            /* between the topics of a subscriber */
	uint32_t *members;          /* owned; subscribers of each topic */
	struct bench_publish *ring; /* owned; by number & ring_mask */
	uint32_t ring_mask;
	uint32_t next_number;
	uint32_t oldest;        /* all before it are settled */
	uint32_t first_counted; /* before it: probes */
	uint32_t first_measured;
	uint32_t last_measured; /* first one behind the last */
	uint32_t in_flight;
	char *filler; /* owned; size + 26 letters */
	uint64_t start_ns;
	uint64_t measure_ns; /* begin, then length */
	uint64_t own_cpu_ns; /* begin, then use, as measure_ns */
	uint64_t lag_max_ns; /* rate: how late we published */
	uint64_t due_ns;     /* rate: the next publish */
	uint64_t phase_ns;   /* when the phase began */
	enum bench_phase phase;
	bool failed; /* the result is not worth a report */
	ev_timer phase_timer;
	ev_timer sweep_timer;
	ev_io rate_io;
	int rate_fd;                  /* timerfd; -1 when none */
	struct bench_counts counts;   /* since WARMUP began */
	struct bench_counts measured; /* during MEASURE */
	struct bench_cost cost;       /* during MEASURE */
	struct bench_histogram latency;
};

/*
 * Do the whole run and report it.  Returns the exit status.
 */
int bench_run(const struct bench_options *options);

/* The protocol is ready to subscribe, or to publish. */
void bench_on_login(struct bench_client *client);

/* One subscription is confirmed. */
void bench_on_ack(struct bench_client *client);

/* The server complained; the first complaint is printed. */
void bench_on_error(struct bench_client *client, const char *text, size_t len);

#endif /* CLI_BENCH_RUN_H */

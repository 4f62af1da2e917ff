/*
 * bench_options.h - what `busctl bench` was asked to do.
 */
#ifndef CLI_BENCH_OPTIONS_H
#define CLI_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

struct bench_wire;

enum {
	BENCH_URLS_MAX = 64,
	BENCH_PIDS_MAX = 16,
};

enum bench_mode {
	BENCH_WINDOW = 0, /* a place that gets free is filled at once */
	BENCH_BURST,      /* all places are filled when all are free */
	BENCH_RATE,       /* by the clock, whatever the server does */
	BENCH_IDLE,       /* connections that do nothing */
	BENCH_LIMIT,      /* no server: send() and the kernel */
};

struct bench_options {
	enum bench_mode mode;
	const struct bench_wire *wire;
	const char *urls[BENCH_URLS_MAX]; /* point into argv */
	size_t url_count;
	uint32_t per_url; /* connections to a URL before the next; 0: turns */
	uint32_t subscribers;
	uint32_t publishers;
	uint32_t topics;
	uint32_t topics_per_subscriber;
	uint32_t size;     /* bytes of a payload */
	uint32_t window;   /* publishes in flight; also the size of a burst */
	uint32_t rate;     /* publishes a second */
	uint32_t idle;     /* connections of the idle mode */
	uint32_t limit;    /* messages in a send() of the limit mode */
	uint32_t parallel; /* handshakes at a time */
	uint64_t duration_ms;
	uint64_t warmup_ms;
	pid_t pids[BENCH_PIDS_MAX];
	size_t pid_count;
	int cpu; /* -1: any */
	bool verify;
	bool json;
};

/*
 * Read the words.  0; 1 when help was asked for and printed; -EINVAL when
 * something is wrong, which is said on standard error.
 */
WARN_UNUSED int bench_options_parse(int argc, char **argv,
    struct bench_options *ret_options);

#endif /* CLI_BENCH_OPTIONS_H */

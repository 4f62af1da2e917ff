/*
 * bench_setup.h - the clients of a run, from nothing until all are ready.
 */
#ifndef CLI_BENCH_SETUP_H
#define CLI_BENCH_SETUP_H

#include "base/base.h"
#include "bench_run.h"

/*
 * Make the clients; none is connected yet.  0 or -errno, said on standard
 * error.
 */
WARN_UNUSED int bench_setup_init(struct bench *bench);
void bench_setup_release(struct bench *bench);

/* Connect more clients, as many at a time as the options allow. */
void bench_setup_connect(struct bench *bench);

/* Raise the limit of open descriptors to what so many connections need. */
WARN_UNUSED int bench_setup_raise_limit(uint32_t connections);

/* Have this process run on one CPU only; -1: leave it.  0 or -errno. */
WARN_UNUSED int bench_setup_pin(int cpu);

/* Have this process run on any CPU but this one; -1: leave it. */
WARN_UNUSED int bench_setup_pin_away(int cpu);

#endif /* CLI_BENCH_SETUP_H */

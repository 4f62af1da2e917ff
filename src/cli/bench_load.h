/*
 * bench_load.h - when to publish, and when a publish is done.
 */
#ifndef CLI_BENCH_LOAD_H
#define CLI_BENCH_LOAD_H

#include "base/base.h"
#include "bench_run.h"

/* Make the ring and the filler.  0 or -errno. */
WARN_UNUSED int bench_load_init(struct bench *bench);
void bench_load_release(struct bench *bench);

/* One publish to each topic, to see who gets it. */
void bench_load_probe(struct bench *bench);

/* Begin to publish as the options say.  0 or -errno. */
WARN_UNUSED int bench_load_start(struct bench *bench);

/* A delivery of this publish arrived for the first time. */
void bench_load_arrived(struct bench *bench, struct bench_publish *publish);

/*
 * Give up publishes that have waited for too long, so that losses cannot stop
 * a run.  Called ten times a second.
 */
void bench_load_sweep(struct bench *bench);

#endif /* CLI_BENCH_LOAD_H */

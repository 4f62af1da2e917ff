/*
 * bench_idle.h - what connections that do nothing cost.
 */
#ifndef CLI_BENCH_IDLE_H
#define CLI_BENCH_IDLE_H

#include "bench_options.h"

/*
 * Open options->idle connections, measure the server before and after, and
 * report.  Returns the exit status.
 */
int bench_idle(const struct bench_options *options);

#endif /* CLI_BENCH_IDLE_H */

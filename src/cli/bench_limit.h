/*
 * bench_limit.h - what the kernel alone can do: the limit for any server.
 */
#ifndef CLI_BENCH_LIMIT_H
#define CLI_BENCH_LIMIT_H

#include "bench_options.h"

/*
 * Send prebuilt bytes to options->subscribers sockets, options->limit
 * messages in each send(), and report messages per CPU second of the sender.
 * The receiver is a child, pinned to options->cpu; the sender takes any other
 * CPU.  Returns the exit status.
 */
int bench_limit(const struct bench_options *options);

#endif /* CLI_BENCH_LIMIT_H */

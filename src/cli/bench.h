/*
 * bench.h - the load generator behind `busctl bench`.
 *
 * It puts the same work on clusterbus and on its peers, with one client of its
 * own, so that what differs is the server.  The files, in the order of a run:
 *
 *	bench.c            picks the mode and turns the result into a status
 *	bench_options.c    the words of the command line
 *	bench_setup.c      the clients, and how many connect at a time
 *	bench_open.c       how a connection begins
 *	bench_conn.c       one connection: reading, writing
 *	bench_frame.c      WebSocket framing, nothing else
 *	bench_wire.c       what each protocol's messages look like
 *	bench_nats.c       the same for NATS, which is a stream of lines
 *	bench_redis.c      and for Redis, which is a stream too
 *	bench_hub.c        and for the hub itself
 *	bench_stream.c     messages that are cut in the middle
 *	bench_run.c        the phases: connect, probe, warm up, measure, drain
 *	bench_load.c       when to publish: window, burst or rate
 *	bench_check.c      each delivery: who, which, lost, twice, late, altered
 *	bench_histogram.c  latencies
 *	bench_process.c    what the server's processes cost
 *	bench_report.c     the result for people and as JSON
 *	bench_idle.c       another mode: connections that do nothing
 *	bench_limit.c      another mode: what the kernel alone can do
 *
 * A publish is complete when every subscriber of its topic has it, and only
 * then its place in the window is free.  That rule is the same for everybody;
 * a rule that asks one subscriber only would favour servers that are unfair.
 */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

/*
 * Run `busctl bench`; argv[0] is the command's name.  Returns the exit status:
 * 0, 1 when something was lost, doubled, out of order, altered or could not
 * be reached, 2 when the words make no sense.
 */
int cli_bench(int argc, char **argv);

#endif /* CLI_BENCH_H */

/*
 * bench_report.h - the result of a run.
 */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "bench_run.h"

/*
 * Print it, for people or as one line of JSON.  Returns the exit status: 1
 * when the server lost, doubled, reordered or altered anything.
 */
int bench_report(const struct bench *bench);

#endif /* CLI_BENCH_REPORT_H */

/*
 * bench.c - see bench.h.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench_idle.h"
#include "bench_limit.h"
#include "bench_options.h"
#include "bench_run.h"
#include "bench_setup.h"

int
cli_bench(int argc, char **argv)
{
	struct bench_options options;
	int err;

	err = bench_options_parse(argc, argv, &options);
	if (err != 0)
		return err > 0 ? 0 : 2;
	err = bench_setup_pin(options.cpu);
	if (err != 0) {
		(void)fprintf(stderr, "busctl bench: CPU %d: %s\n", options.cpu,
		    strerror(-err));
		return 1;
	}
	switch (options.mode) {
	case BENCH_WINDOW:
	case BENCH_BURST:
	case BENCH_RATE:
		return bench_run(&options);
	case BENCH_IDLE:
		return bench_idle(&options);
	case BENCH_LIMIT:
		return bench_limit(&options);
	}
	return 2;
}

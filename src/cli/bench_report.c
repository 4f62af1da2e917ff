/*
 * bench_report.c - see bench_report.h.
 */
#include "bench_report.h"

#include <stdbool.h>
#include <stdio.h>

#include "bench_wire.h"

static const unsigned permilles[] = { 500, 900, 990, 999 };
static const char *const permille_names[] = { "p50", "p90", "p99", "p999" };

static double
per_second(uint64_t count, uint64_t ns)
{
	return ns == 0 ? 0.0 : (double)count * 1e9 / (double)ns;
}

static double
ratio(uint64_t count, uint64_t by)
{
	return by == 0 ? 0.0 : (double)count / (double)by;
}

static uint64_t
lost(const struct bench_counts *counts)
{
	return counts->expected - counts->arrived;
}

static const char *
mode_name(const struct bench_options *options)
{
	switch (options->mode) {
	case BENCH_WINDOW:
		return "window";
	case BENCH_BURST:
		return "burst";
	case BENCH_RATE:
		return "rate";
	case BENCH_IDLE:
	case BENCH_LIMIT:
		break;
	}
	return "?";
}

static void
print_json(const struct bench *bench)
{
	const struct bench_options *options = bench->options;
	const struct bench_counts *counts = &bench->counts;
	const struct bench_counts *measured = &bench->measured;
	const uint64_t ns = bench->measure_ns;

	(void)printf(
	    "{\"protocol\":\"%s\",\"mode\":\"%s\",\"subscribers\":%u,"
	    "\"publishers\":%u,\"topics\":%u,\"topics_per_subscriber\":%u,"
	    "\"size\":%u,\"window\":%u,\"rate\":%u,\"seconds\":%.3f,",
	    options->wire->name, mode_name(options), options->subscribers,
	    options->publishers, options->topics,
	    options->topics_per_subscriber, options->size, options->window,
	    options->rate, (double)ns / 1e9);
	(void)
	    printf("\"deliveries_per_second\":%.1f,"
		   "\"publishes_per_second\":%.1f,\"server_cpu_seconds\":%.3f,"
		   "\"deliveries_per_cpu_second\":%.1f,"
		   "\"publishes_per_cpu_second\":%.1f,\"server_processes\":%u,"
		   "\"deliveries_per_segment\":%.2f,\"bytes_per_second\":%.0f,",
		per_second(measured->arrived, ns),
		per_second(measured->published, ns),
		(double)bench->cost.cpu_ns / 1e9,
		per_second(measured->arrived, bench->cost.cpu_ns),
		per_second(measured->published, bench->cost.cpu_ns),
		bench->cost.processes,
		ratio(measured->arrived, measured->segments),
		per_second(measured->bytes, ns));
	(void)printf("\"latency_us\":{");
	for (size_t i = 0; i < ARRAY_LEN(permilles); i++)
		(void)printf("\"%s\":%.1f,", permille_names[i],
		    (double)bench_histogram_at(&bench->latency, permilles[i]) /
			1e3);
	(void)printf("\"max\":%.1f},\"publish_lag_max_us\":%.1f,"
		     "\"generator_busy\":%.3f,",
	    (double)bench->latency.max / 1e3, (double)bench->lag_max_ns / 1e3,
	    ratio(bench->own_cpu_ns, bench->measure_ns));
	(void)
	    printf("\"published\":%lu,\"expected\":%lu,\"arrived\":%lu,"
		   "\"lost\":%lu,\"doubled\":%lu,\"reordered\":%lu,"
		   "\"altered\":%lu,\"stale\":%lu,\"given_up\":%lu,"
		   "\"unsent\":%lu,\"gaps\":%lu,\"errors\":%lu,\"closed\":%lu,"
		   "\"verified\":%s}\n",
		counts->published, counts->expected, counts->arrived,
		lost(counts), counts->doubled, counts->reordered,
		counts->altered, counts->stale, counts->given_up,
		counts->unsent, counts->gaps, counts->errors, counts->closed,
		options->verify ? "true" : "false");
}

static void
print_speed(const struct bench *bench)
{
	const struct bench_counts *measured = &bench->measured;
	const uint64_t ns = bench->measure_ns;

	(void)printf("deliveries    %12.0f /s",
	    per_second(measured->arrived, ns));
	if (bench->options->pid_count > 0)
		(void)printf("   %12.0f per server CPU second",
		    per_second(measured->arrived, bench->cost.cpu_ns));
	(void)printf("\npublishes     %12.0f /s",
	    per_second(measured->published, ns));
	if (bench->options->pid_count > 0)
		(void)printf("   %12.0f per server CPU second",
		    per_second(measured->published, bench->cost.cpu_ns));
	(void)printf("\n");
	if (bench->options->pid_count > 0)
		(void)printf("server        %12.2f CPU seconds in %.2f s, "
			     "%u processes\n",
		    (double)bench->cost.cpu_ns / 1e9, (double)ns / 1e9,
		    bench->cost.processes);
	(void)printf("coalescing    %12.1f deliveries in a TCP segment\n",
	    ratio(measured->arrived, measured->segments));
}

static void
print_people(const struct bench *bench)
{
	const struct bench_options *options = bench->options;
	const struct bench_counts *counts = &bench->counts;

	(void)printf("%s: %u subscribers, %u publishers, %u topics "
		     "(%u each), %u bytes, %s %u, %.2f s\n",
	    options->wire->name, options->subscribers, options->publishers,
	    options->topics, options->topics_per_subscriber, options->size,
	    mode_name(options),
	    options->mode == BENCH_RATE ? options->rate : options->window,
	    (double)bench->measure_ns / 1e9);
	print_speed(bench);
	(void)printf("latency       ");
	for (size_t i = 0; i < ARRAY_LEN(permilles); i++)
		(void)printf("%s %.0f us, ", permille_names[i],
		    (double)bench_histogram_at(&bench->latency, permilles[i]) /
			1e3);
	(void)printf("max %.0f us\n", (double)bench->latency.max / 1e3);
	(void)printf("generator     %12.0f %% of a CPU",
	    100.0 * ratio(bench->own_cpu_ns, bench->measure_ns));
	if (options->mode == BENCH_RATE)
		(void)printf(", late by %.0f us at most",
		    (double)bench->lag_max_ns / 1e3);
	(void)printf("\n");
	(void)printf("checked       %lu deliveries: %lu lost, %lu doubled, "
		     "%lu reordered, %lu altered%s\n",
	    counts->expected, lost(counts), counts->doubled, counts->reordered,
	    counts->altered,
	    options->verify ? "" : " (heads only, see --verify)");
	if (counts->gaps + counts->errors + counts->closed + counts->unsent +
		counts->stale >
	    0)
		(void)
		    printf("trouble       %lu gaps told, %lu errors, "
			   "%lu closed, %lu not sent, %lu too late to count\n",
			counts->gaps, counts->errors, counts->closed,
			counts->unsent, counts->stale);
}

int
bench_report(const struct bench *bench)
{
	const struct bench_counts *counts = &bench->counts;

	if (bench->options->json)
		print_json(bench);
	else
		print_people(bench);
	if (fflush(stdout) == EOF)
		return 1;
	return lost(counts) + counts->doubled + counts->reordered +
	    counts->altered + counts->errors + counts->closed >
	    0;
}

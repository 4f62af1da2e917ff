/*
 * bench_run.c - see bench_run.h.
 *
 * The phases of a run and what connections report.  Time in a phase is
 * measured, not assumed: what is divided by is the time between the two
 * readings of the counters.
 */
#include "bench_run.h"

#include <assert.h>
#include <errno.h>
#include <linux/tcp.h> /* newer than netinet/tcp.h */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench_load.h"
#include "bench_report.h"
#include "bench_setup.h"
#include "bench_wire.h"

enum {
	CONNECT_MAX_MS = 120000,
	PROBE_MAX_MS = 30000,
	PROBE_ROUND_MS = 300,
	DRAIN_MAX_MS = 10000,
	DRAIN_QUIET_MS = 2000, /* nothing comes any more: it is over */
};

#define SWEEP_SECONDS 0.1

static void enter(struct bench *bench, enum bench_phase phase);

static uint64_t
phase_ms(const struct bench *bench)
{
	return (clock_now_ns() - bench->phase_ns) / 1000000;
}

/* For how long nothing has been received, as far as DRAIN is concerned. */
static uint64_t
quiet_ms(const struct bench *bench)
{
	uint64_t last = bench->shared.now_ns;

	if (last < bench->phase_ns)
		last = bench->phase_ns;
	return (clock_now_ns() - last) / 1000000;
}

static void
give_up(struct bench *bench, const char *why)
{
	/* What follows from the first trouble is not worth a line. */
	if (!bench->failed)
		(void)fprintf(stderr, "busctl bench: %s\n", why);
	bench->failed = true;
	ev_break(bench->shared.loop, EVBREAK_ALL);
}

/* Segments with data that the subscribers' sockets have received. */
static uint64_t
count_segments(const struct bench *bench)
{
	struct tcp_info info;
	socklen_t len;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < bench->options->subscribers; i++) {
		len = sizeof(info);
		if (bench->clients[i].conn.fd != -1 &&
		    getsockopt(bench->clients[i].conn.fd, IPPROTO_TCP, TCP_INFO,
			&info, &len) == 0)
			sum += info.tcpi_data_segs_in;
	}
	return sum;
}

static void
read_counts(struct bench *bench, struct bench_counts *ret_counts)
{
	*ret_counts = bench->counts;
	ret_counts->reads = bench->shared.reads;
	ret_counts->bytes = bench->shared.bytes;
	ret_counts->segments = count_segments(bench);
}

static void
read_cost(struct bench *bench, struct bench_cost *ret_cost)
{
	const struct bench_options *options = bench->options;

	if (options->pid_count > 0 &&
	    bench_process_cost(options->pids, options->pid_count, false,
		ret_cost) != 0)
		give_up(bench, "a process given with --pid is not there");
}

static uint64_t
own_cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
begin_counting(struct bench *bench)
{
	/* Probes that are still on their way are nobody's loss. */
	for (uint32_t n = bench->oldest; n != bench->next_number; n++)
		bench->ring[n & bench->ring_mask].live = false;
	bench->oldest = bench->next_number;
	bench->first_counted = bench->next_number;
	bench->in_flight = 0;
	memset(&bench->counts, 0, sizeof(bench->counts));
}

static void
begin_measuring(struct bench *bench)
{
	read_cost(bench, &bench->cost);
	read_counts(bench, &bench->measured);
	bench_histogram_clear(&bench->latency);
	bench->first_measured = bench->next_number;
	bench->last_measured = bench->first_measured - 1;
	bench->own_cpu_ns = own_cpu_ns();
	bench->measure_ns = clock_now_ns();
}

static void
end_measuring(struct bench *bench)
{
	struct bench_counts now;
	struct bench_cost cost = { 0 };

	bench->measure_ns = clock_now_ns() - bench->measure_ns;
	bench->own_cpu_ns = own_cpu_ns() - bench->own_cpu_ns;
	bench->last_measured = bench->next_number;
	read_cost(bench, &cost);
	cost.cpu_ns -= bench->cost.cpu_ns;
	bench->cost = cost;
	read_counts(bench, &now);
	now.published -= bench->measured.published;
	now.completed -= bench->measured.completed;
	now.arrived -= bench->measured.arrived;
	now.reads -= bench->measured.reads;
	now.bytes -= bench->measured.bytes;
	now.segments -= bench->measured.segments;
	bench->measured = now;
}

static void
start_timer(struct bench *bench, uint64_t ms)
{
	ev_timer_stop(bench->shared.loop, &bench->phase_timer);
	ev_timer_set(&bench->phase_timer, (double)ms / 1000.0, 0.0);
	ev_timer_start(bench->shared.loop, &bench->phase_timer);
}

/* A person at a terminal sees what takes so long. */
static void
show_phase(const struct bench *bench, enum bench_phase phase)
{
	const struct bench_options *options = bench->options;

	if (isatty(STDERR_FILENO) != 1)
		return;
	if (phase == BENCH_PHASE_CONNECT)
		(void)fputs("busctl: connecting ...\n", stderr);
	else if (phase == BENCH_PHASE_WARMUP && options->warmup_ms >= 1000)
		(void)fprintf(stderr, "busctl: warming up, %.3g s ...\n",
		    (double)options->warmup_ms / 1000.0);
	else if (phase == BENCH_PHASE_MEASURE && options->duration_ms >= 1000)
		(void)fprintf(stderr, "busctl: measuring, %.3g s ...\n",
		    (double)options->duration_ms / 1000.0);
}

static void
enter(struct bench *bench, enum bench_phase phase)
{
	show_phase(bench, phase);
	bench->phase = phase;
	bench->phase_ns = clock_now_ns();
	ev_now_update(bench->shared.loop);
	switch (phase) {
	case BENCH_PHASE_CONNECT:
		bench_setup_connect(bench);
		break;
	case BENCH_PHASE_PROBE:
		memset(&bench->counts, 0, sizeof(bench->counts));
		bench_load_probe(bench);
		start_timer(bench, PROBE_ROUND_MS);
		break;
	case BENCH_PHASE_WARMUP:
		begin_counting(bench);
		if (bench_load_start(bench) != 0)
			give_up(bench, "no timer");
		start_timer(bench, bench->options->warmup_ms);
		break;
	case BENCH_PHASE_MEASURE:
		begin_measuring(bench);
		start_timer(bench, bench->options->duration_ms);
		break;
	case BENCH_PHASE_DRAIN:
		end_measuring(bench);
		break;
	case BENCH_PHASE_END:
		ev_break(bench->shared.loop, EVBREAK_ALL);
		break;
	}
}

static void
on_phase_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct bench *bench = CONTAINER_OF(timer, struct bench, phase_timer);

	(void)loop;
	(void)events;
	if (bench->phase == BENCH_PHASE_WARMUP) {
		enter(bench, BENCH_PHASE_MEASURE);
	} else if (bench->phase == BENCH_PHASE_MEASURE) {
		enter(bench, BENCH_PHASE_DRAIN);
	} else if (bench->phase == BENCH_PHASE_PROBE) {
		/* A round in which all got everything ends the probing. */
		if (bench->counts.arrived == bench->counts.expected) {
			enter(bench, BENCH_PHASE_WARMUP);
			return;
		}
		begin_counting(bench);
		bench_load_probe(bench);
		start_timer(bench, PROBE_ROUND_MS);
	}
}

static void
on_sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct bench *bench = CONTAINER_OF(timer, struct bench, sweep_timer);

	(void)loop;
	(void)events;
	if (bench->phase == BENCH_PHASE_CONNECT) {
		if (phase_ms(bench) > CONNECT_MAX_MS)
			give_up(bench, "connecting takes too long");
		return;
	}
	if (bench->phase == BENCH_PHASE_PROBE) {
		if (phase_ms(bench) > PROBE_MAX_MS)
			give_up(bench, "not every subscriber gets publishes");
		return;
	}
	bench_load_sweep(bench);
	if (bench->phase == BENCH_PHASE_DRAIN &&
	    (bench->in_flight == 0 || phase_ms(bench) > DRAIN_MAX_MS ||
		quiet_ms(bench) > DRAIN_QUIET_MS))
		enter(bench, BENCH_PHASE_END);
}

static void
on_ready(struct bench_client *client)
{
	struct bench *bench = client->bench;

	if (client->ready)
		return;
	client->ready = true;
	if (++bench->ready < bench->client_count)
		bench_setup_connect(bench);
	else if (bench->options->wire->confirms)
		enter(bench, BENCH_PHASE_WARMUP);
	else
		enter(bench, BENCH_PHASE_PROBE);
}

void
bench_on_login(struct bench_client *client)
{
	if (client->publisher) {
		on_ready(client);
		return;
	}
	if (client->bench->options->wire->subscribe(client) != 0) {
		bench_conn_fail(&client->conn, "cannot subscribe");
		return;
	}
	bench_conn_flush(&client->conn);
	if (client->acks_wanted == 0 && client->conn.fd != -1)
		on_ready(client);
}

void
bench_on_ack(struct bench_client *client)
{
	if (client->acks_wanted > 0 && --client->acks_wanted == 0)
		on_ready(client);
}

void
bench_on_error(struct bench_client *client, const char *text, size_t len)
{
	if (client->bench->counts.errors++ == 0)
		(void)fprintf(stderr, "busctl bench: the server says: %.*s\n",
		    len > 300 ? 300 : (int)len, text);
	if (!client->ready)
		give_up(client->bench, "a subscription was refused");
}

static void
on_open(struct bench_conn *conn)
{
	struct bench_client *client =
	    CONTAINER_OF(conn, struct bench_client, conn);

	client->bench->options->wire->on_open(client);
}

static void
on_message(struct bench_conn *conn, const char *data, size_t len)
{
	struct bench_client *client =
	    CONTAINER_OF(conn, struct bench_client, conn);

	client->bench->options->wire->receive(client, data, len);
}

static void
on_closed(struct bench_conn *conn, const char *why)
{
	struct bench_client *client =
	    CONTAINER_OF(conn, struct bench_client, conn);
	struct bench *bench = client->bench;

	if (bench->counts.closed++ == 0)
		(void)fprintf(stderr, "busctl bench: %s %u: %s\n",
		    client->publisher ? "publisher" : "subscriber",
		    client->index, why);
	if (bench->phase <= BENCH_PHASE_PROBE || client->publisher) {
		give_up(bench, "lost a connection that is needed");
		return;
	}
	for (uint32_t i = 0; i < bench->options->topics_per_subscriber; i++)
		bench->members[bench_wire_topic(client, i)]--;
}

int
bench_run(const struct bench_options *options)
{
	struct bench *bench;
	int status = 1;

	bench = calloc(1, sizeof(*bench));
	if (bench == NULL)
		return 1;
	bench->options = options;
	bench->rate_fd = -1;
	bench->shared.on_open = on_open;
	bench->shared.on_message = on_message;
	bench->shared.on_closed = on_closed;
	bench->shared.loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (bench->shared.loop == NULL)
		goto out;
	if (bench_setup_init(bench) != 0 || bench_load_init(bench) != 0)
		goto out;

	bench->start_ns = clock_now_ns();
	ev_timer_init(&bench->phase_timer, on_phase_timer, 0.0, 0.0);
	ev_timer_init(&bench->sweep_timer, on_sweep, SWEEP_SECONDS,
	    SWEEP_SECONDS);
	ev_timer_start(bench->shared.loop, &bench->sweep_timer);
	enter(bench, BENCH_PHASE_CONNECT);
	if (!bench->failed)
		(void)ev_run(bench->shared.loop, 0);
	if (bench->phase == BENCH_PHASE_END && !bench->failed)
		status = bench_report(bench);
out:
	bench_load_release(bench);
	bench_setup_release(bench);
	if (bench->shared.loop != NULL)
		ev_loop_destroy(bench->shared.loop);
	free(bench);
	return status;
}

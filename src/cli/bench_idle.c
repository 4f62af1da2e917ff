/*
 * bench_idle.c - see bench_idle.h.
 *
 * Connections are opened a few at a time, each new one when an old one is
 * upgraded.  Memory is what the kernel says the server's processes hold (Pss,
 * so shared pages count once), read before the first connection and again
 * when all have been open for --duration.  Socket buffers in the kernel are
 * not in it; they are the same for every server.
 */
#include "bench_idle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench_conn.h"
#include "bench_process.h"
#include "bench_setup.h"
#include "bench_wire.h"

struct idle {
	const struct bench_options *options;
	struct bench_shared shared;
	struct bench_target targets[BENCH_URLS_MAX];
	struct bench_conn *conns; /* owned; options->idle of them */
	uint32_t opened;
	uint32_t ready;
	uint32_t closed;
	uint64_t begin_ns;
	uint64_t ready_ns; /* how long it took until all were open */
	struct bench_cost before;
	struct bench_cost opening;
	struct bench_cost after;
	ev_timer timer;
	bool failed;
};

static struct idle *
idle_of(struct bench_conn *conn)
{
	return CONTAINER_OF(conn->shared, struct idle, shared);
}

static void
give_up(struct idle *idle, const char *why)
{
	/* What follows from the first trouble is not worth a line. */
	if (!idle->failed)
		(void)fprintf(stderr, "busctl bench: connection %u: %s\n",
		    idle->ready + 1, why);
	idle->failed = true;
	ev_break(idle->shared.loop, EVBREAK_ALL);
}

static void
read_cost(struct idle *idle, struct bench_cost *ret_cost)
{
	const struct bench_options *options = idle->options;

	if (options->pid_count > 0 &&
	    bench_process_cost(options->pids, options->pid_count, true,
		ret_cost) != 0)
		give_up(idle, "a process given with --pid is not there");
}

static void
open_more(struct idle *idle)
{
	const struct bench_options *options = idle->options;
	const struct bench_wire *wire = options->wire;
	const struct bench_target *target;
	const char *path;
	int err;

	while (idle->opened < options->idle &&
	    idle->opened - idle->ready < options->parallel) {
		target = &idle->targets[idle->opened % options->url_count];
		path = target->path;
		if (wire->path_topic)
			path = "/sub/t0";
		else if (wire->path != NULL && strcmp(path, "/") == 0)
			path = wire->path;
		err = bench_conn_open(&idle->conns[idle->opened], target, path,
		    wire->subprotocol, wire->websocket, idle->opened);
		if (err != 0) {
			give_up(idle, strerror(-err));
			return;
		}
		idle->opened++;
	}
}

static void
on_open(struct bench_conn *conn)
{
	struct idle *idle = idle_of(conn);

	if (++idle->ready < idle->options->idle) {
		open_more(idle);
		return;
	}
	idle->ready_ns = clock_now_ns() - idle->begin_ns;
	read_cost(idle, &idle->opening);
	ev_now_update(idle->shared.loop);
	ev_timer_set(&idle->timer, (double)idle->options->duration_ms / 1000.0,
	    0.0);
	ev_timer_start(idle->shared.loop, &idle->timer);
}

static void
on_message(struct bench_conn *conn, const char *data, size_t len)
{
	/* A welcome, or a ping of the application: idle clients do not care. */
	(void)conn;
	(void)data;
	(void)len;
}

static void
on_closed(struct bench_conn *conn, const char *why)
{
	struct idle *idle = idle_of(conn);

	idle->closed++;
	give_up(idle, why);
}

static void
on_settled(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct idle *idle = CONTAINER_OF(timer, struct idle, timer);

	(void)events;
	read_cost(idle, &idle->after);
	ev_break(loop, EVBREAK_ALL);
}

static void
report(const struct idle *idle)
{
	const struct bench_options *options = idle->options;
	double count = (double)options->idle;
	double seconds = (double)idle->ready_ns / 1e9;
	double cpu = (double)(idle->opening.cpu_ns - idle->before.cpu_ns) / 1e9;
	double resting =
	    (double)(idle->after.cpu_ns - idle->opening.cpu_ns) / 1e9;
	double grown =
	    (double)idle->after.pss_bytes - (double)idle->before.pss_bytes;
	bool known = options->pid_count > 0;

	if (options->json) {
		(void)printf(
		    "{\"protocol\":\"%s\",\"mode\":\"idle\","
		    "\"connections\":%u,\"seconds\":%.3f,"
		    "\"handshakes_per_second\":%.1f,"
		    "\"server_cpu_seconds\":%.3f,"
		    "\"handshakes_per_cpu_second\":%.1f,"
		    "\"pss_before\":%lu,\"pss_after\":%lu,"
		    "\"bytes_per_connection\":%.1f,"
		    "\"idle_cpu_seconds\":%.3f,\"server_processes\":%u}\n",
		    options->wire->name, options->idle, seconds,
		    count / seconds, cpu, cpu > 0 ? count / cpu : 0.0,
		    idle->before.pss_bytes, idle->after.pss_bytes,
		    grown / count, resting, idle->after.processes);
		return;
	}
	(void)printf("%s: %u connections opened in %.2f s\n",
	    options->wire->name, options->idle, seconds);
	(void)printf("handshakes    %12.0f /s", count / seconds);
	if (known)
		(void)printf("   %12.0f per server CPU second",
		    cpu > 0 ? count / cpu : 0.0);
	(void)printf("\n");
	if (known)
		(void)printf(
		    "memory        %12.0f bytes for each, %.1f MB "
		    "in all\nresting       %12.2f CPU seconds in %.1f s\n",
		    grown / count, (double)idle->after.pss_bytes / 1e6, resting,
		    (double)options->duration_ms / 1e3);
}

/* Everything that can fail before the first connection. */
static int
prepare(struct idle *idle)
{
	const struct bench_options *options = idle->options;

	for (size_t i = 0; i < options->url_count; i++) {
		if (bench_target_parse(options->urls[i], &idle->targets[i]) !=
		    0) {
			(void)fprintf(stderr,
			    "busctl bench: not a URL it can use: '%s'\n",
			    options->urls[i]);
			return -1;
		}
	}
	if (bench_setup_raise_limit(options->idle) != 0) {
		(void)fprintf(stderr,
		    "busctl bench: not so many open files allowed\n");
		return -1;
	}
	idle->conns = calloc(options->idle, sizeof(*idle->conns));
	idle->shared.read_buffer = malloc(BENCH_READ_BYTES);
	idle->shared.loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (idle->conns == NULL || idle->shared.read_buffer == NULL ||
	    idle->shared.loop == NULL)
		return -1;
	for (uint32_t i = 0; i < options->idle; i++)
		bench_conn_init(&idle->conns[i], &idle->shared);
	return 0;
}

int
bench_idle(const struct bench_options *options)
{
	struct idle *idle;
	int status = 1;

	idle = calloc(1, sizeof(*idle));
	if (idle == NULL)
		return 1;
	idle->options = options;
	idle->shared.on_open = on_open;
	idle->shared.on_message = on_message;
	idle->shared.on_closed = on_closed;
	if (prepare(idle) != 0)
		goto out;

	ev_timer_init(&idle->timer, on_settled, 0.0, 0.0);
	read_cost(idle, &idle->before);
	idle->begin_ns = clock_now_ns();
	open_more(idle);
	if (!idle->failed)
		(void)ev_run(idle->shared.loop, 0);
	if (!idle->failed) {
		report(idle);
		status = 0;
	}
	for (uint32_t i = 0; i < options->idle; i++)
		bench_conn_release(&idle->conns[i]);
out:
	if (idle->shared.loop != NULL)
		ev_loop_destroy(idle->shared.loop);
	free(idle->shared.read_buffer);
	free(idle->conns);
	free(idle);
	return status;
}

/*
 * bench_setup.c - see bench_setup.h.
 *
 * Subscribers come first in the array, then publishers.  Subscriber i takes K
 * of the T topics: i, i + T / K, i + 2 * (T / K) and so on, modulo T.  So all
 * topics have about the same number of members, and publishes that follow each
 * other go to different subscribers.
 */
#include "bench_setup.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench_wire.h"

enum {
	SPARE_DESCRIPTORS = 64
};

int
bench_setup_raise_limit(uint32_t connections)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)connections + SPARE_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -errno;
	if (limit.rlim_cur >= wanted)
		return 0;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	return setrlimit(RLIMIT_NOFILE, &limit) == -1 ? -errno : 0;
}

int
bench_setup_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == -1 ? -errno : 0;
}

int
bench_setup_pin_away(int cpu)
{
	cpu_set_t set;
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	if (cpu < 0 || cpus < 2)
		return 0;
	CPU_ZERO(&set);
	for (long i = 0; i < cpus && i < CPU_SETSIZE; i++)
		if (i != cpu)
			CPU_SET((size_t)i, &set);
	return sched_setaffinity(0, sizeof(set), &set) == -1 ? -errno : 0;
}

static void
init_client(struct bench *bench, uint32_t i)
{
	const struct bench_options *options = bench->options;
	struct bench_client *client = &bench->clients[i];
	size_t tracks;

	bench_conn_init(&client->conn, &bench->shared);
	buf_init(&client->stream, BENCH_QUEUE_MAX);
	client->bench = bench;
	client->publisher = i >= options->subscribers;
	client->index = client->publisher ? i - options->subscribers : i;
	if (client->publisher)
		return;

	tracks = (size_t)options->topics_per_subscriber * options->publishers;
	client->tracks = bench->tracks + tracks * client->index;
	client->first_topic = client->index % options->topics;
	for (uint32_t j = 0; j < options->topics_per_subscriber; j++)
		bench->members[bench_wire_topic(client, j)]++;
}

/* A window cannot be kept full when nobody gets what is published. */
static bool
has_lonely_topic(const struct bench *bench)
{
	for (uint32_t i = 0; i < bench->options->topics; i++)
		if (bench->members[i] == 0)
			return true;
	return false;
}

int
bench_setup_init(struct bench *bench)
{
	const struct bench_options *options = bench->options;
	size_t tracks;
	int err;

	for (size_t i = 0; i < options->url_count; i++) {
		err = bench_target_parse(options->urls[i], &bench->targets[i]);
		if (err != 0) {
			(void)fprintf(stderr,
			    "busctl bench: not a URL it can use: '%s'\n",
			    options->urls[i]);
			return err;
		}
	}
	err =
	    bench_setup_raise_limit(options->subscribers + options->publishers);
	if (err != 0) {
		(void)fprintf(stderr, "busctl bench: open files: %s\n",
		    strerror(-err));
		return err;
	}

	bench->client_count =
	    (size_t)options->subscribers + options->publishers;
	tracks = (size_t)options->topics_per_subscriber * options->publishers *
	    options->subscribers;
	bench->clients = calloc(bench->client_count, sizeof(*bench->clients));
	bench->members = calloc(options->topics, sizeof(*bench->members));
	bench->tracks = calloc(tracks + 1, sizeof(*bench->tracks));
	bench->shared.read_buffer = malloc(BENCH_READ_BYTES);
	if (bench->clients == NULL || bench->members == NULL ||
	    bench->tracks == NULL || bench->shared.read_buffer == NULL) {
		(void)fprintf(stderr, "busctl bench: out of memory\n");
		return -ENOMEM;
	}
	bench->stride = options->topics / options->topics_per_subscriber;
	for (uint32_t i = 0; i < bench->client_count; i++)
		init_client(bench, i);
	if (options->mode != BENCH_RATE && has_lonely_topic(bench)) {
		(void)fprintf(stderr,
		    "busctl bench: some topics have no "
		    "subscriber; only --rate can do that\n");
		return -EINVAL;
	}
	return 0;
}

void
bench_setup_release(struct bench *bench)
{
	for (size_t i = 0; bench->clients != NULL && i < bench->client_count;
	     i++) {
		bench_conn_release(&bench->clients[i].conn);
		buf_release(&bench->clients[i].stream);
	}
	free(bench->clients);
	free(bench->members);
	free(bench->tracks);
	free(bench->shared.read_buffer);
}

/* The path of a client's URL: its own, the protocol's, or with a topic. */
static void
choose_path(const struct bench_client *client,
    const struct bench_target *target, char *out, size_t size)
{
	const struct bench_wire *wire = client->bench->options->wire;

	if (wire->path_topic)
		(void)snprintf(out, size, "%s/t0",
		    client->publisher ? "/pub" : "/sub");
	else if (wire->path != NULL && strcmp(target->path, "/") == 0)
		(void)snprintf(out, size, "%s", wire->path);
	else
		(void)snprintf(out, size, "%s", target->path);
}

static int
open_client(struct bench *bench, uint32_t i)
{
	const struct bench_options *options = bench->options;
	struct bench_client *client = &bench->clients[i];
	const struct bench_target *target;
	char path[BENCH_PATH_MAX];
	uint32_t turn;

	turn = options->per_url > 0 ? client->index / options->per_url :
				      client->index;
	target = &bench->targets[turn % options->url_count];
	choose_path(client, target, path, sizeof(path));
	return bench_conn_open(&client->conn, target, path,
	    options->wire->subprotocol, options->wire->websocket, i);
}

void
bench_setup_connect(struct bench *bench)
{
	int err;

	while (bench->opened < bench->client_count &&
	    bench->opened - bench->ready < bench->options->parallel) {
		err = open_client(bench, (uint32_t)bench->opened);
		if (err != 0) {
			(void)fprintf(stderr,
			    "busctl bench: cannot connect: %s\n",
			    strerror(-err));
			bench->failed = true;
			ev_break(bench->shared.loop, EVBREAK_ALL);
			return;
		}
		bench->opened++;
	}
}

/*
 * bench_load.c - see bench_load.h.
 *
 * window: each place that gets free is filled at once, with a write of its
 *         own; that is how independent publishers behave.
 * burst:  when all places are free they are filled together, one write for
 *         each publisher.
 * rate:   publishes are due at fixed times.  Their latency counts from when
 *         they were due, not from when we came to it, so a server that stalls
 *         cannot hide it by stalling us (coordinated omission).
 */
#include "bench_load.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench_check.h"
#include "bench_wire.h"

enum {
	RING_MIN = 16384,
	RING_MAX = 1 << 20,
	RING_SECONDS = 12,
	GIVE_UP_MS = 10000,
	CATCH_UP_MAX = 4096, /* publishes that one turn makes up for */
};

#define NS_PER_SECOND 1000000000u

int
bench_load_init(struct bench *bench)
{
	const struct bench_options *options = bench->options;
	uint64_t wanted;
	uint32_t size = RING_MIN;

	wanted = (uint64_t)options->window * 4;
	if (options->mode == BENCH_RATE)
		wanted = (uint64_t)options->rate * RING_SECONDS;
	if (wanted < options->topics)
		wanted = options->topics; /* a round of probes */
	while (size < wanted && size < RING_MAX)
		size *= 2;
	bench->ring = calloc(size, sizeof(*bench->ring));
	bench->filler = malloc((size_t)options->size + 26);
	if (bench->ring == NULL || bench->filler == NULL)
		return -ENOMEM;
	bench->ring_mask = size - 1;
	bench->ring[0].number = UINT32_MAX; /* 0 has not been published */
	for (size_t i = 0; i < (size_t)options->size + 26; i++)
		bench->filler[i] = (char)('a' + i % 26);
	return 0;
}

void
bench_load_release(struct bench *bench)
{
	if (bench->rate_fd != -1) {
		ev_io_stop(bench->shared.loop, &bench->rate_io);
		(void)close(bench->rate_fd); /* a timer */
		bench->rate_fd = -1;
	}
	free(bench->ring);
	free(bench->filler);
	bench->ring = NULL;
	bench->filler = NULL;
}

static bool
is_publishing(const struct bench *bench)
{
	return bench->phase == BENCH_PHASE_WARMUP ||
	    bench->phase == BENCH_PHASE_MEASURE;
}

/* Everything before the oldest live publish is settled. */
static void
settle(struct bench *bench)
{
	while (bench->oldest != bench->next_number &&
	    !bench->ring[bench->oldest & bench->ring_mask].live)
		bench->oldest++;
}

static void
give_up_oldest(struct bench *bench)
{
	struct bench_publish *publish;

	publish = &bench->ring[bench->oldest & bench->ring_mask];
	assert(publish->live);
	publish->live = false;
	bench->in_flight--;
	bench->counts.given_up++;
	settle(bench);
}

static struct bench_client *
publisher_of(struct bench *bench, uint32_t index)
{
	return &bench->clients[bench->options->subscribers + index];
}

/* Queue the next publish; the caller flushes. */
static void
publish_next(struct bench *bench, uint64_t time_ns)
{
	const struct bench_options *options = bench->options;
	struct bench_publish *publish;
	struct bench_client *client;
	struct iovec payload;
	uint32_t number = bench->next_number;
	char *text;

	settle(bench);
	if (number - bench->oldest > bench->ring_mask)
		give_up_oldest(bench);
	publish = &bench->ring[number & bench->ring_mask];
	publish->number = number;
	publish->publisher = number % options->publishers;
	publish->topic = number / options->publishers % options->topics;
	publish->sequence = number / options->publishers / options->topics;
	publish->time_ns = time_ns - bench->start_ns;
	publish->remaining = bench->members[publish->topic];
	publish->live = publish->remaining > 0;
	bench_check_write_head(publish);
	bench->next_number++;

	/* The payload is the filler with its head painted over. */
	text = bench->filler + number % 26;
	payload.iov_base = text;
	payload.iov_len = options->size;
	memcpy(text, publish->head, BENCH_HEAD_BYTES);
	client = publisher_of(bench, publish->publisher);
	if (options->wire->publish(client, publish->topic, &payload) != 0) {
		publish->live = false;
		bench->counts.unsent++;
	} else {
		bench->counts.published++;
		bench->counts.expected += publish->remaining;
		if (publish->live)
			bench->in_flight++;
	}
	for (size_t i = 0; i < BENCH_HEAD_BYTES; i++)
		text[i] = (char)('a' + (number % 26 + i) % 26);
}

static void
publish_and_flush(struct bench *bench)
{
	uint32_t index = bench->next_number % bench->options->publishers;

	publish_next(bench, clock_now_ns());
	bench_conn_flush(&publisher_of(bench, index)->conn);
}

static void
flush_all(struct bench *bench)
{
	for (uint32_t i = 0; i < bench->options->publishers; i++)
		bench_conn_flush(&publisher_of(bench, i)->conn);
}

static bool
has_room(struct bench *bench)
{
	settle(bench);
	return bench->next_number - bench->oldest <= bench->ring_mask;
}

static void
fill_window(struct bench *bench)
{
	uint64_t now;

	if (bench->options->mode == BENCH_BURST) {
		if (bench->in_flight > 0)
			return;
		now = clock_now_ns();
		for (uint32_t i = 0; i < bench->options->window; i++)
			publish_next(bench, now);
		flush_all(bench);
		return;
	}
	/*
	 * A publish whose turn never comes must not be forgotten, so a full
	 * ring waits for it.  A queue of ours that is full ends the loop too.
	 */
	for (uint32_t i = bench->in_flight;
	     i < bench->options->window && has_room(bench); i++)
		publish_and_flush(bench);
}

void
bench_load_probe(struct bench *bench)
{
	uint64_t now = clock_now_ns();

	for (uint32_t i = 0; i < bench->options->topics; i++)
		publish_next(bench, now);
	flush_all(bench);
}

static void
on_due(struct ev_loop *loop, ev_io *io, int events)
{
	struct bench *bench = CONTAINER_OF(io, struct bench, rate_io);
	struct itimerspec next = { 0 };
	uint64_t interval = NS_PER_SECOND / bench->options->rate;
	uint64_t now = clock_now_ns();
	uint64_t ticks;

	(void)loop;
	(void)events;
	(void)!read(bench->rate_fd, &ticks, sizeof(ticks)); /* rearmed below */
	if (!is_publishing(bench))
		return;
	if (now > bench->due_ns && now - bench->due_ns > bench->lag_max_ns &&
	    bench->phase == BENCH_PHASE_MEASURE)
		bench->lag_max_ns = now - bench->due_ns;
	for (int i = 0; i < CATCH_UP_MAX && bench->due_ns <= now; i++) {
		publish_next(bench, bench->due_ns);
		bench->due_ns += interval;
	}
	flush_all(bench);
	next.it_value.tv_sec = (time_t)(bench->due_ns / NS_PER_SECOND);
	next.it_value.tv_nsec = (long)(bench->due_ns % NS_PER_SECOND);
	if (timerfd_settime(bench->rate_fd, TFD_TIMER_ABSTIME, &next, NULL) ==
	    -1)
		bench->failed = true;
}

int
bench_load_start(struct bench *bench)
{
	struct itimerspec soon = { .it_value = { 0, 1 } };

	if (bench->options->mode != BENCH_RATE) {
		fill_window(bench);
		return 0;
	}
	bench->rate_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (bench->rate_fd == -1)
		return -errno;
	bench->due_ns = clock_now_ns();
	ev_io_init(&bench->rate_io, on_due, bench->rate_fd, EV_READ);
	ev_io_start(bench->shared.loop, &bench->rate_io);
	if (timerfd_settime(bench->rate_fd, 0, &soon, NULL) == -1)
		return -errno;
	return 0;
}

void
bench_load_arrived(struct bench *bench, struct bench_publish *publish)
{
	uint64_t now = bench->shared.now_ns - bench->start_ns;

	if (publish->number < bench->first_counted &&
	    bench->phase != BENCH_PHASE_PROBE)
		return;
	bench->counts.arrived++;
	if (publish->number - bench->first_measured <
	    bench->last_measured - bench->first_measured)
		bench_histogram_add(&bench->latency,
		    now > publish->time_ns ? now - publish->time_ns : 0);

	if (publish->remaining > 0)
		publish->remaining--;
	if (publish->remaining > 0 || !publish->live)
		return;
	publish->live = false;
	bench->in_flight--;
	bench->counts.completed++;
	if (is_publishing(bench) && bench->options->mode != BENCH_RATE)
		fill_window(bench);
}

void
bench_load_sweep(struct bench *bench)
{
	const struct bench_publish *publish;
	uint64_t now = clock_now_ns() - bench->start_ns;

	settle(bench);
	while (bench->oldest != bench->next_number) {
		publish = &bench->ring[bench->oldest & bench->ring_mask];
		if (now < publish->time_ns + GIVE_UP_MS * UINT64_C(1000000))
			break;
		give_up_oldest(bench);
	}
	/* With everything given up nobody else would go on publishing. */
	if (is_publishing(bench) && bench->options->mode != BENCH_RATE)
		fill_window(bench);
}

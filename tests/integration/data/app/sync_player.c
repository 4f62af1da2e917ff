/*
 * sync_player.c - a driver alone, played from standard input.
 *
 *	sync_player DRIVER.so URL CHANNEL ID QUEUE_MAX [BACKOFF_MAX_MS]
 *
 * Reads lines, prints lines:
 *
 *	pub N TOPIC TEXT   N times       published RC of the last, and a count
 *	bytes N TOPIC LEN  zero bytes    the same
 *	sync               -             "synced": the loop was here
 *	close MS           close         "closed"
 *
 *	state 0|1, error STAGE CODE TEXT, lost N, got NAMESPACE TOPIC text|binary DATA
 */
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clusterbus/sync.h"

static const struct cbus_sync_driver *driver;
static struct cbus_sync *sync_;
static char input[1 << 16];
static size_t input_len;

static void
on_deliver(void *arg, const struct cbus_sync_message *message)
{
	(void)arg;
	printf("got %.*s %.*s %s %.*s\n", (int)message->namespace_len,
	    message->namespace_, (int)message->topic_len, message->topic,
	    message->binary ? "binary" : "text", (int)message->len,
	    (const char *)message->data);
}

static void
on_error(void *arg, enum cbus_sync_stage stage, int code, const char *text)
{
	(void)arg;
	printf("error %d %d %s\n", (int)stage, code, text);
}

static void
on_lost(void *arg, size_t count)
{
	(void)arg;
	printf("lost %zu\n", count);
}

static void
on_state(void *arg, bool connected)
{
	(void)arg;
	printf("state %d\n", connected ? 1 : 0);
}

static const struct cbus_sync_events events = {
	.deliver = on_deliver,
	.on_error = on_error,
	.on_lost = on_lost,
	.on_state = on_state,
};

static void
publish(long count, const char *topic, const char *data, size_t len,
    bool binary)
{
	struct cbus_sync_message message = { .namespace_ = "",
		.topic = topic,
		.topic_len = strlen(topic),
		.data = data,
		.len = len,
		.binary = binary };
	long taken = 0;
	int rc = 0;

	for (long i = 0; i < count; i++) {
		rc = driver->publish(sync_, &message);
		taken += rc == 0;
	}
	printf("published %d %ld\n", rc, taken);
}

static void
run(char *line, struct ev_loop *loop)
{
	char topic[64];
	long number = 0, size;
	int at = 0;
	char *zeros;

	if (sscanf(line, "pub %ld %63s %n", &number, topic, &at) == 2) {
		publish(number, topic, line + at, strlen(line + at), false);
	} else if (sscanf(line, "bytes %ld %63s %ld", &number, topic, &size) ==
	    3) {
		zeros = calloc(1, (size_t)size + 1);
		assert(zeros != NULL);
		publish(number, topic, zeros, (size_t)size, true);
		free(zeros);
	} else if (strcmp(line, "sync") == 0) {
		printf("synced\n");
	} else if (sscanf(line, "close %ld", &number) == 1) {
		driver->close(sync_, (uint32_t)number);
		sync_ = NULL;
		printf("closed\n");
		ev_break(loop, EVBREAK_ALL);
	}
}

static void
on_input(struct ev_loop *loop, ev_io *io, int revents)
{
	ssize_t got =
	    read(io->fd, input + input_len, sizeof(input) - input_len - 1);
	char *end;

	(void)revents;
	if (got <= 0) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	input_len += (size_t)got;
	input[input_len] = '\0';
	while ((end = strchr(input, '\n')) != NULL) {
		*end = '\0';
		run(input, loop);
		input_len -= (size_t)(end + 1 - input);
		memmove(input, end + 1, input_len + 1);
	}
}

int
main(int argc, char **argv)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct cbus_sync_params params = { .loop = loop,
		.events = &events,
		.backoff_min_ms = 20,
		.backoff_max_ms = 200 };
	char why[256] = "";
	ev_io io;
	void *object;

	assert(argc >= 6 && loop != NULL);
	assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR); /* as a primary does */
	setvbuf(stdout, NULL, _IOLBF, 0);
	object = dlopen(argv[1], RTLD_NOW);
	if (object == NULL)
		printf("dlopen %s\n", dlerror());
	assert(object != NULL);
	driver = dlsym(object, "cbus_sync_driver");
	assert(driver != NULL && driver->version == CBUS_SYNC_VERSION);
	params.url = argv[2];
	params.channel = argv[3];
	params.id = argv[4];
	params.queue_max = (size_t)strtoul(argv[5], NULL, 10);
	if (driver->check(argv[2], argv[3], why, sizeof(why)) != 0) {
		printf("check %s\n", why);
		ev_loop_destroy(loop);
		return 2;
	}
	if (driver->open(&params, &sync_, why, sizeof(why)) != 0) {
		printf("open %s\n", why);
		ev_loop_destroy(loop);
		return 2;
	}
	ev_io_init(&io, on_input, STDIN_FILENO, EV_READ);
	ev_io_start(loop, &io);
	ev_run(loop, 0);
	driver->close(sync_, 0);
	ev_loop_destroy(loop);
	return 0;
}

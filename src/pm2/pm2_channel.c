/*
 * pm2_channel.c - the channel's life: bytes in, bytes out, once a second; see
 * pm2_channel.h.  What is in the lines is pm2_lines.c.
 */
#include "pm2/pm2_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define TICK_S 1.0

enum {
	READ_BYTES = 4096,
	READS_PER_TURN = 4,
	AGAIN_MS = 900,      /* "ready" is said again after this */
	LAST_WORDS_MS = 200, /* for what PM2 has not read at the end */
};

/* ---- out --------------------------------------------------------------- */

/* Nobody is there any more. */
static void
lose(struct pm2_channel *channel)
{
	if (channel->gone)
		return;
	channel->gone = true;
	ev_io_stop(channel->loop, &channel->readable);
	ev_io_stop(channel->loop, &channel->writable);
	ev_timer_stop(channel->loop, &channel->tick);
	buf_clear(&channel->out);
	channel->events->on_gone(channel->arg);
}

/* Write what the socket takes.  False: nobody is there any more. */
static bool
flush(struct pm2_channel *channel)
{
	ssize_t n;

	while (channel->out.len > 0) {
		n = send(channel->fd, buf_data(&channel->out), channel->out.len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN;
		buf_consume(&channel->out, (size_t)n);
	}
	return true;
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct pm2_channel *channel = watcher->data;

	(void)events;
	if (!flush(channel))
		lose(channel);
	else if (channel->out.len == 0)
		ev_io_stop(loop, watcher);
}

void
pm2_say(struct pm2_channel *channel, const struct buf *line)
{
	if (channel->gone)
		return;
	/* Whole or not at all: PM2 would choke on half a line. */
	if (buf_append(&channel->out, buf_data(line), line->len) != 0) {
		channel->dropped++;
		return;
	}
	ev_io_start(channel->loop, &channel->writable);
}

/* ---- in ---------------------------------------------------------------- */

/* Handle all whole lines; what is too long is skipped to its end. */
static void
take_lines(struct pm2_channel *channel)
{
	const char *text, *end;
	size_t len;

	while (channel->in.len > 0) {
		text = (const char *)buf_data(&channel->in);
		end = memchr(text, '\n', channel->in.len);
		if (end == NULL && channel->in.len < PM2_LINE_MAX)
			return;
		if (end == NULL) {
			channel->bad += !channel->skipping;
			channel->skipping = true;
			buf_clear(&channel->in);
			return;
		}
		len = (size_t)(end - text);
		if (channel->skipping)
			channel->skipping = false; /* it was counted */
		else if (!pm2_take_line(channel, text, len))
			channel->bad++;
		buf_consume(&channel->in, len + 1);
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct pm2_channel *channel = watcher->data;
	char data[READ_BYTES];
	ssize_t n;

	(void)loop;
	(void)events;
	for (int i = 0; i < READS_PER_TURN && !channel->gone; i++) {
		n = recv(channel->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			lose(channel);
			return;
		}
		/* Never more than a line and what one read brought. */
		if (buf_append(&channel->in, data, (size_t)n) != 0) {
			channel->bad++;
			channel->skipping = true;
			buf_clear(&channel->in);
		}
		take_lines(channel);
	}
}

/* ---- life -------------------------------------------------------------- */

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct pm2_channel *channel = timer->data;

	(void)loop;
	(void)events;
	if (channel->ready_said == 1 &&
	    clock_now_ms() - channel->ready_ms >= AGAIN_MS)
		pm2_say_ready(channel);
	pm2_begin_metrics(channel);
	channel->events->on_tick(channel->arg);
	pm2_end_metrics(channel);
}

struct pm2_channel *
pm2_channel_new(struct ev_loop *loop, int fd, const struct pm2_events *events,
    void *arg)
{
	struct pm2_channel *channel = calloc(1, sizeof(*channel));

	if (channel == NULL) {
		(void)close(fd); /* PM2 sees that we do not speak */
		return NULL;
	}
	channel->loop = loop;
	channel->fd = fd;
	channel->events = events;
	channel->arg = arg;
	buf_init(&channel->in, PM2_LINE_MAX + READ_BYTES);
	buf_init(&channel->out, PM2_OUT_MAX);
	buf_init(&channel->metrics, PM2_LINE_MAX);
	ev_io_init(&channel->readable, on_readable, fd, EV_READ);
	ev_io_init(&channel->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&channel->tick, on_tick, TICK_S, TICK_S);
	channel->readable.data = channel;
	channel->writable.data = channel;
	channel->tick.data = channel;
	ev_io_start(loop, &channel->readable);
	ev_timer_start(loop, &channel->tick);
	for (size_t i = 0; i < events->action_count; i++)
		pm2_say_action(channel, &events->actions[i]);
	return channel;
}

void
pm2_channel_free(struct pm2_channel *channel)
{
	uint64_t end = clock_now_ms() + LAST_WORDS_MS;
	struct pollfd pfd = { .events = POLLOUT };

	if (channel == NULL)
		return;
	pfd.fd = channel->fd;
	while (!channel->gone && flush(channel) && channel->out.len > 0 &&
	    clock_now_ms() < end)
		(void)poll(&pfd, 1, 20); /* the loop looks again */
	ev_io_stop(channel->loop, &channel->readable);
	ev_io_stop(channel->loop, &channel->writable);
	ev_timer_stop(channel->loop, &channel->tick);
	(void)close(channel->fd); /* nothing more to say */
	buf_release(&channel->in);
	buf_release(&channel->out);
	buf_release(&channel->metrics);
	free(channel);
}

void
pm2_channel_ready(struct pm2_channel *channel)
{
	if (channel->ready_said != 0)
		return;
	channel->ready_ms = clock_now_ms();
	pm2_say_ready(channel);
}

void
pm2_channel_counts(struct pm2_channel *channel, uint64_t *ret_bad,
    uint64_t *ret_dropped)
{
	*ret_bad = channel->bad;
	*ret_dropped = channel->dropped;
	channel->bad = 0;
	channel->dropped = 0;
}

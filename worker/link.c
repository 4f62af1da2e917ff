/*
 * link.c - a link's life: attached, welcome, away, back; see link.h.
 *
 *	LINK_AWAY --knock--> LINK_HELLO --WELCOME--> LINK_UP
 *	    ^                     |                     |
 *	    +----- end of file, any error, REFUSED -----+
 *
 * The first time out of LINK_UP starts the orphan's clock; being refused or cut
 * off before a WELCOME does not start it anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/net.h"
#include "wire/stats.h"
#include "worker/link_internal.h"

enum {
	KNOCK_MIN_MS = 50,
	KNOCK_MAX_MS = 1000,
	/* A hub that lets us in without a word is none. */
	HELLO_TIMEOUT_MS = 5000,
};

static void
start_knocking(struct link *link, uint64_t after_ms)
{
	ev_timer_stop(link->loop, &link->knock);
	ev_timer_set(&link->knock, (double)after_ms / 1000., 0.);
	ev_timer_start(link->loop, &link->knock);
}

void
link_go_away(struct link *link, const char *why)
{
	bool was_up = link->state == LINK_UP;

	if (link->fd == -1)
		return;
	ev_io_stop(link->loop, &link->readable);
	ev_io_stop(link->loop, &link->writable);
	(void)close(link->fd); /* nothing to do about a failing close */
	link->fd = -1;
	link->wants_write = false;
	link->overflow = false;
	link->state = LINK_AWAY;
	ipc_in_release(&link->in);
	ipc_fds_in_release(&link->in_fds);
	link_forget_queue(link);
	if (link->stats != NULL)
		stats_set(&link->stats->hub_connected, 0);
	if (was_up) {
		link->away_since_ms = clock_now_ms();
		/* One that goes as soon as it came is not to be hurried. */
		if (link->away_since_ms - link->up_since_ms >= KNOCK_MAX_MS)
			link->knock_ms = KNOCK_MIN_MS;
		link->orphan_told = false;
		link->events->on_away(link->arg, why);
	}
	start_knocking(link, link->knock_ms);
}

static int
send_hello(struct link *link)
{
	struct ipc_hello hello = {
		.version = IPC_VERSION,
		.kind = IPC_KIND_WORKER,
		.pid = (uint32_t)getpid(),
		.fd_count = (uint32_t)link->listener_count,
		.id = link->id,
		.section = link->section,
	};
	struct buf out;
	ssize_t n;
	int rc;

	buf_init(&out, IPC_TEXT_MAX);
	/* With the zero byte between them, if there are both. */
	rc = ipc_append(&out, IPC_HELLO, &hello, sizeof(hello), link->name,
	    strlen(link->name) + (link->bus[0] != '\0'), link->bus,
	    strlen(link->bus));
	if (rc != 0)
		return rc;
	n = net_send_fds(link->fd, buf_data(&out), out.len, link->listeners,
	    link->listener_count);
	rc = n == (ssize_t)out.len ? 0 : n < 0 ? (int)n : -EPIPE;
	buf_release(&out);
	return rc;
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	(void)loop;
	(void)revents;
	link_read(watcher->data);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct link *link = watcher->data;

	(void)revents;
	link->wants_write = false;
	ev_io_stop(loop, &link->writable);
	link_flush(link);
}

static void
attach(struct link *link, int fd)
{
	link->fd = fd;
	link->state = LINK_HELLO;
	ipc_socket_buffers(fd);
	ev_io_set(&link->readable, fd, EV_READ);
	ev_io_set(&link->writable, fd, EV_WRITE);
	ev_io_start(link->loop, &link->readable);
	if (send_hello(link) != 0)
		link_go_away(link, "could not be greeted");
}

static void
on_knock(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct link *link = watcher->data;
	uint64_t away_ms = clock_now_ms() - link->away_since_ms;
	int fd;

	(void)loop;
	(void)revents;
	if (link->hub_path[0] == '\0') {
		link->events->on_orphan(link->arg); /* nowhere to knock */
		return;
	}
	if (link->was_up && !link->orphan_told &&
	    away_ms >= link->orphan_timeout_ms) {
		link->orphan_told = true;
		link->events->on_orphan(link->arg);
	}
	if (link->state == LINK_HELLO) {
		link_go_away(link, "it does not answer");
		return;
	}
	if (link->was_up && link->listener_count == 0 && !link->knocks)
		return; /* leaving: no new primary needs us */
	link->knock_ms *= 2;
	if (link->knock_ms > KNOCK_MAX_MS)
		link->knock_ms = KNOCK_MAX_MS;
	fd = net_connect_unix(link->hub_path);
	if (fd < 0) {
		start_knocking(link, link->knock_ms);
		return;
	}
	start_knocking(link, HELLO_TIMEOUT_MS);
	attach(link, fd);
}

struct link *
link_new(struct ev_loop *loop, int fd, const char *hub_path, const char *name,
    const struct link_events *events, void *arg)
{
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL) {
		if (fd != -1)
			(void)close(fd);
		return NULL;
	}
	link->loop = loop;
	link->events = events;
	link->arg = arg;
	link->fd = -1;
	link->id.slot = IPC_SLOT_NONE;
	link->section = UINT32_MAX;
	link->knock_ms = KNOCK_MIN_MS;
	link->away_since_ms = clock_now_ms();
	(void)snprintf(link->name, sizeof(link->name), "%s", name);
	if (hub_path != NULL)
		(void)snprintf(link->hub_path, sizeof(link->hub_path), "%s",
		    hub_path);
	ipc_in_init(&link->in);
	link_set_limits(link, 1 << 20, 30000);
	ev_init(&link->readable, on_readable);
	ev_init(&link->writable, on_writable);
	ev_init(&link->knock, on_knock);
	link->readable.data = link;
	link->writable.data = link;
	link->knock.data = link;
	if (fd != -1)
		attach(link, fd);
	else
		start_knocking(link, 0);
	return link;
}

void
link_free(struct link *link)
{
	if (link == NULL)
		return;
	ev_io_stop(link->loop, &link->readable);
	ev_io_stop(link->loop, &link->writable);
	ev_timer_stop(link->loop, &link->knock);
	if (link->fd != -1)
		(void)close(link->fd);
	ipc_in_release(&link->in);
	ipc_fds_in_release(&link->in_fds);
	ipc_fds_out_release(&link->out_fds);
	buf_release(&link->out);
	free(link);
}

void
link_set_stats(struct link *link, struct stats_worker *stats)
{
	link->stats = stats;
}

void
link_set_bus(struct link *link, const char *name)
{
	(void)snprintf(link->bus, sizeof(link->bus), "%s", name);
}

void
link_set_limits(struct link *link, size_t queue_max, uint64_t orphan_timeout_ms)
{
	link->queue_max = queue_max;
	link->out.max = queue_max + LINK_COMMAND_ROOM;
	link->orphan_timeout_ms = orphan_timeout_ms;
}

void
link_set_listeners(struct link *link, const int *fds, size_t count)
{
	link->listeners = fds;
	link->listener_count = count;
}

void
link_set_knocking(struct link *link, bool knocks)
{
	link->knocks = knocks;
}

enum link_state
link_state(const struct link *link)
{
	return link->state;
}

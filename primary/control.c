/*
 * control.c - connections of the control socket: a line in, lines out.
 *
 * See control.h; what the commands do is in control_commands.c.
 */
#include "primary/control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "primary/control_peer.h"

static void
peer_free(struct control_peer *peer)
{
	struct control *control = peer->control;

	ev_io_stop(control->loop, &peer->readable);
	ev_io_stop(control->loop, &peer->writable);
	ev_timer_stop(control->loop, &peer->deadline);
	list_remove(&peer->waiter.link);
	list_remove(&peer->link);
	buf_release(&peer->out);
	(void)close(peer->fd); /* nothing more to say */
	control->count--;
	free(peer);
}

/* Write what the socket takes.  False: nobody is there any more. */
static bool
flush(struct control_peer *peer)
{
	ssize_t n;

	while (peer->out.len > 0) {
		n = send(peer->fd, buf_data(&peer->out), peer->out.len,
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN;
		buf_consume(&peer->out, (size_t)n);
	}
	return true;
}

/*
 * Queue a line.  It is sent by on_writable(), so that nothing is freed inside
 * its own callback.
 */
static void say(struct control_peer *peer, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct control_peer *peer, const char *fmt, ...)
{
	char line[1200];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	if ((size_t)len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	for (int i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20)
			line[i] = ' ';
	}
	line[len++] = '\n';
	/* A reader that does not read misses lines, and costs nothing. */
	(void)!buf_append(&peer->out, line, (size_t)len);
	ev_io_start(peer->control->loop, &peer->writable);
}

void
control_answer(struct control_peer *peer, int code, const char *text)
{
	struct control *control = peer->control;

	peer->finished = true;
	ev_io_stop(control->loop, &peer->readable);
	if (code == 0)
		say(peer, "ok %s", text);
	else
		say(peer, "error %d %s", code, text);
	/* The rest of its time is for reading the answer. */
	ev_timer_stop(control->loop, &peer->deadline);
	ev_timer_set(&peer->deadline, CONTROL_LINE_S, 0.0);
	ev_timer_start(control->loop, &peer->deadline);
}

static void
on_info(struct waiter *waiter, const char *text)
{
	say(CONTAINER_OF(waiter, struct control_peer, waiter), "info %s", text);
}

static void
on_done(struct waiter *waiter, int code, const char *text)
{
	control_answer(CONTAINER_OF(waiter, struct control_peer, waiter), code,
	    text);
}

/* ---- connections ------------------------------------------------------- */

/* After its line a peer may close its half and wait, or be gone. */
static void
on_end_of_input(struct control_peer *peer)
{
	struct pollfd poll_fd = { .fd = peer->fd };
	bool asked = !ev_is_active(&peer->deadline);

	ev_io_stop(peer->control->loop, &peer->readable);
	/* One that only closed its half has no POLLHUP. */
	if (asked && poll(&poll_fd, 1, 0) == 0)
		return;
	peer_free(peer);
}

static void
read_line(struct control_peer *peer, size_t had)
{
	char *end, line[CONTROL_LINE_MAX + 1];
	size_t len;

	end = memchr(peer->line + had, '\n', peer->len - had);
	if (end == NULL) {
		if (peer->len == sizeof(peer->line))
			control_answer(peer, 2, "the line is too long");
		return;
	}
	len = (size_t)(end - peer->line);
	memcpy(line, peer->line, len);
	line[len] = '\0';
	ev_timer_stop(peer->control->loop, &peer->deadline);
	if (end + 1 != peer->line + peer->len)
		control_answer(peer, 2, "one line only");
	else if (memchr(line, '\0', len) != NULL)
		control_answer(peer, 2, "no such command");
	else
		control_run(peer, line);
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct control_peer *peer = watcher->data;
	char more[CONTROL_LINE_MAX];
	bool has_line = !ev_is_active(&peer->deadline);
	size_t had = peer->len;
	ssize_t n;

	(void)events;
	n = has_line ?
	    recv(peer->fd, more, sizeof(more), 0) :
	    recv(peer->fd, peer->line + had, sizeof(peer->line) - had, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		on_end_of_input(peer);
		return;
	}
	if (has_line) {
		/* It talks while it should listen: not heard any more. */
		ev_io_stop(loop, watcher);
		return;
	}
	peer->len += (size_t)n;
	read_line(peer, had);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct control_peer *peer = watcher->data;

	(void)events;
	if (!flush(peer) || (peer->out.len == 0 && peer->finished)) {
		peer_free(peer);
		return;
	}
	if (peer->out.len == 0)
		ev_io_stop(loop, watcher);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct control_peer *peer = timer->data;

	(void)loop;
	(void)events;
	if (peer->finished)
		peer_free(peer);
	else
		control_answer(peer, 2, "no command came in time");
}

struct control_peer *
control_peer_new(struct control *control, int fd)
{
	struct control_peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		return NULL;
	peer->control = control;
	peer->fd = fd;
	buf_init(&peer->out, CONTROL_OUT_MAX);
	list_init(&peer->link);
	list_init(&peer->waiter.link);
	peer->waiter.info = on_info;
	peer->waiter.done = on_done;
	ev_io_init(&peer->readable, on_readable, fd, EV_READ);
	ev_io_init(&peer->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&peer->deadline, on_deadline, CONTROL_LINE_S, 0.0);
	peer->readable.data = peer;
	peer->writable.data = peer;
	peer->deadline.data = peer;
	ev_io_start(control->loop, &peer->readable);
	ev_timer_start(control->loop, &peer->deadline);
	list_append(&control->connections, &peer->link);
	control->count++;
	return peer;
}

void
control_peer_go_on(struct control_peer *peer, bool finished, struct job *job)
{
	struct ev_loop *loop = peer->control->loop;

	peer->finished = finished;
	if (finished)
		ev_io_stop(loop, &peer->readable);
	if (job != NULL) {
		ev_timer_stop(loop, &peer->deadline);
		list_append(&job->waiters, &peer->waiter.link);
	}
	if (peer->out.len > 0)
		ev_io_start(loop, &peer->writable);
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct control *control = watcher->data;

	(void)events;
	ev_io_start(loop, &control->acceptable);
}

/* Out of descriptors: the socket stays readable, so look away for a moment. */
static void
pause_accepting(struct control *control)
{
	ev_timer_stop(control->loop, &control->accept_pause);
	ev_io_stop(control->loop, &control->acceptable);
	ev_timer_set(&control->accept_pause, ACCEPT_PAUSE_S, 0.);
	ev_timer_start(control->loop, &control->accept_pause);
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	static const char full[] = "error 75 too many connections\n";
	struct control *control = watcher->data;
	pid_t pid = 0;
	uid_t uid = 0;
	int fd;

	(void)loop;
	(void)events;
	fd = accept4(control->listen_fd, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_accepting(control);
		return;
	}
	if (net_peer(fd, &pid, &uid) != 0 || !net_peer_allowed(uid)) {
		log_warnx("control: user %ld (pid %ld) was turned away",
		    (long)uid, (long)pid);
		(void)close(fd);
		return;
	}
	if (control->count >= CONTROL_CONNECTIONS_MAX ||
	    control_peer_new(control, fd) == NULL) {
		(void)!send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL);
		(void)close(fd); /* it was told, if it listens */
	}
}

struct control *
control_new(struct ev_loop *loop, int listen_fd, struct jobs *jobs,
    const struct control_calls *calls, void *arg)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL) {
		(void)close(listen_fd); /* never used */
		return NULL;
	}
	control->loop = loop;
	control->jobs = jobs;
	control->calls = calls;
	control->arg = arg;
	control->listen_fd = listen_fd;
	list_init(&control->connections);
	ev_io_init(&control->acceptable, on_acceptable, listen_fd, EV_READ);
	control->acceptable.data = control;
	ev_init(&control->accept_pause, on_pause_over);
	control->accept_pause.data = control;
	ev_io_start(loop, &control->acceptable);
	return control;
}

void
control_stopped(struct control *control, int code, const char *text)
{
	struct list *pos, *tmp;
	struct control_peer *peer;

	list_for_each_safe(pos, tmp, &control->connections) {
		peer = LIST_ENTRY(pos, struct control_peer, link);
		if (peer->stops && !peer->finished)
			control_answer(peer, code, text);
		(void)flush(peer); /* a line fits into its socket */
	}
}

void
control_flush(struct control *control)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &control->connections)
		(void)flush(LIST_ENTRY(pos, struct control_peer, link));
}

void
control_free(struct control *control)
{
	struct list *pos, *tmp;

	if (control == NULL)
		return;
	list_for_each_safe(pos, tmp, &control->connections)
		peer_free(LIST_ENTRY(pos, struct control_peer, link));
	ev_io_stop(control->loop, &control->acceptable);
	(void)close(control->listen_fd); /* nobody is waiting */
	free(control);
}

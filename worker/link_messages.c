/*
 * link_messages.c - what the hub says, and what waits to be said to it.
 *
 * One read brings many messages; each goes to the worker through struct
 * link_events.  A worker may do anything inside these calls, also what makes
 * the link go away, so every step looks whether the connection is still there.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/stats.h"
#include "worker/link_internal.h"

enum {
	READS_PER_TURN = 4
};

void
link_note_queue(struct link *link)
{
	if (link->stats != NULL)
		stats_set(&link->stats->link_bytes, link->out.len);
}

/* ---- what the hub says ------------------------------------------------- */

static void
on_welcome(struct link *link, struct ipc_message *message, const int *fds,
    size_t count)
{
	struct ipc_welcome welcome;
	struct rundir rundir;
	size_t len = message->len - sizeof(welcome);
	bool first = !link->was_up;

	memcpy(&welcome, message->body, sizeof(welcome));
	if (len < sizeof(rundir.path)) {
		memcpy(rundir.path, message->body + sizeof(welcome), len);
		rundir.path[len] = '\0';
		rundir_file(&rundir, "hub.sock", link->hub_path,
		    sizeof(link->hub_path));
	}
	ev_timer_stop(link->loop, &link->knock);
	link->state = LINK_UP;
	link->up_since_ms = clock_now_ms();
	link->was_up = true;
	link->id = welcome.id;
	link->section = welcome.section;
	if (first)
		link->events->on_welcome(link->arg, &welcome, fds, count);
	else
		link->events->on_back(link->arg, &welcome, fds, count);
	if (link->stats != NULL)
		stats_set(&link->stats->hub_connected, 1);
}

static void
on_refused(struct link *link, struct ipc_message *message)
{
	struct ipc_refused refused;
	char why[256];
	size_t len = message->len - sizeof(refused);

	memcpy(&refused, message->body, sizeof(refused));
	if (len >= sizeof(why))
		len = sizeof(why) - 1;
	memcpy(why, message->body + sizeof(refused), len);
	why[len] = '\0';
	link->events->on_refused(link->arg, refused.retry_ms, why);
}

static void
on_envelope(struct link *link, struct ipc_message *message)
{
	struct ipc_envelope envelope;

	if (ipc_read_envelope(message, &envelope) != 0) {
		link_go_away(link,
		    "envelope whose lengths contradict each other");
		return;
	}
	link->events->on_envelope(link->arg, &envelope);
}

static void
dispatch(struct link *link, struct ipc_message *message, const int *fds,
    size_t count)
{
	struct ipc_drain drain;
	struct ipc_joined joined;

	switch (message->type) {
	case IPC_PUBLISH:
		on_envelope(link, message);
		break;
	case IPC_JOINED:
		memcpy(&joined, message->body, sizeof(joined));
		link->events->on_joined(link->arg, joined.token);
		break;
	case IPC_WELCOME:
		on_welcome(link, message, fds, count);
		break;
	case IPC_REFUSED:
		on_refused(link, message);
		break;
	case IPC_CONFIG:
		link->events->on_config(link->arg, (const char *)message->body,
		    message->len);
		break;
	case IPC_DRAIN:
		memcpy(&drain, message->body, sizeof(drain));
		link->events->on_drain(link->arg, drain.window_ms,
		    drain.leave != 0);
		break;
	case IPC_REOPEN:
		link->events->on_reopen(link->arg);
		break;
	case IPC_PONG:
		break;
	case IPC_CONTRACT:
		link->events->on_contract(link->arg,
		    (const char *)message->body, message->len);
		break;
	case IPC_QUERY:
	case IPC_ANSWER:
	case IPC_QUERIED:
		link_on_question(link, message);
		break;
	case IPC_WANTED:
	case IPC_GONE:
		link_on_presence(link, message);
		break;
	case IPC_FAULT:
		link->events->on_fault(link->arg, message);
		break;
	case IPC_MOVE:
	case IPC_OFFER:
	case IPC_STEP:
	case IPC_GIVE:
		link_on_move(link, message);
		break;
	case IPC_HELLO:
	case IPC_APPLIED:
	case IPC_READY:
	case IPC_JOIN:
	case IPC_LEAVE:
	case IPC_PING:
	case IPC_LEAVING:
	case IPC_TYPE_COUNT:
		assert(false && "direction was checked by the table");
		break;
	}
}

/*
 * Handle all whole messages.  Before the WELCOME descriptors are its own, later
 * they wait for the message that they belong to.
 */
static void
handle_input(struct link *link, const int *fds, size_t fd_count)
{
	bool welcome = link->state != LINK_UP;
	struct ipc_message message;
	const char *why = "";
	ssize_t n;

	if (!welcome && fd_count != 0) {
		if (!ipc_fds_came(&link->in_fds, fds, fd_count))
			link_go_away(link, "descriptors that nobody takes");
		fd_count = 0;
	}
	while (link->fd != -1) {
		n = ipc_in_peek(&link->in, 0, IPC_DOWN, &message, &why);
		if (n < 0)
			link_go_away(link, why);
		if (n <= 0)
			break;
		dispatch(link, &message, fds, fd_count);
		if (message.type == IPC_WELCOME)
			fd_count = 0;
		if (link->fd != -1)
			ipc_in_consume(&link->in, (size_t)n);
	}
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]); /* came with something else */
}

void
link_read(struct link *link)
{
	int fds[IPC_FDS_MAX];
	size_t fd_count = 0;
	ssize_t n;

	/*
	 * More than one read: while clients were written to, envelopes piled
	 * up, and each one found now shares the next write to every client.
	 */
	for (int i = 0; i < READS_PER_TURN && link->fd != -1; i++) {
		n = ipc_in_read(&link->in, link->fd, fds, ARRAY_LEN(fds),
		    &fd_count);
		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			link_go_away(link,
			    n == 0 ? "closed" : strerror((int)-n));
			return;
		}
		handle_input(link, fds, fd_count);
		if (n < IPC_READ_BYTES / 4)
			return;
	}
}

/* ---- writing ----------------------------------------------------------- */

/* The first message in out from byte `at` on: its whole size. */
static size_t
message_size(const struct link *link, size_t at, bool *ret_publish)
{
	struct ipc_header head;

	memcpy(&head, buf_data(&link->out) + at, sizeof(head));
	*ret_publish = head.type == IPC_PUBLISH;
	return sizeof(head) + head.len;
}

/* The first n bytes were written; remember where the next message begins. */
static void
consume(struct link *link, size_t n)
{
	size_t at = link->cut;

	if (n != link->out.len) {
		while (at < n)
			at += message_size(link, at, &link->cut_publish);
		link->cut = at - n;
	} else {
		link->cut = 0;
	}
	buf_consume(&link->out, n);
}

void
link_forget_queue(struct link *link)
{
	uint64_t lost = link->cut != 0 && link->cut_publish;
	bool is_publish;

	for (size_t at = link->cut; at < link->out.len; lost += is_publish)
		at += message_size(link, at, &is_publish);
	if (link->stats != NULL)
		stats_add(&link->stats->drop_hub_away, lost);
	link->cut = 0;
	buf_clear(&link->out);
	ipc_fds_out_release(&link->out_fds);
	link_note_queue(link);
}

void
link_flush(struct link *link)
{
	struct iovec iov;
	ssize_t n = 0;
	bool again;

	if (link->overflow) {
		link_go_away(link, "it does not read");
		return;
	}
	if (link->fd == -1 || link->out.len == 0)
		return;
	if (link->wants_write) {
		link_note_queue(link); /* it grows while the socket is full */
		return;
	}
	do {
		iov = (struct iovec){ buf_data(&link->out), link->out.len };
		again = link->out_fds.count != 0; /* they stand in the way */
		n = ipc_fds_write(&link->out_fds, link->fd, &iov, 1);
		if (n > 0)
			consume(link, (size_t)n);
	} while (n > 0 && again && link->out.len != 0);
	/* ETOOMANYREFS: too many descriptors on their way, for now. */
	if (n < 0 && n != -EAGAIN && n != -ETOOMANYREFS) {
		link_go_away(link, strerror((int)-n));
		return;
	}
	if (link->out.len != 0) {
		link->wants_write = true;
		ev_io_start(link->loop, &link->writable);
	}
	link_note_queue(link);
}

void
link_flush_all(struct link *link, int timeout_ms)
{
	uint64_t end = clock_now_ms() + (uint64_t)timeout_ms;
	struct pollfd pfd = { .events = POLLOUT };

	while (link->fd != -1 && link->out.len != 0 && clock_now_ms() < end) {
		link->wants_write = false;
		link_flush(link);
		pfd.fd = link->fd;
		if (link->fd != -1 && link->out.len != 0)
			(void)poll(&pfd, 1, 50); /* the loop looks again */
	}
}

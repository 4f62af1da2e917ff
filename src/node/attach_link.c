/*
 * attach_link.c - the connection to the hub: lost, knocked for, back; see
 * attached.h.
 *
 * Whoever comes back says first which channels he wants, all of them, and then
 * tells the rest of the library: a question that is asked then comes after the
 * JOINs, so that nothing falls between.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/attached.h"
#include "wire/node_id.h"

enum {
	KNOCK_MIN_MS = 50,
	KNOCK_MAX_MS = 1000,
	/* A hub that lets us in without a word is none. */
	HELLO_TIMEOUT_MS = 5000,
};

static void
watch(struct attached *attached, int op, uint32_t events)
{
	struct epoll_event event = { .events = events };

	event.data.fd = attached->stream.fd;
	/* Cannot fail: the descriptor is ours, and changes are no additions. */
	if (epoll_ctl(attached->epoll_fd, op, attached->stream.fd, &event) ==
	    -1)
		attached->broken = true;
}

void
attached_flush(struct attached *attached)
{
	bool wants;

	if (attached->stream.fd == -1 || attached->broken)
		return;
	if (stream_write(&attached->stream) != 0) {
		attached->broken = true; /* epoll says so as well */
		return;
	}
	wants = attached->stream.out.len != 0;
	if (wants != attached->wants_write)
		watch(attached, EPOLL_CTL_MOD,
		    wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
	attached->wants_write = wants;
}

/* Half of the rest is drawn, so that many programs do not come together. */
static void
rest(struct attached *attached)
{
	uint64_t now = clock_now_ms();

	attached->link_due_ms = now + attached->knock_ms / 2 +
	    (now ^ (uint64_t)getpid()) % (attached->knock_ms / 2 + 1);
	attached->knock_ms *= 2;
	if (attached->knock_ms > KNOCK_MAX_MS)
		attached->knock_ms = KNOCK_MAX_MS;
}

void
attached_lost(struct attached *attached, int err)
{
	bool was_up = attached->state == ATTACHED_UP;

	stream_close(&attached->stream); /* epoll forgets it by itself */
	attached->broken = false;
	attached->wants_write = false;
	attached->failure = err;
	attached->state = ATTACHED_AWAY;
	/* One that goes as soon as it came is not to be hurried. */
	if (was_up && clock_now_ms() - attached->up_since_ms >= KNOCK_MAX_MS)
		attached->knock_ms = 0;
	if (attached->knock_ms < KNOCK_MIN_MS)
		attached->knock_ms = KNOCK_MIN_MS;
	rest(attached);
	if (!was_up)
		return;
	tracks_forget_origins(&attached->tracks);
	api_on_away(&attached->bus);
	if (!attached->doomed)
		api_error(&attached->bus, "hub", "", 0, "subscribe", NULL, err,
		    "the hub has gone; knocking");
}

static int
say_hello(struct attached *attached)
{
	struct ipc_hello hello = {
		.version = IPC_VERSION,
		.kind = IPC_KIND_PROGRAM,
		.pid = (uint32_t)getpid(),
		.id = { .slot = IPC_SLOT_NONE },
		.section = UINT32_MAX,
	};

	return ipc_append(&attached->stream.out, IPC_HELLO, &hello,
	    sizeof(hello), attached->label, strlen(attached->label), NULL, 0);
}

void
attached_knock(struct attached *attached)
{
	int rc = stream_open(&attached->stream, attached->path);

	attached->state = ATTACHED_KNOCKING;
	attached->failure = 0;
	attached->why[0] = '\0';
	if (rc == 0)
		rc = say_hello(attached);
	if (rc == 0) {
		watch(attached, EPOLL_CTL_ADD, EPOLLIN);
		attached_flush(attached);
		rc = attached->broken ? -EPIPE : 0;
	}
	if (rc != 0)
		attached_lost(attached, rc);
	else
		attached->link_due_ms = clock_now_ms() + HELLO_TIMEOUT_MS;
}

/* All channels again; without memory for that we begin once more. */
static void
join_again(struct attached *attached)
{
	const struct track *track = NULL;

	while ((track = track_next(&attached->tracks, track)) != NULL) {
		if (attached_say_join(attached, track->name,
			track->entry.key_len) != 0)
			attached->broken = true;
	}
}

void
attached_welcome(struct attached *attached, const struct ipc_welcome *welcome)
{
	struct ipc_ping ping = { .token = ++attached->token };

	if (attached->state != ATTACHED_KNOCKING)
		return;
	attached->state = ATTACHED_UP;
	attached->up_since_ms = clock_now_ms();
	attached->link_due_ms = UINT64_MAX;
	attached->bus.id = welcome->id;
	node_id_format(&welcome->id, attached->bus.node,
	    sizeof(attached->bus.node));
	join_again(attached);
	/* The contract comes before the PONG to this. */
	if (ipc_append(&attached->stream.out, IPC_PING, &ping, sizeof(ping),
		NULL, 0, NULL, 0) != 0)
		attached->broken = true;
	if (attached->was_up)
		api_on_back(&attached->bus);
	attached->was_up = true;
}

void
attached_refused(struct attached *attached, const struct ipc_message *message)
{
	struct ipc_refused refused;
	size_t len = message->len - sizeof(refused);

	memcpy(&refused, message->body, sizeof(refused));
	if (refused.retry_ms > attached->knock_ms)
		attached->knock_ms = refused.retry_ms;
	if (refused.retry_ms == 0)
		attached->knock_ms = KNOCK_MAX_MS;
	(void)snprintf(attached->why, sizeof(attached->why), "%.*s",
	    (int)(len < sizeof(attached->why) ? len :
						sizeof(attached->why) - 1),
	    (const char *)message->body + sizeof(refused));
	attached->failure = -EACCES;
	attached->broken = true;
	if (attached->was_up)
		api_error(&attached->bus, "hub", "", 0, "subscribe", NULL,
		    -EACCES, attached->why);
}

/*
 * hub_fixture.h - a hub on a loop of its own, and nodes at the other end of
 * real sockets.
 *
 * Nothing runs by itself: hub_turns() lets the loop go round, peer_next() does
 * so until the peer has a message.  Two turns are enough for what was written
 * to be read, relayed and written again.
 */
#ifndef SUPPORT_HUB_FIXTURE_H
#define SUPPORT_HUB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/net.h"
#include "primary/hub.h"
#include "primary/hub_node.h"
#include "wire/ipc.h"

enum {
	PEERS_MAX = 100,
	PEER_DEADLINE_MS = 10000,
	PEER_PID = 4242,
	PEER_HOST = 0xabcdef,
};

/* A node, seen from its own side. */
struct peer {
	int fd;
	struct hub_node *node; /* NULL: the hub has let it go */
	struct ipc_in in;
	size_t taken; /* bytes of the message that peer_next() gave */
	bool ended;   /* the hub has closed */
	char gone_why[96];
};

struct hub_fixture {
	struct ev_loop *loop;
	struct stats_hub stats;
	struct hub *hub;
	struct peer peers[PEERS_MAX];
	size_t peer_count;

	/* What the supervisor's part here answers to HELLO. */
	enum {
		ANSWER_WELCOME,
		ANSWER_REFUSE,
		ANSWER_LATER
	} answer;

	/* Called last in each event; NULL: nothing. */
	void (*also)(struct hub_fixture *f, struct hub_node *node,
	    const char *event);
	unsigned hellos, readies, applies, gones;
	struct ipc_hello hello; /* the last one, and what came with it */
	char name[64];
	pid_t pid;
	size_t fd_count;
	bool applied_ok;
	char applied_why[256];
	uint16_t slots;
	bool programs; /* nodes that come are programs, not workers */
	bool adopted;  /* workers that come have clients already */
};

static inline void
fixture_also(struct hub_fixture *f, struct hub_node *node, const char *event)
{
	if (f->also != NULL)
		f->also(f, node, event);
}

static inline void
fixture_on_hello(void *arg, struct hub_node *node,
    const struct ipc_hello *hello, const char *name, pid_t pid, const int *fds,
    size_t fd_count)
{
	struct hub_fixture *f = arg;
	struct ipc_welcome welcome = {
		.id = { PEER_HOST, f->slots++, 1 },
		.section = UINT32_MAX,
		.adopted = f->adopted,
	};

	if (f->programs)
		welcome.id.slot |= IPC_PROGRAM_SLOT;
	f->hellos++;
	f->hello = *hello;
	f->pid = pid;
	f->fd_count = fd_count;
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]);
	if (f->answer == ANSWER_WELCOME)
		assert_int_equal(hub_welcome(node, &welcome, "/run/x", NULL),
		    0);
	else if (f->answer == ANSWER_REFUSE)
		hub_refuse(node, 500, "not you");
	fixture_also(f, node, "hello");
}

static inline void
fixture_on_ready(void *arg, struct hub_node *node)
{
	struct hub_fixture *f = arg;

	f->readies++;
	fixture_also(f, node, "ready");
}

static inline void
fixture_on_applied(void *arg, struct hub_node *node, bool ok, const char *why)
{
	struct hub_fixture *f = arg;

	f->applies++;
	f->applied_ok = ok;
	(void)snprintf(f->applied_why, sizeof(f->applied_why), "%s", why);
	fixture_also(f, node, "applied");
}

static inline void
fixture_on_gone(void *arg, struct hub_node *node, const char *why)
{
	struct hub_fixture *f = arg;

	f->gones++;
	for (size_t i = 0; i < f->peer_count; i++) {
		if (f->peers[i].node != node)
			continue;
		f->peers[i].node = NULL;
		(void)snprintf(f->peers[i].gone_why,
		    sizeof(f->peers[i].gone_why), "%s", why);
	}
	fixture_also(f, node, "gone");
}

static inline int
hub_fixture_setup(void **state)
{
	static const struct hub_events events = {
		.on_hello = fixture_on_hello,
		.on_ready = fixture_on_ready,
		.on_applied = fixture_on_applied,
		.on_gone = fixture_on_gone,
	};
	static struct hub_fixture fixture;
	struct hub_fixture *f = &fixture;

	*f = (struct hub_fixture){ 0 };
	(void)signal(SIGPIPE, SIG_IGN); /* as the primary does */
	f->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	f->hub = hub_new(f->loop, &f->stats, &events, f);
	*state = f;
	return f->loop == NULL || f->hub == NULL;
}

static inline int
hub_fixture_teardown(void **state)
{
	struct hub_fixture *f = *state;

	f->also = NULL;
	hub_free(f->hub);
	for (size_t i = 0; i < f->peer_count; i++) {
		if (f->peers[i].fd != -1)
			(void)close(f->peers[i].fd);
		ipc_in_release(&f->peers[i].in);
	}
	ev_loop_destroy(f->loop);
	return 0;
}

static inline void
hub_turns(struct hub_fixture *f, int count)
{
	while (count-- > 0)
		(void)ev_run(f->loop, EVRUN_NOWAIT);
}

/* A socket to the hub on which nothing has been said yet. */
static inline struct peer *
peer_stranger(struct hub_fixture *f)
{
	struct peer *peer = &f->peers[f->peer_count];
	int fd[2];

	assert_true(f->peer_count < PEERS_MAX);
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	peer->fd = fd[0];
	ipc_in_init(&peer->in);
	peer->node = hub_add(f->hub, fd[1], PEER_PID);
	assert_non_null(peer->node);
	f->peer_count++;
	return peer;
}

/* Write bytes, letting the hub read whenever the socket is full. */
static inline void
peer_write(struct hub_fixture *f, struct peer *peer, const void *data,
    size_t len)
{
	const unsigned char *at = data;
	uint64_t end = clock_now_ms() + PEER_DEADLINE_MS;
	ssize_t n;

	while (len != 0 && peer->node != NULL) {
		assert_true(clock_now_ms() < end);
		n = write(peer->fd, at, len);
		if (n == -1)
			assert_true(errno == EAGAIN || errno == EPIPE);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
		if (len != 0)
			hub_turns(f, 1);
	}
}

static inline void
peer_say(struct hub_fixture *f, struct peer *peer, enum ipc_type type,
    const void *fixed, size_t fixed_len, const void *tail, size_t tail_len)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append(&out, type, fixed, fixed_len, tail,
			     tail_len, NULL, 0),
	    0);
	peer_write(f, peer, buf_data(&out), out.len);
	buf_release(&out);
}

static inline void
peer_say_hello(struct hub_fixture *f, struct peer *peer)
{
	struct ipc_hello hello = { .version = IPC_VERSION,
		.kind = IPC_KIND_PROGRAM,
		.id = { .slot = IPC_SLOT_NONE },
		.section = UINT32_MAX };

	peer_say(f, peer, IPC_HELLO, &hello, sizeof(hello), "me", 2);
}

/* The hub has closed the socket. */
static inline bool
peer_has_ended(struct hub_fixture *f, struct peer *peer)
{
	uint64_t end = clock_now_ms() + PEER_DEADLINE_MS;
	size_t fd_count;
	ssize_t n;

	while (!peer->ended && clock_now_ms() < end) {
		hub_turns(f, 1);
		n = ipc_in_read(&peer->in, peer->fd, NULL, 0, &fd_count);
		peer->ended = n == 0 || n == -ECONNRESET;
		ipc_in_consume(&peer->in, peer->in.len);
	}
	return peer->ended;
}

/* The next message that is here already. */
static inline bool
peer_peek(struct peer *peer, struct ipc_message *ret_message)
{
	const char *why = "";
	ssize_t n;

	ipc_in_consume(&peer->in, peer->taken);
	n = ipc_in_peek(&peer->in, 0, IPC_DOWN, ret_message, &why);
	assert_true(n >= 0);
	peer->taken = (size_t)n;
	return n > 0;
}

/* The next message of the hub; it is valid until the next call. */
static inline struct ipc_message
peer_next(struct hub_fixture *f, struct peer *peer)
{
	uint64_t end = clock_now_ms() + PEER_DEADLINE_MS;
	struct ipc_message message;
	size_t fd_count;
	ssize_t n;

	while (!peer_peek(peer, &message)) {
		assert_true(clock_now_ms() < end);
		hub_turns(f, 1);
		n = ipc_in_read(&peer->in, peer->fd, NULL, 0, &fd_count);
		assert_true(n > 0 || n == -EAGAIN);
	}
	return message;
}

/* The next message is of this type; its fixed part is copied out. */
static inline void
peer_expect(struct hub_fixture *f, struct peer *peer, enum ipc_type type,
    void *ret_fixed, size_t len)
{
	struct ipc_message message = peer_next(f, peer);

	assert_string_equal(ipc_type_name(message.type), ipc_type_name(type));
	assert_true(message.len >= len);
	if (len != 0)
		memcpy(ret_fixed, message.body, len);
}

/* Whatever the hub had for it has come: nothing. */
static inline void
peer_expect_nothing(struct hub_fixture *f, struct peer *peer)
{
	struct ipc_message message;
	size_t fd_count;

	hub_turns(f, 3);
	assert_false(peer_peek(peer, &message));
	assert_int_equal(ipc_in_read(&peer->in, peer->fd, NULL, 0, &fd_count),
	    -EAGAIN);
}

static inline struct ipc_envelope
peer_expect_envelope(struct hub_fixture *f, struct peer *peer)
{
	struct ipc_message message = peer_next(f, peer);
	struct ipc_envelope envelope;

	assert_string_equal(ipc_type_name(message.type), "PUBLISH");
	assert_int_equal(ipc_read_envelope(&message, &envelope), 0);
	return envelope;
}

/* A node that is on the bus. */
static inline struct peer *
peer_new(struct hub_fixture *f)
{
	struct peer *peer = peer_stranger(f);
	struct ipc_welcome welcome;

	peer_say_hello(f, peer);
	peer_expect(f, peer, IPC_WELCOME, &welcome, sizeof(welcome));
	return peer;
}

/* Join, and wait until the hub knows. */
static inline void
peer_join(struct hub_fixture *f, struct peer *peer, const char *channel)
{
	struct ipc_join join = { .token = 77 };
	struct ipc_joined joined;

	peer_say(f, peer, IPC_JOIN, &join, sizeof(join), channel,
	    strlen(channel));
	peer_expect(f, peer, IPC_JOINED, &joined, sizeof(joined));
	assert_int_equal(joined.token, 77);
}

static inline void
peer_append_publish(struct buf *out, const char *channel, uint64_t seq,
    const void *payload, size_t len)
{
	struct ipc_envelope envelope = { .head = { .seq = seq },
		.channel = channel,
		.channel_len = strlen(channel),
		.payload = payload,
		.payload_len = len };

	assert_int_equal(ipc_append_envelope(out, &envelope), 0);
}

static inline void
peer_publish(struct hub_fixture *f, struct peer *peer, const char *channel,
    uint64_t seq, const void *payload, size_t len)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	peer_append_publish(&out, channel, seq, payload, len);
	peer_write(f, peer, buf_data(&out), out.len);
	buf_release(&out);
}

#endif /* SUPPORT_HUB_FIXTURE_H */

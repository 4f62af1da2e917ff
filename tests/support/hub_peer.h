/*
 * hub_peer.h - a node at the other end of its socket: what it says to the hub,
 * and what it hears.
 *
 * Included by hub_fixture.h.
 */
#ifndef SUPPORT_HUB_PEER_H
#define SUPPORT_HUB_PEER_H

#include "hub_fixture.h"

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

static inline bool
peer_is_gone_step(const struct ipc_message *message)
{
	struct ipc_step step;

	if (message->type != IPC_STEP)
		return false;
	memcpy(&step, message->body, sizeof(step));
	return step.kind == IPC_STEP_GONE;
}

/* The next message that is here already. */
static inline bool
peer_peek(struct peer *peer, struct ipc_message *ret_message)
{
	const char *why = "";
	ssize_t n;

	do {
		ipc_in_consume(&peer->in, peer->taken);
		n = ipc_in_peek(&peer->in, 0, IPC_DOWN, ret_message, &why);
		assert_true(n >= 0);
		peer->taken = (size_t)n;
	} while (n > 0 && !peer->steps && peer_is_gone_step(ret_message));
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
	while (ipc_in_read(&peer->in, peer->fd, NULL, 0, &fd_count) > 0)
		;
	assert_false(peer_peek(peer, &message));
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

#endif /* SUPPORT_HUB_PEER_H */

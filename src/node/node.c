/* node.c - see node.h. */
#include "node/node.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/net.h"
#include "base/table.h"

enum {
	QUEUE_BYTES = 1 << 20,                   /* then publishing waits */
	QUEUE_MAX = IPC_PAYLOAD_MAX + (2 << 20), /* and then one more */
	NUMBERS_MAX = 65536,                     /* channels that are counted */
	ROOM_TIMEOUT_MS = 60000,
};

struct node {
	int fd;
	struct ipc_in in;
	struct buf out;
	struct ipc_node_id id;
	bool welcome;
	bool refused;
	bool handling; /* inside on_envelope: in is in use */
	char why[256];
	uint32_t token;       /* of the last JOIN or PING */
	uint32_t answered;    /* of the last JOINED or PONG */
	struct table numbers; /* of the last envelope, by channel */
	node_envelope_fn *on_envelope;
	void *arg;
};

/* The number of our last envelope on a channel. */
struct number {
	struct table_entry entry;
	uint64_t seq;
	char name[];
};

/* ---- the stream -------------------------------------------------------- */

static void
take_text(struct node *node, const struct ipc_message *message, size_t fixed)
{
	size_t len = message->len - fixed;

	if (len >= sizeof(node->why))
		len = sizeof(node->why) - 1;
	memcpy(node->why, message->body + fixed, len);
	node->why[len] = '\0';
}

static void
handle(struct node *node, const struct ipc_message *message)
{
	struct ipc_welcome welcome;
	struct ipc_envelope envelope;

	switch ((int)message->type) {
	case IPC_WELCOME:
		memcpy(&welcome, message->body, sizeof(welcome));
		node->id = welcome.id;
		node->welcome = true;
		break;
	case IPC_REFUSED:
		node->refused = true;
		take_text(node, message, sizeof(struct ipc_refused));
		break;
	case IPC_JOINED:
	case IPC_PONG:
		memcpy(&node->answered, message->body, sizeof(node->answered));
		break;
	case IPC_PUBLISH:
		if (node->on_envelope != NULL &&
		    ipc_read_envelope(message, &envelope) == 0)
			node->on_envelope(node->arg, &envelope);
		break;
	default:
		break; /* CONFIG, DRAIN, REOPEN are for workers */
	}
}

static int
read_some(struct node *node)
{
	struct ipc_message message;
	const char *why;
	size_t fd_count = 0;
	ssize_t n;

	n = ipc_in_read(&node->in, node->fd, NULL, 0, &fd_count);
	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return -EPIPE;
	while ((n = ipc_in_peek(&node->in, 0, IPC_DOWN, &message, &why)) > 0) {
		node->handling = true;
		handle(node, &message);
		node->handling = false;
		ipc_in_consume(&node->in, (size_t)n);
	}
	return n < 0 ? -EPIPE : 0;
}

static int
write_some(struct node *node)
{
	/* The program may not expect SIGPIPE. */
	ssize_t n =
	    send(node->fd, buf_data(&node->out), node->out.len, MSG_NOSIGNAL);

	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	buf_consume(&node->out, (size_t)n);
	return 0;
}

/*
 * Wait once, read and write what is possible.  Inside on_envelope only writing
 * is: the hub always reads, so there will be room.
 */
static int
turn(struct node *node, int timeout_ms)
{
	struct pollfd pfd = { .fd = node->fd };
	int rc;

	if (!node->handling)
		pfd.events |= POLLIN;
	if (node->out.len != 0)
		pfd.events |= POLLOUT;
	rc = poll(&pfd, 1, timeout_ms);
	if (rc == -1)
		return -errno;
	if (rc == 0)
		return -ETIMEDOUT;
	rc = 0;
	if ((pfd.revents & POLLOUT) != 0)
		rc = write_some(node);
	if (rc == 0 && (pfd.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		rc = node->handling ? -EPIPE : read_some(node);
	return rc;
}

/* Turn until done(node), for at most timeout_ms. */
static int
turn_until(struct node *node, bool (*done)(const struct node *), int timeout_ms)
{
	uint64_t now = clock_now_ms(), end = now + (uint64_t)timeout_ms;
	int rc = 0;

	while (!done(node)) {
		if (now >= end)
			return -ETIMEDOUT;
		rc = turn(node, (int)(end - now));
		if (rc != 0 && rc != -EINTR && !done(node))
			return rc;
		now = clock_now_ms();
	}
	return 0;
}

static bool
is_answered(const struct node *node)
{
	return node->answered == node->token;
}

static bool
is_placed(const struct node *node)
{
	return node->welcome || node->refused;
}

static bool
has_room(const struct node *node)
{
	return node->out.len < QUEUE_BYTES;
}

/* ---- calls ------------------------------------------------------------- */

static int
introduce(struct node *node, const char *name, int timeout_ms)
{
	struct ipc_hello hello = {
		.version = IPC_VERSION,
		.kind = IPC_KIND_PROGRAM,
		.pid = (uint32_t)getpid(),
		.id = { .slot = IPC_SLOT_NONE },
		.section = UINT32_MAX,
	};
	int rc;

	rc = ipc_append(&node->out, IPC_HELLO, &hello, sizeof(hello), name,
	    strnlen(name, IPC_TEXT_MAX), NULL, 0);
	if (rc == 0)
		rc = turn_until(node, is_placed, timeout_ms);
	return node->refused ? -EACCES : rc;
}

int
node_attach(const char *hub_path, const char *name, int timeout_ms,
    struct node **ret_node, char *why, size_t size)
{
	struct node *node = calloc(1, sizeof(*node));
	int rc;

	why[0] = '\0';
	if (node == NULL)
		return -ENOMEM;
	ipc_in_init(&node->in);
	buf_init(&node->out, QUEUE_MAX);
	node->fd = net_connect_unix(hub_path);
	rc = node->fd < 0 ? node->fd : introduce(node, name, timeout_ms);
	if (rc != 0) {
		(void)snprintf(why, size, "%s", node->why);
		node_free(node);
		return rc;
	}
	ipc_socket_buffers(node->fd);
	*ret_node = node;
	return 0;
}

/* Begin to count anew; receivers see that as a new start, not as a gap. */
static void
forget_numbers(struct node *node)
{
	struct table_entry *entry;

	while ((entry = table_next(&node->numbers, NULL)) != NULL) {
		table_remove(&node->numbers, entry);
		free(CONTAINER_OF(entry, struct number, entry));
	}
	table_release(&node->numbers);
}

void
node_free(struct node *node)
{
	if (node == NULL)
		return;
	if (node->fd >= 0)
		(void)close(node->fd); /* nothing to do about a failure */
	forget_numbers(node);
	ipc_in_release(&node->in);
	buf_release(&node->out);
	free(node);
}

void
node_on_envelope(struct node *node, node_envelope_fn *fn, void *arg)
{
	node->on_envelope = fn;
	node->arg = arg;
}

struct ipc_node_id
node_id(const struct node *node)
{
	return node->id;
}

/*
 * The next number on this channel, by which receivers see that something is
 * missing; 0 (not counted) when there is no memory for it.
 */
static uint64_t
next_seq(struct node *node, const char *channel, size_t len)
{
	uint64_t hash = hash_bytes(channel, len);
	struct table_entry *entry;
	struct number *number;

	entry = table_find(&node->numbers, channel, len, hash);
	if (entry != NULL)
		return ++CONTAINER_OF(entry, struct number, entry)->seq;
	if (node->numbers.count >= NUMBERS_MAX)
		forget_numbers(node);
	number = malloc(sizeof(*number) + len);
	if (number == NULL)
		return 0;
	memcpy(number->name, channel, len);
	number->seq = 1;
	number->entry = (struct table_entry){
		.hash = hash,
		.key = number->name,
		.key_len = len,
	};
	if (table_insert(&node->numbers, &number->entry) != 0) {
		free(number);
		return 0;
	}
	return 1;
}

int
node_publish(struct node *node, const char *channel, size_t channel_len,
    const void *data, size_t len, bool binary)
{
	struct ipc_envelope envelope = {
		.head = { .flags = binary ? IPC_PUBLISH_BINARY : 0 },
		.channel = channel,
		.channel_len = channel_len,
		.payload = data,
		.payload_len = len,
	};
	int rc;

	if (channel_len == 0)
		return -EINVAL;
	if (len > IPC_PAYLOAD_MAX || channel_len > IPC_CHANNEL_MAX)
		return -EMSGSIZE;
	rc = turn_until(node, has_room, ROOM_TIMEOUT_MS);
	if (rc != 0)
		return rc;
	envelope.head.seq = next_seq(node, channel, channel_len);
	return ipc_append_envelope(&node->out, &envelope);
}

int
node_join(struct node *node, const char *channel, size_t len, int timeout_ms)
{
	struct ipc_join join;
	int rc;

	if (node->handling)
		return -EBUSY;
	if (len == 0)
		return -EINVAL;
	if (len > IPC_CHANNEL_MAX)
		return -EMSGSIZE;
	join.token = ++node->token;
	rc = ipc_append(&node->out, IPC_JOIN, &join, sizeof(join), channel, len,
	    NULL, 0);
	return rc != 0 ? rc : turn_until(node, is_answered, timeout_ms);
}

int
node_sync(struct node *node, int timeout_ms)
{
	struct ipc_ping ping;
	int rc;

	if (node->handling)
		return -EBUSY;
	ping.token = ++node->token;
	rc = ipc_append(&node->out, IPC_PING, &ping, sizeof(ping), NULL, 0,
	    NULL, 0);
	return rc != 0 ? rc : turn_until(node, is_answered, timeout_ms);
}

int
node_wait(struct node *node, int timeout_ms)
{
	return node->handling ? -EBUSY : turn(node, timeout_ms);
}

int
node_fd(const struct node *node)
{
	return node->fd;
}

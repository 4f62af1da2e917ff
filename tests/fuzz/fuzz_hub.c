/*
 * fuzz_hub.c - a hub and a node that says anything.
 *
 * The first byte chooses: whether HELLO has been said before (1), what the
 * supervisor answers to one (2, 4), and into how many reads the bytes are cut
 * (the rest).  A second node, a worker that is ready, listens on t:x and answers
 * questions.  Whatever the first one does, the second one stays, gets only
 * envelopes that are whole and carry the right origin, its ping is answered,
 * and so is its own question as soon as the first one has gone.
 */
#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "primary/hub.h"
#include "tests/fuzz/fuzz.h"
#include "wire/ipc.h"
#include "wire/node_id.h"

enum {
	SAID_HELLO = 1,
	REFUSE = 2,
	CLOSE_ON_READY = 4,
	PIECES_SHIFT = 3,
	TURNS = 3,
	TOKEN = 0x5eed,
	HOST = 0xab,
};

static struct ev_loop *loop;
static uint8_t choice;
static uint16_t slots;
static unsigned gones;
static bool queried; /* the witness has its answer */

static void
on_hello(void *arg, struct hub_node *node, const struct ipc_hello *hello,
    const char *name, pid_t pid, const int *fds, size_t fd_count)
{
	struct ipc_welcome welcome = { .id = { HOST, slots++, 1 } };

	(void)arg;
	(void)hello;
	(void)pid;
	assert(strlen(name) < 64);
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]);
	if (slots > 2 && (choice & REFUSE) != 0)
		hub_refuse(node, 1, "no");
	else
		(void)!hub_welcome(node, &welcome, "/x", NULL);
}

static void
on_ready(void *arg, struct hub_node *node)
{
	(void)arg;
	hub_send_config(node, "workers 1\n", 10);
	if ((choice & CLOSE_ON_READY) != 0)
		hub_close(node, "ready");
}

static void
on_applied(void *arg, struct hub_node *node, bool ok, const char *why)
{
	(void)arg;
	(void)ok;
	assert(strlen(why) < 256);
	hub_send_drain(node, 1, false);
}

static void
on_leaving(void *arg, struct hub_node *node)
{
	(void)arg;
	hub_send_move(node, 1, 0, &node, 1);
}

static void
on_gone(void *arg, struct hub_node *node, const char *why)
{
	(void)arg;
	(void)node;
	assert(why[0] != '\0');
	gones++;
}

static void
turns(void)
{
	for (int i = 0; i < TURNS; i++)
		(void)ev_run(loop, EVRUN_NOWAIT);
}

static int
open_node(struct hub *hub)
{
	int fd[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		   0, fd) == 0);
	assert(hub_add(hub, fd[1], 1) != NULL);
	return fd[0];
}

static void
say(int fd, enum ipc_type type, const void *fixed, size_t len, const char *tail)
{
	struct buf out;

	buf_init(&out, 4096);
	assert(ipc_append(&out, type, fixed, len, tail, strlen(tail), NULL,
		   0) == 0);
	assert(write(fd, buf_data(&out), out.len) == (ssize_t)out.len);
	buf_release(&out);
}

static void
say_hello(int fd)
{
	struct ipc_hello hello = { .version = IPC_VERSION };

	say(fd, IPC_HELLO, &hello, sizeof(hello), "node");
	turns();
}

/* The witness knows nothing, and says so. */
static void
answer(int fd, const struct ipc_message *message)
{
	struct ipc_answer answer = { .last = 1 };
	struct ipc_query query;

	assert(message->len >= sizeof(query));
	memcpy(&query, message->body, sizeof(query));
	assert(query.token != 0);
	assert(query.slot == IPC_SLOT_NONE || query.slot == IPC_SLOT_OTHERS ||
	    query.slot == 0);
	answer.token = query.token;
	say(fd, IPC_ANSWER, &answer, sizeof(answer), "");
}

static void
check_queried(const struct ipc_message *message)
{
	struct ipc_queried result;

	memcpy(&result, message->body, sizeof(result));
	assert(result.token == TOKEN);
	assert(result.asked == 1 || result.asked == 2);
	assert(result.asked == result.answered + result.gone);
	assert(result.late == 0);
	queried = true;
}

/* It joined one channel; rooms that are being filled go to all workers. */
static void
check_wanted(const struct ipc_envelope *e)
{
	if ((e->head.flags & IPC_PUBLISH_WORKERS) != 0 && e->channel[0] == 'r')
		return;
	assert(e->channel_len == 3);
	assert(memcmp(e->channel, "t:x", 3) == 0);
}

/* Read what there is; each message must be one that a hub may send. */
static void
hear(int fd, struct ipc_in *in, bool is_witness, bool *ret_pong)
{
	struct ipc_message message;
	struct ipc_envelope e;
	struct ipc_ping pong;
	size_t count;
	const char *why;
	ssize_t n;

	while (ipc_in_read(in, fd, NULL, 0, &count) > 0) {
		while ((n = ipc_in_peek(in, 0, IPC_DOWN, &message, &why)) > 0) {
			if (is_witness && message.type == IPC_PUBLISH) {
				assert(ipc_read_envelope(&message, &e) == 0);
				assert(e.head.origin.host == HOST);
				assert(e.head.origin.slot != 0);
				check_wanted(&e);
			}
			if (is_witness && message.type == IPC_QUERY)
				answer(fd, &message);
			if (is_witness && message.type == IPC_QUERIED)
				check_queried(&message);
			if (message.type == IPC_PONG) {
				memcpy(&pong, message.body, sizeof(pong));
				*ret_pong |= pong.token == TOKEN;
			}
			ipc_in_consume(in, (size_t)n);
		}
		assert(n == 0);
	}
}

static void
feed(int fd, const uint8_t *data, size_t size)
{
	size_t pieces = 1 + (choice >> PIECES_SHIFT), step, n;

	step = size / pieces + 1;
	for (size_t at = 0; at < size; at += n) {
		n = size - at < step ? size - at : step;
		if (send(fd, data + at, n, MSG_NOSIGNAL) == -1)
			assert(errno == EPIPE);
		turns();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hub_events events = { on_hello, on_ready,
		on_applied, on_leaving, on_gone };
	struct ipc_join join = { .token = 1 };
	struct ipc_ping ping = { .token = TOKEN };
	struct ipc_query query = { .token = TOKEN, .slot = IPC_SLOT_NONE };
	struct stats_hub stats = { 0 };
	struct ipc_in in, witness_in;
	bool pong = false, other_pong = false;
	struct hub *hub;
	int fd, witness;

	if (size == 0)
		return 0;
	if (loop == NULL)
		loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	choice = 0;
	slots = 0;
	gones = 0;
	queried = false;
	hub = hub_new(loop, &stats, &events, NULL);
	assert(hub != NULL);
	hub_set_queue_max(hub, 2048);
	ipc_in_init(&in);
	ipc_in_init(&witness_in);
	witness = open_node(hub);
	say_hello(witness);
	say(witness, IPC_JOIN, &join, sizeof(join), "t:x");
	say(witness, IPC_READY, NULL, 0, "");
	turns();
	fd = open_node(hub);
	choice = data[0];
	if ((choice & SAID_HELLO) != 0)
		say_hello(fd);
	feed(fd, data + 1, size - 1);
	hear(fd, &in, false, &other_pong);
	say(witness, IPC_QUERY, &query, sizeof(query), "args");
	say(witness, IPC_PING, &ping, sizeof(ping), "");
	turns();
	hear(witness, &witness_in, true, &pong);
	assert(pong);
	(void)close(fd);
	turns();
	hear(witness, &witness_in, true, &pong);
	turns();
	hear(witness, &witness_in, true, &pong);
	assert(queried);
	assert(gones == 1);
	assert(stats.violations <= 1);
	assert(stats.nodes == 1 && stats.interests == 1);
	assert(stats.wanted == 0);
	assert(stats.queue_bytes == 0);
	hub_free(hub);
	(void)close(witness);
	ipc_in_release(&in);
	ipc_in_release(&witness_in);
	return 0;
}

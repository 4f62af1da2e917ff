/*
 * move_rig.h - two workers with the real libwebsockets, and a client that goes
 * from one to the other.
 *
 * Included by the tests of ws_move.c.  What a message does is not of interest
 * here, so protocol.c is replaced: messages are written down.  The peer is a
 * TCP socket in the hands of the test.  ws.c and ws_move*.c are taken in whole;
 * libfake.a has others of these names.
 */
#ifndef SUPPORT_MOVE_RIG_H
#define SUPPORT_MOVE_RIG_H

#include <ev.h>

#include "base/clock.h"
#include "fake_door.h"
#include "fake_link.h"
#include "move_wire.h"
#include "torture.h"
#include "worker/protocol.h"
#include "worker/ws.c"
#include "worker/ws_move.c"
#include "worker/ws_move_in.c"
#include "worker/ws_move_trial.c"

static struct config config;
static struct worker workers[2];
static char no_file[] = "";
static unsigned at;           /* the worker that has the client */
static struct client *client; /* in workers[at] */
static struct buf heard;      /* "T" or "B", the length in hex, the message */

/* ---- protocol.c --------------------------------------------------------- */

static inline void
note(char kind, const void *data, size_t len)
{
	char head[16];
	int n = snprintf(head, sizeof(head), "%c%zx:", kind, len);

	assert_int_equal(buf_append(&heard, head, (size_t)n), 0);
	assert_int_equal(buf_append(&heard, data, len), 0);
}

void
protocol_text(struct client *from, const char *text, size_t len)
{
	assert_ptr_equal(from, client);
	note('T', text, len);
}

void
protocol_binary(struct client *from, const unsigned char *data, size_t len)
{
	assert_ptr_equal(from, client);
	note('B', data, len);
}

/* ---- time --------------------------------------------------------------- */

/* A turn of the worker's loop, as worker.c makes it. */
static inline void
turn_of(unsigned i)
{
	(void)ev_run(workers[i].loop, EVRUN_NOWAIT);
	workers[i].now_ms = clock_now_ms();
	ws_read_on(workers[i].ws);
	flush_run(&workers[i]);
}

static inline void
turn(void)
{
	turn_of(0);
	turn_of(1);
}

static inline void
turns(unsigned n)
{
	while (n-- > 0)
		turn();
}

/* What has come for the peer goes to `got`.  False: its end was read. */
static inline bool
peer_reads(void)
{
	static char bytes[65536];
	ssize_t n;

	while ((n = read(peer, bytes, sizeof(bytes))) > 0)
		assert_int_equal(buf_append(&got, bytes, (size_t)n), 0);
	return n == -1 && errno == EAGAIN;
}

/* Turn until the peer has this much, or for two seconds. */
static inline void
wait_for_bytes(size_t len)
{
	uint64_t end = clock_now_ms() + 2000;

	while (peer_reads() && got.len < len && clock_now_ms() < end)
		turn();
	assert_true(got.len >= len);
}

/* Turn until the worker has heard this much. */
static inline void
wait_for_heard(size_t len)
{
	uint64_t end = clock_now_ms() + 2000;

	while (heard.len < len && clock_now_ms() < end)
		turn();
	assert_true(heard.len >= len);
}

/* libwebsockets reads once; it does not get to write. */
static inline void
read_once(void)
{
	struct lws_pollfd pfd = { client->fd, LWS_POLLIN, LWS_POLLIN };

	assert_int_equal(lws_service_fd(workers[at].ws->context, &pfd), 0);
}

/* Turn until the kernel has nothing left for the client's reader. */
static inline void
wait_until_read(void)
{
	struct pollfd pfd = { client->fd, POLLIN, 0 };

	do {
		turn();
	} while (poll(&pfd, 1, 0) == 1);
}

/* ---- frames ------------------------------------------------------------- */

static inline void
assert_heard(const char *text)
{
	wait_for_heard(strlen(text));
	assert_int_equal(buf_append(&heard, "", 1), 0);
	assert_string_equal(buf_data(&heard), text);
	buf_clear(&heard);
}

/* The peer gets these bytes and no others. */
static inline void
assert_got(const void *bytes, size_t len)
{
	wait_for_bytes(len);
	assert_int_equal(got.len, len);
	if (len != 0)
		assert_memory_equal(buf_data(&got), bytes, len);
	buf_clear(&got);
}

/* The peer gets these bytes, then its end. */
static inline void
assert_last_words(const void *bytes, size_t len)
{
	uint64_t end = clock_now_ms() + 2000;

	while (peer_reads() && clock_now_ms() < end)
		turn();
	assert_int_equal(read(peer, &end, 1), 0);
	assert_int_equal(got.len, len);
	assert_memory_equal(buf_data(&got), bytes, len);
	buf_clear(&got);
}

/* ---- a client ----------------------------------------------------------- */

/* A client that has sent its request and these bytes, in one piece. */
static inline void
client_asks(const char *protocol, int buffer, const void *early, size_t len)
{
	static char text[8192];
	int fd, n;

	connect_peer(&fd, buffer);
	client = client_new(&workers[at], fd, false);
	assert_non_null(client);
	assert_true(ws_adopt(workers[at].ws, client));
	n = snprintf(text, sizeof(text),
	    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=="
	    "\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
	    protocol != NULL ? "Sec-WebSocket-Protocol: " : "",
	    protocol != NULL ? protocol : "", protocol != NULL ? "\r\n" : "");
	memcpy(text + n, early, len);
	peer_writes(text, (size_t)n + len);
}

/* It gets its 101 and its welcome. */
static inline void
client_is_let_in(void)
{
	const unsigned char *frame;
	uint64_t end = clock_now_ms() + 2000;

	do {
		turn();
		assert_true(peer_reads() && clock_now_ms() < end);
		assert_int_equal(buf_append(&got, "", 1), 0);
		frame = memmem(buf_data(&got), got.len, "\r\n\r\n", 4);
		got.len--;
	} while (frame == NULL || client->outbox.count != 0);
	(void)peer_reads();
	frame = memmem(buf_data(&got), got.len, "\r\n\r\n", 4);
	assert_int_equal(frame[4], 0x81);
	assert_int_equal(client->state, CLIENT_OPEN);
	buf_clear(&got);
	turns(WS_MOVE_STAY_TURNS);
}

static inline void
client_comes(const char *protocol, int buffer)
{
	client_asks(protocol, buffer, "", 0);
	client_is_let_in();
}

/* ---- moving ------------------------------------------------------------- */

/* What move_state.c will carry. */
static inline struct client *
follows(struct client *from, struct worker *to)
{
	struct client *next = client_new_moved(to);

	assert_non_null(next);
	next->fd = from->fd;
	next->wants_binary = from->wants_binary;
	next->in = from->in;
	next->in_binary = from->in_binary;
	for (uint32_t i = 0; i < from->outbox.count; i++)
		assert_int_equal(outbox_push(&next->outbox,
				     outbox_at(&from->outbox, i)),
		    0);
	from->in = NULL;
	from->fd = -1;
	from->state = CLIENT_MOVING;
	client_moved_away(from);
	next->identity = NULL;
	client_count(next, true);
	return next;
}

/* To the other worker. */
static inline void
move(void)
{
	struct ws_moved moved;

	assert_int_equal(ws_move_fit(client), WS_FIT_NOW);
	assert_int_equal(ws_move_out(client, &moved), 0);
	assert_null(client->wsi);
	at ^= 1;
	client = follows(client, &workers[at]);
	assert_int_equal(ws_move_in(workers[at].ws, client, &moved), 0);
	assert_int_equal(client->state, CLIENT_OPEN);
	ws_moved_release(&moved);
}

/* When it may be moved. */
static inline void
move_soon(void)
{
	uint64_t end = clock_now_ms() + 2000;

	while (ws_move_fit(client) == WS_FIT_SOON && clock_now_ms() < end)
		turn();
	move();
}

/* ---- two workers -------------------------------------------------------- */

static inline int
open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static inline int
start_worker(struct worker *worker)
{
	bool hopeless;

	memset(worker, 0, sizeof(*worker));
	worker->config = &config;
	worker->stats = &worker->unplaced;
	worker->now_ms = clock_now_ms();
	worker->door = &fake_door;
	worker->link = fake_link_new();
	worker->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	channels_init(&worker->channels);
	if (flush_init(&worker->flush) != 0)
		return -1;
	worker->ws = ws_new(worker, &hopeless);
	return worker->ws == NULL ? -1 : 0;
}

static inline int
setup(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	config.handshake_timeout = 5000;
	config.tls_cert = config.tls_key = no_file;
	config.outbox_soft = config.outbox_hard = 64 << 20;
	config.max_message = 1 << 20;
	config.ping_interval = 25000;
	buf_init(&heard, SIZE_MAX / 2);
	buf_init(&got, SIZE_MAX / 2);
	at = 0;
	client = NULL;
	return start_worker(&workers[0]) != 0 || start_worker(&workers[1]) != 0;
}

static inline void
stop_worker(struct worker *worker)
{
	ws_free(worker->ws);
	assert_int_equal(worker->clients.count, 0);
	assert_int_equal(worker->stats->clients, 0);
	ev_loop_destroy(worker->loop);
	flush_release(&worker->flush);
	channels_release(&worker->channels);
	clients_release(&worker->clients);
	fake_link_free(worker->link);
}

static inline int
teardown(void **state)
{
	(void)state;
	stop_worker(&workers[0]);
	stop_worker(&workers[1]);
	buf_release(&heard);
	buf_release(&got);
	if (peer != -1)
		(void)close(peer);
	peer = -1;
	return 0;
}

#endif /* SUPPORT_MOVE_RIG_H */

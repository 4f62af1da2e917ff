/*
 * bench_conn.c - see bench_conn.h.
 *
 * The way of a byte in: recv() into the buffer that all connections share,
 * frames handed up from there, and only the tail of an incomplete frame is
 * copied to the connection's own buffer.  While that one is not empty reads
 * go straight into it, so that a large message is not copied again and again.
 * Opening a connection is in bench_open.c.
 */
#include "bench_conn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench_frame.h"
#include "bench_open.h"

/* The answer to an upgrade is read in pieces of this. */
enum {
	ANSWER_BYTES = 2048
};

static void on_event(struct ev_loop *loop, ev_io *io, int events);

void
bench_conn_init(struct bench_conn *conn, struct bench_shared *shared)
{
	memset(conn, 0, sizeof(*conn));
	conn->shared = shared;
	conn->fd = -1;
	buf_init(&conn->rest, BENCH_QUEUE_MAX);
	buf_init(&conn->out, BENCH_QUEUE_MAX);
}

void
bench_conn_release(struct bench_conn *conn)
{
	if (conn->fd != -1) {
		ev_io_stop(conn->shared->loop, &conn->io);
		(void)close(conn->fd); /* nothing to be done about it */
		conn->fd = -1;
	}
	conn->state = BENCH_CONN_CLOSED;
	buf_release(&conn->rest);
	buf_release(&conn->out);
}

void
bench_conn_fail(struct bench_conn *conn, const char *why)
{
	if (conn->state == BENCH_CONN_CLOSED)
		return;
	ev_io_stop(conn->shared->loop, &conn->io);
	(void)close(conn->fd); /* nothing to be done about it */
	conn->fd = -1;
	conn->state = BENCH_CONN_CLOSED;
	conn->shared->on_closed(conn, why);
}

/* Have the loop watch for these events from now on. */
static void
watch(struct bench_conn *conn, int events)
{
	ev_io_stop(conn->shared->loop, &conn->io);
	ev_io_set(&conn->io, conn->fd, events);
	ev_io_start(conn->shared->loop, &conn->io);
}

int
bench_conn_open(struct bench_conn *conn, const struct bench_target *target,
    const char *path, const char *subprotocol, bool websocket, uint32_t source)
{
	char request[1024];
	int fd;
	int len;
	int err;

	assert(conn->state == BENCH_CONN_CLOSED);
	conn->websocket = websocket;
	buf_clear(&conn->rest);
	buf_clear(&conn->out);
	if (websocket) {
		len = bench_open_request(target, path, subprotocol, request,
		    sizeof(request));
		if (len < 0)
			return len;
		err = buf_append(&conn->out, request, (size_t)len);
		if (err != 0)
			return err;
	}
	fd = bench_open_socket(target, source);
	if (fd < 0)
		return fd;

	/* Nobody attacks here: a mask from the address is random enough. */
	memcpy(conn->mask, (uint32_t[]){ source * 2654435761u | 0x01010101u },
	    sizeof(conn->mask));
	conn->fd = fd;
	conn->state = BENCH_CONN_CONNECTING;
	ev_io_init(&conn->io, on_event, fd, EV_WRITE);
	ev_io_start(conn->shared->loop, &conn->io);
	return 0;
}

int
bench_conn_queue(struct bench_conn *conn, unsigned opcode,
    const struct iovec *parts, size_t count)
{
	unsigned char header[BENCH_FRAME_HEADER_MAX];
	size_t len = 0;
	size_t done = 0;
	int err;

	if (conn->state != BENCH_CONN_OPEN)
		return -ENOTCONN;
	for (size_t i = 0; i < count; i++)
		len += parts[i].iov_len;
	if (conn->out.len + len + sizeof(header) > conn->out.max)
		return -ENOBUFS;

	if (conn->websocket) {
		err = buf_append(&conn->out, header,
		    bench_frame_header(header, opcode, len, conn->mask));
		if (err != 0)
			return err;
	}
	for (size_t i = 0; i < count; i++) {
		err =
		    buf_append(&conn->out, parts[i].iov_base, parts[i].iov_len);
		if (err != 0) {
			/* Half a frame is there: this cannot be mended. */
			bench_conn_fail(conn, "out of memory");
			return err;
		}
		if (conn->websocket)
			bench_frame_mask(buf_data(&conn->out) + conn->out.len -
				parts[i].iov_len,
			    parts[i].iov_len, conn->mask, done);
		done += parts[i].iov_len;
	}
	return 0;
}

void
bench_conn_flush(struct bench_conn *conn)
{
	ssize_t sent;
	int events;

	while (conn->fd != -1 && conn->out.len > 0) {
		sent = send(conn->fd, buf_data(&conn->out), conn->out.len,
		    MSG_NOSIGNAL);
		if (sent >= 0) {
			buf_consume(&conn->out, (size_t)sent);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			bench_conn_fail(conn, strerror(errno));
			return;
		}
	}
	if (conn->fd == -1)
		return;
	events = conn->out.len > 0 ? EV_READ | EV_WRITE : EV_READ;
	if ((conn->io.events & (EV_READ | EV_WRITE)) != events)
		watch(conn, events);
}

static void
on_close_frame(struct bench_conn *conn, const struct bench_frame *frame)
{
	char why[192];

	if (frame->len < 2) {
		bench_conn_fail(conn, "closed by the server");
		return;
	}
	(void)snprintf(why, sizeof(why), "closed by the server: %d %.*s",
	    frame->payload[0] << 8 | frame->payload[1], (int)frame->len - 2,
	    (const char *)frame->payload + 2);
	bench_conn_fail(conn, why);
}

static void
on_ping(struct bench_conn *conn, const struct bench_frame *frame)
{
	unsigned char copy[125];
	struct iovec part = { copy, frame->len };

	if (frame->len > sizeof(copy))
		return;
	memcpy(copy, frame->payload, frame->len);
	if (bench_conn_queue(conn, BENCH_FRAME_PONG, &part, 1) == 0)
		bench_conn_flush(conn);
}

static void
on_frame(struct bench_conn *conn, const struct bench_frame *frame)
{
	if (frame->opcode == BENCH_FRAME_TEXT ||
	    frame->opcode == BENCH_FRAME_BINARY) {
		if (frame->fin)
			conn->shared->on_message(conn,
			    (const char *)frame->payload, frame->len);
		else
			bench_conn_fail(conn, "fragments are not supported");
	} else if (frame->opcode == BENCH_FRAME_PING) {
		on_ping(conn, frame);
	} else if (frame->opcode == BENCH_FRAME_CLOSE) {
		on_close_frame(conn, frame);
	} else if (frame->opcode != BENCH_FRAME_PONG) {
		bench_conn_fail(conn, "unexpected frame");
	}
}

/*
 * Hand up all complete frames.  Returns how many bytes they took; *ret_need
 * is how long the frame that is not complete will be.
 */
static size_t
parse(struct bench_conn *conn, const unsigned char *data, size_t len,
    size_t *ret_need)
{
	struct bench_frame frame;
	size_t done = 0;
	ssize_t used;

	if (!conn->websocket) {
		conn->shared->on_message(conn, (const char *)data, len);
		return len;
	}
	while (done < len && conn->state == BENCH_CONN_OPEN) {
		used = bench_frame_parse(data + done, len - done, &frame,
		    ret_need);
		if (used == 0)
			break;
		if (used < 0) {
			bench_conn_fail(conn, "not a WebSocket frame");
			break;
		}
		done += (size_t)used;
		on_frame(conn, &frame);
	}
	return done;
}

/* The answer to the upgrade is in rest; what follows it is frames. */
static void
on_upgraded(struct bench_conn *conn)
{
	ssize_t used;

	used = bench_open_answer((const char *)buf_data(&conn->rest),
	    conn->rest.len);
	if (used == 0)
		return;
	if (used < 0) {
		bench_conn_fail(conn, "the server refused the upgrade");
		return;
	}
	buf_consume(&conn->rest, (size_t)used);
	conn->state = BENCH_CONN_OPEN;
	conn->shared->on_open(conn);
}

/* Read behind what is already there.  Returns false when that was all. */
static bool
read_rest(struct bench_conn *conn, size_t room)
{
	unsigned char *into;
	size_t need = 0;
	ssize_t got;
	size_t used;
	int err;

	into = buf_reserve(&conn->rest, room, &err);
	if (into == NULL) {
		bench_conn_fail(conn, strerror(-err));
		return false;
	}
	got = recv(conn->fd, into, room, 0);
	if (got <= 0) {
		if (got == 0)
			bench_conn_fail(conn, "closed by the server");
		else if (errno != EAGAIN && errno != EINTR)
			bench_conn_fail(conn, strerror(errno));
		return false;
	}
	buf_commit(&conn->rest, (size_t)got);
	conn->shared->now_ns = clock_now_ns();
	conn->shared->reads++;
	conn->shared->bytes += (uint64_t)got;
	if (conn->state == BENCH_CONN_UPGRADING)
		on_upgraded(conn);
	if (conn->state == BENCH_CONN_OPEN && conn->rest.len > 0) {
		used =
		    parse(conn, buf_data(&conn->rest), conn->rest.len, &need);
		buf_consume(&conn->rest, used);
		if (conn->rest.len == 0)
			buf_clear(&conn->rest);
	}
	/* Thousands of idle connections are not to keep a buffer each. */
	if (conn->rest.len == 0 && room == ANSWER_BYTES)
		buf_release(&conn->rest);
	return conn->state != BENCH_CONN_CLOSED && (size_t)got == room;
}

/* Read into the shared buffer.  Returns false when that was all. */
static bool
read_shared(struct bench_conn *conn)
{
	struct bench_shared *shared = conn->shared;
	size_t need = 0;
	size_t used;
	ssize_t got;

	got = recv(conn->fd, shared->read_buffer, BENCH_READ_BYTES, 0);
	if (got <= 0) {
		if (got == 0)
			bench_conn_fail(conn, "closed by the server");
		else if (errno != EAGAIN && errno != EINTR)
			bench_conn_fail(conn, strerror(errno));
		return false;
	}
	shared->now_ns = clock_now_ns();
	shared->reads++;
	shared->bytes += (uint64_t)got;
	used = parse(conn, shared->read_buffer, (size_t)got, &need);
	if (conn->state != BENCH_CONN_OPEN)
		return false;
	if (used < (size_t)got &&
	    buf_append(&conn->rest, shared->read_buffer + used,
		(size_t)got - used) != 0) {
		bench_conn_fail(conn, "out of memory");
		return false;
	}
	return got == BENCH_READ_BYTES;
}

static void
on_readable(struct bench_conn *conn)
{
	struct bench_frame frame;
	size_t need;
	bool more;

	do {
		if (conn->state == BENCH_CONN_UPGRADING) {
			more = read_rest(conn, ANSWER_BYTES);
		} else if (conn->rest.len == 0) {
			more = read_shared(conn);
		} else {
			if (bench_frame_parse(buf_data(&conn->rest),
				conn->rest.len, &frame, &need) != 0)
				need = 0;
			if (need < conn->rest.len + BENCH_READ_BYTES / 4)
				need = conn->rest.len + BENCH_READ_BYTES / 4;
			more = read_rest(conn, need - conn->rest.len);
		}
	} while (more);
}

static void
on_connected(struct bench_conn *conn)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	if (err != 0) {
		bench_conn_fail(conn, strerror(err));
		return;
	}
	conn->state = conn->websocket ? BENCH_CONN_UPGRADING : BENCH_CONN_OPEN;
	bench_conn_flush(conn);
	if (conn->state == BENCH_CONN_OPEN)
		conn->shared->on_open(conn);
}

static void
on_event(struct ev_loop *loop, ev_io *io, int events)
{
	struct bench_conn *conn = CONTAINER_OF(io, struct bench_conn, io);

	(void)loop;
	if (conn->state == BENCH_CONN_CONNECTING) {
		on_connected(conn);
		return;
	}
	if ((events & EV_WRITE) != 0)
		bench_conn_flush(conn);
	if ((events & EV_READ) != 0 && conn->fd != -1)
		on_readable(conn);
}

/* test_ipc.c - streams of messages, cut at every point, large and with fds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/ipc.h"

struct pair {
	int fd[2];
};

static int
open_pair(void **state)
{
	static struct pair pair;

	*state = &pair;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, pair.fd);
}

static int
close_pair(void **state)
{
	struct pair *pair = *state;

	for (int i = 0; i < 2; i++) {
		if (pair->fd[i] != -1)
			(void)close(pair->fd[i]);
	}
	return 0;
}

/* One of everything that a node says. */
static void
append_stream(struct buf *out)
{
	struct ipc_hello hello = { .version = IPC_VERSION, .pid = 7 };
	struct ipc_join join = { .token = 0x01020304 };
	struct ipc_ping ping = { .token = 9 };
	struct ipc_envelope envelope = { .head = { .seq = 5 },
		.channel = "t:chat",
		.channel_len = 6,
		.payload = (const unsigned char *)"{\"a\":1}",
		.payload_len = 7 };

	assert_int_equal(ipc_append(out, IPC_HELLO, &hello, sizeof(hello), "me",
			     2, NULL, 0),
	    0);
	assert_int_equal(ipc_append(out, IPC_READY, NULL, 0, NULL, 0, NULL, 0),
	    0);
	assert_int_equal(ipc_append(out, IPC_JOIN, &join, sizeof(join), "t:", 2,
			     "chat", 4),
	    0);
	assert_int_equal(ipc_append_envelope(out, &envelope), 0);
	envelope.payload_len = 0;
	assert_int_equal(ipc_append_envelope(out, &envelope), 0);
	assert_int_equal(ipc_append(out, IPC_PING, &ping, sizeof(ping), NULL, 0,
			     NULL, 0),
	    0);
	assert_int_equal(ipc_append(out, IPC_LEAVE, NULL, 0, "t:chat", 6, NULL,
			     0),
	    0);
}

/* What a reader made of it: types, lengths and bodies, one after the other. */
struct seen {
	struct buf text;
	unsigned count;
};

static void
take_all(struct ipc_in *in, struct seen *seen)
{
	struct ipc_message message;
	const char *why = NULL;
	ssize_t n;

	while ((n = ipc_in_peek(in, 0, IPC_UP, &message, &why)) > 0) {
		assert_int_equal(n, sizeof(struct ipc_header) + message.len);
		assert_int_equal(buf_append(&seen->text, &message.type,
				     sizeof(message.type)),
		    0);
		assert_int_equal(buf_append(&seen->text, message.body,
				     message.len),
		    0);
		seen->count++;
		ipc_in_consume(in, (size_t)n);
	}
	assert_int_equal(n, 0);
	assert_null(why);
}

static void
send_and_take(struct pair *pair, struct ipc_in *in, const unsigned char *data,
    size_t len, struct seen *seen)
{
	size_t fd_count = 1;

	if (len == 0)
		return;
	assert_int_equal(write(pair->fd[0], data, len), len);
	assert_int_equal(ipc_in_read(in, pair->fd[1], NULL, 0, &fd_count), len);
	assert_int_equal(fd_count, 0);
	take_all(in, seen);
}

/* Send the stream in pieces of `step`, the first of which is `first` long. */
static struct seen
chunked(struct pair *pair, const struct buf *stream, size_t first, size_t step)
{
	struct seen seen = { .count = 0 };
	struct ipc_in in;
	size_t at = 0, len = first;

	buf_init(&seen.text, 4096);
	ipc_in_init(&in);
	while (at < stream->len) {
		if (len > stream->len - at)
			len = stream->len - at;
		send_and_take(pair, &in, buf_data(stream) + at, len, &seen);
		at += len;
		len = step;
	}
	assert_int_equal(in.len, 0);
	ipc_in_release(&in);
	return seen;
}

static void
a_stream_means_the_same_however_it_is_cut(void **state)
{
	struct pair *pair = *state;
	struct seen whole, cut;
	struct buf stream;

	buf_init(&stream, 4096);
	append_stream(&stream);
	whole = chunked(pair, &stream, stream.len, stream.len);
	assert_int_equal(whole.count, 7);
	/* Byte by byte, then split in two at every point. */
	for (size_t split = 0; split <= stream.len; split++) {
		cut = chunked(pair, &stream, split != 0 ? split : 1,
		    split != 0 ? stream.len : 1);
		assert_int_equal(cut.count, whole.count);
		assert_int_equal(cut.text.len, whole.text.len);
		assert_memory_equal(buf_data(&cut.text), buf_data(&whole.text),
		    whole.text.len);
		buf_release(&cut.text);
	}
	buf_release(&whole.text);
	buf_release(&stream);
}

static void
messages_can_be_looked_at_before_any_is_consumed(void **state)
{
	struct ipc_message message;
	struct ipc_in in = { 0 };
	struct buf stream;
	const char *why = NULL;
	size_t skip = 0, count = 0;
	ssize_t n;

	(void)state;
	buf_init(&stream, 4096);
	append_stream(&stream);
	in.mem = buf_data(&stream);
	in.len = stream.len;
	in.cap = stream.len;
	while ((n = ipc_in_peek(&in, skip, IPC_UP, &message, &why)) > 0) {
		skip += (size_t)n;
		count++;
	}
	assert_int_equal(n, 0);
	assert_int_equal(skip, stream.len);
	assert_int_equal(count, 7);
	buf_release(&stream);
}

/* ---- reading ------------------------------------------------------------ */

static void
nothing_there_and_the_end_are_told_apart(void **state)
{
	struct pair *pair = *state;
	struct ipc_in in;
	size_t fd_count = 1;

	ipc_in_init(&in);
	assert_int_equal(ipc_in_read(&in, pair->fd[1], NULL, 0, &fd_count),
	    -EAGAIN);
	(void)close(pair->fd[0]);
	pair->fd[0] = -1;
	assert_int_equal(ipc_in_read(&in, pair->fd[1], NULL, 0, &fd_count), 0);
	assert_int_equal(ipc_in_read(&in, -1, NULL, 0, &fd_count), -EBADF);
	ipc_in_release(&in);
}

/* Write and read an envelope with a payload of len bytes. */
static void
pass_large(struct pair *pair, struct ipc_in *in, size_t len)
{
	unsigned char *payload = malloc(len);
	struct ipc_envelope envelope = { .channel = "t:x",
		.channel_len = 3,
		.payload = payload,
		.payload_len = len };
	struct ipc_message message;
	struct buf out;
	const char *why = NULL;
	size_t fd_count;
	ssize_t n;

	assert_non_null(payload);
	for (size_t i = 0; i < len; i++)
		payload[i] = (unsigned char)(i * 7 + (i >> 11));
	buf_init(&out, len + 4096);
	assert_int_equal(ipc_append_envelope(&out, &envelope), 0);
	while ((n = ipc_in_peek(in, 0, IPC_UP, &message, &why)) == 0) {
		if (out.len != 0) {
			n = write(pair->fd[0], buf_data(&out), out.len);
			if (n > 0)
				buf_consume(&out, (size_t)n);
		}
		n = ipc_in_read(in, pair->fd[1], NULL, 0, &fd_count);
		assert_true(n > 0);
	}
	assert_true(n > 0);
	assert_int_equal(ipc_read_envelope(&message, &envelope), 0);
	assert_int_equal(envelope.payload_len, len);
	assert_memory_equal(envelope.payload, payload, len);
	ipc_in_consume(in, (size_t)n);
	buf_release(&out);
	free(payload);
}

static void
a_large_message_finds_room_and_gives_it_back(void **state)
{
	struct pair *pair = *state;
	struct ipc_in in;

	ipc_in_init(&in);
	pass_large(pair, &in, 10);
	assert_int_equal(in.cap, IPC_READ_BYTES);
	pass_large(pair, &in, 5 << 20);
	assert_true(in.cap <= 2 * IPC_READ_BYTES);
	pass_large(pair, &in, IPC_READ_BYTES);
	pass_large(pair, &in, 3 * IPC_READ_BYTES);
	pass_large(pair, &in, 10);
	assert_int_equal(in.cap, IPC_READ_BYTES);
	assert_int_equal(in.len, 0);
	ipc_in_release(&in);
	assert_null(in.mem);
}

static void
the_largest_payload_passes_and_a_larger_one_is_not_written(void **state)
{
	struct pair *pair = *state;
	struct ipc_envelope envelope = { .channel = "t:x",
		.channel_len = 3,
		.payload = (const unsigned char *)"",
		.payload_len = IPC_PAYLOAD_MAX + 1 };
	struct buf out;
	struct ipc_in in;

	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append_envelope(&out, &envelope), -ENOBUFS);
	assert_int_equal(out.len, 0);
	ipc_in_init(&in);
	pass_large(pair, &in, IPC_PAYLOAD_MAX);
	ipc_in_release(&in);
}

static void
descriptors_come_along_and_those_too_many_are_closed(void **state)
{
	struct pair *pair = *state;
	int pipe_fd[2], give[3], got[2];

	union {
		char mem[CMSG_SPACE(sizeof(give))];
		struct cmsghdr align;
	} control = { .mem = { 0 } };
	struct ipc_header ready = { .type = IPC_READY };
	struct iovec iov = { &ready, sizeof(ready) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	struct ipc_in in;
	size_t count = 0;
	char c;

	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK), 0);
	for (size_t i = 0; i < ARRAY_LEN(give); i++)
		give[i] = pipe_fd[1];
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(give));
	memcpy(CMSG_DATA(cmsg), give, sizeof(give));
	assert_int_equal(sendmsg(pair->fd[0], &msg, 0), sizeof(ready));
	(void)close(pipe_fd[1]);
	ipc_in_init(&in);
	assert_int_equal(ipc_in_read(&in, pair->fd[1], got, ARRAY_LEN(got),
			     &count),
	    sizeof(ready));
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		assert_true((fcntl(got[i], F_GETFD) & FD_CLOEXEC) != 0);
		assert_int_equal(read(pipe_fd[0], &c, 1), -1);
		(void)close(got[i]);
	}
	/* The third was closed, or the pipe would not be at its end. */
	assert_int_equal(read(pipe_fd[0], &c, 1), 0);
	(void)close(pipe_fd[0]);
	ipc_in_release(&in);
}

#define ON_PAIR(name)                                                          \
	cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PAIR(a_stream_means_the_same_however_it_is_cut),
		cmocka_unit_test(
		    messages_can_be_looked_at_before_any_is_consumed),
		ON_PAIR(nothing_there_and_the_end_are_told_apart),
		ON_PAIR(a_large_message_finds_room_and_gives_it_back),
		ON_PAIR(
		    the_largest_payload_passes_and_a_larger_one_is_not_written),
		ON_PAIR(descriptors_come_along_and_those_too_many_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* stream.c - see stream.h. */
#include "node/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/net.h"

void
stream_init(struct stream *stream, size_t max)
{
	stream->fd = -1;
	ipc_in_init(&stream->in);
	buf_init(&stream->out, max);
}

int
stream_open(struct stream *stream, const char *path)
{
	int fd = net_connect_unix(path);

	if (fd < 0)
		return fd;
	ipc_socket_buffers(fd);
	stream->fd = fd;
	return 0;
}

void
stream_close(struct stream *stream)
{
	if (stream->fd != -1)
		(void)close(stream->fd); /* nothing to do about a failure */
	stream->fd = -1;
	ipc_in_release(&stream->in);
	buf_release(&stream->out);
}

int
stream_read(struct stream *stream, stream_fn *fn, void *arg)
{
	struct ipc_message message;
	const char *why;
	size_t fd_count = 0;
	ssize_t n;

	n = ipc_in_read(&stream->in, stream->fd, NULL, 0, &fd_count);
	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return n == -ENOMEM ? -ENOMEM : -EPIPE;
	while (
	    (n = ipc_in_peek(&stream->in, 0, IPC_DOWN, &message, &why)) > 0) {
		fn(arg, &message);
		ipc_in_consume(&stream->in, (size_t)n);
	}
	return n < 0 ? -EPIPE : 0;
}

int
stream_write(struct stream *stream)
{
	ssize_t n;

	while (stream->out.len != 0) {
		/* The program may not expect SIGPIPE. */
		n = send(stream->fd, buf_data(&stream->out), stream->out.len,
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN ? 0 : -EPIPE;
		buf_consume(&stream->out, (size_t)n);
	}
	return 0;
}

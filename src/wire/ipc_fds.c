/* ipc_fds.c - see ipc_fds.h. */
#include "wire/ipc_fds.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]); /* nothing to do about it; -1: was lost */
}

void
ipc_fds_add(struct ipc_fds_out *out, size_t at, const int *fds, size_t count)
{
	assert(ipc_fds_has_room(out) && count <= IPC_FDS_TOGETHER);
	out->items[out->count].at = at;
	out->items[out->count].count = count;
	memcpy(out->items[out->count].fds, fds, count * sizeof(fds[0]));
	out->count++;
}

/* Shorten iov to len bytes; how many of its parts are left. */
static size_t
shorten(struct iovec *iov, size_t count, size_t len)
{
	size_t i = 0;

	while (i < count && len > 0) {
		if (iov[i].iov_len > len)
			iov[i].iov_len = len;
		len -= iov[i++].iov_len;
	}
	return i;
}

/* n bytes were sent, the first item's descriptors with them or not. */
static void
sent(struct ipc_fds_out *out, size_t n, bool with_fds)
{
	if (with_fds) {
		close_all(out->items[0].fds, out->items[0].count);
		out->count--;
		memmove(out->items, out->items + 1,
		    out->count * sizeof(out->items[0]));
	}
	for (size_t i = 0; i < out->count; i++)
		out->items[i].at -= n;
}

ssize_t
ipc_fds_write(struct ipc_fds_out *out, int fd, struct iovec *iov, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(IPC_FDS_TOGETHER * sizeof(int))];
	} control;
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = count };
	bool with_fds = out->count != 0 && out->items[0].at == 0;
	struct cmsghdr *head;
	size_t len;
	ssize_t n;

	if (with_fds) {
		len = out->items[0].count * sizeof(int);
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(len);
		head = CMSG_FIRSTHDR(&message);
		assert(head != NULL); /* there is room for one */
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(head), out->items[0].fds, len);
	}
	if (out->count > with_fds)
		message.msg_iovlen =
		    shorten(iov, count, out->items[with_fds].at);
	do {
		n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	sent(out, (size_t)n, with_fds && n > 0);
	return n;
}

void
ipc_fds_out_release(struct ipc_fds_out *out)
{
	for (size_t i = 0; i < out->count; i++)
		close_all(out->items[i].fds, out->items[i].count);
	out->count = 0;
}

bool
ipc_fds_came(struct ipc_fds_in *in, const int *fds, size_t count)
{
	if (count > ARRAY_LEN(in->fds) - in->count) {
		close_all(fds, count);
		return false;
	}
	memcpy(in->fds + in->count, fds, count * sizeof(fds[0]));
	in->count += count;
	return true;
}

bool
ipc_fds_take(struct ipc_fds_in *in, int *fds, size_t count)
{
	size_t used = in->count != 0 && in->fds[0] == -1 ? 1 : count;

	if (used > in->count)
		return false;
	for (size_t i = 0; i < count; i++)
		fds[i] = in->fds[used == count ? i : 0];
	in->count -= used;
	memmove(in->fds, in->fds + used, in->count * sizeof(fds[0]));
	return true;
}

void
ipc_fds_in_release(struct ipc_fds_in *in)
{
	close_all(in->fds, in->count);
	in->count = 0;
}

/* notify_socket.c - see notify_socket.h. */
#include "primary/notify_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
notify_socket_open(struct notify_socket *s, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	if (len == 0)
		return 0;
	/* An abstract name may fill it; a path needs its end. */
	if ((text[0] != '/' && text[0] != '@') || len < 2 ||
	    len >= sizeof(s->address.sun_path))
		return -EINVAL;
	s->address.sun_family = AF_UNIX;
	memcpy(s->address.sun_path, text, len);
	if (text[0] == '@')
		s->address.sun_path[0] = '\0';
	s->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
	    (text[0] == '/'));
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return s->fd == -1 ? -errno : 0;
}

void
notify_socket_close(struct notify_socket *s)
{
	if (s->fd != -1)
		(void)close(s->fd); /* a datagram has gone or has not */
	s->fd = -1;
}

int
notify_socket_send(const struct notify_socket *s, const char *message, int fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct sockaddr_un address = s->address;
	char text[1024];
	struct iovec iov = { text, strlen(message) };
	struct msghdr header = { .msg_name = &address,
		.msg_namelen = s->len,
		.msg_iov = &iov,
		.msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	ssize_t n;

	if (s->fd == -1)
		return 0;
	if (iov.iov_len >= sizeof(text))
		return -EMSGSIZE;
	memcpy(text, message, iov.iov_len);
	memset(control, 0, sizeof(control));
	if (fd != -1) {
		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(s->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

void
notify_main_pid(pid_t pid)
{
	struct notify_socket s;
	char text[32];

	(void)snprintf(text, sizeof(text), "MAINPID=%ld", (long)pid);
	if (notify_socket_open(&s, getenv("NOTIFY_SOCKET")) == 0)
		(void)!notify_socket_send(&s, text, -1); /* or it times out */
	notify_socket_close(&s);
}

void
notify_forget(void)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC",
		"WATCHDOG_PID", "FDSTORE", "LISTEN_PID", "LISTEN_FDS",
		"LISTEN_FDNAMES" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unsetenv(names[i]);
}

/* net_unix.c - Unix sockets and the descriptors they carry; see net.h. */
#include "base/net.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	SEND_FDS_MAX = 64,
	RECV_FDS_MAX = 253, /* the kernel's SCM_MAX_FD */
	GROUPS_MAX = 4096,  /* supplementary groups of a peer */
};

static int
unix_address(const char *path, struct sockaddr_un *ret_un)
{
	size_t len = strlen(path);

	memset(ret_un, 0, sizeof(*ret_un));
	if (len == 0)
		return -EINVAL;
	if (len >= sizeof(ret_un->sun_path))
		return -ENAMETOOLONG;
	ret_un->sun_family = AF_UNIX;
	memcpy(ret_un->sun_path, path, len);
	return 0;
}

static int
unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd == -1 ? -errno : fd;
}

/* Bind; a socket file whose listener has gone is removed first. */
static int
bind_unix(int fd, const struct sockaddr_un *un)
{
	struct stat st;
	int other;

	if (bind(fd, (const void *)un, sizeof(*un)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (lstat(un->sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	other = net_connect_unix(un->sun_path);
	if (other >= 0)
		(void)close(other); /* it only asked */
	if (other != -ECONNREFUSED)
		return -EADDRINUSE;
	if (unlink(un->sun_path) == -1 && errno != ENOENT)
		return -errno;
	if (bind(fd, (const void *)un, sizeof(*un)) == -1)
		return -errno;
	return 0;
}

int
net_listen_unix(const char *path, mode_t mode, int backlog)
{
	struct sockaddr_un un;
	int fd, rc;

	rc = unix_address(path, &un);
	if (rc != 0)
		return rc;
	fd = unix_socket();
	if (fd < 0)
		return fd;
	/* Before bind(), so that there is no moment with another mode. */
	if (fchmod(fd, mode) == -1) {
		rc = -errno;
		goto fail;
	}
	rc = bind_unix(fd, &un);
	if (rc != 0)
		goto fail;
	if (listen(fd, backlog) == -1) {
		rc = -errno;
		(void)unlink(path); /* we made it; nothing more can be done */
		goto fail;
	}
	return fd;
fail:
	(void)close(fd); /* never used */
	return rc;
}

int
net_connect_unix(const char *path)
{
	struct sockaddr_un un;
	int fd, rc;

	rc = unix_address(path, &un);
	if (rc != 0)
		return rc;
	fd = unix_socket();
	if (fd < 0)
		return fd;
	do {
		rc = connect(fd, (const void *)&un, sizeof(un)) == -1 ? -errno :
									0;
	} while (rc == -EINTR);
	if (rc == 0)
		return fd;
	(void)close(fd); /* never used */
	return rc;
}

int
net_peer(int fd, pid_t *ret_pid, uid_t *ret_uid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -errno;
	*ret_pid = cred.pid;
	*ret_uid = cred.uid;
	return 0;
}

bool
net_peer_allowed(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

bool
net_peer_in_group(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);
	struct ucred cred;

	if (group == (gid_t)-1)
		return false;
	/* More than there is room for are more than we look through. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
		for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
			if (groups[i] == group)
				return true;
		}
	}
	len = sizeof(cred);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    cred.gid == group;
}

int
net_group(const char *text, gid_t *ret_group)
{
	struct group entry, *found = NULL;
	char mem[16384], *end;
	unsigned long number;
	int rc;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0') {
		*ret_group = (gid_t)number;
		return errno == 0 && number < UINT32_MAX ? 0 : -ENOENT;
	}
	rc = getgrnam_r(text, &entry, mem, sizeof(mem), &found);
	if (found == NULL)
		return rc != 0 ? -rc : -ENOENT;
	*ret_group = found->gr_gid;
	return 0;
}

ssize_t
net_send_fds(int fd, const void *data, size_t len, const int *fds, size_t count)
{
	union {
		char mem[CMSG_SPACE(sizeof(int) * SEND_FDS_MAX)];
		struct cmsghdr align;
	} control;
	/* sendmsg() only reads what the iovec points to. */
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data,
		.iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	ssize_t n;

	assert(count <= SEND_FDS_MAX && len > 0);
	if (count != 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
	}
	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

/* Move the descriptors of one control message to fds; close the rest. */
static void
take_fds(struct cmsghdr *cmsg, int *fds, size_t max, size_t *count)
{
	size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
		if (*count < max)
			fds[(*count)++] = fd;
		else
			(void)close(fd); /* nobody asked for it */
	}
}

ssize_t
net_recv_fds(int fd, void *data, size_t len, int *fds, size_t max,
    size_t *ret_count)
{
	union {
		char mem[CMSG_SPACE(sizeof(int) * RECV_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	size_t count = 0;
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET &&
		    cmsg->cmsg_type == SCM_RIGHTS)
			take_fds(cmsg, fds, max, &count);
	}
	if ((msg.msg_flags & MSG_CTRUNC) != 0 && max != 0) {
		while (count > 0)
			(void)close(fds[--count]); /* some, and others lack */
		fds[count++] = -1;
	}
	*ret_count = count;
	return n;
}

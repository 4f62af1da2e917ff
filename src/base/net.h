/*
 * net.h - sockets: addresses, listeners, Unix sockets, passed descriptors.
 *
 * All descriptors are non-blocking and close-on-exec from birth.  Functions
 * return a descriptor or -errno, unless they say otherwise.
 */
#ifndef BASE_NET_H
#define BASE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base.h"

enum {
	NET_ADDRESS_MAX = 128
};

struct net_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/*
 * Parse "127.0.0.1:80", "[::1]:80", "localhost:80", ":80" (every address).
 * 0, or -EINVAL.
 */
WARN_UNUSED int net_parse(const char *text, struct net_address *ret_address);

/* Back to text, as net_parse() takes it. */
void net_format(const struct net_address *address, char *text, size_t size);

/* The IP address alone, for logs and for limits per address. */
void net_format_ip(const struct sockaddr *sa, char *text, size_t size);

/* Is it reachable from this host only? */
bool net_is_loopback(const struct net_address *address);

/* The address a socket is bound to.  0 or -errno. */
WARN_UNUSED int net_local(int fd, struct net_address *ret_address);

/*
 * A listening TCP socket with SO_REUSEPORT; what accepted connections inherit
 * (TCP_NODELAY, keep-alive, TCP_USER_TIMEOUT) is set on it.
 */
WARN_UNUSED int net_listen(const struct net_address *address, int backlog);

/*
 * A listening TCP socket that somebody else opened: make it non-blocking and
 * close-on-exec, and set what accepted connections inherit.  0 or -errno.
 */
WARN_UNUSED int net_tune(int fd);

/*
 * A listening Unix socket with this mode, put in place of one that nobody
 * listens on any more.  -EADDRINUSE: somebody does.
 */
WARN_UNUSED int net_listen_unix(const char *path, mode_t mode, int backlog);

/*
 * Connect to a Unix socket.  Never waits: -EAGAIN when the listener's queue is
 * full, -ECONNREFUSED or -ENOENT when there is none.
 */
WARN_UNUSED int net_connect_unix(const char *path);

/* Who is at the other end of a Unix socket.  0 or -errno. */
WARN_UNUSED int net_peer(int fd, pid_t *ret_pid, uid_t *ret_uid);

/* Would this peer be let in?  Same user, or root. */
bool net_peer_allowed(uid_t uid);

/*
 * Is the peer in this group, by its own or a supplementary one, as it was when
 * it connected?  Nobody is in (gid_t)-1.
 */
bool net_peer_in_group(int fd, gid_t group);

/*
 * The group with this name or number; 0, -ENOENT, or -errno.
 */
WARN_UNUSED int net_group(const char *text, gid_t *ret_group);

/*
 * sendmsg() of len bytes with fds attached to the first one.  Bytes sent or
 * -errno (-EAGAIN: nothing was sent, and no descriptor either).
 */
WARN_UNUSED ssize_t net_send_fds(int fd, const void *data, size_t len,
    const int *fds, size_t count);

/*
 * recvmsg() that takes descriptors: bytes read, 0 at the end, or -errno.
 * At most max descriptors are stored in fds (the caller owns them), further
 * ones are closed; *ret_count says how many.  When the process may have no more
 * descriptors all of these are lost: then there is one, -1.
 */
WARN_UNUSED ssize_t net_recv_fds(int fd, void *data, size_t len, int *fds,
    size_t max, size_t *ret_count);

#endif /* BASE_NET_H */

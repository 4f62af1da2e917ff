/*
 * notify_socket.h - the datagram socket on which a service manager listens.
 *
 * systemd names it in NOTIFY_SOCKET: a path, or @ and a name in the abstract
 * namespace.  One message is one datagram of lines VARIABLE=VALUE, and may
 * carry descriptors.  Nobody answers.
 */
#ifndef PRIMARY_NOTIFY_SOCKET_H
#define PRIMARY_NOTIFY_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/base.h"

struct notify_socket {
	int fd; /* owned; -1: nobody listens */
	struct sockaddr_un address;
	socklen_t len;
};

/*
 * A socket for messages to where text says (NULL or empty: to nobody).  0, or
 * -errno: -EINVAL when text is no such address.  After a failure there is
 * nobody either.
 */
WARN_UNUSED int notify_socket_open(struct notify_socket *socket,
    const char *text);

/* There is nobody any more. */
void notify_socket_close(struct notify_socket *socket);

/*
 * Send one message, and fd with it (-1: none).  Never waits: -EAGAIN when the
 * other side does not keep up.  0 (also when there is nobody), or -errno.
 */
WARN_UNUSED int notify_socket_send(const struct notify_socket *socket,
    const char *message, int fd);

/*
 * The service manager started us, and pid is going to be the main process in
 * our place.  Has to be said by the process that was started.
 */
void notify_main_pid(pid_t pid);

/*
 * Take the service manager's variables out of the environment: only the
 * primary speaks to it.  For the time between fork() and exec().
 */
void notify_forget(void);

#endif /* PRIMARY_NOTIFY_SOCKET_H */

/*
 * clusterbus/attach.h - a program joins a running bus as a node.
 *
 * It publishes, listens, pushes and asks, and has no clients of its own.  The
 * kernel tells the hub who it is: the user that runs the bus, or root.
 *
 * When the hub goes away the program stays attached: it tells the error
 * function (kind "hub", stage "subscribe"), knocks with back-off, and listens
 * again to all it had.  What is published meanwhile reaches this program's
 * listeners only and is told as stage "publish", -EPIPE.  So is what finds the
 * queue to the hub full, -ENOBUFS: who publishes more than the hub takes calls
 * cbus_sync() now and then.
 *
 * With an event loop of one's own: watch cbus_fd() for reading, always, and
 * call cbus_dispatch() when it is readable; the descriptor never changes.
 * Without one: cbus_wait() in a loop.
 */
#ifndef CLUSTERBUS_ATTACH_H
#define CLUSTERBUS_ATTACH_H

#include <clusterbus/bus.h>
#include <clusterbus/presence.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* All may be NULL or 0. */
struct cbus_attach_opts {
	const char *name;    /* of the bus; "default" */
	const char *run_dir; /* instead of the usual one for this name */
	const char *label;   /* of this program, for people */
	int timeout_ms;      /* to be attached within; 5000 */
	size_t queue_bytes;  /* that may wait for the hub; 4 MiB */
};

/*
 * Attach.  0 and the bus; -ECONNREFUSED or -ENOENT: no such bus is running;
 * -EACCES: it does not want us, why is in why (size bytes; may be NULL, 0);
 * -ETIMEDOUT, -ENOMEM.
 */
int cbus_attach(const struct cbus_attach_opts *opts, struct cbus **ret_bus,
    char *why, size_t size);

/*
 * What was published before is sent first, for at most a second; no callback
 * comes any more.  Inside a callback it only marks the bus: it ends when
 * cbus_dispatch(), cbus_wait() or cbus_sync() returns.  NULL is allowed.
 */
void cbus_detach(struct cbus *bus);

/*
 * For poll() or another loop: readable means cbus_dispatch().  It closes with
 * cbus_detach() and is not to be closed by others.
 */
int cbus_fd(const struct cbus *bus);

/* Do what there is to do, without waiting.  0, -EBUSY inside a callback. */
int cbus_dispatch(struct cbus *bus);

/*
 * Wait for at most timeout_ms (-1: for ever) until something was done.  0,
 * -ETIMEDOUT, -EINTR, -EBUSY.
 */
int cbus_wait(struct cbus *bus, int timeout_ms);

/*
 * Wait until the hub has handled all that this program has sent: publishes are
 * on their way, subscriptions are known.  Callbacks come meanwhile.  0,
 * -ETIMEDOUT, -EPIPE: the hub is away; -EBUSY, -ECANCELED: a callback has
 * detached the bus; -ENOMEM.
 */
int cbus_sync(struct cbus *bus, int timeout_ms);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* CLUSTERBUS_ATTACH_H */

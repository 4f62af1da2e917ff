/*
 * node.h - an attached program: a node without clients.
 *
 * It joins a running bus through hub.sock, publishes, and gets the envelopes
 * of the channels it joined.  Blocking calls with deadlines; one node belongs
 * to one thread.  The kernel tells the hub who we are (SO_PEERCRED): the same
 * user as the bus, or root.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "wire/ipc.h"

struct node;

/*
 * An envelope came; it is valid during the call.  node_publish() may be called
 * inside; what waits for the hub's answer (join, sync, wait) is -EBUSY there,
 * and the node must not be freed.
 */
typedef void node_envelope_fn(void *arg, const struct ipc_envelope *envelope);

/*
 * Attach.  name is for people.  0 and *ret_node (free with node_free()), or
 * -errno; -ECONNREFUSED or -ENOENT: no such bus; -EACCES: it does not want us,
 * and why is in why (size bytes).
 */
WARN_UNUSED int node_attach(const char *hub_path, const char *name,
    int timeout_ms, struct node **ret_node, char *why, size_t size);

/* Detach; what is still queued is lost (see node_sync()).  NULL is allowed. */
void node_free(struct node *node);

/* Who gets the envelopes. */
void node_on_envelope(struct node *node, node_envelope_fn *fn, void *arg);

/* Our id on the bus. */
struct ipc_node_id node_id(const struct node *node);

/*
 * Queue an envelope on a channel ("t:chat"), JSON text or bytes; waits for
 * room when the queue is full.  0; -EMSGSIZE; -EINVAL: no channel; -ETIMEDOUT:
 * no room for a minute; -ENOMEM; -EPIPE: the hub has gone.
 */
WARN_UNUSED int node_publish(struct node *node, const char *channel,
    size_t channel_len, const void *data, size_t len, bool binary);

/*
 * Join; when this returns 0 the hub knows.  -EMSGSIZE, -EINVAL, -ENOMEM,
 * -ETIMEDOUT, -EPIPE, -EBUSY.
 */
WARN_UNUSED int node_join(struct node *node, const char *channel, size_t len,
    int timeout_ms);

/*
 * Wait until the hub has handled everything we sent.  0, -ENOMEM, -ETIMEDOUT,
 * -EPIPE, -EBUSY.
 */
WARN_UNUSED int node_sync(struct node *node, int timeout_ms);

/*
 * Deliver what comes within timeout_ms (-1: for ever).  0 when something was
 * handled, -ETIMEDOUT, -EPIPE, -EINTR, -EBUSY.
 */
WARN_UNUSED int node_wait(struct node *node, int timeout_ms);

/* For poll() beside other descriptors: readable means node_wait(). */
int node_fd(const struct node *node);

#endif /* NODE_NODE_H */

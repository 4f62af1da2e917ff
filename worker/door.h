/*
 * door.h - connections are accepted, counted by address, and handed on.
 *
 * The listening sockets belong to the slot and outlive this worker: what waits
 * in their queues when it goes is served by the next one.  A connection over a
 * limit is closed and counted.  When more come than accept-rate allows, or the
 * process runs out of descriptors, accepting pauses for a moment: the
 * connections wait in the kernel's queue, and nobody is turned away.
 */
#ifndef WORKER_DOOR_H
#define WORKER_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

struct client;
struct door;
struct worker;

/*
 * Accept on these listening sockets (the descriptors are the door's now).
 * NULL: out of memory.
 */
struct door *door_new(struct worker *worker, const int *fds, size_t count,
    bool tls);

/*
 * Accept no more and close our copies of the listening sockets.  What waits in
 * the queues is taken before, as fast as it goes, unless another worker of our
 * slot is there to take it.
 */
void door_close(struct door *door);

/* door_close() without taking anything.  NULL is allowed. */
void door_free(struct door *door);

/* The client's handshake is done. */
void door_opened(struct door *door, struct client *client);

/* A client has come from another worker, with its socket: it is counted. */
void door_came(struct door *door, struct client *client);

/* The client has gone; its address has room again. */
void door_left(struct door *door, struct client *client);

#endif /* WORKER_DOOR_H */

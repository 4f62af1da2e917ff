/*
 * notify_store.h - listening sockets that the service manager keeps for us.
 *
 * systemd holds copies of descriptors over a restart, after a crash too, and
 * gives them back as LISTEN_FDS (activation.h).  So connections that come
 * while there is no primary wait in the queues instead of being refused.
 *
 * Every socket that we opened is stored under a name that says its place in
 * the kernel's order (steer.h), its slot and its address, and is taken out
 * again when it is closed or its place changes.  Sockets that the manager
 * opened itself (a .socket unit) are not stored: it has them.
 */
#ifndef PRIMARY_NOTIFY_STORE_H
#define PRIMARY_NOTIFY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/net.h"
#include "primary/listeners.h"

struct notify_socket;

#define NOTIFY_STORE_PREFIX "clusterbus-"

enum {
	NOTIFY_STORE_NAME_MAX = NET_ADDRESS_MAX + 32
};

struct notify_stored {
	uint64_t inode; /* tells one socket from another */
	bool seen;
	char name[NOTIFY_STORE_NAME_MAX];
};

struct notify_store {
	bool wanted;      /* the manager keeps descriptors */
	uint64_t max;     /* how many; 0: nobody said */
	uint64_t changes; /* listener_changes() when it was complete */
	const void *set;  /* and of which listeners; NULL: it is not */
	bool limit_told;  /* the log has a line about max */
	struct notify_stored *items; /* owned */
	size_t count;
	size_t room;
};

/* Read FDSTORE, which says how many descriptors the manager keeps. */
void notify_store_init(struct notify_store *store);

/* Forget what is stored; it stays where it is. */
void notify_store_release(struct notify_store *store);

/* The name of the socket that has this place in its listener's order. */
void notify_store_name(const struct listener *listener, size_t place,
    char *name, size_t size);

/* Read such a name.  False: it is none of ours. */
bool notify_store_parse(const char *name, size_t *ret_place,
    unsigned *ret_slot);

/* The manager gave us fd under this name: it is stored.  0 or -ENOMEM. */
WARN_UNUSED int notify_store_know(struct notify_store *store, int fd,
    const char *name);

/*
 * Store what is not, take out what is no socket of ours any more.  0 when all
 * is as it should be; -EAGAIN when the manager does not keep up: again later;
 * another -errno: it cannot be told.
 */
WARN_UNUSED int notify_store_check(struct notify_store *store,
    const struct notify_socket *socket, const struct listeners *listeners);

#endif /* PRIMARY_NOTIFY_STORE_H */

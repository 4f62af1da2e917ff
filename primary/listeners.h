/*
 * listeners.h - all addresses of one configuration, in its order.
 *
 * A reload makes a second set: addresses that both have are shared, new ones
 * are opened for all slots before anything else happens (so that a port that
 * is taken refuses the reload as a whole), and removed ones close when the old
 * set is released.
 */
#ifndef PRIMARY_LISTENERS_H
#define PRIMARY_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "config/config.h"
#include "primary/listener.h"
#include "wire/ipc_proto.h"

/* One descriptor of a message is kept for the statistics page. */
enum {
	LISTENERS_MAX = IPC_FDS_MAX - 1
};

struct listeners {
	struct listener *items[LISTENERS_MAX]; /* a reference each */
	size_t count;
};

/*
 * The set for these addresses, without opening a socket for anybody.  Those
 * that old has (NULL: none) are shared with it.  known is text as
 * listeners_text() writes it, of an earlier primary (NULL: none): where an
 * address asks for port 0 its port is used again.  0, or -errno with
 * what is wrong in why.
 */
WARN_UNUSED int listeners_init(struct listeners *set,
    const struct config_list *addresses, const struct listeners *old,
    const char *known, char *why, size_t size);

/* Let go of all listeners; those in no other set close. */
void listeners_release(struct listeners *set);

/*
 * Refuse addresses where somebody listens already; those that old has are
 * ours.  0, or -errno with the address in why.
 */
WARN_UNUSED int listeners_probe(const struct listeners *set,
    const struct listeners *old, char *why, size_t size);

/*
 * A socket for slot on every address; all or none.  0, or -errno with the
 * address in why.
 */
WARN_UNUSED int listeners_open(struct listeners *set, unsigned slot, char *why,
    size_t size);

/* The same for all addresses as listener_close() and listener_expect(). */
void listeners_close(struct listeners *set, unsigned slot);
void listeners_expect(struct listeners *set, unsigned slot);

/* The sockets of slot in order; returns how many (all, or 0 if one lacks). */
size_t listeners_fds(const struct listeners *set, unsigned slot, int *fds);

/*
 * Take fd (consumed) for slot if it is a socket of one of the addresses that
 * the slot has none for, or the very one that it has; true when it was, else it
 * is closed.
 */
bool listeners_take(struct listeners *set, unsigned slot, int fd);

/* See listener_steer(); what fails is logged. */
void listeners_steer(const struct listeners *set, const bool *open);

/* Connections that wait in the queues of slot. */
unsigned listeners_queued(const struct listeners *set, unsigned slot);

/* The real addresses, with between between them. */
void listeners_text(const struct listeners *set, const char *between,
    char *text, size_t size);

#endif /* PRIMARY_LISTENERS_H */

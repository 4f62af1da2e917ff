/*
 * listener.h - one address for clients, with a listening socket per slot.
 *
 * The sockets form one SO_REUSEPORT group.  They are the primary's for as long
 * as their slot exists, so a worker that dies or is replaced loses nothing
 * from its queue: the next one accepts what waits.  When a slot goes, new
 * connections are steered away first, the worker drains the queue, and then
 * the socket is closed.
 *
 * A service manager may have opened the sockets (socket activation).  Then no
 * other is opened: the slots have copies of them, in turn.  A single one is
 * shared by all, and whichever worker is first accepts; several are a
 * SO_REUSEPORT group.  They are never shut down, only our copies are closed.
 *
 * The order in which the kernel keeps the sockets (steer.h) is known here,
 * because every socket of the group is opened, taken over or closed here.
 */
#ifndef PRIMARY_LISTENER_H
#define PRIMARY_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/net.h"
#include "wire/stats.h"

enum {
	LISTENER_GIVEN_MAX = STATS_SLOTS_MAX
};

struct listener {
	unsigned refs;                    /* sets of listeners it is in */
	char text[NET_ADDRESS_MAX];       /* as configured */
	struct net_address address;       /* as bound: the real port */
	int fds[STATS_SLOTS_MAX];         /* owned; -1: none */
	uint16_t places[STATS_SLOTS_MAX]; /* the kernel's order: slots */
	size_t place_count;
	/*
	 * Somebody else has copies of the sockets and closes them later than we
	 * do: new connections must be kept from what is closed.
	 */
	bool held;
	/* Sockets that a service manager opened; the slots have copies. */
	int given[LISTENER_GIVEN_MAX]; /* owned */
	size_t given_count;
};

/*
 * A listener with one reference and no socket yet.  port is used where text
 * says 0 (and may itself be 0: then the first socket picks one).
 * 0, -EINVAL when text is no address, -ENOMEM.
 */
WARN_UNUSED int listener_new(const char *text, uint16_t port,
    struct listener **ret_listener);

/* One more set has it.  Returns listener. */
struct listener *listener_ref(struct listener *listener);

/* The last one closes all its sockets.  NULL is allowed. */
void listener_unref(struct listener *listener);

/* Is some socket, of whomever, listening on the address?  0 or -EADDRINUSE. */
WARN_UNUSED int listener_probe(const struct listener *listener);

/* Give slot a socket unless it has one.  0 or -errno. */
WARN_UNUSED int listener_open(struct listener *listener, unsigned slot);

/* Close the socket of slot, if it has one; its place is free. */
void listener_close(struct listener *listener, unsigned slot);

/*
 * A worker of an earlier primary may come with the socket of slot: its place
 * in the kernel's order is taken.
 */
void listener_expect(struct listener *listener, unsigned slot);

/*
 * Would fd be a socket of this address?  It must listen with SO_REUSEPORT;
 * getsockname() says where.  Where sockets were given it must be one of them.
 */
bool listener_matches(const struct listener *listener, int fd);

/* Is fd the very socket that slot has, by another number? */
bool listener_has(const struct listener *listener, unsigned slot, int fd);

/* Take fd (consumed) as the socket of slot, which must have none. */
void listener_take(struct listener *listener, unsigned slot, int fd);

/*
 * New connections go to slots with open[slot] only, or to all when it is true
 * for all or for none.  0 or -errno.
 */
WARN_UNUSED int listener_steer(struct listener *listener, const bool *open);

/* Connections that wait in slot's queue, if it is the slot's alone. */
unsigned listener_queued(const struct listener *listener, unsigned slot);

/*
 * Is fd a listening TCP socket bound to this address?  A port that is still to
 * be picked is any port.
 */
bool listener_fits(const struct listener *listener, int fd);

/*
 * Take fd (consumed on success), which fits and was opened by a service
 * manager, before any slot has a socket.  0, -E2BIG, or -errno.
 */
WARN_UNUSED int listener_give(struct listener *listener, int fd);

/* How often any listener of this process got a socket, or closed one. */
uint64_t listener_changes(void);

/* The real port, or 0 before the first socket picked one. */
uint16_t listener_port(const struct listener *listener);

#endif /* PRIMARY_LISTENER_H */

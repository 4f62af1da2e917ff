/*
 * activation.h - listening sockets that a service manager passes to us.
 *
 * systemd passes them as descriptors 3, 4, ... and says in LISTEN_PID,
 * LISTEN_FDS and LISTEN_FDNAMES whose they are, how many and how they are
 * called.  There are two kinds.  Those of a .socket unit take the place of the
 * sockets that we would open: each must be of an address that is configured.
 * Those that we stored ourselves (notify_store.h) go back to the slot and the
 * address that their name says; what does not fit any more is closed.
 */
#ifndef PRIMARY_ACTIVATION_H
#define PRIMARY_ACTIVATION_H

#include <stddef.h>

#include "base/base.h"
#include "primary/listeners.h"

struct notify_store;

enum {
	ACTIVATION_FIRST_FD = 3,
	ACTIVATION_MAX = STATS_SLOTS_MAX * LISTENERS_MAX
};

struct activation {
	int count;   /* descriptors from ACTIVATION_FIRST_FD on */
	char *names; /* owned; as in LISTEN_FDNAMES; NULL: they have none */
};

/*
 * Take what was passed to this process and the variables out of the
 * environment, before any other descriptor is opened and before going into the
 * background.  0, or -errno with the reason in why.
 */
WARN_UNUSED int activation_take(struct activation *activation, char *why,
    size_t size);

/*
 * Give the sockets to the listeners that they belong to; store learns what it
 * has.  All are consumed.  0, or -errno with the reason in why when one of a
 * .socket unit belongs to none.
 */
WARN_UNUSED int activation_apply(struct activation *activation,
    struct listeners *set, struct notify_store *store, char *why, size_t size);

/*
 * All workers run: close sockets that were stored for slots that there are not
 * any more.  Nothing new has come to them since the start.
 */
void activation_settle(struct listeners *set, unsigned slots);

/* Close what was not applied. */
void activation_release(struct activation *activation);

#endif /* PRIMARY_ACTIVATION_H */

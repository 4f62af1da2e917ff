/*
 * rundir.h - where a bus of some name keeps its sockets.
 *
 * /run/clusterbus/NAME for root, else $XDG_RUNTIME_DIR/clusterbus/NAME, without
 * either /tmp/clusterbus-UID/NAME; --run-dir says it outright.  In it:
 *
 *	hub.sock      nodes attach here (0600)
 *	control.sock  `busctl reload` and the like (0600)
 *	redis.sock    the Redis door (0600)
 *	primary.pid   locked by the primary as long as it lives
 *	stats         the statistics page (stats.h)
 */
#ifndef BASE_RUNDIR_H
#define BASE_RUNDIR_H

#include <stddef.h>

#include "base.h"

enum {
	RUNDIR_MAX = 90
}; /* sun_path is 108 and a name is appended */

struct rundir {
	char path[RUNDIR_MAX];
};

/*
 * The directory's path, absolute; nothing is created.  run_dir is the option's
 * value (empty: by name).  0, -ENAMETOOLONG, -EINVAL for a name that cannot be
 * one component of a path, or -errno when there is no current directory.
 */
WARN_UNUSED int rundir_path(struct rundir *rundir, const char *run_dir,
    const char *name);

/*
 * Create it (0700) with its parents.  0 or -errno; -EPERM when it is another
 * user's or others may write to it, so that its sockets would not be ours.
 */
WARN_UNUSED int rundir_create(const struct rundir *rundir);

/* The path of a file in it; file is one of the names above. */
void rundir_file(const struct rundir *rundir, const char *file, char *path,
    size_t size);

/*
 * Become the primary of this directory: lock primary.pid and write our pid.
 * Returns a descriptor to keep open (it is the lock), or -errno; with
 * -EWOULDBLOCK *ret_pid is the pid of the primary that has it.
 */
WARN_UNUSED int rundir_lock(const struct rundir *rundir, int *ret_pid);

/* The pid of the living primary of this directory, 0: none, or -errno. */
WARN_UNUSED int rundir_primary(const struct rundir *rundir);

#endif /* BASE_RUNDIR_H */

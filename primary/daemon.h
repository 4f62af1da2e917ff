/*
 * daemon.h - into the background, and the word to whoever waits in front.
 *
 * The process that was started stays in the foreground until the workers are
 * ready (it exits with 0 then) or the start has failed (it says why and exits
 * with the status that fits).  Its child is the primary.
 */
#ifndef PRIMARY_DAEMON_H
#define PRIMARY_DAEMON_H

#include "base/base.h"

/*
 * Fork.  Returns in the child only, detached from the terminal: 0 with the
 * descriptor to tell the parent through, or -errno (nothing was forked).
 */
WARN_UNUSED int daemon_start(int *ret_fd);

/*
 * Tell the parent how the start ended: its exit status and, when that is not
 * 0, why.  fd is closed and set to -1; -1 does nothing.
 */
void daemon_tell(int *fd, int exit_status, const char *why);

#endif /* PRIMARY_DAEMON_H */

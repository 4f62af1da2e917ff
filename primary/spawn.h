/*
 * spawn.h - fork and exec of ourselves: a clean address space per worker.
 *
 * A worker finds the hub at descriptor IPC_FD and nothing else that was ours.
 * Its signals are as a fresh process has them, but for INT, HUP and PIPE,
 * which it ignores from birth: a Ctrl-C on the terminal reaches workers too,
 * and the primary decides.  It does not die with its parent: workers outlive
 * the primary.
 */
#ifndef PRIMARY_SPAWN_H
#define PRIMARY_SPAWN_H

#include <sys/types.h>

#include "base/base.h"

/*
 * Remember the path of the running binary, for all that are started later: a
 * binary that was replaced on disk is what they run then.  0 or -errno.
 */
WARN_UNUSED int spawn_init(void);

/*
 * Start a worker: program, or for "" the running binary; both get the same
 * words.  slot, name and run_dir are for people who read `ps`.
 * *ret_fd is our end of its hub socket (close-on-exec, non-blocking), the
 * caller's.  Its pid, or -errno.
 */
WARN_UNUSED pid_t spawn_worker(unsigned slot, const char *name,
    const char *run_dir, const char *program, int *ret_fd);

/* The path that spawn_init() found; what is there by now is another matter. */
const char *spawn_path(void);

/*
 * Start another binary to see what it does: in a process group of its own, with
 * no descriptor of ours, what it prints goes to *ret_fd (non-blocking, the
 * caller's).  Its pid, or -errno.
 */
WARN_UNUSED pid_t spawn_trial(const char *path, char *const argv[],
    int *ret_fd);

#endif /* PRIMARY_SPAWN_H */

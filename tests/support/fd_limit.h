/*
 * fd_limit.h - a process that may have no more descriptors than it has.
 */
#ifndef SUPPORT_FD_LIMIT_H
#define SUPPORT_FD_LIMIT_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So many more may be opened; ret_old is for fd_limit_end().  False: no. */
static inline bool
fd_limit_begin(unsigned more, struct rlimit *ret_old)
{
	struct rlimit few;
	int next = dup(STDOUT_FILENO);

	if (next == -1 || getrlimit(RLIMIT_NOFILE, ret_old) == -1)
		return false;
	(void)close(next);
	few = *ret_old;
	few.rlim_cur = (rlim_t)next + more;
	return setrlimit(RLIMIT_NOFILE, &few) == 0;
}

static inline void
fd_limit_end(const struct rlimit *old)
{
	(void)setrlimit(RLIMIT_NOFILE, old); /* it was in force before */
}

/*
 * valgrind keeps this limit to itself: what comes in messages is not subject to
 * it there.  It does not know pidfd_open() either, which tells it.
 */
static inline bool
fd_limit_is_kept_elsewhere(void)
{
	long fd = syscall(SYS_pidfd_open, getpid(), 0);

	if (fd != -1)
		(void)close((int)fd);
	if (fd != -1 || errno != ENOSYS)
		return false;
	(void)puts("no limit of descriptors here: valgrind keeps it");
	return true;
}

#endif /* SUPPORT_FD_LIMIT_H */

/*
 * attach.h - workers that somebody else started: PM2, supervisord, a person.
 *
 * Each gets an empty slot with the slot's listening sockets, or is turned away
 * with the reason: for good when it can never be right here (it looks for
 * another bus), for a second when it may be later (all slots have a worker, it
 * has a place already, the bus is stopping).  Nothing that it says of itself
 * counts: its pid, user and groups are the kernel's word.  Its end is seen by
 * its socket's end and by a pidfd.
 */
#ifndef PRIMARY_ATTACH_H
#define PRIMARY_ATTACH_H

#include <sys/types.h>

#include "base/base.h"

struct hub_node;
struct process;
struct supervisor;

/* A worker without a place has said HELLO; name is for the log. */
void attach_worker(struct supervisor *supervisor, struct hub_node *node,
    const char *name, pid_t pid);

/*
 * An attached worker has gone: a process_gone_fn.  One that had closed its door
 * before was told to leave, even if its LEAVING has not been read yet.
 */
void attach_gone(struct process *process, int status);

#endif /* PRIMARY_ATTACH_H */

/*
 * adopt.h - workers that this primary did not start.
 *
 * Survivors: workers of an earlier primary of the same name, found in the
 * statistics page by their pid.  Each is expected to say HELLO soon, from the
 * socket of that very process (the kernel's word), and brings its listening
 * sockets along; it goes on as if nothing had happened.  Meanwhile its slot is
 * STARTING.  One that does not come is replaced.
 *
 * It has its READY behind it, but its slot waits for another one: the JOINs of
 * its clients stand between HELLO and that.
 *
 * Workers that somebody else started and that are new here: attach.h.
 */
#ifndef PRIMARY_ADOPT_H
#define PRIMARY_ADOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct hub_node;
struct ipc_hello;
struct stats_page;
struct supervisor;

/* Does any worker of an earlier primary live? */
bool adopt_is_needed(const struct stats_page *page, int page_fd);

/*
 * Look through a page that an earlier primary left; before anything is
 * started.  Returns how many workers are expected.
 */
unsigned adopt_survivors(struct supervisor *supervisor);

/* A node of kind WORKER that we did not start has said HELLO. */
void adopt_hello(struct supervisor *supervisor, struct hub_node *node,
    const struct ipc_hello *hello, const char *name, pid_t pid, const int *fds,
    size_t fd_count);

#endif /* PRIMARY_ADOPT_H */

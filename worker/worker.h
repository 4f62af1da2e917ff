/*
 * worker.h - the process that serves clients.
 *
 * It finds the hub at descriptor IPC_FD (spawned) or at a path (attached),
 * gets its place, its listening sockets and its configuration from there, says
 * READY and serves until it is told to drain.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

struct worker_start {
	const char *hub_path; /* NULL: the hub is at IPC_FD */
	const char *name;     /* for people; in the hub's log */
	const char *bus;      /* the one that it must be; NULL: any */
};

/*
 * Serve.  Returns the exit status: 0 after a drain, 1 after a failure, 78 when
 * its configuration can never work (not worth a respawn).
 */
int worker_run(const struct worker_start *start);

#endif /* WORKER_WORKER_H */

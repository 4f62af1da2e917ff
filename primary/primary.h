/*
 * primary.h - the process that owns everything but clients.
 *
 * Signals, slots, listening sockets, the hub, the control socket and the
 * statistics page belong to it.  It never reads a byte from a client, has no
 * libwebsockets and parses no JSON (but PM2's lines): a parent that does almost
 * nothing survives everything.
 */
#ifndef PRIMARY_PRIMARY_H
#define PRIMARY_PRIMARY_H

#include "config/config.h"

struct primary_start {
	struct config *config; /* consumed */
	int argc;              /* the words that made it, for a reload */
	char **argv;           /* after the command's name; borrowed */
	bool spawn;            /* false: `busctl hub`, workers attach */
};

/*
 * Has another program executed us in its place (`busctl upgrade`)?  Then
 * start->config may be NULL, when it has mistakes: it is of no use unless the
 * other one's state cannot be used.
 */
bool primary_replaces(void);

/*
 * Run a bus until it is stopped.  Returns the exit status: 0 after a stop, 1
 * after a failure, 2 or 78 when it could not start because of its settings.
 */
int primary_run(const struct primary_start *start);

#endif /* PRIMARY_PRIMARY_H */

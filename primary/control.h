/*
 * control.h - the socket that `busctl reload`, `stop` and the like talk to.
 *
 * A connection carries one line, "COMMAND [ARG]\n" of at most
 * CONTROL_LINE_MAX bytes, within CONTROL_LINE_S.  The answer is any number of
 * lines "info TEXT\n", then one "ok TEXT\n" or "error CODE TEXT\n" (CODE is the
 * exit status for busctl), then the end.  Commands: ping, reload, stop,
 * stop fast, restart, restart SLOT, scale N, reopen, upgrade [FLAGS [PATH]].
 *
 * Only this user and root are let in: the socket is 0600, and the kernel is
 * asked who is at the other end.
 */
#ifndef PRIMARY_CONTROL_H
#define PRIMARY_CONTROL_H

#include <stdbool.h>

#include "base/base.h"

struct control;
struct ev_loop;
struct jobs;

enum {
	CONTROL_LINE_MAX = 1024,
	CONTROL_LINE_S = 5,
	CONTROL_CONNECTIONS_MAX = 32,
	CONTROL_OUT_MAX = 64 * 1024, /* then info lines are left out */
};

/* Commands that are no jobs; arg is what control_new() was given. */
struct control_calls {
	void (*stop)(void *arg, bool fast);
	void (*reopen)(void *arg);
};

/*
 * Answer on listen_fd (consumed, on failure too).  jobs and calls are borrowed
 * until control_free().  NULL: out of memory.
 */
struct control *control_new(struct ev_loop *loop, int listen_fd,
    struct jobs *jobs, const struct control_calls *calls, void *arg);

/*
 * The bus has stopped: those who waited for that hear it.  code and text are
 * the final line's; 0 is "ok".
 */
void control_stopped(struct control *control, int code, const char *text);

/* Write what waits, as far as the sockets take it. */
void control_flush(struct control *control);

/* Close all connections and free.  NULL is allowed. */
void control_free(struct control *control);

#endif /* PRIMARY_CONTROL_H */

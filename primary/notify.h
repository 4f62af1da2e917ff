/*
 * notify.h - tells the service manager (systemd) how the bus is.
 *
 * When NOTIFY_SOCKET is set, the primary says READY=1 when all workers listen,
 * RELOADING=1 when a reload begins and READY=1 when it is over, well or not,
 * STOPPING=1 when the drain begins, and meanwhile STATUS=.  While it drains it
 * asks for more time again and again, so that the manager's own limit does not
 * cut it short; the ladder of the workers (process.h) has an end of its own.
 *
 * When WATCHDOG_USEC is set, WATCHDOG=1 is said twice in that time, but only
 * while every worker moves.  A worker that does not is replaced by the primary
 * (watch.h); the watchdog is for the case that this does not help.
 *
 * What the other side does not take at once waits in a short queue, in order.
 * Without a service manager nothing of this happens.
 */
#ifndef PRIMARY_NOTIFY_H
#define PRIMARY_NOTIFY_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "primary/notify_socket.h"
#include "primary/notify_store.h"

struct supervisor;

enum {
	NOTIFY_TEXT_MAX = 512,
	NOTIFY_QUEUE_MAX = 8,
	NOTIFY_STATUS_MS = 5000,  /* STATUS= at most this often */
	NOTIFY_EXTEND_MS = 2000,  /* how often more time is asked for */
	NOTIFY_PATIENCE_S = 15,   /* how much */
	NOTIFY_RETRY_MS = 50,     /* when the other side did not keep up */
	NOTIFY_WATCHDOG_MIN = 10, /* ms; a shorter watchdog is none */
};

struct notify {
	struct notify_socket socket;
	struct notify_store store;
	struct ev_loop *loop;          /* borrowed; NULL: not started */
	struct supervisor *supervisor; /* borrowed */
	uint64_t watchdog_ms;          /* 0: there is none */
	bool bad_socket;               /* NOTIFY_SOCKET makes no sense */
	bool told_ready;
	bool told_stopping;
	ev_timer status;
	ev_timer watchdog;
	ev_timer retry;
	uint64_t messages_in; /* at the last status */
	uint64_t messages_out;
	uint64_t counted_ms;
	char last_status[NOTIFY_TEXT_MAX];
	unsigned waiting_count;
	char waiting[NOTIFY_QUEUE_MAX][NOTIFY_TEXT_MAX];
};

/*
 * Read the environment; nothing is said yet.  WATCHDOG_PID must be this
 * process: call it before going into the background.
 */
void notify_init(struct notify *notify);

/*
 * There is a bus; what it lacks is told from now on.  Both are borrowed until
 * notify_stop().
 */
void notify_start(struct notify *notify, struct ev_loop *loop,
    struct supervisor *supervisor);

/* Once per turn in which something changed: say what is new. */
void notify_check(struct notify *notify);

/* A reload begins, or is over. */
void notify_reload(struct notify *notify, bool begins);

/* Say nothing more. */
void notify_stop(struct notify *notify);

#endif /* PRIMARY_NOTIFY_H */

/*
 * pm2.h - an attached worker as an application of PM2 (`instances: N`).
 *
 * It says "ready" when it accepts clients, its figures once a second, and
 * leaves on PM2's "shutdown" message, as on TERM and INT.  When PM2 itself has
 * gone it leaves as well: the workers that `pm2 resurrect` starts want its
 * slot.  NODE_APP_INSTANCE is not its slot; the hub says which one it has.
 *
 * The channel is src/pm2/pm2_channel.h; workers that a primary started have
 * none, PM2 knows their primary (primary/pm2.h).
 */
#ifndef WORKER_PM2_H
#define WORKER_PM2_H

#include "base/base.h"

struct runtime;
struct worker_pm2;

/*
 * Take the channel that PM2 gave us.  NULL: PM2 has not started us, or there is
 * no memory.  p is borrowed.
 */
struct worker_pm2 *worker_pm2_new(struct runtime *p);

/* A few times a second: are we ready by now?  NULL is allowed. */
void worker_pm2_heartbeat(struct worker_pm2 *pm2);

/* NULL is allowed. */
void worker_pm2_free(struct worker_pm2 *pm2);

#endif /* WORKER_PM2_H */

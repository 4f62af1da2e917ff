/*
 * pm2.h - the primary as an application of PM2.
 *
 * With it `pm2 start` waits until all workers listen, `pm2 monit` shows the
 * figures of the whole bus, and `pm2 trigger APP reload|restart|scale|drain|
 * status` do what busctl does, through the same queue of jobs.  PM2's
 * "shutdown" message is a paced stop.  The channel itself is
 * src/pm2/pm2_channel.h.
 *
 * When PM2 itself is killed, the primary lets go: it ends at once and leaves
 * its workers alone, which serve on for orphan-timeout.  The primary that
 * `pm2 resurrect` starts finds and adopts them; a primary that stayed would
 * only be in its way.
 *
 * What can be asked for is in pm2_messages.c, the figures in pm2_figures.c.
 */
#ifndef PRIMARY_PM2_H
#define PRIMARY_PM2_H

#include "base/base.h"

struct jobs;
struct pm2;

enum {
	PM2_REQUESTS_MAX = 32, /* actions that wait for their end */
};

/* What the primary does for PM2; arg is what pm2_new() was given. */
struct pm2_calls {
	/* Stop, paced. */
	void (*stop)(void *arg);

	/* End now, without a word to the workers. */
	void (*let_go)(void *arg);
};

/*
 * Speak to PM2 on fd, which pm2_channel_claim() has given; -1: there is no
 * PM2.  fd is consumed, everything else borrowed.  NULL: no PM2, or no memory.
 */
struct pm2 *pm2_new(int fd, struct jobs *jobs, const struct pm2_calls *calls,
    void *arg);

/* All workers listen.  NULL is allowed. */
void pm2_ready(struct pm2 *pm2);

/* For an exec that replaces this program: the next one finds the channel. */
void pm2_give(const struct pm2 *pm2);

/* Say the last words and close.  NULL is allowed. */
void pm2_free(struct pm2 *pm2);

#endif /* PRIMARY_PM2_H */

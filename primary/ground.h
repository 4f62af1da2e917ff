/*
 * ground.h - what a primary stands on: log, run directory, lock, page.
 *
 * It is laid before anything else, and in this order: a second primary is
 * found by the lock before it touches anything, and the statistics page says
 * whether workers of an earlier primary live.
 */
#ifndef PRIMARY_GROUND_H
#define PRIMARY_GROUND_H

#include <stdbool.h>

#include "base/base.h"
#include "base/rundir.h"
#include "config/config.h"
#include "wire/stats.h"

struct ground {
	int daemon_fd;  /* who waits for the start; -1: nobody */
	char *log_file; /* owned; empty: standard error */
	struct rundir rundir;
	int lock_fd;             /* owned; -1: none */
	int page_fd;             /* owned; -1: none */
	struct stats_page *page; /* owned; NULL: none */
	bool found;              /* the page was there */
	bool survivors;          /* workers of an earlier primary live */
};

/*
 * Go into the background if asked to, open the log, take the run directory and
 * the page.  0, or the exit status with the reason said already.
 */
WARN_UNUSED int ground_lay(struct ground *ground, const struct config *config);

/* Nothing is laid yet; ground_release() may follow. */
void ground_init(struct ground *ground);

/*
 * The same for a program that takes the place of another one: it has the lock
 * (consumed), and its page must be there.  0, or the exit status.
 */
WARN_UNUSED int ground_take_over(struct ground *ground,
    const struct config *config, int lock_fd);

/* Write into the page whose it is now.  Nobody else's figures change. */
void ground_claim_page(struct ground *ground, const struct config *config);

/* Say why there will be no bus, to the log and to who waits; gives status. */
int ground_refuse(struct ground *ground, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* A listening Unix socket in the run directory, or -errno (said). */
WARN_UNUSED int ground_listen(struct ground *ground, const char *name);

/* Take the files away: nobody is left who could need them. */
void ground_clean(const struct ground *ground);

/* Give everything back, the lock last.  The files stay. */
void ground_release(struct ground *ground);

#endif /* PRIMARY_GROUND_H */

/*
 * trial.h - run another binary on its own, to learn whether it would work.
 *
 * The binary is started as `busctl start --rehearse WORDS` with the words of
 * our own start (rehearsal.h is what it does then).  It must say which versions
 * it speaks, and end with 0 in time.  It takes nothing of ours: no descriptor,
 * no address, no place on the bus.  Whatever it does, it ends with its whole
 * process group.
 */
#ifndef PRIMARY_TRIAL_H
#define PRIMARY_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct ev_loop;
struct trial;

#define TRIAL_WORD "--rehearse"

/* The first line and the last; "%s" is the software's version. */
#define TRIAL_LINE   "clusterbus-rehearsal 1 %s ipc %u stats %u %u handover %u\n"
#define TRIAL_PASSED "rehearsal passed\n"

struct trial_result {
	bool ok;
	bool fits;        /* it can take over our state as it is */
	char version[64]; /* its software's; empty: it said none */
	char why[512];    /* not ok, or does not fit */
};

/* How it went; result is borrowed for the call. */
typedef void trial_done_fn(void *arg, const struct trial_result *result);

/*
 * Start path with argv.  on_done comes once, from the loop; the trial is to be
 * freed then or at any other time.  NULL, and why in words.
 */
struct trial *trial_new(struct ev_loop *loop, const char *path,
    char *const argv[], uint64_t timeout_ms, trial_done_fn *on_done, void *arg,
    char *why, size_t size);

/* It is killed if it still runs.  NULL is allowed. */
void trial_free(struct trial *trial);

/*
 * What somebody who ended with status (of waitpid()) has said, judged: text is
 * all that came, len bytes and a 0.  For trial.c and its test.
 */
void trial_judge(char *text, size_t len, int status,
    struct trial_result *ret_result);

#endif /* PRIMARY_TRIAL_H */

/*
 * rehearsal.h - `busctl start --rehearse WORDS`: would this binary work here?
 *
 * A running primary asks it of the binary that is to replace it (trial.h).
 * The words of the start, the environment and the files are read as ever; then
 * one worker is started against a hub of our own until it is READY, with a
 * listening socket on a free port of the loopback address.  Nothing of the
 * running bus is touched, and nothing is left behind.
 */
#ifndef PRIMARY_REHEARSAL_H
#define PRIMARY_REHEARSAL_H

#include "base/base.h"
#include "config/config.h"

/* Which versions this binary speaks, on standard output. */
void rehearsal_say_versions(void);

/*
 * Rehearse with config, which is consumed.  Returns the exit status; what is
 * wrong is said on standard error as "failed: WHY".
 */
WARN_UNUSED int rehearsal_run(struct config *config);

#endif /* PRIMARY_REHEARSAL_H */

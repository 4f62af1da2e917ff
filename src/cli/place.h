/*
 * place.h - which bus a command is about.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "base/base.h"
#include "base/rundir.h"
#include "config/config.h"

struct place {
	struct config *config; /* owned; see place_release() */
	struct rundir rundir;
};

/*
 * Find the bus that --name, --run-dir, their variables or the configuration
 * file mean.  argv[0] is the command's name; what is left of its words
 * afterwards stands in argv[1] to argv[*ret_rest].  CLI_OK, or CLI_USAGE when
 * something is wrong, which has been said then.
 */
WARN_UNUSED int place_find(int argc, char **argv, struct place *ret_place,
    int *ret_rest);

/* Free what place_find() gave. */
void place_release(struct place *place);

#endif /* CLI_PLACE_H */

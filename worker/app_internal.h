/*
 * app_internal.h - what applications have in a worker; app.c, app_load.c and
 * call.c share it.
 */
#ifndef WORKER_APP_INTERNAL_H
#define WORKER_APP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/table.h"
#include "clusterbus/app.h"
#include "worker/app.h"
#include "worker/call.h"

struct worker;

/* One of them, loaded. */
struct loaded {
	struct cbus_app hooks; /* a copy; an older version has fewer */
	void *handle;          /* of dlopen(); NULL: built in */
	void *arg;             /* what its start hook gave */
	bool started;
	char *name; /* owned; for the log */
};

struct app {
	struct loaded *all; /* owned, in the order of the configuration */
	size_t count;
	struct table methods; /* owned; struct method by name, call.c */
	struct list waiting;  /* calls, the oldest first */
	struct list told;     /* calls whose clients need no answer any more */
};

/*
 * Load a shared object.  0 and *ret_loaded, or -EINVAL after the reason has
 * been logged; -ENOMEM.  Given back with app_unload().
 */
WARN_UNUSED int app_load(const char *path, struct loaded *ret_loaded);

/* Take one that is part of the program.  As app_load(). */
WARN_UNUSED int app_take(const struct cbus_app *hooks,
    struct loaded *ret_loaded);

/* Its code may be gone afterwards. */
void app_unload(struct loaded *loaded);

#endif /* WORKER_APP_INTERNAL_H */

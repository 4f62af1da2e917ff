/*
 * app.h - applications: loaded, started, and their hooks called.
 *
 * The hooks are those of clusterbus/app.h.  There can be several applications
 * (--app more than once); a hook is called in each, in the order given.  The
 * first with an authenticate hook decides who comes in; a message is published
 * when none refuses it.  All functions do nothing when worker->app is NULL.
 */
#ifndef WORKER_APP_H
#define WORKER_APP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "clusterbus/app.h"

struct client;
struct worker;

/*
 * An application that is part of this program (cbus_worker_run()): app_start()
 * takes it as the first.
 */
void app_builtin(const struct cbus_app *app);

/*
 * Load and start what the configuration names, before READY is said; sets
 * worker->app.  0; or -EINVAL (cannot be loaded, wrong version), or what its
 * start hook said: the reason has been logged.
 */
WARN_UNUSED int app_start(struct worker *worker);

/* Call the stop hooks, newest first, and unload. */
void app_stop(struct worker *worker);

/* The configuration was read again. */
void app_reload(struct worker *worker);

/* A client is open and authenticated; one that was connected has gone. */
void app_connect(struct client *client);
void app_close(struct client *client);

/* A client publishes: 0, -EACCES, -EINVAL. */
WARN_UNUSED int app_message(struct client *client,
    const struct cbus_message *message);

/* Is there an authenticate hook? */
bool app_authenticates(const struct worker *worker);

#endif /* WORKER_APP_H */

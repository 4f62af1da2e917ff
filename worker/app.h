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

struct buf;
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

/*
 * A client is to go to another worker: append what applications keep about it.
 * 0; -EAGAIN: not now; -ENOTSUP: one says no, or writes more than out may hold;
 * -ENOMEM.  Nothing has changed, it may still stay.
 */
WARN_UNUSED int app_move_out(struct client *client, struct buf *out);

/*
 * One has come, OPEN, with that.  0; or -errno, and it is being closed: no
 * memory, bytes that cannot be, an application that refuses it.
 */
int app_move_in(struct client *client, const void *bytes, size_t len);

/* It is another worker's now: app_close() is not for it.  Its calls end. */
void app_moved_away(struct client *client);

/* Is there an authenticate hook? */
bool app_authenticates(const struct worker *worker);

#endif /* WORKER_APP_H */

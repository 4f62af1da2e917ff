/*
 * auth_internal.h - shared by worker/auth*.c only.
 */
#ifndef WORKER_AUTH_INTERNAL_H
#define WORKER_AUTH_INTERNAL_H

#include "worker/auth.h"

/* Is there an application that judges?  Are there keys? */
bool auth_app_judges(const struct worker *worker);
bool auth_has_keys(const struct worker *worker);

/*
 * Who is it, as the application or the keys judge?  0 and a new identity, or
 * NULL for nobody in particular; -EACCES, -EPERM, -ENOMEM and why.
 */
WARN_UNUSED int auth_identify(struct client *client,
    const struct handshake *handshake, struct identity **ret_identity,
    const char **ret_why);

#endif /* WORKER_AUTH_INTERNAL_H */

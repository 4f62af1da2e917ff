/*
 * admit.h - who may attach, besides the user who runs the bus and root.
 *
 * With --attach-group the members of one group may: hub.sock belongs to it and
 * has the mode 0660, the run directory 0710, so that they reach the socket and
 * see nothing else.  (The directories above it are not ours.)  At every
 * connection the kernel is asked for the peer's groups; the mode alone lets
 * nobody in.
 */
#ifndef PRIMARY_ADMIT_H
#define PRIMARY_ADMIT_H

#include "base/base.h"

struct config;
struct ground;
struct hub;

/*
 * Open hub.sock, which listens already, to the group that is configured.  0, or
 * the exit status with the reason said.
 */
WARN_UNUSED int admit_group(struct ground *ground, struct hub *hub,
    const struct config *config);

#endif /* PRIMARY_ADMIT_H */

/*
 * handover_parts.h - each part of the primary writes itself into a state and
 * puts itself back.
 *
 * Inside primary/handover*.c, upgrade.c and primary.c only.  The order of
 * reading is that of this file.  What a function takes over from a state is
 * its own from then on, descriptors included; -ENOMEM leaves a half-built
 * primary, which must end (its workers come back by knocking).
 */
#ifndef PRIMARY_HANDOVER_PARTS_H
#define PRIMARY_HANDOVER_PARTS_H

#include "primary/control.h"
#include "primary/handover.h"
#include "primary/hub.h"
#include "primary/jobs.h"
#include "primary/listeners.h"
#include "primary/supervisor.h"

/* The record of the primary itself, and the version behind it. */
void handover_read_primary(const struct handover_state *state,
    struct handover_primary *ret_primary, char *version, size_t size);

/* The configuration in force with its contract.  NULL, and why. */
void handover_put_settings(struct handover_out *out,
    const struct settings *settings);
struct settings *handover_take_settings(const struct handover_state *state,
    char *why, size_t size);

/*
 * Questions under way are ended (QUERIED says late), what is queued is written
 * as far as the sockets take it, and nodes that failed are gone.
 */
void handover_rest_hub(struct hub *hub);

/* The hub's numbers into primary; then its nodes and channels. */
void handover_put_hub(struct handover_out *out, const struct hub *hub,
    struct handover_primary *primary);
void handover_put_nodes(struct handover_out *out, const struct hub *hub);
WARN_UNUSED int handover_take_hub(const struct handover_state *state,
    struct hub *hub);

/* The node with this index; it is there. */
struct hub_node *handover_node(const struct hub *hub, uint32_t index);
uint32_t handover_node_index(const struct hub_node *node);

/* What has come from nodes is handled: everything is in its place. */
void handover_wake_hub(struct hub *hub);

/* The sockets of an address that is in the configuration. */
void handover_put_listeners(struct handover_out *out,
    const struct listeners *set);
WARN_UNUSED int handover_take_listeners(const struct handover_state *state,
    struct listeners *set);

/* Slots, processes, programs; nodes are there already. */
void handover_put_supervisor(struct handover_out *out,
    const struct supervisor *supervisor);
WARN_UNUSED int handover_take_supervisor(const struct handover_state *state,
    struct supervisor *supervisor);

/*
 * The running job, which is the upgrade, those that wait, and connections of
 * the control socket.
 */
void handover_put_control(struct handover_out *out,
    const struct control *control, struct handover_primary *primary);
void handover_put_peers(struct handover_out *out, const struct jobs *jobs,
    const struct control *control);
WARN_UNUSED int handover_take_control(const struct handover_state *state,
    struct jobs *jobs, struct control *control);

#endif /* PRIMARY_HANDOVER_PARTS_H */

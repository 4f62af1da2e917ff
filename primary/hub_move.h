/*
 * hub_move.h - connections on their way from one worker to another.
 *
 * Inside primary/ only.  The hub keeps no list of moves: it passes their steps
 * on, in the order of the two streams, and tells when one end is not there (any
 * more).  Only workers move connections.
 */
#ifndef PRIMARY_HUB_MOVE_H
#define PRIMARY_HUB_MOVE_H

#include <stdbool.h>

struct hub;
struct hub_node;
struct ipc_message;

/* What a worker says of a move. */
void hub_move_offer(struct hub_node *node, struct ipc_message *message);
void hub_move_step(struct hub_node *node, struct ipc_message *message);
void hub_move_give(struct hub_node *node, struct ipc_message *message);

/* The node has gone: all workers hear it. */
void hub_move_forget(struct hub_node *node);

/* Is no client's socket in the hub's hands now? */
bool hub_moves_idle(const struct hub *hub);

#endif /* PRIMARY_HUB_MOVE_H */

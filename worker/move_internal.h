/*
 * move_internal.h - what the parts of move.h share.
 *
 * Inside worker/move*.c only.  move.c is the order and who goes next,
 * move_give.c the giver's side, move_take.c the taker's.
 */
#ifndef WORKER_MOVE_INTERNAL_H
#define WORKER_MOVE_INTERNAL_H

#include "worker/move.h"

/* move.c */

/* A move of this client, in one of the lists.  NULL: no memory. */
struct move *move_new(struct client *client, bool giver,
    const struct ipc_node_id *peer, uint32_t token);

/* Free it; the client stays, with move NULL. */
void move_free(struct move *move);

/* Go to the next stage. */
void move_step(struct move *move, enum move_stage stage);

/* Tell the other side.  False: it will not hear it. */
bool move_say(const struct move *move, enum ipc_step_kind kind);

/* The same about a move that is not known here (any more). */
void move_say_no(struct worker *worker, const struct ipc_node_id *peer,
    uint32_t token, bool giver);

/* It has left MOVING: what was asked meanwhile is done now. */
void move_arrived(struct client *client);

/* move_give.c */

/* CLOCK_MONOTONIC in microseconds. */
uint64_t move_now_us(void);

/* Begin: pause it, and OFFER it when it is quiet. */
void move_give_begin(struct client *client, const struct ipc_node_id *to);

/* Once a turn, for every one that is not quiet yet or waits too long. */
void move_give_look(struct move *move);

/* The taker, or the hub for it, said this. */
void move_give_step(struct move *move, enum ipc_step_kind kind);

/* Call it off: the client stays here. */
void move_give_back(struct move *move);

/* Can this client be moved, now or later? */
bool move_is_possible(const struct client *client);

/* Nobody owes it an answer. */
bool move_is_quiet(const struct client *client);

/* move_take.c */

/* Once a turn, for every one whose JOINs are due or that waits too long. */
void move_take_look(struct move *move);

/* The giver, or the hub, said this. */
void move_take_step(struct move *move, enum ipc_step_kind kind);

/* Call it off: nothing of it stays here. */
void move_take_drop(struct move *move);

#endif /* WORKER_MOVE_INTERNAL_H */

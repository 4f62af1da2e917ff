/*
 * take_rig.h - worker b takes a client; what worker a says is said by the test,
 * when it wants, with the bytes that a real a has offered and given.
 */
#ifndef SUPPORT_TAKE_RIG_H
#define SUPPORT_TAKE_RIG_H

#include "pair_rig.h"

enum {
	TOKEN = 1
};

/* What a has said, to be heard by b when the test wants it. */
static struct fake_said offer = { .fds = { -1, -1 } };
static struct fake_said give = { .fds = { -1, -1 } };

/* Have a offer and give a client that it does not have any more afterwards. */
static inline void
prepare(struct pair *p)
{
	struct client *client = pair_client(p->a);

	fake_said_release(&offer);
	fake_said_release(&give);
	pair_order(p, 1, 0);
	move_turn(p->a);
	assert_true(fake_link_take(p->a->link, &offer));
	hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_ACCEPT, false);
	assert_true(fake_link_take(p->a->link, &give));
	assert_int_equal(give.type, IPC_GIVE);
	assert_int_equal(client->state, CLIENT_MOVING);
	hear_step(p->a, &p->b->id, TOKEN, IPC_STEP_TAKEN, false);
	assert_int_equal(p->a->clients.count, 0);
	fake_link_moves_reset(p->a->link);
	(void)fake_link_said(p->b->link);
}

static inline void
hear_offer(struct pair *p)
{
	struct ipc_offer head = offer.offer;

	head.peer = p->a->id;
	move_on_offer(p->b, &head, offer.bytes, offer.len);
}

static inline void
hear_give(struct pair *p)
{
	int fds[2] = { fcntl(give.fds[0], F_DUPFD_CLOEXEC, 0), -1 };
	struct ipc_give head = give.give;

	head.peer = p->a->id;
	move_on_give(p->b, &head, give.bytes, give.len, fds);
}

static inline void
hear_kind(struct pair *p, unsigned kind)
{
	hear_step(p->b, &p->a->id, TOKEN, kind, true);
}

/* Bring b to this stage of taking a client. */
static inline struct client *
client_in(struct pair *p, enum move_stage stage)
{
	struct client *client;

	prepare(p);
	if (stage == MOVE_JOINING)
		fake_link_forget(p->b->link, false); /* JOIN is not possible */
	hear_offer(p);
	if (stage != MOVE_JOINING)
		hear_kind(p, IPC_STEP_CUT);
	if (stage == MOVE_TAKEN)
		hear_give(p);
	assert_int_equal(p->b->clients.count, 1);
	client = p->b->clients.all[0];
	assert_non_null(client->move);
	assert_int_equal(client->move->stage, stage);
	assert_int_equal(client->state, CLIENT_MOVING);
	assert_int_equal(fake_ws_move.ins, 0);
	return client;
}

/* Nothing of it is there any more. */
static inline void
check_nothing(struct pair *p)
{
	fake_said_release(&offer);
	fake_said_release(&give);
	fake_link_moves_reset(NULL);
	assert_int_equal(p->b->clients.count, 0);
	assert_int_equal(p->b->stats->clients, 0);
	assert_int_equal(p->b->stats->moved_in, 0);
	assert_int_equal(fake_ws_move.ins, 0);
	assert_int_equal(open_fds(), p->fds_before);
	pair_check_rest(p->b);
}

#endif /* SUPPORT_TAKE_RIG_H */

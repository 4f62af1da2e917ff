/*
 * pair_rig.h - two workers and a hub between them that passes on one message at
 * a time.
 *
 * The workers' parts are real; link.h and ws.h are the fakes of this folder.
 * Clients have real descriptors, so that owners can be counted.
 */
#ifndef SUPPORT_PAIR_RIG_H
#define SUPPORT_PAIR_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <ev.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/move_internal.h"
#include "worker_fixture.h"

struct pair {
	struct worker *a, *b; /* giver and taker, as a rule */
	struct ev_loop *loop;
	size_t fds_before;
};

static const struct ipc_node_id pair_third = { 0x2a, 3, 3 };

static inline size_t
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

static inline struct worker *
pair_worker(struct pair *p, uint16_t slot)
{
	static char ws; /* nobody looks into it */
	struct worker *worker = fixture_new();

	assert_non_null(worker);
	worker->id.slot = slot;
	node_id_format(&worker->id, worker->node, sizeof(worker->node));
	worker->loop = p->loop;
	worker->ws = (struct ws *)(void *)&ws;
	worker->ready = true;
	worker->config->max_clients = 1000;
	worker->config->outbox_soft = worker->config->outbox_hard = 1 << 22;
	return worker;
}

static inline int
pair_setup(void **state)
{
	static struct pair pair;

	pair = (struct pair){ .loop = ev_loop_new(EVFLAG_AUTO) };
	log_set_level(LOG_LEVEL_ERROR);
	pair.fds_before = open_fds();
	pair.a = pair_worker(&pair, 1);
	pair.b = pair_worker(&pair, 2);
	*state = &pair;
	return 0;
}

/* libwebsockets closes what it has. */
static inline void
pair_gone(struct client *client)
{
	int fd = client->fd;

	fixture_gone(client);
	(void)close(fd);
}

static inline void
pair_worker_end(struct worker *worker)
{
	move_stop(worker);
	assert_int_equal(worker->stats->moving, 0);
	while (worker->clients.count != 0)
		pair_gone(worker->clients.all[0]);
	fake_link_answer_all(worker);
	fixture_free(worker);
}

static inline int
pair_teardown(void **state)
{
	struct pair *p = *state;

	pair_worker_end(p->a);
	pair_worker_end(p->b);
	fake_link_moves_reset(NULL);
	assert_int_equal(open_fds(), p->fds_before);
	ev_loop_destroy(p->loop);
	return 0;
}

/* A client of this worker with a descriptor, in t:x, settled. */
static inline struct client *
pair_client(struct worker *worker)
{
	int ends[2];
	struct client *client = fixture_client(worker);

	assert_non_null(client);
	client->settle_ms = client_now(worker);
	/* A connection for the kernel, whose other end has gone. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     ends),
	    0);
	(void)close(ends[1]);
	client->fd = ends[0];
	assert_int_not_equal(client->fd, -1);
	assert_int_equal(fixture_join(client, "t:x", "1"), 0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	(void)fake_link_said(worker->link);
	return client;
}

/* The hub's order to a. */
static inline void
pair_order(struct pair *p, uint32_t count, uint32_t rate)
{
	struct ipc_move move = { .count = count, .rate = rate };

	move_on_order(p->a, &move, &p->b->id, 1);
}

static inline void
pair_turns(struct pair *p)
{
	fake_link_answer_all(p->a);
	fake_link_answer_all(p->b);
	move_turn(p->a);
	move_turn(p->b);
}

static inline void
pair_later(struct pair *p, uint64_t ms)
{
	p->a->now_ms += ms;
	p->b->now_ms += ms;
}

/* The worker hears a step. */
static inline void
hear_step(struct worker *worker, const struct ipc_node_id *from, uint32_t token,
    unsigned kind, bool giver)
{
	struct ipc_step step = { .peer = *from,
		.token = token,
		.kind = (uint16_t)kind,
		.giver = giver };

	move_on_step(worker, &step);
}

/* The hub gives this message to `to`.  Consumes it. */
static inline void
pair_deliver(struct worker *to, const struct ipc_node_id *from,
    struct fake_said *said)
{
	if (said->type == IPC_OFFER) {
		said->offer.peer = *from;
		move_on_offer(to, &said->offer, said->bytes, said->len);
	} else if (said->type == IPC_GIVE) {
		said->give.peer = *from;
		move_on_give(to, &said->give, said->bytes, said->len,
		    said->fds);
		said->fds[0] = said->fds[1] = -1; /* the worker's */
	} else if (said->type == IPC_STEP) {
		said->step.peer = *from;
		move_on_step(to, &said->step);
	}
	fake_said_release(said);
}

/*
 * Pass the oldest message on, as hub_move.c does; which step it was, or
 * IPC_OFFER and IPC_GIVE plus 100.  0: there was none.
 */
static inline unsigned
pair_pass(struct pair *p)
{
	struct fake_said said;
	struct worker *from, *to;
	unsigned what;
	uint32_t token;

	if (!fake_link_take(NULL, &said))
		return 0;
	from = said.link == p->a->link ? p->a : p->b;
	to = from == p->a ? p->b : p->a;
	what = said.type == IPC_STEP ? said.step.kind : 100 + said.type;
	token = said.step.token;
	pair_deliver(to, &from->id, &said);
	if (what == IPC_STEP_ACCEPT)
		hear_step(from, &to->id, token, IPC_STEP_CUT, true);
	return what;
}

static inline void
pair_pass_all(struct pair *p)
{
	while (pair_pass(p) != 0)
		;
}

/* Nothing on its way, nobody paused. */
static inline void
pair_check_rest(const struct worker *worker)
{
	assert_int_equal(worker->mover.out_count, 0);
	assert_int_equal(worker->mover.in_count, 0);
	assert_int_equal(worker->stats->moving, 0);
	for (uint32_t i = 0; i < worker->clients.count; i++) {
		assert_null(worker->clients.all[i]->move);
		assert_false(worker->clients.all[i]->paused);
		assert_non_null(worker->clients.all[i]->wsi);
		assert_int_not_equal(worker->clients.all[i]->state,
		    CLIENT_MOVING);
	}
	fixture_check(worker);
}

#define PAIR_TEST(name)                                                        \
	cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

#endif /* SUPPORT_PAIR_RIG_H */

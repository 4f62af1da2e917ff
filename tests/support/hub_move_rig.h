/*
 * hub_move_rig.h - a hub and workers that say steps of moves to each other.
 */
#ifndef SUPPORT_HUB_MOVE_RIG_H
#define SUPPORT_HUB_MOVE_RIG_H

#include "hub_fixture.h"

#include <dirent.h>
#include <fcntl.h>

#include "primary/hub_move.h"
#include "wire/ipc_fds.h"
#include "wire/node_id.h"

enum {
	TOKEN = 77,
};

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

static const struct ipc_node_id nobody = { PEER_HOST, 999, 1 };

/* A worker that is ready, and hears of workers that go. */
static inline struct peer *
new_worker(struct hub_fixture *f)
{
	struct peer *peer = peer_new(f);

	peer->steps = true;
	peer_say(f, peer, IPC_READY, NULL, 0, NULL, 0);
	hub_turns(f, 2);
	return peer;
}

static inline struct peer *
new_program(struct hub_fixture *f)
{
	struct peer *peer;

	f->programs = true;
	peer = peer_new(f);
	f->programs = false;
	return peer;
}

static inline void
say_step(struct hub_fixture *f, struct peer *from, const struct ipc_node_id *to,
    unsigned kind, bool giver)
{
	struct ipc_step step = { .peer = *to,
		.token = TOKEN,
		.kind = (uint16_t)kind,
		.giver = giver };

	peer_say(f, from, IPC_STEP, &step, sizeof(step), NULL, 0);
}

static inline void
expect_step(struct hub_fixture *f, struct peer *peer,
    const struct ipc_node_id *from, unsigned kind, bool giver)
{
	struct ipc_step step;

	peer_expect(f, peer, IPC_STEP, &step, sizeof(step));
	assert_int_equal(step.kind, kind);
	assert_true(node_id_equal(&step.peer, from));
	assert_int_equal(step.token, kind == IPC_STEP_GONE ? 0 : TOKEN);
	assert_int_equal(step.giver != 0, giver);
}

static inline void
say_offer(struct hub_fixture *f, struct peer *from,
    const struct ipc_node_id *to)
{
	struct ipc_offer offer = { .peer = *to, .token = TOKEN };

	peer_say(f, from, IPC_OFFER, &offer, sizeof(offer), "who", 3);
}

/* GIVE with so many descriptors as fd_count says, or as there are. */
static inline void
say_give(struct hub_fixture *f, struct peer *from, const struct ipc_node_id *to,
    uint32_t claimed, size_t sent)
{
	struct ipc_give give = { .peer = *to,
		.token = TOKEN,
		.fd_count = claimed };
	int fds[8];
	struct buf out;
	ssize_t n;

	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append(&out, IPC_GIVE, &give, sizeof(give),
			     "state", 5, NULL, 0),
	    0);
	for (size_t i = 0; i < sent; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_int_not_equal(fds[i], -1);
	}
	n = sent == 0 ?
	    write(from->fd, buf_data(&out), out.len) :
	    net_send_fds(from->fd, buf_data(&out), out.len, fds, sent);
	assert_int_equal(n, out.len);
	for (size_t i = 0; i < sent; i++)
		(void)close(fds[i]);
	buf_release(&out);
	hub_turns(f, 2);
}

#endif /* SUPPORT_HUB_MOVE_RIG_H */

/*
 * hub_fixture.h - a hub on a loop of its own, and nodes at the other end of
 * real sockets.
 *
 * Nothing runs by itself: hub_turns() lets the loop go round, peer_next() does
 * so until the peer has a message.  Two turns are enough for what was written
 * to be read, relayed and written again.
 */
#ifndef SUPPORT_HUB_FIXTURE_H
#define SUPPORT_HUB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/net.h"
#include "primary/hub.h"
#include "primary/hub_node.h"
#include "wire/ipc.h"

enum {
	PEERS_MAX = 100,
	PEER_DEADLINE_MS = 10000,
	PEER_PID = 4242,
	PEER_HOST = 0xabcdef,
};

/* A node, seen from its own side. */
struct peer {
	int fd;
	struct hub_node *node; /* NULL: the hub has let it go */
	struct ipc_in in;
	size_t taken; /* bytes of the message that peer_next() gave */
	bool ended;   /* the hub has closed */
	bool steps;   /* STEP(GONE) is of interest, and not left out */
	char gone_why[96];
};

struct hub_fixture {
	struct ev_loop *loop;
	struct stats_hub stats;
	struct hub *hub;
	struct peer peers[PEERS_MAX];
	size_t peer_count;

	/* What the supervisor's part here answers to HELLO. */
	enum {
		ANSWER_WELCOME,
		ANSWER_REFUSE,
		ANSWER_LATER
	} answer;

	/* Called last in each event; NULL: nothing. */
	void (*also)(struct hub_fixture *f, struct hub_node *node,
	    const char *event);
	unsigned hellos, readies, applies, leavings, gones;
	struct ipc_hello hello; /* the last one, and what came with it */
	char name[64];
	pid_t pid;
	size_t fd_count;
	bool applied_ok;
	char applied_why[256];
	uint16_t slots;
	bool programs; /* nodes that come are programs, not workers */
	bool adopted;  /* workers that come have clients already */
};

static inline void
fixture_also(struct hub_fixture *f, struct hub_node *node, const char *event)
{
	if (f->also != NULL)
		f->also(f, node, event);
}

static inline void
fixture_on_hello(void *arg, struct hub_node *node,
    const struct ipc_hello *hello, const char *name, pid_t pid, const int *fds,
    size_t fd_count)
{
	struct hub_fixture *f = arg;
	struct ipc_welcome welcome = {
		.id = { PEER_HOST, f->slots++, 1 },
		.section = UINT32_MAX,
		.adopted = f->adopted,
	};

	if (f->programs)
		welcome.id.slot |= IPC_PROGRAM_SLOT;
	f->hellos++;
	f->hello = *hello;
	f->pid = pid;
	f->fd_count = fd_count;
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]);
	if (f->answer == ANSWER_WELCOME)
		assert_int_equal(hub_welcome(node, &welcome, "/run/x", NULL),
		    0);
	else if (f->answer == ANSWER_REFUSE)
		hub_refuse(node, 500, "not you");
	fixture_also(f, node, "hello");
}

static inline void
fixture_on_ready(void *arg, struct hub_node *node)
{
	struct hub_fixture *f = arg;

	f->readies++;
	fixture_also(f, node, "ready");
}

static inline void
fixture_on_applied(void *arg, struct hub_node *node, bool ok, const char *why)
{
	struct hub_fixture *f = arg;

	f->applies++;
	f->applied_ok = ok;
	(void)snprintf(f->applied_why, sizeof(f->applied_why), "%s", why);
	fixture_also(f, node, "applied");
}

static inline void
fixture_on_leaving(void *arg, struct hub_node *node)
{
	struct hub_fixture *f = arg;

	f->leavings++;
	fixture_also(f, node, "leaving");
}

static inline void
fixture_on_gone(void *arg, struct hub_node *node, const char *why)
{
	struct hub_fixture *f = arg;

	f->gones++;
	for (size_t i = 0; i < f->peer_count; i++) {
		if (f->peers[i].node != node)
			continue;
		f->peers[i].node = NULL;
		(void)snprintf(f->peers[i].gone_why,
		    sizeof(f->peers[i].gone_why), "%s", why);
	}
	fixture_also(f, node, "gone");
}

static inline int
hub_fixture_setup(void **state)
{
	static const struct hub_events events = {
		.on_hello = fixture_on_hello,
		.on_ready = fixture_on_ready,
		.on_applied = fixture_on_applied,
		.on_leaving = fixture_on_leaving,
		.on_gone = fixture_on_gone,
	};
	static struct hub_fixture fixture;
	struct hub_fixture *f = &fixture;

	*f = (struct hub_fixture){ 0 };
	(void)signal(SIGPIPE, SIG_IGN); /* as the primary does */
	f->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	f->hub = hub_new(f->loop, &f->stats, &events, f);
	*state = f;
	return f->loop == NULL || f->hub == NULL;
}

static inline int
hub_fixture_teardown(void **state)
{
	struct hub_fixture *f = *state;

	f->also = NULL;
	hub_free(f->hub);
	for (size_t i = 0; i < f->peer_count; i++) {
		if (f->peers[i].fd != -1)
			(void)close(f->peers[i].fd);
		ipc_in_release(&f->peers[i].in);
	}
	ev_loop_destroy(f->loop);
	return 0;
}

static inline void
hub_turns(struct hub_fixture *f, int count)
{
	while (count-- > 0)
		(void)ev_run(f->loop, EVRUN_NOWAIT);
}

#include "hub_peer.h"

#endif /* SUPPORT_HUB_FIXTURE_H */

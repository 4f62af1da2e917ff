/*
 * door_rig.h - a door on a real listening socket; accept() fails when asked to.
 *
 * Included by the door's tests.  door.c is taken in whole, so that its stand-in
 * (fake_door.c) stays out.
 */
#ifndef SUPPORT_DOOR_RIG_H
#define SUPPORT_DOOR_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "base/log.h"
#include "base/net.h"
#include "fake_ws.h"
#include "torture.h"
#include "worker/door.c"

enum {
	HUNG_SECONDS = 20
};

struct rig {
	struct worker worker;
	struct config config;
	struct net_address address;
	int listener;
};

/* The next accept4() calls fail like this. */
static int failing_errno;
static int failures_left;
static int accepts;

/* The name is given here because the declaration of accept4() has a union. */
int fake_accept4(int fd, struct sockaddr *sa, socklen_t *len,
    int flags) __asm__("accept4");

int
fake_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	accepts++;
	if (failures_left > 0) {
		failures_left--;
		errno = failing_errno;
		return -1;
	}
	return (int)syscall(SYS_accept4, fd, sa, len, flags);
}

/* A worker with a door; NULL: out of memory. */
static inline struct rig *
rig_new(bool tls)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct net_address any;

	failures_left = 0;
	accepts = 0;
	fake_ws_refuses = false;
	if (r == NULL)
		return NULL;
	r->config.max_clients = 100;
	r->config.accept_rate = 100000;
	r->config.max_clients_per_address = 100;
	r->config.max_handshakes_per_address = 100;
	r->worker.config = &r->config;
	r->worker.stats = &r->worker.unplaced;
	r->worker.loop = ev_loop_new(EVFLAG_NOENV);
	channels_init(&r->worker.channels);
	move_init(&r->worker);
	list_init(&r->worker.flush.dirty);
	assert_int_equal(net_parse("127.0.0.1:0", &any), 0);
	r->listener = net_listen(&any, 64);
	assert_true(r->listener >= 0);
	assert_int_equal(net_local(r->listener, &r->address), 0);
	r->worker.door = door_new(&r->worker, &r->listener, 1, tls);
	if (r->worker.door == NULL) {
		(void)close(r->listener);
		ev_loop_destroy(r->worker.loop);
		free(r);
		return NULL;
	}
	(void)alarm(HUNG_SECONDS);
	return r;
}

/* As ws.c: the client and its socket go. */
static inline void
gone(struct client *client)
{
	int fd = client->fd;

	client_closed(client);
	fake_ws_detach(client);
	client_free(client);
	(void)close(fd);
}

static inline void
rig_free(struct rig *r)
{
	while (r->worker.clients.count != 0)
		gone(r->worker.clients.all[0]);
	door_free(r->worker.door);
	assert_int_equal(r->worker.stats->handshakes, 0);
	clients_release(&r->worker.clients);
	channels_release(&r->worker.channels);
	ev_loop_destroy(r->worker.loop);
	free(r);
	(void)alarm(0);
}

static inline int
setup(void **state)
{
	*state = rig_new(false);
	return *state != NULL ? 0 : -1;
}

static inline int
teardown(void **state)
{
	rig_free(*state);
	return 0;
}

static inline int
dial(const struct rig *r)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd,
			     (const struct sockaddr *)(const void *)&r->address
				 .sa,
			     r->address.len),
	    0);
	return fd;
}

/* Turn the loop until n connections were accepted. */
static inline void
accept_until(struct rig *r, uint64_t n)
{
	while (r->worker.stats->accepted < n)
		(void)ev_run(r->worker.loop, EVRUN_ONCE);
	assert_int_equal(r->worker.stats->accepted, n);
}

/* All that comes until the end, as text. */
static inline const char *
read_all(int fd)
{
	static char text[512];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	(void)close(fd);
	return text;
}

#endif /* SUPPORT_DOOR_RIG_H */

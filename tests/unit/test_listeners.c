/* test_listeners.c - sockets per slot, and who gets new connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "primary/listener.h"

enum {
	SLOTS = 4,
	CLIENTS = 8,
	CONNECTIONS = 3200,
	DEADLINE_MS = 20000
};

static struct listener *
open_four(void)
{
	struct listener *listener = NULL;

	assert_int_equal(listener_new("127.0.0.1:0", 0, &listener), 0);
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(listener_open(listener, i), 0);
	return listener;
}

static int
connect_to(const struct net_address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&address->sa, address->len) ==
	    -1) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Make count connections; how many landed where? */
static void
spread(const struct listener *listener, int count, unsigned *queued)
{
	int fds[64];
	int fd;

	assert_true(count <= (int)ARRAY_LEN(fds));
	for (int i = 0; i < count; i++) {
		fds[i] = connect_to(&listener->address);
		assert_int_not_equal(fds[i], -1);
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		queued[i] = listener_queued(listener, i);
		for (unsigned k = 0; k < queued[i]; k++) {
			fd = accept(listener->fds[i], NULL, NULL);
			assert_int_not_equal(fd, -1);
			(void)close(fd);
		}
	}
	for (int i = 0; i < count; i++)
		(void)close(fds[i]);
}

static void
port_0_is_picked_once_for_all_slots(void **state)
{
	struct listener *listener = open_four();
	struct net_address address;
	char one[NET_ADDRESS_MAX], all[NET_ADDRESS_MAX];

	(void)state;
	assert_int_not_equal(listener_port(listener), 0);
	net_format(&listener->address, all, sizeof(all));
	for (unsigned i = 0; i < SLOTS; i++) {
		assert_int_equal(net_local(listener->fds[i], &address), 0);
		net_format(&address, one, sizeof(one));
		assert_string_equal(one, all);
	}
	assert_int_equal(listener->place_count, SLOTS);
	listener_unref(listener);
}

static void
without_steering_everybody_gets_some(void **state)
{
	struct listener *listener = open_four();
	unsigned queued[SLOTS];

	(void)state;
	spread(listener, 64, queued);
	assert_int_equal(queued[0] + queued[1] + queued[2] + queued[3], 64);
	/* All in one place: once in 4^63. */
	for (unsigned i = 0; i < SLOTS; i++)
		assert_true(queued[i] < 64);
	listener_unref(listener);
}

static void
only_open_slots_get_new_connections(void **state)
{
	static const bool odd[STATS_SLOTS_MAX] = { [1] = true, [3] = true };
	static const bool none[STATS_SLOTS_MAX] = { false };
	struct listener *listener = open_four();
	unsigned queued[SLOTS];

	(void)state;
	assert_int_equal(listener_steer(listener, odd), 0);
	spread(listener, 64, queued);
	assert_int_equal(queued[0] + queued[2], 0);
	assert_int_equal(queued[1] + queued[3], 64);
	assert_true(queued[1] > 0 && queued[3] > 0);
	/* None is open: then none is shut out. */
	assert_int_equal(listener_steer(listener, none), 0);
	spread(listener, 64, queued);
	assert_true(queued[0] > 0 && queued[2] > 0);
	listener_unref(listener);
}

/* The kernel moves the last socket into the gap; so must we. */
static void
places_stay_right_when_a_slot_in_the_middle_closes(void **state)
{
	struct listener *listener = open_four();
	bool open[STATS_SLOTS_MAX] = { false };
	unsigned queued[SLOTS];

	(void)state;
	listener_close(listener, 1);
	assert_int_equal(listener->place_count, SLOTS - 1);
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		if (slot == 1)
			continue;
		open[slot] = true;
		assert_int_equal(listener_steer(listener, open), 0);
		spread(listener, 16, queued);
		assert_int_equal(queued[slot], 16);
		open[slot] = false;
	}
	/* Its successor comes to the end. */
	assert_int_equal(listener_open(listener, 1), 0);
	open[1] = true;
	assert_int_equal(listener_steer(listener, open), 0);
	spread(listener, 16, queued);
	assert_int_equal(queued[1], 16);
	listener_unref(listener);
}

/* What a service manager still holds is in the group, but gets nothing. */
static void
a_socket_that_somebody_else_closes_later_gets_no_connection(void **state)
{
	static const bool open[STATS_SLOTS_MAX] = { true, true };
	struct listener *listener = open_four();
	struct pollfd held[2] = { { .events = POLLIN }, { .events = POLLIN } };
	unsigned queued[SLOTS];

	(void)state;
	listener->held = true;
	held[0].fd = dup(listener->fds[2]);
	held[1].fd = dup(listener->fds[3]);
	listener_close(listener, 3);
	listener_close(listener, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(listener_steer(listener, open), 0);
		spread(listener, 64, queued);
		assert_int_equal(queued[0] + queued[1], 64);
		assert_int_equal(poll(held, 2 - (nfds_t)i, 0), 0);
		(void)close(held[1 - i].fd);
	}
	assert_int_equal(listener_steer(listener, open), 0);
	spread(listener, 64, queued);
	assert_int_equal(queued[0] + queued[1], 64);
	listener_unref(listener);
}

static void
a_taken_address_is_found_before_it_is_shared(void **state)
{
	struct listener *ours = open_four(), *theirs = NULL;
	char text[NET_ADDRESS_MAX];

	(void)state;
	net_format(&ours->address, text, sizeof(text));
	assert_int_equal(listener_new(text, 0, &theirs), 0);
	assert_int_equal(listener_probe(theirs), -EADDRINUSE);
	listener_unref(ours);
	assert_int_equal(listener_probe(theirs), 0);
	listener_unref(theirs);
}

static void
only_a_listening_socket_of_the_address_is_taken(void **state)
{
	struct listener *ours = open_four(), *theirs = open_four();
	struct listener *next = NULL;
	int fd, own;

	(void)state;
	assert_int_equal(listener_new("127.0.0.1:0", listener_port(ours),
			     &next),
	    0);
	assert_false(listener_matches(next, theirs->fds[0]));
	fd = connect_to(&ours->address);
	assert_false(listener_matches(next, fd));
	(void)close(fd);
	assert_false(listener_matches(next, STDIN_FILENO));
	assert_true(listener_matches(next, ours->fds[2]));
	own = dup(ours->fds[2]);
	listener_take(next, 2, own);
	assert_int_equal(next->fds[2], own);
	assert_int_equal(next->place_count, 1);
	listener_unref(next);
	listener_unref(ours);
	listener_unref(theirs);
}

/* ---- shrinking under load ---------------------------------------------- */

/* The child: connect, say something, hear it again; how often did it fail? */
static int
be_clients(struct listener *listener)
{
	struct net_address address = listener->address;
	int failures = 0;
	char byte;

	(void)alarm(DEADLINE_MS / 1000);
	/* Or the sockets would live on here when the parent closes them. */
	listener_unref(listener);
	for (int i = 0; i < CONNECTIONS / CLIENTS; i++) {
		int fd = connect_to(&address);

		byte = 'x';
		if (fd == -1 || send(fd, "x", 1, MSG_NOSIGNAL) != 1 ||
		    recv(fd, &byte, 1, 0) != 1)
			failures++;
		if (fd != -1)
			(void)close(fd);
	}
	return failures > 100 ? 100 : failures;
}

static int
echo_one(int fd)
{
	char byte;
	int client;

	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (client == -1)
		return 0;
	if (recv(client, &byte, 1, 0) == 1)
		(void)!send(client, &byte, 1, MSG_NOSIGNAL);
	(void)close(client);
	return 1;
}

/* Serve up to count connections from the open slots' queues. */
static int
serve(const struct listener *listener, int count, uint64_t until_ms)
{
	struct pollfd polls[SLOTS];
	int served = 0;

	while (served < count && clock_now_ms() < until_ms) {
		for (unsigned i = 0; i < SLOTS; i++)
			polls[i] =
			    (struct pollfd){ listener->fds[i], POLLIN, 0 };
		(void)poll(polls, SLOTS, 20);
		for (unsigned i = 0; i < SLOTS; i++) {
			if (polls[i].revents != 0)
				served += echo_one(listener->fds[i]);
		}
	}
	return served;
}

static void
shrinking_under_load_resets_nobody(void **state)
{
	struct listener *listener = open_four();
	bool open[STATS_SLOTS_MAX] = { [0] = true, [1] = true };
	uint64_t deadline = clock_now_ms() + DEADLINE_MS;
	pid_t pids[CLIENTS];
	int status, served;

	(void)state;
	for (int i = 0; i < CLIENTS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			_exit(be_clients(listener));
	}
	served = serve(listener, CONNECTIONS / 3, deadline);
	assert_true(served >= CONNECTIONS / 3);
	/* The order of scale.c: steer, go on accepting, close what is empty. */
	assert_int_equal(listener_steer(listener, open), 0);
	served += serve(listener, CONNECTIONS / 3, deadline);
	assert_int_equal(listener_queued(listener, 2), 0);
	assert_int_equal(listener_queued(listener, 3), 0);
	listener_close(listener, 3);
	listener_close(listener, 2);
	memset(open, 0, sizeof(open));
	assert_int_equal(listener_steer(listener, open), 0);
	served += serve(listener, CONNECTIONS - served, deadline);
	assert_int_equal(served, CONNECTIONS);
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	listener_unref(listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_0_is_picked_once_for_all_slots),
		cmocka_unit_test(without_steering_everybody_gets_some),
		cmocka_unit_test(only_open_slots_get_new_connections),
		cmocka_unit_test(
		    places_stay_right_when_a_slot_in_the_middle_closes),
		cmocka_unit_test(
		    a_socket_that_somebody_else_closes_later_gets_no_connection),
		cmocka_unit_test(a_taken_address_is_found_before_it_is_shared),
		cmocka_unit_test(
		    only_a_listening_socket_of_the_address_is_taken),
		cmocka_unit_test(shrinking_under_load_resets_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* listener.c - see listener.h. */
#include "primary/listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "primary/steer.h"

enum {
	LISTENER_BACKLOG = 4096
}; /* the kernel takes somaxconn at most */

static uint64_t changes;

uint64_t
listener_changes(void)
{
	return changes;
}

static uint16_t
port_of(const struct net_address *address)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (address->sa.ss_family == AF_INET6) {
		memcpy(&in6, &address->sa, sizeof(in6));
		return ntohs(in6.sin6_port);
	}
	memcpy(&in, &address->sa, sizeof(in));
	return ntohs(in.sin_port);
}

uint16_t
listener_port(const struct listener *listener)
{
	return port_of(&listener->address);
}

static void
set_port(struct net_address *address, uint16_t port)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (address->sa.ss_family == AF_INET6) {
		memcpy(&in6, &address->sa, sizeof(in6));
		in6.sin6_port = htons(port);
		memcpy(&address->sa, &in6, sizeof(in6));
	} else {
		memcpy(&in, &address->sa, sizeof(in));
		in.sin_port = htons(port);
		memcpy(&address->sa, &in, sizeof(in));
	}
}

int
listener_new(const char *text, uint16_t port, struct listener **ret_listener)
{
	struct listener *listener;
	int rc;

	listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		return -ENOMEM;
	rc = net_parse(text, &listener->address);
	if (rc != 0) {
		free(listener);
		return rc;
	}
	if (listener_port(listener) == 0)
		set_port(&listener->address, port);
	listener->refs = 1;
	(void)snprintf(listener->text, sizeof(listener->text), "%s", text);
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++)
		listener->fds[i] = -1;
	*ret_listener = listener;
	return 0;
}

struct listener *
listener_ref(struct listener *listener)
{
	listener->refs++;
	return listener;
}

void
listener_unref(struct listener *listener)
{
	if (listener == NULL || --listener->refs > 0)
		return;
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		listener_close(listener, i);
	for (size_t i = 0; i < listener->given_count; i++)
		(void)close(listener->given[i]); /* the manager has its own */
	free(listener);
}

/* Some socket of the address is ours already. */
static bool
is_ours(const struct listener *listener)
{
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++) {
		if (listener->fds[i] != -1)
			return true;
	}
	return listener->given_count > 0;
}

int
listener_probe(const struct listener *listener)
{
	int fd, on = 1, rc = 0;

	if (listener_port(listener) == 0 || is_ours(listener))
		return 0;
	fd = socket(listener->address.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		return -errno;
	/*
	 * Without SO_REUSEPORT the kernel says no when anybody listens there;
	 * with it, it would mix our clients with another bus's.  IPv4 through
	 * an IPv6 socket is left out, as net_listen() does.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (listener->address.sa.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	if (bind(fd, (const struct sockaddr *)&listener->address.sa,
		listener->address.len) == -1)
		rc = -errno;
	(void)close(fd); /* never used */
	return rc;
}

static size_t
place_of(const struct listener *listener, unsigned slot)
{
	size_t place = 0;

	while (place < listener->place_count && listener->places[place] != slot)
		place++;
	return place;
}

void
listener_expect(struct listener *listener, unsigned slot)
{
	if (listener->given_count == 0 &&
	    place_of(listener, slot) == listener->place_count)
		listener->places[listener->place_count++] = (uint16_t)slot;
}

static int
open_copy(struct listener *listener, unsigned slot)
{
	int given = listener->given[slot % listener->given_count];
	int fd = fcntl(given, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		return -errno;
	listener->fds[slot] = fd;
	changes++;
	return 0;
}

int
listener_open(struct listener *listener, unsigned slot)
{
	int fd, rc;

	assert(slot < STATS_SLOTS_MAX);
	if (listener->fds[slot] != -1)
		return 0;
	if (listener->given_count > 0)
		return open_copy(listener, slot);
	/* One that was expected has not come: its place is gone as well. */
	listener_close(listener, slot);
	fd = net_listen(&listener->address, LISTENER_BACKLOG);
	if (fd < 0)
		return fd;
	if (listener_port(listener) == 0) {
		rc = net_local(fd, &listener->address);
		if (rc != 0) {
			(void)close(fd); /* never used */
			return rc;
		}
	}
	listener_expect(listener, slot);
	listener->fds[slot] = fd;
	changes++;
	return 0;
}

void
listener_close(struct listener *listener, unsigned slot)
{
	size_t place = place_of(listener, slot);

	if (listener->fds[slot] != -1) {
		(void)close(listener->fds[slot]); /* nothing to be lost */
		listener->fds[slot] = -1;
		changes++;
	}
	if (place == listener->place_count)
		return;
	/* What the kernel does: the last one moves into the gap. */
	listener->place_count--;
	listener->places[place] = listener->places[listener->place_count];
}

static bool
is_same(int a, int b)
{
	struct stat st, st2;

	return a != -1 && fstat(a, &st) == 0 && fstat(b, &st2) == 0 &&
	    st.st_dev == st2.st_dev && st.st_ino == st2.st_ino;
}

bool
listener_has(const struct listener *listener, unsigned slot, int fd)
{
	return is_same(listener->fds[slot], fd);
}

bool
listener_matches(const struct listener *listener, int fd)
{
	char ours[NET_ADDRESS_MAX], theirs[NET_ADDRESS_MAX];
	struct net_address address;
	socklen_t len = sizeof(int);
	int value = 0;

	for (size_t i = 0; i < listener->given_count; i++) {
		if (is_same(listener->given[i], fd))
			return true;
	}
	if (listener->given_count > 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == -1 ||
	    value == 0)
		return false;
	len = sizeof(value);
	if (getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &len) == -1 ||
	    value == 0)
		return false;
	if (net_local(fd, &address) != 0)
		return false;
	net_format(&listener->address, ours, sizeof(ours));
	net_format(&address, theirs, sizeof(theirs));
	return strcmp(ours, theirs) == 0;
}

void
listener_take(struct listener *listener, unsigned slot, int fd)
{
	assert(listener->fds[slot] == -1);
	listener_expect(listener, slot);
	listener->fds[slot] = fd;
	changes++;
}

bool
listener_fits(const struct listener *listener, int fd)
{
	char ours[NET_ADDRESS_MAX], theirs[NET_ADDRESS_MAX];
	struct net_address wanted = listener->address, address;
	socklen_t len = sizeof(int);
	int value = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == -1 ||
	    value == 0 || net_local(fd, &address) != 0)
		return false;
	if (address.sa.ss_family != AF_INET && address.sa.ss_family != AF_INET6)
		return false;
	if (port_of(&wanted) == 0)
		set_port(&wanted, port_of(&address));
	net_format(&wanted, ours, sizeof(ours));
	net_format(&address, theirs, sizeof(theirs));
	return strcmp(ours, theirs) == 0;
}

int
listener_give(struct listener *listener, int fd)
{
	struct net_address address;
	int rc;

	if (listener->given_count == LISTENER_GIVEN_MAX)
		return -E2BIG;
	rc = net_local(fd, &address);
	if (rc == 0)
		rc = net_tune(fd);
	if (rc != 0)
		return rc;
	listener->address = address;
	listener->given[listener->given_count++] = fd;
	listener->place_count = 0; /* copies have no place */
	return 0;
}

/* A slot's socket is a copy of the one whose place is slot % given_count. */
static int
steer_given(const struct listener *listener, const bool *open)
{
	bool wanted[LISTENER_GIVEN_MAX] = { false };
	uint16_t places[LISTENER_GIVEN_MAX];
	size_t count = 0;

	if (listener->given_count == 1)
		return 0; /* who does not run does not accept */
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++) {
		if (open[i])
			wanted[i % listener->given_count] = true;
	}
	for (size_t i = 0; i < listener->given_count; i++) {
		if (wanted[i])
			places[count++] = (uint16_t)i;
	}
	if (count == 0 || count == listener->given_count)
		return steer_to_all(listener->given[0]);
	return steer_to(listener->given[0], places, count);
}

int
listener_steer(struct listener *listener, const bool *open)
{
	uint16_t places[STATS_SLOTS_MAX];
	size_t count = 0;
	int fd = -1;

	if (listener->given_count > 0)
		return steer_given(listener, open);
	for (size_t i = 0; i < listener->place_count; i++) {
		if (listener->fds[listener->places[i]] != -1)
			fd = listener->fds[listener->places[i]];
		if (open[listener->places[i]])
			places[count++] = (uint16_t)i;
	}
	if (fd == -1)
		return 0;
	if (count > 0 && count < listener->place_count)
		return steer_to(fd, places, count);
	if (!listener->held)
		return steer_to_all(fd);
	/* All that we know of, and they come first. */
	for (size_t i = 0; i < listener->place_count; i++)
		places[i] = (uint16_t)i;
	return steer_to(fd, places, listener->place_count);
}

unsigned
listener_queued(const struct listener *listener, unsigned slot)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (listener->fds[slot] == -1 || listener->given_count > 0 ||
	    getsockopt(listener->fds[slot], IPPROTO_TCP, TCP_INFO, &info,
		&len) == -1)
		return 0;
	return info.tcpi_unacked; /* of a listening socket: its queue */
}

/* door.c - see door.h. */
#include "worker/door.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/table.h"
#include "wire/ipc_proto.h"
#include "worker/state.h"
#include "worker/ws.h"

enum {
	ACCEPTS_PER_TURN = 64,
	LAST_ACCEPTS = 4096, /* what a queue can hold (SOMAXCONN) */
	PAUSE_MS = 100,      /* after running out of descriptors */
	IP_LEN = 16,
};

/* An IP address that has connections. */
struct address {
	struct table_entry entry;
	uint32_t clients; /* handshakes included */
	uint32_t handshakes;
	char ip[IP_LEN];
};

struct door {
	struct worker *worker;
	struct table addresses;
	bool tls;
	bool paused;
	bool errors_told; /* the log has a line about this shortage */
	size_t count;
	ev_timer pause;
	ev_io listeners[IPC_FDS_MAX];
};

/* ---- addresses --------------------------------------------------------- */

/* IPv4 as IPv6 does: one key for both. */
static void
ip_of(const struct sockaddr_storage *sa, char *ip)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(ip, 0, IP_LEN);
	if (sa->ss_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		ip[10] = (char)0xff;
		ip[11] = (char)0xff;
		memcpy(ip + 12, &v4.sin_addr, 4);
	} else if (sa->ss_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(ip, &v6.sin6_addr, IP_LEN);
	}
}

static struct address *
address_get(struct door *door, const struct sockaddr_storage *sa)
{
	char ip[IP_LEN];
	struct table_entry *entry;
	struct address *address;
	uint64_t hash;

	ip_of(sa, ip);
	hash = hash_bytes(ip, IP_LEN);
	entry = table_find(&door->addresses, ip, IP_LEN, hash);
	if (entry != NULL)
		return CONTAINER_OF(entry, struct address, entry);
	address = calloc(1, sizeof(*address));
	if (address == NULL)
		return NULL;
	memcpy(address->ip, ip, IP_LEN);
	address->entry.key = address->ip;
	address->entry.key_len = IP_LEN;
	address->entry.hash = hash;
	if (table_insert(&door->addresses, &address->entry) != 0) {
		free(address);
		return NULL;
	}
	return address;
}

static void
address_settle(struct door *door, struct address *address)
{
	if (address->clients != 0)
		return;
	table_remove(&door->addresses, &address->entry);
	free(address);
}

void
door_opened(struct door *door, struct client *client)
{
	(void)door;
	client->address->handshakes--;
}

void
door_left(struct door *door, struct client *client)
{
	struct address *address = client->address;

	if (address == NULL)
		return;
	client->address = NULL;
	address->clients--;
	if (client->state == CLIENT_HANDSHAKE)
		address->handshakes--;
	address_settle(door, address);
}

/* ---- accepting --------------------------------------------------------- */

/* Say why before hanging up; a client that speaks TLS would not understand. */
static void
turn_away(struct door *door, int fd, const char *why)
{
	static const char answer[] =
	    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n";

	log_debug("turned away: %s", why);
	if (!door->tls)
		(void)!send(fd, answer, sizeof(answer) - 1,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd); /* nothing is owed any more */
}

/* A limit that this connection is over; NULL: none. */
static const char *
over_limit(struct door *door, const struct address *address)
{
	const struct config *config = door->worker->config;
	struct stats_worker *stats = door->worker->stats;

	if (door->worker->clients.count >= config->max_clients) {
		stats_add(&stats->refused_full, 1);
		return "max-clients";
	}
	if (address->clients >= config->max_clients_per_address) {
		stats_add(&stats->refused_address, 1);
		return "max-clients-per-address";
	}
	if (address->handshakes >= config->max_handshakes_per_address) {
		stats_add(&stats->refused_address, 1);
		return "max-handshakes-per-address";
	}
	return NULL;
}

static void
admit(struct door *door, int fd, const struct sockaddr_storage *sa)
{
	struct address *address = address_get(door, sa);
	struct client *client;
	const char *over;

	if (address == NULL) {
		stats_add(&door->worker->stats->accept_errors, 1);
		(void)close(fd);
		return;
	}
	over = over_limit(door, address);
	client = over == NULL ? client_new(door->worker, fd, door->tls) : NULL;
	if (client == NULL) {
		if (over == NULL)
			stats_add(&door->worker->stats->accept_errors, 1);
		turn_away(door, fd, over != NULL ? over : "out of memory");
		address_settle(door, address);
		return;
	}
	address->clients++;
	address->handshakes++;
	client->address = address;
	if (!ws_adopt(door->worker->ws, client))
		log_debug("a connection could not be adopted");
}

static void
set_listening(struct door *door, bool on)
{
	for (size_t i = 0; i < door->count; i++) {
		if (on)
			ev_io_start(door->worker->loop, &door->listeners[i]);
		else
			ev_io_stop(door->worker->loop, &door->listeners[i]);
	}
}

static void
pause_accepting(struct door *door)
{
	stats_add(&door->worker->stats->accept_errors, 1);
	if (!door->errors_told)
		log_warn("accept (further ones are counted only)");
	door->errors_told = true;
	door->paused = true;
	set_listening(door, false);
	ev_timer_stop(door->worker->loop, &door->pause);
	ev_timer_set(&door->pause, PAUSE_MS / 1000., 0.);
	ev_timer_start(door->worker->loop, &door->pause);
}

/* Accept one connection.  False: there is none, or it is not possible now. */
static bool
accept_one(struct door *door, int listen_fd)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);
	int fd;

	fd = accept4(listen_fd, (struct sockaddr *)(void *)&sa, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		stats_add(&door->worker->stats->accepted, 1);
		door->errors_told = false;
		admit(door, fd, &sa);
		return true;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EINVAL: /* the listening socket is broken; trying on would */
	case EBADF:  /* take all of the processor */
	case ENOTSOCK:
		pause_accepting(door);
		return false;
	default:
		return true; /* that connection has gone; the next one */
	}
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct door *door = watcher->data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		if (!accept_one(door, watcher->fd))
			return;
	}
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct door *door = watcher->data;

	(void)loop;
	(void)revents;
	door->paused = false;
	set_listening(door, true);
}

/* ---- life -------------------------------------------------------------- */

struct door *
door_new(struct worker *worker, const int *fds, size_t count, bool tls)
{
	struct door *door = calloc(1, sizeof(*door));

	assert(count <= IPC_FDS_MAX);
	if (door == NULL)
		return NULL;
	door->worker = worker;
	door->tls = tls;
	door->count = count;
	table_init(&door->addresses);
	ev_init(&door->pause, on_pause_over);
	door->pause.data = door;
	for (size_t i = 0; i < count; i++) {
		ev_io_init(&door->listeners[i], on_acceptable, fds[i], EV_READ);
		door->listeners[i].data = door;
		ev_io_start(worker->loop, &door->listeners[i]);
	}
	return door;
}

static void
stop(struct door *door)
{
	set_listening(door, false);
	ev_timer_stop(door->worker->loop, &door->pause);
	for (size_t i = 0; i < door->count; i++)
		(void)close(door->listeners[i].fd);
	door->count = 0;
}

void
door_close(struct door *door)
{
	/* Others may accept from the same queue, so it need not run dry. */
	for (size_t i = 0; i < door->count; i++) {
		for (int n = 0; n < LAST_ACCEPTS; n++) {
			if (!accept_one(door, door->listeners[i].fd))
				break;
		}
	}
	stop(door);
}

void
door_free(struct door *door)
{
	if (door == NULL)
		return;
	stop(door);
	assert(door->addresses.count == 0);
	table_release(&door->addresses);
	free(door);
}

/* door.c - see door.h. */
#include "worker/door.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "wire/ipc_proto.h"
#include "worker/address.h"
#include "worker/governor.h"
#include "worker/state.h"
#include "worker/ws.h"

enum {
	ACCEPTS_PER_TURN = 64,
	LAST_ACCEPTS = 4096, /* what a queue can hold (SOMAXCONN) */
	PAUSE_MS = 100,      /* after running out of descriptors */
	PACE_MS = 10,        /* shorter waits are not worth a timer */
};

struct door {
	struct worker *worker;
	struct table addresses;
	bool tls;
	bool paused;
	bool errors_told; /* the log has a line about this shortage */
	size_t count;
	size_t first; /* the listener whose turn it is after a pause */
	struct governor governor;
	ev_timer pause;
	ev_check turn_begins;
	ev_prepare turn_ends;
	bool behind[IPC_FDS_MAX]; /* what is in its queue had to wait */
	ev_io listeners[IPC_FDS_MAX];
};

/* ---- counting ---------------------------------------------------------- */

void
door_opened(struct door *door, struct client *client)
{
	(void)door;
	client->address->handshakes--;
}

void
door_came(struct door *door, struct client *client)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);

	/* Gone already, or no memory: then it is not counted. */
	(void)getpeername(client->fd, (struct sockaddr *)(void *)&sa, &len);
	client->address = address_get(&door->addresses, &sa);
	if (client->address != NULL)
		client->address->clients++;
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
	address_settle(&door->addresses, address);
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
	struct address *address = address_get(&door->addresses, sa);
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
		address_settle(&door->addresses, address);
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
pause_accepting(struct door *door, uint64_t us)
{
	door->paused = true;
	set_listening(door, false);
	ev_timer_stop(door->worker->loop, &door->pause);
	ev_timer_set(&door->pause, (double)us / 1e6, 0.);
	ev_timer_start(door->worker->loop, &door->pause);
}

static void
note_error(struct door *door)
{
	stats_add(&door->worker->stats->accept_errors, 1);
	if (!door->errors_told)
		log_warn("accept (further ones are counted only)");
	door->errors_told = true;
	pause_accepting(door, PAUSE_MS * 1000);
}

/* Accept one connection.  False: there is none, or it is not possible now. */
static bool
accept_one(struct door *door, size_t i)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);
	int fd;

	fd = accept4(door->listeners[i].fd, (struct sockaddr *)(void *)&sa,
	    &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		stats_add(&door->worker->stats->accepted, 1);
		stats_add(&door->worker->stats->accepts_paced,
		    door->behind[i] ? 1 : 0);
		door->errors_told = false;
		admit(door, fd, &sa);
		return true;
	}
	switch (errno) {
	case EAGAIN:
		door->behind[i] = false;
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EINVAL: /* the listening socket is broken; trying on would */
	case EBADF:  /* take all of the processor */
	case ENOTSOCK:
		note_error(door);
		return false;
	default:
		return true; /* that connection has gone; the next one */
	}
}

/* All that wait now wait because of the rate. */
static void
pace(struct door *door, uint64_t wait_us)
{
	for (size_t i = 0; i < door->count; i++)
		door->behind[i] = true;
	pause_accepting(door,
	    wait_us > PACE_MS * 1000 ? wait_us : PACE_MS * 1000);
}

static void
accept_some(struct door *door, size_t i)
{
	uint64_t rate = door->worker->config->accept_rate;
	uint64_t now_us = clock_now_ns() / 1000, wait_us;

	for (int n = 0; n < ACCEPTS_PER_TURN; n++) {
		wait_us = governor_wait_us(&door->governor, rate, now_us);
		if (wait_us > 0) {
			pace(door, wait_us);
			return;
		}
		if (!accept_one(door, i))
			return;
		governor_spend(&door->governor, rate, now_us);
	}
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct door *door = watcher->data;

	(void)loop;
	(void)revents;
	accept_some(door, (size_t)(watcher - door->listeners));
}

/* Each time another one is the first, or it would take all of the rate. */
static void
on_pause_over(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct door *door = watcher->data;

	(void)loop;
	(void)revents;
	door->paused = false;
	set_listening(door, true);
	door->first++;
	for (size_t i = 0; i < door->count && !door->paused; i++)
		accept_some(door, (door->first + i) % door->count);
}

static void
on_turn_begins(struct ev_loop *loop, ev_check *watcher, int revents)
{
	struct door *door = watcher->data;

	(void)loop;
	(void)revents;
	governor_turn_begins(&door->governor, clock_now_ns() / 1000);
}

static void
on_turn_ends(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	struct door *door = watcher->data;

	(void)loop;
	(void)revents;
	governor_turn_ends(&door->governor, clock_now_ns() / 1000);
}

/* ---- life -------------------------------------------------------------- */

/* A turn is what happens between the worker's own two watchers. */
static void
start_clock(struct door *door)
{
	ev_check_init(&door->turn_begins, on_turn_begins);
	ev_prepare_init(&door->turn_ends, on_turn_ends);
	ev_set_priority(&door->turn_begins, EV_MAXPRI - 1);
	ev_set_priority(&door->turn_ends, EV_MINPRI);
	door->turn_begins.data = door;
	door->turn_ends.data = door;
	ev_check_start(door->worker->loop, &door->turn_begins);
	ev_prepare_start(door->worker->loop, &door->turn_ends);
}

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
	governor_init(&door->governor);
	ev_init(&door->pause, on_pause_over);
	door->pause.data = door;
	start_clock(door);
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
	ev_check_stop(door->worker->loop, &door->turn_begins);
	ev_prepare_stop(door->worker->loop, &door->turn_ends);
	for (size_t i = 0; i < door->count; i++)
		(void)close(door->listeners[i].fd);
	door->count = 0;
}

/*
 * Another worker of this slot accepts from the same queues: it said so before
 * we were told to leave.
 */
static bool
has_successor(const struct worker *worker)
{
	const struct stats_section *section;

	for (size_t i = 0; worker->page != NULL && i < STATS_SECTIONS_MAX;
	     i++) {
		section = &worker->page->sections[i];
		if (section != worker->section && section->used != 0 &&
		    section->slot == worker->id.slot &&
		    stats_get(&section->now.ready) != 0 &&
		    stats_section_alive(section))
			return true;
	}
	return false;
}

void
door_close(struct door *door)
{
	bool take = !has_successor(door->worker);

	/* Others may accept from the same queue, so it need not run dry. */
	for (size_t i = 0; take && i < door->count; i++) {
		for (int n = 0; n < LAST_ACCEPTS; n++) {
			if (!accept_one(door, i))
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

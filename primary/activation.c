/* activation.c - see activation.h. */
#include "primary/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "primary/notify_store.h"

enum {
	NO_SLOT = UINT16_MAX
};

/* ---- taking ------------------------------------------------------------ */

/* A number in digits and nothing else, or -1. */
static long
number(const char *text)
{
	char *end;
	long value;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno != 0 || *end != '\0' ? -1 : value;
}

static int
take(struct activation *activation, char *why, size_t size)
{
	const char *text = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	long count = number(text);

	if (number(getenv("LISTEN_PID")) != (long)getpid() || text == NULL)
		return 0; /* meant for somebody else */
	if (count < 0 || count > ACTIVATION_MAX) {
		(void)snprintf(why, size,
		    "socket activation: LISTEN_FDS=%s is no number from 0 to "
		    "%d",
		    text, ACTIVATION_MAX);
		return -EINVAL;
	}
	for (int i = 0; i < (int)count; i++) {
		if (fcntl(ACTIVATION_FIRST_FD + i, F_SETFD, FD_CLOEXEC) == 0)
			continue;
		(void)snprintf(why, size,
		    "socket activation: LISTEN_FDS=%ld, but descriptor %d is "
		    "not open",
		    count, ACTIVATION_FIRST_FD + i);
		return -EBADF;
	}
	if (names != NULL) {
		activation->names = strdup(names);
		if (activation->names == NULL) {
			(void)snprintf(why, size, "out of memory");
			return -ENOMEM;
		}
	}
	activation->count = (int)count;
	return 0;
}

int
activation_take(struct activation *activation, char *why, size_t size)
{
	int rc;

	memset(activation, 0, sizeof(*activation));
	rc = take(activation, why, size);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return rc;
}

void
activation_release(struct activation *activation)
{
	for (int i = 0; i < activation->count; i++)
		(void)close(ACTIVATION_FIRST_FD + i); /* of no use to us */
	free(activation->names);
	memset(activation, 0, sizeof(*activation));
}

/* ---- applying ---------------------------------------------------------- */

/* One descriptor. */
struct passed {
	int fd; /* -1: it has its place */
	bool stored;
	size_t place; /* stored: what its name says */
	unsigned slot;
	const char *name;
};

/* The descriptors with their names, which are cut in place. */
static struct passed *
list(struct activation *activation)
{
	struct passed *all = calloc((size_t)activation->count, sizeof(*all));
	char *rest = activation->names;
	const char *name;

	for (int i = 0; all != NULL && i < activation->count; i++) {
		name = strsep(&rest, ":");
		all[i].fd = ACTIVATION_FIRST_FD + i;
		all[i].name = name != NULL ? name : "";
		all[i].stored = notify_store_parse(all[i].name, &all[i].place,
		    &all[i].slot);
	}
	return all;
}

/* Why none of the addresses has a use for fd. */
static int
refuse(const struct passed *passed, const struct listeners *set, char *why,
    size_t size)
{
	char wanted[192], is[NET_ADDRESS_MAX] = "?";
	struct net_address address;
	socklen_t len = sizeof(int);
	int listens = 0;

	(void)getsockopt(passed->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len);
	if (net_local(passed->fd, &address) == 0)
		net_format(&address, is, sizeof(is));
	listeners_text(set, ", ", wanted, sizeof(wanted));
	if (!listens)
		(void)snprintf(why, size,
		    "socket activation: descriptor %d (\"%s\") is no listening "
		    "socket",
		    passed->fd, passed->name);
	else
		(void)snprintf(why, size,
		    "socket activation: descriptor %d (\"%s\", %s) is of no "
		    "configured address; those are %s",
		    passed->fd, passed->name, is, wanted);
	return -EADDRNOTAVAIL;
}

/* A socket of a .socket unit. */
static int
give(struct passed *passed, struct listeners *set, char *why, size_t size)
{
	int rc;

	for (size_t i = 0; i < set->count; i++) {
		if (!listener_fits(set->items[i], passed->fd))
			continue;
		rc = listener_give(set->items[i], passed->fd);
		if (rc == 0)
			passed->fd = -1;
		else
			(void)snprintf(why, size,
			    "socket activation: descriptor %d for %s: %s",
			    passed->fd, set->items[i]->text, strerror(-rc));
		return rc;
	}
	return refuse(passed, set, why, size);
}

/*
 * The kernel's order is what the names say; what comes with a worker that
 * survived is behind them.
 */
static void
reorder(struct listener *listener, const uint16_t *by_place)
{
	uint16_t old[STATS_SLOTS_MAX];
	size_t count = listener->place_count;

	memcpy(old, listener->places, sizeof(old));
	listener->place_count = 0;
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++) {
		if (by_place[i] != NO_SLOT)
			listener_expect(listener, by_place[i]);
	}
	for (size_t i = 0; i < count; i++)
		listener_expect(listener, old[i]);
}

/* All that was stored for one address. */
static void
take_back(struct listener *listener, struct passed *all, int count)
{
	uint16_t by_place[STATS_SLOTS_MAX];

	for (size_t i = 0; i < STATS_SLOTS_MAX; i++)
		by_place[i] = NO_SLOT;
	for (int i = 0; i < count; i++) {
		if (all[i].fd == -1 || !all[i].stored ||
		    listener->fds[all[i].slot] != -1 ||
		    by_place[all[i].place] != NO_SLOT ||
		    !listener_fits(listener, all[i].fd) ||
		    net_tune(all[i].fd) != 0)
			continue;
		if (listener_port(listener) == 0)
			(void)!net_local(all[i].fd, &listener->address);
		listener_take(listener, all[i].slot, all[i].fd);
		listener->held = true;
		by_place[all[i].place] = (uint16_t)all[i].slot;
		all[i].fd = -1;
	}
	reorder(listener, by_place);
}

static int
apply(struct passed *all, int count, struct listeners *set,
    struct notify_store *store, char *why, size_t size)
{
	int rc;

	for (int i = 0; i < count; i++) {
		rc = all[i].stored ?
		    notify_store_know(store, all[i].fd, all[i].name) :
		    give(&all[i], set, why, size);
		if (rc == -ENOMEM)
			(void)snprintf(why, size, "out of memory");
		if (rc != 0)
			return rc;
	}
	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i]->given_count == 0)
			take_back(set->items[i], all, count);
	}
	for (int i = 0; i < count; i++) {
		if (all[i].fd != -1)
			log_info("the stored socket \"%s\" is not needed any "
				 "more",
			    all[i].name);
	}
	return 0;
}

int
activation_apply(struct activation *activation, struct listeners *set,
    struct notify_store *store, char *why, size_t size)
{
	struct passed *all;
	int rc;

	if (activation->count == 0)
		return 0;
	all = list(activation);
	if (all == NULL) {
		(void)snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	rc = apply(all, activation->count, set, store, why, size);
	if (rc == 0)
		log_info("listening sockets were passed to us: %d",
		    activation->count);
	for (int i = 0; i < activation->count; i++) {
		if (all[i].fd != -1)
			(void)close(all[i].fd); /* of no use to us */
	}
	free(all);
	activation->count = 0; /* all have their place, or are closed */
	activation_release(activation);
	return rc;
}

void
activation_settle(struct listeners *set, unsigned slots)
{
	unsigned queued;

	for (unsigned i = STATS_SLOTS_MAX; i-- > slots;) {
		queued = listeners_queued(set, i);
		if (queued > 0)
			log_warnx("slot %u: %u connections in its queue are "
				  "lost",
			    i, queued);
		listeners_close(set, i);
	}
}

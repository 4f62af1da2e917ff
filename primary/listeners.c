/* listeners.c - see listeners.h. */
#include "primary/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static bool
has(const struct listeners *set, const struct listener *listener)
{
	for (size_t i = 0; set != NULL && i < set->count; i++) {
		if (set->items[i] == listener)
			return true;
	}
	return false;
}

/* The listener of old with this text that set does not have yet. */
static struct listener *
find_shared(const struct listeners *set, const struct listeners *old,
    const char *text)
{
	for (size_t i = 0; old != NULL && i < old->count; i++) {
		if (strcmp(old->items[i]->text, text) == 0 &&
		    !has(set, old->items[i]))
			return old->items[i];
	}
	return NULL;
}

static bool
port_is_used(const struct listeners *set, uint16_t port)
{
	for (size_t i = 0; i < set->count; i++) {
		if (listener_port(set->items[i]) == port)
			return true;
	}
	return false;
}

/* The port in known that belongs to text ("ADDR:0"), or 0. */
static uint16_t
known_port(const struct listeners *set, const char *known, const char *text)
{
	char one[NET_ADDRESS_MAX], ip[NET_ADDRESS_MAX], ip2[NET_ADDRESS_MAX];
	struct net_address address, wanted;
	struct listener probe;
	size_t len;

	if (known == NULL || net_parse(text, &wanted) != 0)
		return 0;
	net_format_ip((const struct sockaddr *)&wanted.sa, ip, sizeof(ip));
	for (; *known != '\0'; known += len) {
		known += strspn(known, " ");
		len = strcspn(known, " ");
		(void)snprintf(one, sizeof(one), "%.*s", (int)len, known);
		if (net_parse(one, &address) != 0)
			continue;
		net_format_ip((const struct sockaddr *)&address.sa, ip2,
		    sizeof(ip2));
		probe.address = address;
		if (strcmp(ip, ip2) == 0 &&
		    !port_is_used(set, listener_port(&probe)))
			return listener_port(&probe);
	}
	return 0;
}

static int
add(struct listeners *set, const char *text, const struct listeners *old,
    const char *known)
{
	struct listener *listener = find_shared(set, old, text);
	int rc;

	if (listener != NULL) {
		set->items[set->count++] = listener_ref(listener);
		return 0;
	}
	rc = listener_new(text, known_port(set, known, text), &listener);
	if (rc == 0)
		set->items[set->count++] = listener;
	return rc;
}

int
listeners_init(struct listeners *set, const struct config_list *addresses,
    const struct listeners *old, const char *known, char *why, size_t size)
{
	int rc;

	memset(set, 0, sizeof(*set));
	if (addresses->count > LISTENERS_MAX) {
		(void)snprintf(why, size, "more than %d listen addresses",
		    LISTENERS_MAX);
		return -E2BIG;
	}
	for (size_t i = 0; i < addresses->count; i++) {
		rc = add(set, addresses->items[i], old, known);
		if (rc != 0) {
			(void)snprintf(why, size, "cannot listen on %s: %s",
			    addresses->items[i], strerror(-rc));
			listeners_release(set);
			return rc;
		}
	}
	return 0;
}

void
listeners_release(struct listeners *set)
{
	for (size_t i = 0; i < set->count; i++)
		listener_unref(set->items[i]);
	set->count = 0;
}

int
listeners_probe(const struct listeners *set, const struct listeners *old,
    char *why, size_t size)
{
	int rc;

	for (size_t i = 0; i < set->count; i++) {
		if (has(old, set->items[i]))
			continue;
		rc = listener_probe(set->items[i]);
		if (rc != 0) {
			(void)snprintf(why, size, "cannot listen on %s: %s",
			    set->items[i]->text, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

int
listeners_open(struct listeners *set, unsigned slot, char *why, size_t size)
{
	bool had[LISTENERS_MAX];
	int rc = 0;
	size_t i;

	for (i = 0; i < set->count && rc == 0; i++) {
		had[i] = set->items[i]->fds[slot] != -1;
		rc = listener_open(set->items[i], slot);
		if (rc != 0)
			(void)snprintf(why, size, "cannot listen on %s: %s",
			    set->items[i]->text, strerror(-rc));
	}
	for (; rc != 0 && i > 0; i--) {
		if (!had[i - 1])
			listener_close(set->items[i - 1], slot);
	}
	return rc;
}

void
listeners_close(struct listeners *set, unsigned slot)
{
	for (size_t i = 0; i < set->count; i++)
		listener_close(set->items[i], slot);
}

void
listeners_expect(struct listeners *set, unsigned slot)
{
	for (size_t i = 0; i < set->count; i++)
		listener_expect(set->items[i], slot);
}

size_t
listeners_fds(const struct listeners *set, unsigned slot, int *fds)
{
	for (size_t i = 0; i < set->count; i++) {
		fds[i] = set->items[i]->fds[slot];
		if (fds[i] == -1)
			return 0;
	}
	return set->count;
}

/*
 * Without SO_REUSEPORT it is one that a service manager opened for an earlier
 * primary, and that all its workers share.
 */
static bool
take_shared(struct listener *listener, unsigned slot, int fd)
{
	return listener->given_count == 0 && listener_fits(listener, fd) &&
	    listener_give(listener, fd) == 0 &&
	    listener_open(listener, slot) == 0;
}

bool
listeners_take(struct listeners *set, unsigned slot, int fd)
{
	for (size_t i = 0; i < set->count; i++) {
		if (listener_has(set->items[i], slot, fd)) {
			(void)close(fd); /* one number for it is enough */
			return true;
		}
		if (set->items[i]->fds[slot] == -1 &&
		    listener_matches(set->items[i], fd)) {
			listener_take(set->items[i], slot, fd);
			return true;
		}
		if (set->items[i]->fds[slot] == -1 &&
		    take_shared(set->items[i], slot, fd))
			return true;
	}
	(void)close(fd); /* of no use to us */
	return false;
}

void
listeners_steer(const struct listeners *set, const bool *open)
{
	int rc;

	for (size_t i = 0; i < set->count; i++) {
		rc = listener_steer(set->items[i], open);
		if (rc != 0) {
			errno = -rc;
			log_warn("steering of new connections on %s",
			    set->items[i]->text);
		}
	}
}

unsigned
listeners_queued(const struct listeners *set, unsigned slot)
{
	unsigned queued = 0;

	for (size_t i = 0; i < set->count; i++)
		queued += listener_queued(set->items[i], slot);
	return queued;
}

void
listeners_text(const struct listeners *set, const char *between, char *text,
    size_t size)
{
	char one[NET_ADDRESS_MAX];
	size_t len = 0;
	int n;

	text[0] = '\0';
	for (size_t i = 0; i < set->count; i++) {
		net_format(&set->items[i]->address, one, sizeof(one));
		n = snprintf(text + len, size - len, "%s%s",
		    i > 0 ? between : "", one);
		if (n < 0 || (size_t)n >= size - len)
			break;
		len += (size_t)n;
	}
}

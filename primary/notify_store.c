/* notify_store.c - see notify_store.h. */
#include "primary/notify_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "primary/notify_socket.h"

/* FDSTORE: a number; what is none says that nothing is kept. */
void
notify_store_init(struct notify_store *store)
{
	const char *text = getenv("FDSTORE");
	char *end;

	memset(store, 0, sizeof(*store));
	if (text == NULL || *text < '0' || *text > '9')
		return;
	errno = 0;
	store->max = strtoull(text, &end, 10);
	if (*end != '\0' || errno != 0)
		store->max = 0;
	store->wanted = store->max != 0;
}

void
notify_store_release(struct notify_store *store)
{
	free(store->items);
	memset(store, 0, sizeof(*store));
}

void
notify_store_name(const struct listener *listener, size_t place, char *name,
    size_t size)
{
	char address[NET_ADDRESS_MAX];

	net_format(&listener->address, address, sizeof(address));
	/* A colon separates names in LISTEN_FDNAMES. */
	for (char *p = address; *p != '\0'; p++) {
		if (*p == ':')
			*p = '_';
	}
	(void)snprintf(name, size, NOTIFY_STORE_PREFIX "%zu-%u-%s", place,
	    (unsigned)listener->places[place], address);
}

/* A number below STATS_SLOTS_MAX and the dash after it. */
static bool
parse_number(const char **text, unsigned *ret_number)
{
	unsigned number = 0;
	const char *p = *text;

	for (; *p >= '0' && *p <= '9' && number < STATS_SLOTS_MAX; p++)
		number = number * 10 + (unsigned)(*p - '0');
	if (p == *text || *p != '-' || number >= STATS_SLOTS_MAX)
		return false;
	*text = p + 1;
	*ret_number = number;
	return true;
}

bool
notify_store_parse(const char *name, size_t *ret_place, unsigned *ret_slot)
{
	unsigned place;

	if (strncmp(name, NOTIFY_STORE_PREFIX,
		sizeof(NOTIFY_STORE_PREFIX) - 1) != 0)
		return false;
	name += sizeof(NOTIFY_STORE_PREFIX) - 1;
	if (!parse_number(&name, &place) || !parse_number(&name, ret_slot))
		return false;
	*ret_place = place;
	return true;
}

/* ---- what is stored ---------------------------------------------------- */

static uint64_t
inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static int
add(struct notify_store *store, uint64_t inode, const char *name)
{
	size_t room = store->room != 0 ? 2 * store->room : 16;
	struct notify_stored *items = store->items, *item;

	if (store->count == store->room) {
		items = realloc(items, room * sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
		store->items = items;
		store->room = room;
	}
	item = &items[store->count++];
	memset(item, 0, sizeof(*item));
	item->inode = inode;
	item->seen = true;
	(void)snprintf(item->name, sizeof(item->name), "%s", name);
	return 0;
}

int
notify_store_know(struct notify_store *store, int fd, const char *name)
{
	store->set = NULL;
	return add(store, inode_of(fd), name);
}

static struct notify_stored *
find(const struct notify_store *store, uint64_t inode)
{
	for (size_t i = 0; i < store->count; i++) {
		if (store->items[i].inode == inode)
			return &store->items[i];
	}
	return NULL;
}

/* ---- what should be ---------------------------------------------------- */

/* Called for each socket that should be stored; stops at -errno. */
typedef int each_fn(struct notify_store *store,
    const struct notify_socket *socket, int fd, const char *name);

static int
each(struct notify_store *store, const struct notify_socket *socket,
    const struct listeners *set, each_fn *fn)
{
	char name[NOTIFY_STORE_NAME_MAX];
	struct listener *listener;
	int fd, rc = 0;

	for (size_t i = 0; i < set->count && rc == 0; i++) {
		listener = set->items[i];
		if (listener->given_count > 0)
			continue; /* the manager has them already */
		listener->held = true;
		for (size_t k = 0; k < listener->place_count && rc == 0; k++) {
			fd = listener->fds[listener->places[k]];
			if (fd == -1)
				continue; /* it may come with its worker */
			notify_store_name(listener, k, name, sizeof(name));
			rc = fn(store, socket, fd, name);
		}
	}
	return rc;
}

static int
mark(struct notify_store *store, const struct notify_socket *socket, int fd,
    const char *name)
{
	struct notify_stored *item = find(store, inode_of(fd));

	(void)socket;
	if (item != NULL && strcmp(item->name, name) == 0)
		item->seen = true;
	return 0;
}

static int
put(struct notify_store *store, const struct notify_socket *socket, int fd,
    const char *name)
{
	char message[NOTIFY_STORE_NAME_MAX + 64];
	uint64_t inode = inode_of(fd);
	int rc;

	if (find(store, inode) != NULL)
		return 0;
	if (store->max != 0 && store->count >= store->max) {
		if (!store->limit_told)
			log_warnx("the service manager keeps %llu descriptors "
				  "only (FileDescriptorStoreMax); not all "
				  "listening sockets are stored",
			    (unsigned long long)store->max);
		store->limit_told = true;
		return 0;
	}
	/* Before it is sent: what is sent must be known. */
	rc = add(store, inode, name);
	if (rc != 0)
		return rc;
	(void)snprintf(message, sizeof(message),
	    "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	rc = notify_socket_send(socket, message, fd);
	if (rc != 0)
		store->count--;
	return rc;
}

/*
 * The manager takes out all that has the name of items[at].  Returns how many
 * items before that one are left.
 */
static size_t
forget(struct notify_store *store, size_t at)
{
	char name[NOTIFY_STORE_NAME_MAX];
	size_t kept = 0, before = 0;

	memcpy(name, store->items[at].name, sizeof(name));
	for (size_t i = 0; i < store->count; i++) {
		if (strcmp(store->items[i].name, name) == 0)
			continue;
		if (kept != i)
			store->items[kept] = store->items[i];
		kept++;
		before += i < at;
	}
	store->count = kept;
	return before;
}

/* Those that are no socket of ours any more, from the last one on. */
static int
take_out(struct notify_store *store, const struct notify_socket *socket)
{
	char message[NOTIFY_STORE_NAME_MAX + 64];
	int rc;

	for (size_t i = store->count; i-- > 0;) {
		if (store->items[i].seen)
			continue;
		(void)snprintf(message, sizeof(message),
		    "FDSTOREREMOVE=1\nFDNAME=%s", store->items[i].name);
		rc = notify_socket_send(socket, message, -1);
		if (rc != 0)
			return rc;
		i = forget(store, i);
	}
	return 0;
}

int
notify_store_check(struct notify_store *store,
    const struct notify_socket *socket, const struct listeners *set)
{
	int rc;

	if (!store->wanted ||
	    (store->set == set && store->changes == listener_changes()))
		return 0;
	for (size_t i = 0; i < store->count; i++)
		store->items[i].seen = false;
	(void)each(store, socket, set, mark);
	/* First, because a name may go from one socket to another. */
	rc = take_out(store, socket);
	if (rc == 0)
		rc = each(store, socket, set, put);
	if (rc == -EAGAIN)
		return rc;
	store->set = set;
	store->changes = listener_changes();
	return rc;
}

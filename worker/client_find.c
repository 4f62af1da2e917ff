/*
 * client_find.c - from a connection id to the client; see client.h.
 *
 * An array of pointers, twice as large as there are clients, in which a client
 * stands at its place or a little behind (linear probing).  The place is a mix
 * of its whole id: numbers are dense, and those of two homes would lie on top
 * of each other.  Eight to thirty-two bytes a client.
 */
#include <errno.h>
#include <stdlib.h>

#include "worker/state.h"

enum {
	FIRST_SLOTS = 128
};

static uint32_t
place_of(const struct ipc_node_id *home, uint64_t number, uint32_t mask)
{
	uint64_t mix = (number ^ node_id_to_u64(home) * 0xff51afd7ed558ccd) *
	    0x9e3779b97f4a7c15;

	return (uint32_t)(mix >> 32) & mask;
}

static bool
is_it(const struct client *client, const struct ipc_node_id *home,
    uint64_t number)
{
	return client->number == number && node_id_equal(&client->home, home);
}

/* Where the id stands, or the free place where it would. */
static uint32_t
find_slot(struct client *const *slots, uint32_t count,
    const struct ipc_node_id *home, uint64_t number)
{
	uint32_t at = place_of(home, number, count - 1);

	while (slots[at] != NULL && !is_it(slots[at], home, number))
		at = (at + 1) & (count - 1);
	return at;
}

static int
grow(struct clients *clients)
{
	uint32_t count =
	    clients->slot_count != 0 ? clients->slot_count * 2 : FIRST_SLOTS;
	struct client **slots = calloc(count, sizeof(slots[0])), *client;

	if (slots == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < clients->slot_count; i++) {
		client = clients->slots[i];
		if (client != NULL)
			slots[find_slot(slots, count, &client->home,
			    client->number)] = client;
	}
	free(clients->slots);
	clients->slots = slots;
	clients->slot_count = count;
	return 0;
}

int
clients_index(struct clients *clients, struct client *client)
{
	uint32_t at;

	/* clients->count includes this one. */
	if (clients->count * 2 > clients->slot_count && grow(clients) != 0)
		return -ENOMEM;
	at = find_slot(clients->slots, clients->slot_count, &client->home,
	    client->number);
	if (clients->slots[at] != NULL)
		return -EEXIST;
	clients->slots[at] = client;
	return 0;
}

void
clients_unindex(struct clients *clients, const struct client *client)
{
	uint32_t mask = clients->slot_count - 1, at, place, next;

	if (clients->slot_count == 0)
		return;
	at = find_slot(clients->slots, clients->slot_count, &client->home,
	    client->number);
	if (clients->slots[at] != client)
		return;
	/* Those behind move up, unless they stand where they belong. */
	for (next = (at + 1) & mask; clients->slots[next] != NULL;
	     next = (next + 1) & mask) {
		place = place_of(&clients->slots[next]->home,
		    clients->slots[next]->number, mask);
		if (((next - place) & mask) < ((next - at) & mask))
			continue;
		clients->slots[at] = clients->slots[next];
		at = next;
	}
	clients->slots[at] = NULL;
}

void
client_conn_id(const struct client *client, struct conn_id *ret_id)
{
	*ret_id = (struct conn_id){ client->home, client->number };
}

struct client *
client_find(const struct worker *worker, const struct conn_id *id)
{
	const struct clients *clients = &worker->clients;
	struct client *client;

	if (clients->slot_count == 0)
		return NULL;
	client = clients->slots[find_slot(clients->slots, clients->slot_count,
	    &id->node, id->number)];
	return client != NULL && client_takes(client) ? client : NULL;
}

/*
 * client_find.c - from a connection id to the client; see client.h.
 *
 * An array of pointers, twice as large as there are clients, in which a client
 * stands at its number or a little behind (linear probing).  Numbers are given
 * out one after the other, so nearly all stand where they are looked for; eight
 * to thirty-two bytes a client.
 */
#include <errno.h>
#include <stdlib.h>

#include "worker/state.h"

enum {
	FIRST_SLOTS = 128
};

/* Where the number stands, or the free place where it would. */
static uint32_t
find_slot(struct client *const *slots, uint32_t count, uint64_t number)
{
	uint32_t at = (uint32_t)number & (count - 1);

	while (slots[at] != NULL && slots[at]->number != number)
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
			slots[find_slot(slots, count, client->number)] = client;
	}
	free(clients->slots);
	clients->slots = slots;
	clients->slot_count = count;
	return 0;
}

int
clients_index(struct clients *clients, struct client *client)
{
	/* clients->count includes this one. */
	if (clients->count * 2 > clients->slot_count && grow(clients) != 0)
		return -ENOMEM;
	clients->slots[find_slot(clients->slots, clients->slot_count,
	    client->number)] = client;
	return 0;
}

void
clients_unindex(struct clients *clients, const struct client *client)
{
	uint32_t mask = clients->slot_count - 1, at, home, next;

	if (clients->slot_count == 0)
		return;
	at = find_slot(clients->slots, clients->slot_count, client->number);
	if (clients->slots[at] != client)
		return;
	/* Those behind move up, unless they stand where they belong. */
	for (next = (at + 1) & mask; clients->slots[next] != NULL;
	     next = (next + 1) & mask) {
		home = (uint32_t)clients->slots[next]->number & mask;
		if (((next - home) & mask) < ((next - at) & mask))
			continue;
		clients->slots[at] = clients->slots[next];
		at = next;
	}
	clients->slots[at] = NULL;
}

void
client_conn_id(const struct client *client, struct conn_id *ret_id)
{
	*ret_id = (struct conn_id){ client->worker->id, client->number };
}

struct client *
client_find(const struct worker *worker, const struct conn_id *id)
{
	const struct clients *clients = &worker->clients;
	struct client *client;

	if (clients->slot_count == 0 || !node_id_equal(&id->node, &worker->id))
		return NULL;
	client = clients->slots[find_slot(clients->slots, clients->slot_count,
	    id->number)];
	return client != NULL && client->state == CLIENT_OPEN ? client : NULL;
}

/*
 * pair_hub.h - a hub with a queue for each direction between two workers, a
 * third node that publishes, too, and people who check what they get.
 *
 * Included once, by the test that has all that happen in any order.
 */
#ifndef SUPPORT_PAIR_HUB_H
#define SUPPORT_PAIR_HUB_H

#include "pair_rig.h"

#include <errno.h>

#include "clusterbus/bus.h"
#include "random.h"
#include "worker/bus.h"
#include "worker/membership.h"

enum {
	CLIENTS = 24,
	QUEUE = 4096,
	ORIGINS = 3,
};

/* One connection, whoever has it. */
struct person {
	uint64_t last[ORIGINS]; /* what it got of each node */
	unsigned owners;        /* workers that read and write it */
	bool was, gone;         /* there was one; it has closed */
};

static struct pair *pair;
static struct person people[2][CLIENTS + 1]; /* by home and number */
static struct fake_said queues[2][QUEUE];    /* to a, to b */
static struct ipc_node_id senders[2][QUEUE];
static size_t waiting[2];
static uint64_t published[ORIGINS];
static bool lossy; /* the hub may die, and libwebsockets fail */
static bool hub_dead, knows[2];

static inline struct person *
person_of(const struct client *client)
{
	assert_true(client->number >= 1 && client->number <= CLIENTS);
	return &people[client->home.slot - 1][client->number];
}

/* All that it has got until now: of each node the next one. */
static inline void
collect(struct client *client)
{
	struct person *person = person_of(client);
	char *text, *line, *from, *rest;
	uint64_t number;
	unsigned origin;

	if (fake_ws_wire(client)->len == 0)
		return;
	text = strdup(fake_ws_text(client));
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "<close", 6) == 0 ||
		    (lossy && strstr(line, "\"op\":\"gap\"") != NULL))
			continue;
		from = strstr(line, "\"data\":");
		assert_non_null(from);
		number = strtoull(from + 7, NULL, 10);
		from = strstr(line, "\"from\":\"");
		assert_non_null(from);
		assert_int_equal(sscanf(from + 8, "%*x-%u-", &origin), 1);
		assert_true(origin >= 1 && origin <= ORIGINS);
		if (lossy ? number <= person->last[origin - 1] :
			    number != person->last[origin - 1] + 1)
			fail_msg("client %u.%u of node %u: %u after %u",
			    client->home.slot, (unsigned)client->number, origin,
			    (unsigned)number,
			    (unsigned)person->last[origin - 1]);
		person->last[origin - 1] = number;
	}
	free(text);
}

static inline void
on_out(struct client *client)
{
	struct person *person = person_of(client);

	collect(client);
	assert_int_equal(person->owners, 1);
	person->owners--;
}

static inline void
on_in(struct client *client)
{
	struct person *person = person_of(client);

	assert_int_equal(person->owners, 0);
	assert_false(person->gone);
	person->owners++;
}

/* ---- the hub ----------------------------------------------------------- */

static inline struct worker *
worker_at(int i)
{
	return i == 0 ? pair->a : pair->b;
}

static inline void
enqueue(int to, const struct ipc_node_id *from, const struct fake_said *said)
{
	assert_true(waiting[to] < QUEUE);
	queues[to][waiting[to]] = *said;
	senders[to][waiting[to]++] = *from;
}

static inline void
enqueue_number(int to, const struct ipc_node_id *from, uint64_t number)
{
	struct fake_said said = { .type = IPC_PUBLISH, .fds = { -1, -1 } };

	said.step.token = (uint32_t)number;
	enqueue(to, from, &said);
}

/* The hub reads one message of this worker. */
static inline void
relay_one(int from)
{
	struct worker *worker = worker_at(from);
	struct fake_said said, cut;

	if (!fake_link_take(worker->link, &said))
		return;
	if (said.type == IPC_LEAVING || hub_dead) {
		fake_said_release(&said);
		return;
	}
	enqueue(1 - from, &worker->id, &said);
	if (said.type != IPC_STEP || said.step.kind != IPC_STEP_ACCEPT)
		return;
	cut = (struct fake_said){ .type = IPC_STEP, .fds = { -1, -1 } };
	cut.step = said.step;
	cut.step.kind = IPC_STEP_CUT;
	cut.step.giver = 1;
	enqueue(from, &worker_at(1 - from)->id, &cut);
}

/* End of file behind all that the hub had said, or an error before. */
static inline void
sees_hub_gone(int at)
{
	struct worker *worker = worker_at(at);

	while (waiting[at] > 0)
		fake_said_release(&queues[at][--waiting[at]]);
	knows[at] = true;
	fake_link_forget(worker->link, false);
	fake_link_moves_reset(worker->link);
	membership_on_away(worker);
	move_on_away(worker);
	if (!knows[1 - at])
		return;
	hub_dead = knows[0] = knows[1] = false;
	fake_link_come_back(pair->a);
	fake_link_come_back(pair->b);
}

static inline void
hear_one(int at)
{
	struct ipc_node_id from = senders[at][0];
	struct worker *worker = worker_at(at);
	struct ipc_envelope e = { .channel = "t:x", .channel_len = 3 };
	struct fake_said said;
	char data[24];

	if (waiting[at] == 0) {
		if (hub_dead && !knows[at])
			sees_hub_gone(at);
		return;
	}
	said = queues[at][0];
	waiting[at]--;
	/* valgrind takes a checked memmove() for a memcpy() that overlaps. */
	for (size_t i = 0; i < (size_t)waiting[at]; i++) {
		queues[at][i] = queues[at][i + 1];
		senders[at][i] = senders[at][i + 1];
	}
	if (said.type != IPC_PUBLISH) {
		pair_deliver(worker, &from, &said);
		return;
	}
	e.payload_len =
	    (size_t)snprintf(data, sizeof(data), "%u", said.step.token);
	e.payload = (const unsigned char *)data;
	e.head.origin = from;
	e.head.seq = said.step.token;
	bus_deliver(worker, &e);
	fake_said_release(&said);
}

static inline void
third_publishes(void)
{
	uint64_t number = ++published[2];

	if (hub_dead)
		return;
	enqueue_number(0, &pair_third, number);
	enqueue_number(1, &pair_third, number);
}

static inline void
publishes(int at)
{
	char data[24];
	uint64_t number = ++published[at];

	(void)snprintf(data, sizeof(data), "%u", (unsigned)number);
	assert_int_equal(cbus_publish(worker_at(at)->bus, "x", data,
			     strlen(data)),
	    0);
	if (knows[at])
		return;
	fake_link_keep(worker_at(at)->link, IPC_PUBLISH, (uint32_t)number);
}

#endif /* SUPPORT_PAIR_HUB_H */

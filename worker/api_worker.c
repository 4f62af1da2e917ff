/* api_worker.c - see api_worker.h. */
#include "worker/api_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "worker/bus.h"
#include "worker/conn.h"
#include "worker/link.h"
#include "worker/membership.h"
#include "worker/state.h"

static void
push(void *impl, const struct api_push *p)
{
	bus_push(impl, p);
}

static int
join(void *impl, const char *channel, size_t len)
{
	return membership_pin(impl, channel, len);
}

static void
leave(void *impl, const char *channel, size_t len)
{
	membership_unpin(impl, channel, len);
}

static int
query(void *impl, uint32_t token, enum query_kind kind, uint16_t slot,
    const struct query_args *args)
{
	struct worker *worker = impl;
	struct ipc_query head = {
		.token = token,
		.kind = (uint16_t)kind,
		.slot = slot,
	};
	struct buf text;
	int rc;

	buf_init(&text, IPC_QUERY_MAX);
	rc = query_append(&text, args);
	if (rc == 0)
		rc = link_query(worker->link, &head, buf_data(&text), text.len);
	buf_release(&text);
	return rc == -ENOBUFS ? -EBUSY : rc;
}

/* Is a connection nowhere else?  Looked at before anything is done to it. */
static bool
is_here(const struct worker *worker, const struct query_args *args)
{
	const struct client *client;
	char text[CONN_ID_TEXT_MAX];
	struct conn_id id;

	if (args->conn_len >= sizeof(text))
		return false;
	memcpy(text, args->conn, args->conn_len);
	text[args->conn_len] = '\0';
	if (conn_id_parse(text, &id) != 0)
		return false;
	client = client_find(worker, &id);
	if (client != NULL)
		return client->move == NULL;
	return worker->moved_away == 0 && node_id_equal(&id.node, &worker->id);
}

static bool
act(void *impl, enum query_kind kind, const struct query_args *args)
{
	struct worker *worker = impl;
	bool here = args->conn_len != 0 && is_here(worker, args);

	(void)conn_act(worker, kind, args);
	return here;
}

static const struct api_ops ops = {
	.push = push,
	.join = join,
	.leave = leave,
	.query = query,
	.act = act,
};

struct cbus *
api_worker_new(struct worker *worker)
{
	struct cbus *bus = malloc(sizeof(*bus));

	if (bus == NULL)
		return NULL;
	api_init(bus, &ops, worker);
	bus->has_clients = true;
	bus->loop = worker->loop;
	bus->contract = worker->contract;
	bus->id = worker->id;
	memcpy(bus->node, worker->node, sizeof(bus->node));
	return bus;
}

void
api_worker_free(struct cbus *bus)
{
	if (bus == NULL)
		return;
	api_release(bus);
	free(bus);
}

void
api_worker_placed(struct worker *worker)
{
	if (worker->bus == NULL)
		return;
	worker->bus->id = worker->id;
	memcpy(worker->bus->node, worker->node, sizeof(worker->bus->node));
}

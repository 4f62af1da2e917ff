/*
 * conn.h - what an application sees of a client: struct cbus_conn.
 *
 * A struct cbus_conn is a struct client.  What only applications need of it
 * hangs on client->conn, made when the connect hook is due and freed with the
 * client; a worker without applications has none.
 */
#ifndef WORKER_CONN_H
#define WORKER_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "base/net.h"
#include "clusterbus/conn.h"
#include "wire/push.h"
#include "wire/query.h"
#include "worker/identity.h"

struct client;
struct worker;

enum {
	CONN_REASON_MAX = 123 /* bytes of a close frame's reason */
};

struct conn {
	char id[CONN_ID_TEXT_MAX];
	char address[NET_ADDRESS_MAX];
	char user[IDENTITY_USER_MAX + 1];
	char role[IDENTITY_ROLE_MAX + 1];
	void *data;          /* the application's */
	struct list calls;   /* not answered yet, call.c */
	uint32_t call_count; /* of them */
};

static inline struct cbus_conn *
conn_of(struct client *client)
{
	return (struct cbus_conn *)(void *)client;
}

/* Make client->conn.  0 or -ENOMEM. */
WARN_UNUSED int conn_open(struct client *client);

/* The client has said who it is: so does its conn, if it has one. */
void conn_identify(struct client *client);

/* Free it; a client without one is fine. */
void conn_free(struct client *client);

/*
 * Do a KICK, ROOM_ADD or ROOM_REMOVE (wire/query.h) to this worker's own
 * connections.  Returns how many were changed.
 */
size_t conn_act(struct worker *worker, enum query_kind kind,
    const struct query_args *args);

#endif /* WORKER_CONN_H */

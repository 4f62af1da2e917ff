/*
 * counter.c - an application for tests: it counts the calls of "bump" of every
 * connection, and how often connect and move_in were called for it.  The
 * numbers hang on the connection and go with it to another worker; the method
 * "stay" makes one that does not go.
 */
#include <clusterbus/app.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counts {
	unsigned bumps, connects, moves;
	bool stays;
};

static struct cbus *bus;

static void
on_bump(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	struct counts *counts = cbus_conn_data(conn);
	char text[128];

	(void)arg;
	(void)input;
	(void)len;
	counts->bumps++;
	(void)snprintf(text, sizeof(text), "[%u,%u,%u,%zu]", counts->bumps,
	    counts->connects, counts->moves, cbus_room_size(bus, "all"));
	(void)cbus_reply(call, text, strlen(text));
}

static void
on_stay(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	struct counts *counts = cbus_conn_data(conn);

	(void)arg;
	(void)input;
	(void)len;
	counts->stays = true;
	(void)cbus_reply(call, NULL, 0);
}

static int
on_start(struct cbus *the_bus, void **ret_arg)
{
	int rc;

	bus = the_bus;
	*ret_arg = NULL;
	rc = cbus_handle(bus, "bump", on_bump, NULL);
	return rc == 0 ? cbus_handle(bus, "stay", on_stay, NULL) : rc;
}

static void
on_connect(void *arg, struct cbus_conn *conn)
{
	struct counts *counts = calloc(1, sizeof(*counts));

	(void)arg;
	if (counts == NULL)
		abort();
	counts->connects = 1;
	cbus_conn_set_data(conn, counts);
	(void)cbus_room_add(bus, "all", conn);
}

static void
on_close(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	(void)cbus_publish(bus, "closed", "1", 1);
	free(cbus_conn_data(conn));
}

static int
on_move_out(void *arg, struct cbus_conn *conn, void *bytes, size_t size,
    size_t *ret_len)
{
	const struct counts *counts = cbus_conn_data(conn);

	(void)arg;
	if (counts->stays || size < sizeof(*counts))
		return -EPERM;
	memcpy(bytes, counts, sizeof(*counts));
	*ret_len = sizeof(*counts);
	return 0;
}

static int
on_move_in(void *arg, struct cbus_conn *conn, const void *bytes, size_t len)
{
	struct counts *counts = malloc(sizeof(*counts));

	(void)arg;
	if (counts == NULL || len != sizeof(*counts))
		abort();
	memcpy(counts, bytes, len);
	counts->moves++;
	cbus_conn_set_data(conn, counts);
	return 0;
}

static void
on_moved(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	free(cbus_conn_data(conn));
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "counter",
	.start = on_start,
	.connect = on_connect,
	.close = on_close,
	.move_out = on_move_out,
	.move_in = on_move_in,
	.moved = on_moved,
};

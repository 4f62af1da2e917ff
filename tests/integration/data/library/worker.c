/* worker.c - a worker program of one's own; every client is greeted. */
#include <clusterbus/clusterbus.h>

#include <string.h>

static struct cbus *the_bus;

static void
on_add(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	(void)arg;
	(void)conn;
	(void)cbus_reply(call, input, len);
}

static int
start(struct cbus *bus, void **ret_arg)
{
	the_bus = bus;
	*ret_arg = NULL;
	return cbus_handle(bus, "echo", on_add, NULL);
}

static void
on_connect(void *arg, struct cbus_conn *conn)
{
	static const char hello[] = "\"" CLUSTERBUS_VERSION "\"";

	(void)arg;
	(void)cbus_emit(conn, "hello", hello, strlen(hello));
	(void)cbus_room_add(the_bus, "all", conn);
}

static const struct cbus_app app = {
	.version = CBUS_APP_VERSION,
	.name = "own",
	.start = start,
	.connect = on_connect,
};

int
main(int argc, char **argv)
{
	return cbus_worker_run(argc, argv, &app);
}

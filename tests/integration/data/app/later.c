/*
 * later.c - an application for tests: the method "later" answers after as many
 * milliseconds as its input says.  It keeps nothing about connections.
 */
#include <clusterbus/app.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>

static struct cbus *bus;

struct later {
	ev_timer timer;
	struct cbus_call *call;
};

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct later *later = timer->data;

	(void)loop;
	(void)revents;
	(void)cbus_reply(later->call, "\"later\"", 7);
	free(later);
}

static void
on_later(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	struct later *later = malloc(sizeof(*later));
	char text[16] = "";

	(void)arg;
	(void)conn;
	if (later == NULL || len >= sizeof(text))
		abort();
	memcpy(text, input, len);
	later->call = call;
	ev_timer_init(&later->timer, on_timer, atof(text) / 1000., 0.);
	later->timer.data = later;
	ev_timer_start(cbus_loop(bus), &later->timer);
}

static int
on_start(struct cbus *the_bus, void **ret_arg)
{
	bus = the_bus;
	*ret_arg = NULL;
	return cbus_handle(bus, "later", on_later, NULL);
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "later",
	.start = on_start,
};

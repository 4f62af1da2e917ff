/*
 * app.c - the other end of bus_js_test.py: methods of chat.json.
 *
 * To join a room pushes an event to those in it, and to join "slow" is never
 * answered.
 */
#include <clusterbus/clusterbus.h>

#include <stdio.h>
#include <string.h>

static void
whoami(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	const char *user = cbus_conn_user(conn);
	char text[200];
	int size;

	(void)arg;
	(void)input;
	(void)len;
	size = snprintf(text, sizeof(text), "{\"id\":\"%s\",\"name\":\"%s\"}",
	    user, user);
	(void)cbus_reply(call, text, (size_t)size);
}

static void
join(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	static const char hello[] =
	    "{\"room\":\"garden\",\"text\":\"hello\",\"from\":\"app\"}";
	static const char ok[] = "{\"ok\":true}", change[] = "[\"a line\"]";
	struct cbus *bus = arg;
	char text[64];

	(void)snprintf(text, sizeof(text), "%.*s", (int)len,
	    (const char *)input);
	if (strstr(text, "slow") != NULL)
		return;
	if (strstr(text, "closed") != NULL) {
		(void)cbus_fail(call, CBUS_FORBIDDEN, "the room is closed");
		return;
	}
	(void)cbus_room_add(bus, "garden", conn);
	(void)cbus_room_broadcast(bus, "garden", "message", hello,
	    sizeof(hello) - 1);
	(void)cbus_notify(bus, "doc:42", "edit", change, sizeof(change) - 1,
	    NULL);
	(void)cbus_reply(call, ok, sizeof(ok) - 1);
}

static int
start(struct cbus *bus, void **ret_arg)
{
	int rc = cbus_handle(bus, "whoami", whoami, bus);

	*ret_arg = bus;
	return rc != 0 ? rc : cbus_handle(bus, "join", join, bus);
}

const struct cbus_app cbus_app = {
	CBUS_APP_VERSION,
	.name = "bus_js",
	.start = start,
};

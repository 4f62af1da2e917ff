/*
 * costs.c - the application whose work costs.py measures.
 *
 * One call does one thing many times, so that what is measured is that thing
 * and not the call.  The input is {"do":WHAT,"times":N,"to":NAME}, written by
 * costs.py in this very order; "data" is what is sent.
 */
#include <clusterbus/clusterbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_BYTES = 128
};

static struct cbus *the_bus;
static char payload[] = "{\"text\":\"a hundred bytes of text or so, as chats "
			"have them, with some more words to fill it up\"}";

static void
do_many(const char *what, long times, const char *to)
{
	for (long i = 0; i < times; i++) {
		if (strcmp(what, "room") == 0)
			(void)cbus_room_broadcast(the_bus, to, "message",
			    payload, sizeof(payload) - 1);
		else if (strcmp(what, "user") == 0)
			(void)cbus_emit_to_user(the_bus, to, "message", payload,
			    sizeof(payload) - 1);
		else
			(void)cbus_emit_to_conn(the_bus, to, "message", payload,
			    sizeof(payload) - 1);
	}
}

static void
on_many(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	char text[NAME_BYTES * 3], what[NAME_BYTES], to[NAME_BYTES];
	long times;

	(void)arg;
	(void)conn;
	(void)snprintf(text, sizeof(text), "%.*s", (int)len,
	    (const char *)input);
	if (sscanf(text,
		"{ \"do\" : \"%127[^\"]\" , \"times\" : %ld , "
		"\"to\" : \"%127[^\"]\" }",
		what, &times, to) != 3) {
		(void)cbus_fail(call, CBUS_BAD_REQUEST, "not as agreed");
		return;
	}
	do_many(what, times, to);
	(void)cbus_reply(call, NULL, 0);
}

static void
on_nothing(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	(void)arg;
	(void)conn;
	(void)input;
	(void)len;
	(void)cbus_reply(call, NULL, 0);
}

static int
start(struct cbus *bus, void **ret_arg)
{
	int rc;

	*ret_arg = NULL;
	the_bus = bus;
	rc = cbus_handle(bus, "many", on_many, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, "plain", on_nothing, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, "checked", on_nothing, NULL);
	return rc;
}

static int
authenticate(void *arg, const struct cbus_request *request,
    struct cbus_identity *ret_identity)
{
	(void)arg;
	ret_identity->user = request->token;
	return 0;
}

static void
connect_hook(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	(void)cbus_room_add(the_bus, "room", conn);
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "costs",
	.start = start,
	.authenticate = authenticate,
	.connect = connect_hook,
};

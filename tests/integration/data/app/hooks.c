/* hooks.c - an application that tells in the log which hooks were called. */
#include <clusterbus/clusterbus.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef NAME
#	define NAME "hooks"
#endif

static struct cbus *the_bus;
static int connected; /* tells the worker's connections apart */

static void
tell(const char *what, const char *who)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "%s: %s %s", NAME, what, who);
	cbus_log(the_bus, "info", text);
}

/* ---- methods ----------------------------------------------------------- */

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
	tell("answers", cbus_call_method(later->call));
	tell("gets",
	    cbus_reply(later->call, "\"later\"", 7) == 0 ? "through" : "lost");
	free(later);
}

static void
on_later(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	struct later *later = malloc(sizeof(*later));
	cJSON *ms = cJSON_ParseWithLength(input, len);

	(void)arg;
	(void)conn;
	if (later == NULL)
		abort();
	later->call = call;
	ev_timer_init(&later->timer, on_timer, cJSON_GetNumberValue(ms) / 1000.,
	    0.);
	later->timer.data = later;
	ev_timer_start(cbus_loop(the_bus), &later->timer);
	cJSON_Delete(ms);
}

static void
on_self(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	char text[500];

	(void)arg;
	(void)input;
	(void)len;
	(void)snprintf(text, sizeof(text),
	    "{\"id\":\"%s\",\"user\":\"%s\",\"role\":\"%s\",\"address\":\"%s\","
	    "\"node\":\"%s\",\"found\":%s,\"data\":%s}",
	    cbus_conn_id(conn), cbus_conn_user(conn), cbus_conn_role(conn),
	    cbus_conn_address(conn), cbus_node_id(the_bus),
	    cbus_conn_find(the_bus, cbus_conn_id(conn)) == conn ? "true" :
								  "false",
	    cbus_conn_data(conn) == &connected ? "true" : "false");
	(void)cbus_reply(call, text, strlen(text));
}

static void
on_kick(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	cJSON *json = cJSON_ParseWithLength(input, len);
	cJSON *code = cJSON_GetObjectItem(json, "code");
	char text[20];
	int rc;

	(void)arg;
	(void)conn;
	rc = cbus_kick(the_bus,
	    cJSON_GetStringValue(cJSON_GetObjectItem(json, "conn")),
	    cJSON_GetStringValue(cJSON_GetObjectItem(json, "user")),
	    (uint16_t)(code != NULL ? code->valueint : 0),
	    cJSON_GetStringValue(cJSON_GetObjectItem(json, "reason")));
	(void)snprintf(text, sizeof(text), "%d", rc);
	(void)cbus_reply(call, text, strlen(text));
	cJSON_Delete(json);
}

static void
on_leave(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	(void)arg;
	(void)input;
	(void)len;
	cbus_conn_close(conn, 4321, "as you like");
	tell("told one who leaves",
	    cbus_reply(call, "1", 1) == -ENOTCONN ? "nothing" : "something");
}

static void
on_bad(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	(void)arg;
	(void)conn;
	(void)input;
	(void)len;
	(void)cbus_reply(call, "{", 1);
}

/* ---- hooks ------------------------------------------------------------- */

static int
on_start(struct cbus *bus, void **ret_arg)
{
	int rc;

	the_bus = bus;
	*ret_arg = &connected;
	tell("start", cbus_node_id(bus));
	if (getenv("HOOKS_FAIL") != NULL)
		return -ENOSPC;
	rc = cbus_handle(bus, NAME ".later", on_later, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, NAME ".self", on_self, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, NAME ".kick", on_kick, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, NAME ".leave", on_leave, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, NAME ".bad", on_bad, NULL);
	return rc;
}

static void
on_stop(void *arg)
{
	(void)arg;
	tell("stop", "");
}

static int
on_authenticate(void *arg, const struct cbus_request *request,
    struct cbus_identity *ret_identity)
{
	static char user[100];
	const char *colon = strchr(request->token, ':');

	(void)arg;
	tell("authenticate", request->path);
	if (strcmp(request->token, "banned") == 0)
		return -EPERM;
	if (colon == NULL)
		return -EACCES;
	(void)snprintf(user, sizeof(user), "%.*s",
	    (int)(colon - request->token), request->token);
	ret_identity->user = user;
	ret_identity->role = colon + 1;
	return 0;
}

static void
on_connect(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	tell("connect", cbus_conn_user(conn));
	cbus_conn_set_data(conn, &connected);
	(void)cbus_emit(conn, "hello", "\"" NAME "\"", strlen(NAME) + 2);
	if (strcmp(cbus_conn_user(conn), "unwanted") == 0)
		cbus_conn_close(conn, 4100, "not you");
}

static int
on_message(void *arg, struct cbus_conn *conn,
    const struct cbus_message *message)
{
	(void)arg;
	tell("message", message->topic);
	if (strcmp(message->topic, "secret") == 0)
		return -EACCES;
	if (strcmp(message->topic, "odd") == 0)
		return -EINVAL;
	if (strcmp(message->topic, "last") == 0)
		cbus_conn_close(conn, 4200, NULL);
	return 0;
}

static void
on_close(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	tell("close", cbus_conn_user(conn));
}

static void
on_reload(void *arg)
{
	(void)arg;
	tell("reload", "");
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = NAME,
	.start = on_start,
	.stop = on_stop,
	.authenticate = on_authenticate,
	.connect = on_connect,
	.message = on_message,
	.close = on_close,
	.reload = on_reload,
};

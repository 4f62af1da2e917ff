/*
 * remote.c - an application that does what its clients say.
 *
 * The method "do" takes {"call":NAME,...}, makes that call of the public API
 * on this worker and answers its result.  Listeners and errors are written
 * into a book that the method "book" returns and empties, so a test can see
 * what happened on which node, and in which order.
 */
#include <cjson/cJSON.h>
#include <clusterbus/clusterbus.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LISTENERS_MAX = 64
};

struct listener {
	char name[64];
	struct cbus_sub *sub;
	int result; /* what its function returns */
	int once;   /* it ends itself */
	int calls;
};

static struct cbus *bus;
static struct listener listeners[LISTENERS_MAX];
static cJSON *heard, *errors;

static const char *
word(const cJSON *in, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(in, name));
}

static int
number(const cJSON *in, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(in, name);

	return cJSON_IsNumber(item) ? item->valueint : 0;
}

/* ---- listeners --------------------------------------------------------- */

static int
on_data(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct listener *listener = arg;
	cJSON *entry = cJSON_CreateObject();
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	(void)cJSON_AddStringToObject(entry, "listener", listener->name);
	(void)cJSON_AddStringToObject(entry, "name", info->name);
	(void)cJSON_AddStringToObject(entry, "from", info->from);
	(void)cJSON_AddStringToObject(entry, "data", text);
	(void)cJSON_AddItemToArray(heard, entry);
	free(text);
	listener->calls++;
	if (listener->once) {
		cbus_unsubscribe(listener->sub);
		listener->sub = NULL;
	}
	return listener->result;
}

static struct listener *
find(const char *name)
{
	for (int i = 0; i < LISTENERS_MAX; i++)
		if (strcmp(listeners[i].name, name) == 0)
			return &listeners[i];
	return NULL;
}

static int
do_listen(const cJSON *in, struct cbus_conn *conn)
{
	struct listener *listener = find("");
	const char *event = word(in, "event");

	(void)conn;
	if (listener == NULL)
		return -ENOSPC;
	listener->result = number(in, "result");
	listener->once = number(in, "once");
	strncpy(listener->name, word(in, "listener"),
	    sizeof(listener->name) - 1);
	if (event != NULL)
		return cbus_on_event(bus, event, on_data, listener,
		    &listener->sub);
	return cbus_subscribe(bus, word(in, "topic"), on_data, listener,
	    &listener->sub);
}

static int
do_unlisten(const cJSON *in, struct cbus_conn *conn)
{
	struct listener *listener = find(word(in, "listener"));

	(void)conn;
	if (listener == NULL)
		return -ENOENT;
	cbus_unsubscribe(listener->sub);
	memset(listener, 0, sizeof(*listener));
	return 0;
}

static void
on_error(void *arg, const struct cbus_error *error)
{
	cJSON *entry = cJSON_CreateObject();

	(void)arg;
	(void)cJSON_AddStringToObject(entry, "kind", error->kind);
	(void)cJSON_AddStringToObject(entry, "name", error->name);
	(void)cJSON_AddStringToObject(entry, "stage", error->stage);
	(void)cJSON_AddStringToObject(entry, "from", error->from);
	(void)cJSON_AddNumberToObject(entry, "code", error->code);
	(void)cJSON_AddStringToObject(entry, "message", error->message);
	(void)cJSON_AddItemToArray(errors, entry);
}

/* ---- pushes ------------------------------------------------------------ */

/* The data as text; free() it. */
static char *
data_of(const cJSON *in)
{
	char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(in, "data"));

	return text != NULL ? text : strdup("null");
}

static int
do_publish(const cJSON *in, struct cbus_conn *conn)
{
	struct cbus_publish_opts opts = {
		.role = word(in, "role"),
		.exclude_conn = word(in, "exclude_conn"),
		.local_only = number(in, "local_only") != 0,
	};
	char *data = data_of(in);
	int rc = cbus_publish_opts(bus, word(in, "topic"), data, strlen(data),
	    &opts);

	(void)conn;
	free(data);
	return rc;
}

static int
do_publish_role(const cJSON *in, struct cbus_conn *conn)
{
	char *data = data_of(in);
	int rc = cbus_publish_role(bus, word(in, "role"), word(in, "topic"),
	    data, strlen(data));

	(void)conn;
	free(data);
	return rc;
}

static int
do_emit(const cJSON *in, struct cbus_conn *conn)
{
	const char *to_conn = word(in, "conn"), *user = word(in, "user");
	const char *event = word(in, "event");
	char *data = data_of(in);
	size_t len = strlen(data);
	int rc;

	if (to_conn != NULL)
		rc = cbus_emit_to_conn(bus, to_conn, event, data, len);
	else if (user != NULL)
		rc = cbus_emit_to_user(bus, user, event, data, len);
	else
		rc = cbus_emit(conn, event, data, len);
	free(data);
	return rc;
}

static int
do_broadcast(const cJSON *in, struct cbus_conn *conn)
{
	const char *room = word(in, "room"), *event = word(in, "event");
	const char *exclude = word(in, "exclude_conn");
	char *data = data_of(in);
	size_t len = strlen(data);
	int rc;

	(void)conn;
	if (room != NULL && exclude == NULL)
		rc = cbus_room_broadcast(bus, room, event, data, len);
	else if (room != NULL)
		rc = cbus_room_broadcast_except(bus, room, event, data, len,
		    exclude);
	else
		rc = cbus_broadcast_local(bus, event, data, len, exclude);
	free(data);
	return rc;
}

static int
do_distribute(const cJSON *in, struct cbus_conn *conn)
{
	char *data = data_of(in);
	int rc = cbus_distribute(bus, word(in, "event"), data, strlen(data),
	    word(in, "exclude_node"));

	(void)conn;
	free(data);
	return rc;
}

static int
do_notify(const cJSON *in, struct cbus_conn *conn)
{
	char *data = data_of(in);
	int rc = cbus_notify(bus, word(in, "resource"), word(in, "type"), data,
	    strlen(data), word(in, "exclude_conn"));

	(void)conn;
	free(data);
	return rc;
}

/* ---- rooms ------------------------------------------------------------- */

static int
do_room(const cJSON *in, struct cbus_conn *conn)
{
	const char *to_conn = word(in, "conn"), *user = word(in, "user");
	const char *room = word(in, "room");
	int out = number(in, "remove");

	if (to_conn == NULL && user == NULL)
		return out ? cbus_room_remove(bus, room, conn) :
			     cbus_room_add(bus, room, conn);
	return out ? cbus_room_remove_far(bus, room, to_conn, user) :
		     cbus_room_add_far(bus, room, to_conn, user);
}

static int
do_kick(const cJSON *in, struct cbus_conn *conn)
{
	(void)conn;
	return cbus_kick(bus, word(in, "conn"), word(in, "user"),
	    (uint16_t)number(in, "code"), NULL);
}

static int
do_size(const cJSON *in, struct cbus_conn *conn)
{
	(void)conn;
	return (int)cbus_room_size(bus, word(in, "room"));
}

/* ---- methods ----------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(const cJSON *in, struct cbus_conn *conn);
} calls[] = {
	{ "listen", do_listen },
	{ "unlisten", do_unlisten },
	{ "publish", do_publish },
	{ "publish_role", do_publish_role },
	{ "emit", do_emit },
	{ "broadcast", do_broadcast },
	{ "distribute", do_distribute },
	{ "notify", do_notify },
	{ "room", do_room },
	{ "kick", do_kick },
	{ "size", do_size },
};

static void
reply_number(struct cbus_call *call, double value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.0f", value);
	(void)cbus_reply(call, text, strlen(text));
}

static void
on_do(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	cJSON *in = cJSON_ParseWithLength(input, len);
	size_t count = sizeof(calls) / sizeof(calls[0]), i = 0;
	const char *name = word(in, "call");

	(void)arg;
	while (i < count && (name == NULL || strcmp(calls[i].name, name) != 0))
		i++;
	if (i < count)
		reply_number(call, calls[i].run(in, conn));
	else
		(void)cbus_fail(call, CBUS_BAD_REQUEST, "no such call");
	cJSON_Delete(in);
}

/* {"heard":[...],"errors":[...]}, and both are empty again. */
static void
on_book(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	cJSON *book = cJSON_CreateObject();
	char *text;

	(void)arg;
	(void)conn;
	(void)input;
	(void)len;
	(void)cJSON_AddItemToObject(book, "heard", heard);
	(void)cJSON_AddItemToObject(book, "errors", errors);
	heard = cJSON_CreateArray();
	errors = cJSON_CreateArray();
	text = cJSON_PrintUnformatted(book);
	(void)cbus_reply(call, text, strlen(text));
	free(text);
	cJSON_Delete(book);
}

static void
on_count(void *arg, const struct cbus_answer *answer)
{
	reply_number(arg, (double)answer->count);
}

static void
on_room_count(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	cJSON *in = cJSON_ParseWithLength(input, len);
	int rc = cbus_count(bus, CBUS_ROOM, word(in, "room"), on_count, call);

	(void)arg;
	(void)conn;
	cJSON_Delete(in);
	if (rc != 0)
		(void)cbus_fail(call, CBUS_INTERNAL, "cannot ask");
}

/* ---- life -------------------------------------------------------------- */

static int
start(struct cbus *the_bus, void **ret_arg)
{
	*ret_arg = NULL;
	bus = the_bus;
	heard = cJSON_CreateArray();
	errors = cJSON_CreateArray();
	cbus_on_error(bus, on_error, NULL);
	if (cbus_handle(bus, "do", on_do, NULL) != 0 ||
	    cbus_handle(bus, "book", on_book, NULL) != 0)
		return -ENOMEM;
	return cbus_handle(bus, "count", on_room_count, NULL);
}

static void
stop(void *arg)
{
	(void)arg;
	cJSON_Delete(heard);
	cJSON_Delete(errors);
}

/* A token is USER.ROLE. */
static int
authenticate(void *arg, const struct cbus_request *request,
    struct cbus_identity *ret_identity)
{
	static char user[64];
	char *dot;

	(void)arg;
	strncpy(user, request->token, sizeof(user) - 1);
	dot = strchr(user, '.');
	if (dot == NULL)
		return -EACCES;
	*dot = '\0';
	ret_identity->user = user;
	ret_identity->role = dot + 1;
	return 0;
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "remote",
	.start = start,
	.stop = stop,
	.authenticate = authenticate,
};

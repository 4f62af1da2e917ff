/*
 * chat.c - a chat for any number of workers; see README.md.
 *
 * Rooms are clusterbus rooms, direct messages go to the room of a user that
 * every connection of his is in, and who is in a room is asked of the whole
 * bus.  So it does not matter on which worker anybody is.
 *
 * A token is the user's name and nothing more: this is an example, and anybody
 * may be anybody.
 */
#include <errno.h>

#include "contract.h"

enum {
	ROOMS_MAX = 16,
	NAME_MAX_LEN = 40
};

/* A connection's own. */
struct person {
	char rooms[ROOMS_MAX][NAME_MAX_LEN + 1]; /* "": unused */
};

static struct cbus *bus;

/* The place of a room in what the person is in ("": a free one), or NULL. */
static char *
find_room(struct person *person, const char *room)
{
	for (size_t i = 0; i < ROOMS_MAX; i++) {
		if (strcmp(person->rooms[i], room) == 0)
			return person->rooms[i];
	}
	return NULL;
}

static void
tell_room(char *room, struct cbus_conn *conn, bool here)
{
	char user[NAME_MAX_LEN + 1];
	struct shared_people people = { room, user, here };

	(void)snprintf(user, sizeof(user), "%s", cbus_conn_user(conn));
	(void)shared_people_broadcast(bus, room, &people, NULL);
}

/* ---- methods ----------------------------------------------------------- */

static void
on_join(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const struct shared_join_input *input)
{
	struct person *person = (struct person *)cbus_conn_data(conn);
	char *place;

	(void)arg;
	if (find_room(person, input->room) == NULL) {
		place = find_room(person, "");
		if (place == NULL ||
		    cbus_room_add(bus, input->room, conn) != 0) {
			(void)cbus_fail(call, CBUS_TOO_LARGE, "too many rooms");
			return;
		}
		(void)snprintf(place, NAME_MAX_LEN + 1, "%s", input->room);
		tell_room(place, conn, true);
	}
	(void)cbus_reply(call, NULL, 0);
}

static void
on_leave(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const struct shared_leave_input *input)
{
	struct person *person = (struct person *)cbus_conn_data(conn);
	char *place = find_room(person, input->room);

	(void)arg;
	if (place == NULL) {
		(void)cbus_fail(call, CBUS_NOT_FOUND, "you are not in there");
		return;
	}
	(void)cbus_room_remove(bus, place, conn);
	tell_room(place, conn, false);
	place[0] = '\0';
	(void)cbus_reply(call, NULL, 0);
}

static void
on_say(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const struct shared_say_input *input)
{
	struct person *person = (struct person *)cbus_conn_data(conn);
	char user[NAME_MAX_LEN + 1];
	struct shared_message message = { input->room, user, input->text };

	(void)arg;
	if (find_room(person, input->room) == NULL) {
		(void)cbus_fail(call, CBUS_FORBIDDEN, "join the room first");
		return;
	}
	(void)snprintf(user, sizeof(user), "%s", cbus_conn_user(conn));
	(void)shared_message_broadcast(bus, input->room, &message, NULL);
	(void)cbus_reply(call, NULL, 0);
}

/* The room that all connections of a user are in. */
static void
user_room(char *room, size_t size, const char *user)
{
	(void)snprintf(room, size, "user:%s", user);
}

static void
on_tell(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const struct shared_tell_input *input)
{
	char user[NAME_MAX_LEN + 1], room[NAME_MAX_LEN + 8];
	struct shared_direct direct = { user, input->text };

	(void)arg;
	(void)snprintf(user, sizeof(user), "%s", cbus_conn_user(conn));
	user_room(room, sizeof(room), input->user);
	(void)shared_direct_broadcast(bus, room, &direct, NULL);
	(void)cbus_reply(call, NULL, 0);
}

/* The users among rows like {"conn":...,"user":"ann","role":""}, each once. */
static cJSON *
users_of(const char *rows, size_t len)
{
	cJSON *seen = cJSON_CreateObject(), *users = cJSON_CreateArray();
	const char *end = rows + len, *line_end;
	const char *user;
	cJSON *row;

	for (; rows < end; rows = line_end + 1) {
		line_end =
		    (const char *)memchr(rows, '\n', (size_t)(end - rows));
		if (line_end == NULL)
			line_end = end;
		row = cJSON_ParseWithLength(rows, (size_t)(line_end - rows));
		user = cJSON_GetStringValue(cJSON_GetObjectItem(row, "user"));
		if (user != NULL && !cJSON_HasObjectItem(seen, user)) {
			(void)cJSON_AddTrueToObject(seen, user);
			(void)cJSON_AddItemToArray(users,
			    cJSON_CreateString(user));
		}
		cJSON_Delete(row);
	}
	cJSON_Delete(seen);
	return users;
}

/* All workers have said who is in the room: the call is answered now. */
static void
on_members(void *arg, const struct cbus_answer *answer)
{
	struct cbus_call *call = (struct cbus_call *)arg;
	cJSON *output = cJSON_CreateObject();
	char *text;

	if (answer->error != 0) {
		(void)cbus_fail(call, CBUS_INTERNAL, "nobody knows just now");
		cJSON_Delete(output);
		return;
	}
	(void)cJSON_AddItemToObject(output, "users",
	    users_of(answer->rows, answer->len));
	text = cJSON_PrintUnformatted(output);
	cJSON_Delete(output);
	if (text != NULL)
		(void)cbus_reply(call, text, strlen(text));
	else
		(void)cbus_fail(call, CBUS_INTERNAL, "out of memory");
	cJSON_free(text);
}

static void
on_who(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const struct shared_who_input *input)
{
	(void)arg;
	(void)conn;
	if (cbus_ask(bus, CBUS_MEMBERS, CBUS_ROOM, input->room, on_members,
		call) != 0)
		(void)cbus_fail(call, CBUS_INTERNAL, "nobody knows just now");
}

/* ---- hooks ------------------------------------------------------------- */

static int
start(struct cbus *the_bus, void **ret_arg)
{
	static struct on_shared_join join = { on_join, NULL };
	static struct on_shared_leave leave = { on_leave, NULL };
	static struct on_shared_say say = { on_say, NULL };
	static struct on_shared_tell tell = { on_tell, NULL };
	static struct on_shared_who who = { on_who, NULL };
	int rc;

	bus = the_bus;
	*ret_arg = NULL;
	rc = shared_join_handle(bus, &join);
	if (rc == 0)
		rc = shared_leave_handle(bus, &leave);
	if (rc == 0)
		rc = shared_say_handle(bus, &say);
	if (rc == 0)
		rc = shared_tell_handle(bus, &tell);
	if (rc == 0)
		rc = shared_who_handle(bus, &who);
	return rc;
}

static int
authenticate(void *arg, const struct cbus_request *request,
    struct cbus_identity *ret_identity)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strlen(request->token);

	(void)arg;
	if (len == 0 || len > NAME_MAX_LEN ||
	    strspn(request->token, letters) != len)
		return -EACCES;
	ret_identity->user = request->token;
	return 0;
}

static void
on_connect(void *arg, struct cbus_conn *conn)
{
	struct person *person = (struct person *)calloc(1, sizeof(*person));
	char room[NAME_MAX_LEN + 8];

	(void)arg;
	cbus_conn_set_data(conn, person);
	user_room(room, sizeof(room), cbus_conn_user(conn));
	if (person == NULL || cbus_room_add(bus, room, conn) != 0)
		cbus_conn_close(conn, 1011, "no room for you");
}

static void
on_close(void *arg, struct cbus_conn *conn)
{
	struct person *person = (struct person *)cbus_conn_data(conn);

	(void)arg;
	for (size_t i = 0; person != NULL && i < ROOMS_MAX; i++) {
		if (person->rooms[i][0] != '\0')
			tell_room(person->rooms[i], conn, false);
	}
	free(person);
}

/* ---- when it goes to another worker ------------------------------------ */

static int
move_out(void *arg, struct cbus_conn *conn, void *bytes, size_t size,
    size_t *ret_len)
{
	const struct person *person =
	    (const struct person *)cbus_conn_data(conn);

	(void)arg;
	if (person == NULL || size < sizeof(*person))
		return -EAGAIN;
	memcpy(bytes, person, sizeof(*person));
	*ret_len = sizeof(*person);
	return 0;
}

/* It is in its clusterbus rooms already. */
static int
move_in(void *arg, struct cbus_conn *conn, const void *bytes, size_t len)
{
	struct person *person;

	(void)arg;
	if (len != sizeof(*person))
		return -EPROTO; /* of another version of this program */
	person = (struct person *)malloc(sizeof(*person));
	if (person == NULL)
		return -ENOMEM;
	memcpy(person, bytes, len);
	for (size_t i = 0; i < ROOMS_MAX; i++)
		person->rooms[i][NAME_MAX_LEN] = '\0';
	cbus_conn_set_data(conn, person);
	return 0;
}

static void
moved(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	free(cbus_conn_data(conn));
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "chat",
	.start = start,
	.authenticate = authenticate,
	.connect = on_connect,
	.close = on_close,
	.move_out = move_out,
	.move_in = move_in,
	.moved = moved,
};

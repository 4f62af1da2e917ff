/*
 * api_http_deed.c - POST /api/kick, /api/rooms/NAME/add and remove.
 *
 * Both are questions to all workers (wire/query.h), so the answer tells how
 * many connections it was, and comes when it is done.
 */
#include <errno.h>
#include <string.h>

#include "api/api.h"
#include "base/utf8.h"
#include "worker/api_http_internal.h"
#include "worker/conn.h"
#include "worker/state.h"

static void
bad(const struct api_call *call, const char *why)
{
	api_http_fail(call->http, 400, ERR_BAD_REQUEST, why);
}

/* Fill in whom it is about; false: bad, and it has been said. */
static bool
take_target(const struct api_call *call, const struct api_text *conn,
    const struct api_text *user, struct query_args *args)
{
	const char *why;
	struct conn_id id;

	if (conn->given == user->given) {
		bad(call, "one of conn and user is needed");
		return false;
	}
	if (user->given) {
		args->user = user->text;
		args->user_len = user->len;
		if (api_check_name(user, CBUS_NAME_MAX, &why) == 0)
			return true;
		bad(call, why);
		return false;
	}
	args->conn = conn->text;
	args->conn_len = conn->len;
	if (strlen(conn->text) != conn->len ||
	    conn_id_parse(conn->text, &id) != 0) {
		bad(call, "conn is no connection's id");
		return false;
	}
	if (id.node.host != call->http->worker->id.host) {
		api_http_fail(call->http, 404, ERR_NOT_FOUND,
		    "the connection is one of another host");
		return false;
	}
	return true;
}

void
api_kick(const struct api_call *call)
{
	struct api_text conn = { 0 }, user = { 0 }, reason = { 0 };
	uint32_t code = CLOSE_POLICY;
	const struct api_member members[] = {
		{ "conn", API_TEXT, &conn },
		{ "user", API_TEXT, &user },
		{ "code", API_NUMBER, &code },
		{ "reason", API_TEXT, &reason },
	};
	struct query_args args = { 0 };
	const char *why;

	if (api_body_read(call->request->body, call->request->body_len, members,
		ARRAY_LEN(members), &why) != 0) {
		bad(call, why);
		return;
	}
	if (!take_target(call, &conn, &user, &args))
		return;
	if (!api_close_code(code)) {
		bad(call, "code is no close code that a server may send");
		return;
	}
	if (reason.len > CONN_REASON_MAX) {
		bad(call, "reason is too long");
		return;
	}
	args.code = code;
	args.text = reason.text;
	args.text_len = reason.len;
	api_ask(call->http, QUERY_KICK, IPC_SLOT_NONE, &args, API_SUM,
	    "kicked");
}

/* NAME/add: take the room's name from it.  False: neither add nor remove. */
static bool
split_rest(const char *rest, struct api_text *room, bool *ret_add)
{
	const char *slash = strrchr(rest, '/');
	const char *verb = slash != NULL ? slash + 1 : rest;

	*ret_add = strcmp(verb, "add") == 0;
	if (!*ret_add && strcmp(verb, "remove") != 0)
		return false;
	if (slash == NULL)
		return true; /* the room is in the body */
	room->len = (size_t)(slash - rest);
	if (room->len >= sizeof(room->text))
		return false;
	memcpy(room->text, rest, room->len);
	room->text[room->len] = '\0';
	room->given = true;
	return true;
}

void
api_rooms(const struct api_call *call)
{
	struct api_text conn = { 0 }, user = { 0 }, room = { 0 };
	struct api_text body_room = { 0 };
	const struct api_member members[] = {
		{ "conn", API_TEXT, &conn },
		{ "user", API_TEXT, &user },
		{ "room", API_TEXT, &body_room },
	};
	struct query_args args = { 0 };
	struct channel_name channel;
	const char *why;
	bool is_add;

	if (!split_rest(call->rest, &room, &is_add)) {
		api_http_fail(call->http, 404, ERR_NOT_FOUND,
		    "with a room one can add and remove");
		return;
	}
	if (api_body_read(call->request->body, call->request->body_len, members,
		ARRAY_LEN(members), &why) != 0) {
		bad(call, why);
		return;
	}
	if (room.given == body_room.given) {
		bad(call, "the room's name is needed, once");
		return;
	}
	if (body_room.given)
		room = body_room;
	if (api_check_name(&room, CBUS_NAME_MAX, &why) != 0) {
		bad(call, why);
		return;
	}
	if (!take_target(call, &conn, &user, &args))
		return;
	if (channel_name(&channel, 'r', room.text, room.len) != 0) {
		bad(call, "a name is too long");
		return;
	}
	args.channel = channel.text;
	args.channel_len = channel.len;
	api_ask(call->http, is_add ? QUERY_ROOM_ADD : QUERY_ROOM_REMOVE,
	    IPC_SLOT_NONE, &args, API_SUM, "changed");
}

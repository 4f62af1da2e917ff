/*
 * api_http_list.c - GET /api/clients, /api/topics, /api/rooms, /api/users,
 * /api/presence/KIND/NAME, /api/why/CONN.
 */
#include <errno.h>
#include <string.h>

#include "clusterbus/clusterbus.h"
#include "contract/contract.h"
#include "wire/channel_name.h"
#include "wire/push.h"
#include "worker/api_http_internal.h"

static void
bad(const struct api_call *call, const char *why)
{
	api_http_fail(call->http, 400, ERR_BAD_REQUEST, why);
}

/*
 * The channel of a topic (with ?role=, of that role), room or user.  False: it
 * has been said what is wrong.
 */
static bool
make_channel(const struct api_call *call, char kind,
    const struct api_text *name, struct channel_name *ret_channel)
{
	struct api_text role;
	const char *why;
	int err;

	if (api_check_name(name, CBUS_NAME_MAX, &why) != 0) {
		bad(call, why);
		return false;
	}
	if (api_args_find(call->request, "role", &role) != 0 ||
	    (role.given &&
		(kind != 't' ||
		    api_check_name(&role, CONTRACT_NAME_MAX, &why) != 0))) {
		bad(call, "role is no name, or goes with a topic only");
		return false;
	}
	err = role.given ?
	    channel_name_role(ret_channel, role.text, name->text, name->len) :
	    channel_name(ret_channel, kind, name->text, name->len);
	if (err != 0)
		bad(call, "a name is too long, or a role has a '/'");
	return err == 0;
}

void
api_list_clients(const struct api_call *call)
{
	static const struct {
		const char *name;
		char kind;
	} filters[] = { { "topic", 't' }, { "room", 'r' }, { "user", 'u' } };
	struct query_args args = { 0 };
	struct channel_name channel;
	struct api_text name;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		if (api_args_find(call->request, filters[i].name, &name) != 0) {
			bad(call, "an argument is too long, or no text");
			return;
		}
		if (!name.given)
			continue;
		if (args.channel_len != 0) {
			bad(call, "one of topic, room and user only");
			return;
		}
		if (!make_channel(call, filters[i].kind, &name, &channel))
			return;
		args.channel = channel.text;
		args.channel_len = channel.len;
	}
	api_ask(call->http, QUERY_CLIENTS, IPC_SLOT_NONE, &args, API_ROWS,
	    NULL);
}

static void
ask_merged(const struct api_call *call, enum query_kind kind)
{
	const struct query_args none = { 0 };

	api_ask(call->http, kind, IPC_SLOT_NONE, &none, API_MERGE, NULL);
}

void
api_list_topics(const struct api_call *call)
{
	ask_merged(call, QUERY_TOPICS);
}

void
api_list_rooms(const struct api_call *call)
{
	ask_merged(call, QUERY_ROOMS);
}

void
api_list_users(const struct api_call *call)
{
	ask_merged(call, QUERY_USERS);
}

void
api_presence(const struct api_call *call)
{
	static const struct {
		const char *name;
		char kind;
	} kinds[] = { { "topic", 't' }, { "room", 'r' }, { "user", 'u' },
		{ "resource", 'w' } };
	struct query_args args = { 0 };
	struct channel_name channel;
	struct api_text name;
	size_t len, kind_len = strcspn(call->rest, "/");
	char kind = '\0';

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strlen(kinds[i].name) == kind_len &&
		    memcmp(kinds[i].name, call->rest, kind_len) == 0)
			kind = kinds[i].kind;
	}
	if (kind == '\0') {
		api_http_fail(call->http, 404, ERR_NOT_FOUND,
		    "topics, rooms, users and resources have members");
		return;
	}
	if (api_args_find(call->request, "name", &name) != 0) {
		bad(call, "a name is too long, or no text");
		return;
	}
	if (!name.given && call->rest[kind_len] == '/') {
		len = strlen(call->rest + kind_len + 1);
		if (len >= sizeof(name.text)) {
			bad(call, "a name is too long");
			return;
		}
		memcpy(name.text, call->rest + kind_len + 1, len + 1);
		name.len = len;
	}
	if (!make_channel(call, kind, &name, &channel))
		return;
	args.channel = channel.text;
	args.channel_len = channel.len;
	api_ask(call->http, QUERY_MEMBERS, IPC_SLOT_NONE, &args, API_COUNT,
	    NULL);
}

void
api_why(const struct api_call *call)
{
	struct query_args args = {
		.conn = call->rest,
		.conn_len = strlen(call->rest),
	};
	struct conn_id id;

	if (conn_id_parse(call->rest, &id) != 0)
		bad(call, "this is no connection's id");
	else
		api_ask(call->http, QUERY_WHY, IPC_SLOT_NONE, &args, API_ONE,
		    NULL);
}

/*
 * door_hello.c - who a client is: HELLO, AUTH, CLIENT, RESET, QUIT.
 */
#include <stdlib.h>
#include <string.h>

#include "primary/sync/door_internal.h"

/* ---- the password ------------------------------------------------------ */

/* Takes the same time wherever the first difference is. */
static bool
is_password(const struct redis_door *door, const struct resp_arg *arg)
{
	size_t len = strlen(door->password);
	unsigned difference = len != arg->len;

	for (size_t i = 0; i < arg->len; i++)
		difference |= (unsigned char)arg->at[i] ^
		    (unsigned char)door->password[len != 0 ? i % len : 0];
	return difference == 0;
}

/* With a name there is one user, and without a password any will do. */
static bool
is_let_in(const struct redis_door *door, const struct resp_arg *user,
    const struct resp_arg *password)
{
	return user->len == 7 && memcmp(user->at, "default", 7) == 0 &&
	    (door->password[0] == '\0' || is_password(door, password));
}

static void
wrong_password(struct door_call *call)
{
	door_refuse(call,
	    "WRONGPASS invalid username-password pair or user is disabled.");
}

void
door_auth(struct door_call *call)
{
	static const struct resp_arg user = { .at = "default", .len = 7 };
	struct door_client *client = call->client;
	bool named = call->count == 3;

	if (call->count > 3) {
		door_refuse(call, "ERR syntax error");
		return;
	}
	if (!named && client->door->password[0] == '\0') {
		door_refuse(call,
		    "ERR AUTH <password> called without any password "
		    "configured for the default user. Are you sure your "
		    "configuration is correct?");
		return;
	}
	if (!is_let_in(client->door, named ? &call->args[1] : &user,
		&call->args[call->count - 1])) {
		wrong_password(call);
		return;
	}
	client->known = true;
	resp_simple(&client->out, "OK");
}

/* ---- names ------------------------------------------------------------- */

/* Could it stand in a list of clients? */
static bool
is_fine(const struct resp_arg *name)
{
	for (size_t i = 0; i < name->len; i++) {
		if (name->at[i] < '!' || name->at[i] > '~')
			return false;
	}
	return true;
}

/* Is it a name?  If not, the answer says so. */
static bool
check_name(struct door_call *call, const struct resp_arg *name)
{
	if (is_fine(name) && name->len <= DOOR_NAME_MAX)
		return true;
	door_refuse(call, "%s",
	    is_fine(name) ? "ERR Client names cannot be this long." :
			    "ERR Client names cannot contain spaces, newlines "
			    "or special characters.");
	return false;
}

/* False: no memory, and answered. */
static bool
set_name(struct door_call *call, const struct resp_arg *name)
{
	struct door_client *client = call->client;
	char *copy = name->len != 0 ? strndup(name->at, name->len) : NULL;

	if (copy == NULL && name->len != 0) {
		door_refuse(call, "OOM no memory for this");
		return false;
	}
	free(client->name);
	client->name = copy;
	client->bridge = copy != NULL && strcmp(copy, DOOR_BRIDGE_NAME) == 0;
	return true;
}

void
door_client_id(struct door_call *call)
{
	resp_integer(&call->client->out, (int64_t)call->client->id);
}

void
door_client_getname(struct door_call *call)
{
	if (call->client->name != NULL)
		resp_text(&call->client->out, call->client->name);
	else
		resp_null(&call->client->out);
}

void
door_client_setname(struct door_call *call)
{
	if (check_name(call, &call->args[2]) && set_name(call, &call->args[2]))
		resp_simple(&call->client->out, "OK");
}

/* Checked as Redis 7.2 does, and forgotten. */
void
door_client_setinfo(struct door_call *call)
{
	const struct resp_arg *what = &call->args[2];
	bool name = door_arg_is(what, "lib-name");

	if (!name && !door_arg_is(what, "lib-ver"))
		door_refuse(call, "ERR Unrecognized option '%.*s'",
		    (int)(what->len < 128 ? what->len : 128), what->at);
	else if (!is_fine(&call->args[3]))
		door_refuse(call,
		    "ERR %s cannot contain spaces, newlines or special "
		    "characters.",
		    name ? "lib-name" : "lib-ver");
	else
		resp_simple(&call->client->out, "OK");
}

void
door_client_no_evict(struct door_call *call)
{
	if (door_arg_is(&call->args[2], "on") ||
	    door_arg_is(&call->args[2], "off"))
		resp_simple(&call->client->out, "OK");
	else
		door_refuse(call, "ERR syntax error");
}

/* ---- HELLO ------------------------------------------------------------- */

/* What HELLO asks for, before any of it is done. */
struct wishes {
	unsigned version;
	bool known;
	const struct resp_arg *name; /* NULL: none */
};

/* False: answered. */
static bool
read_version(struct door_call *call, struct wishes *wishes)
{
	int64_t version;

	if (call->count < 2)
		return true;
	if (resp_number(call->args[1].at, call->args[1].len, &version) != 0) {
		door_refuse(call,
		    "ERR Protocol version is not an integer or out of range");
		return false;
	}
	if (version != 2 && version != 3) {
		door_refuse(call, "NOPROTO unsupported protocol version");
		return false;
	}
	wishes->version = (unsigned)version;
	return true;
}

/* False: answered. */
static bool
read_options(struct door_call *call, struct wishes *wishes)
{
	const struct resp_arg *args = call->args;
	size_t left;

	for (size_t i = 2; i < call->count; i++) {
		left = call->count - 1 - i;
		if (door_arg_is(&args[i], "auth") && left >= 2) {
			if (!is_let_in(call->client->door, &args[i + 1],
				&args[i + 2])) {
				wrong_password(call);
				return false;
			}
			wishes->known = true;
			i += 2;
		} else if (door_arg_is(&args[i], "setname") && left >= 1) {
			if (!check_name(call, &args[i + 1]))
				return false;
			wishes->name = &args[++i];
		} else {
			door_refuse(call,
			    "ERR Syntax error in HELLO option '%.*s'",
			    (int)(args[i].len < 128 ? args[i].len : 128),
			    args[i].at);
			return false;
		}
	}
	return true;
}

void
door_hello(struct door_call *call)
{
	struct door_client *client = call->client;
	struct resp_out *out = &client->out;
	struct wishes wishes = { out->version, client->known, NULL };

	if (!read_version(call, &wishes) || !read_options(call, &wishes))
		return;
	if (!wishes.known) {
		door_refuse(call,
		    "NOAUTH HELLO must be called with the client already "
		    "authenticated, otherwise the HELLO <proto> AUTH <user> "
		    "<pass> option can be used to authenticate the client and "
		    "select the RESP protocol version at the same time");
		return;
	}
	if (wishes.name != NULL && !set_name(call, wishes.name))
		return;
	client->known = true;
	out->version = wishes.version;
	resp_map(out, 7);
	resp_text(out, "server");
	resp_text(out, "redis");
	resp_text(out, "version");
	resp_text(out, DOOR_REDIS_VERSION);
	resp_text(out, "proto");
	resp_integer(out, out->version);
	resp_text(out, "id");
	resp_integer(out, (int64_t)client->id);
	resp_text(out, "mode");
	resp_text(out, "standalone");
	resp_text(out, "role");
	resp_text(out, "master");
	resp_text(out, "modules");
	resp_array(out, 0);
}

/* ---- the end, or the beginning ----------------------------------------- */

void
door_reset(struct door_call *call)
{
	struct door_client *client = call->client;

	door_leave_all(client);
	free(client->name);
	client->name = NULL;
	client->bridge = false;
	client->known = client->door->password[0] == '\0';
	client->out.version = 2;
	resp_simple(&client->out, "RESET");
}

void
door_quit(struct door_call *call)
{
	resp_simple(&call->client->out, "OK");
	call->client->finishing = true;
}

/*
 * door_subscribe.c - SUBSCRIBE and its five relatives.
 *
 * Every name has an answer of its own, with the number of subscriptions after
 * it.  The hub is told of a channel with the first subscriber and the last; its
 * tap is set as long as there are patterns.
 */
#include "primary/sync/door_internal.h"

/* What differs between the three kinds. */
static const struct words {
	const char *join, *leave;
} words[DOOR_KINDS] = {
	[DOOR_CHANNEL] = { "subscribe", "unsubscribe" },
	[DOOR_PATTERN] = { "psubscribe", "punsubscribe" },
	[DOOR_SHARD] = { "ssubscribe", "sunsubscribe" },
};

/* ---- the hub ----------------------------------------------------------- */

/* Somebody wants the name now: the first one.  0, -ENOMEM, -ENOBUFS. */
static int
tell_join(struct redis_door *door, enum door_kind kind, const char *name,
    size_t len)
{
	size_t hub_len;
	int rc;

	if (kind == DOOR_PATTERN && !door->has_tap) {
		rc = hub_add_tap(door->hub, door_on_tap, door, door->sink);
		door->has_tap = rc == 0;
		return rc;
	}
	if (kind != DOOR_CHANNEL)
		return 0;
	hub_len = door_hub_channel(door, name, len);
	if (hub_len == 0)
		return 0;
	rc = hub_sink_join(door->sink, door->channel, hub_len);
	return rc < 0 ? rc : 0;
}

/* ---- one name ---------------------------------------------------------- */

/* 0, or -errno: it is as it was. */
static int
join(struct door_client *client, enum door_kind kind,
    const struct resp_arg *name)
{
	struct redis_door *door = client->door;
	bool first =
	    door_table_find(&door->table, kind, name->at, name->len) == NULL;
	int rc;

	rc = door_table_add(&door->table, kind, client, &client->subs, name->at,
	    name->len);
	if (rc <= 0 || !first)
		return rc < 0 ? rc : 0;
	rc = tell_join(door, kind, name->at, name->len);
	if (rc != 0)
		(void)door_table_remove(&door->table, kind, client,
		    &client->subs, name->at, name->len);
	return rc;
}

/* The name may be that of the table: it is not looked at after the end. */
static void
leave(struct door_client *client, enum door_kind kind, const char *name,
    size_t len)
{
	struct redis_door *door = client->door;
	const struct door_name *found =
	    door_table_find(&door->table, kind, name, len);
	bool last = found != NULL && found->count == 1;
	size_t hub_len = last && kind == DOOR_CHANNEL ?
	    door_hub_channel(door, name, len) :
	    0;

	if (door_table_remove(&door->table, kind, client, &client->subs, name,
		len) == 0 ||
	    !last)
		return;
	if (hub_len != 0)
		(void)hub_sink_leave(door->sink, door->channel, hub_len);
	if (door->has_tap && door->table.names[DOOR_PATTERN].count == 0) {
		hub_remove_tap(door->hub, door_on_tap, door);
		door->has_tap = false;
	}
}

/* Shard channels are counted apart. */
static int64_t
count_of(const struct door_client *client, enum door_kind kind)
{
	const size_t *count = client->subs.count;

	return (int64_t)(kind == DOOR_SHARD ?
		count[DOOR_SHARD] :
		count[DOOR_CHANNEL] + count[DOOR_PATTERN]);
}

/* name NULL: there was nothing to leave. */
static void
answer(struct door_client *client, const char *word, const char *name,
    size_t len, int64_t count)
{
	struct resp_out *out = &client->out;

	resp_push(out, 3);
	resp_text(out, word);
	if (name != NULL)
		resp_bulk(out, name, len);
	else
		resp_null(out);
	resp_integer(out, count);
}

/* ---- the commands ------------------------------------------------------ */

bool
door_is_too_long(struct door_call *call, const struct resp_arg *name)
{
	if (name->len <= DOOR_CHANNEL_MAX)
		return false;
	door_refuse(call,
	    "ERR channel names and patterns have at most %d bytes",
	    (int)DOOR_CHANNEL_MAX);
	return true;
}

/* Would it be one pattern too many? */
static bool
has_no_room(struct door_call *call, enum door_kind kind,
    const struct resp_arg *name)
{
	const struct door_table *table = &call->client->door->table;

	if (kind != DOOR_PATTERN ||
	    table->names[DOOR_PATTERN].count < DOOR_PATTERNS_MAX ||
	    door_table_find(table, kind, name->at, name->len) != NULL)
		return false;
	door_refuse(call, "ERR max number of patterns reached");
	return true;
}

static void
join_all(struct door_call *call, enum door_kind kind)
{
	struct door_client *client = call->client;
	const size_t *count = client->subs.count;

	for (size_t i = 1; i < call->count; i++) {
		if (count[DOOR_CHANNEL] + count[DOOR_PATTERN] +
			count[DOOR_SHARD] >=
		    client->door->channels_max) {
			door_refuse(call,
			    "ERR max number of subscriptions reached");
			return;
		}
		if (door_is_too_long(call, &call->args[i]) ||
		    has_no_room(call, kind, &call->args[i]))
			return;
		if (join(client, kind, &call->args[i]) != 0) {
			door_refuse(call, "OOM no memory for this");
			return;
		}
		answer(client, words[kind].join, call->args[i].at,
		    call->args[i].len, count_of(client, kind));
	}
}

/* The first of the list; answered before, because its name goes with it. */
static void
leave_first(struct door_client *client, enum door_kind kind, bool tell)
{
	const struct door_sub *sub =
	    LIST_ENTRY(client->subs.list[kind].next, struct door_sub, link);
	const struct door_name *name = sub->pair.name;

	if (tell)
		answer(client, words[kind].leave, name->name,
		    name->entry.key_len, count_of(client, kind) - 1);
	leave(client, kind, name->name, name->entry.key_len);
}

static void
leave_these(struct door_call *call, enum door_kind kind)
{
	struct door_client *client = call->client;

	if (call->count == 1 && client->subs.count[kind] == 0) {
		answer(client, words[kind].leave, NULL, 0,
		    count_of(client, kind));
		return;
	}
	for (size_t i = 1; i < call->count; i++) {
		leave(client, kind, call->args[i].at, call->args[i].len);
		answer(client, words[kind].leave, call->args[i].at,
		    call->args[i].len, count_of(client, kind));
	}
	while (call->count == 1 && client->subs.count[kind] != 0)
		leave_first(client, kind, true);
}

void
door_leave_all(struct door_client *client)
{
	for (int kind = 0; kind < DOOR_KINDS; kind++) {
		while (client->subs.count[kind] != 0)
			leave_first(client, (enum door_kind)kind, false);
	}
}

void
door_subscribe(struct door_call *call)
{
	join_all(call, DOOR_CHANNEL);
}

void
door_unsubscribe(struct door_call *call)
{
	leave_these(call, DOOR_CHANNEL);
}

void
door_psubscribe(struct door_call *call)
{
	join_all(call, DOOR_PATTERN);
}

void
door_punsubscribe(struct door_call *call)
{
	leave_these(call, DOOR_PATTERN);
}

void
door_ssubscribe(struct door_call *call)
{
	join_all(call, DOOR_SHARD);
}

void
door_sunsubscribe(struct door_call *call)
{
	leave_these(call, DOOR_SHARD);
}

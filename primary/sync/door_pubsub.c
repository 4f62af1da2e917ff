/*
 * door_pubsub.c - PUBSUB: who has subscribed?
 *
 * A channel's subscribers are the door's and, as one each, the nodes that want
 * its topic: a worker with a thousand WebSocket clients there counts as one.
 * That is the number that PUBLISH answers, too.
 */
#include "primary/sync/door_glob.h"
#include "primary/sync/door_internal.h"

/* ---- names ------------------------------------------------------------- */

static bool
is_asked_for(const struct door_call *call, const struct door_name *name)
{
	return call->count == 2 ||
	    door_glob(call->args[2].at, call->args[2].len, name->name,
		name->entry.key_len);
}

static void
list_names(struct door_call *call, enum door_kind kind)
{
	const struct door_table *table = &call->client->door->table;
	struct resp_out *out = &call->client->out;
	const struct door_name *name = NULL;
	size_t count = 0;

	if (call->count > 3) {
		door_refuse(call,
		    "ERR unknown subcommand or wrong number of arguments for "
		    "'%.*s'. Try PUBSUB HELP.",
		    (int)call->args[1].len, call->args[1].at);
		return;
	}
	if (call->count == 3 && door_is_too_long(call, &call->args[2]))
		return;
	while ((name = door_table_next(table, kind, name)) != NULL)
		count += is_asked_for(call, name);
	resp_array(out, count);
	while ((name = door_table_next(table, kind, name)) != NULL) {
		if (is_asked_for(call, name))
			resp_bulk(out, name->name, name->entry.key_len);
	}
}

void
door_pubsub_channels(struct door_call *call)
{
	list_names(call, DOOR_CHANNEL);
}

void
door_pubsub_shardchannels(struct door_call *call)
{
	list_names(call, DOOR_SHARD);
}

/* ---- numbers ----------------------------------------------------------- */

/* Nodes of the hub that want the channel, the door apart. */
static uint32_t
count_outside(struct redis_door *door, const struct resp_arg *name)
{
	size_t len = door_hub_channel(door, name->at, name->len);
	uint32_t sinks = 0, all;

	if (len == 0)
		return 0;
	all = hub_interested(door->hub, door->channel, len, &sinks);
	return all - sinks;
}

static void
put_counts(struct door_call *call, enum door_kind kind)
{
	struct redis_door *door = call->client->door;
	struct resp_out *out = &call->client->out;
	const struct resp_arg *arg;
	const struct door_name *name;
	int64_t count;

	resp_array(out, (call->count - 2) * 2);
	for (size_t i = 2; i < call->count; i++) {
		arg = &call->args[i];
		name = door_table_find(&door->table, kind, arg->at, arg->len);
		count = name != NULL ? name->count : 0;
		if (kind == DOOR_CHANNEL)
			count += count_outside(door, arg);
		resp_bulk(out, arg->at, arg->len);
		resp_integer(out, count);
	}
}

void
door_pubsub_numsub(struct door_call *call)
{
	put_counts(call, DOOR_CHANNEL);
}

void
door_pubsub_shardnumsub(struct door_call *call)
{
	put_counts(call, DOOR_SHARD);
}

void
door_pubsub_numpat(struct door_call *call)
{
	resp_integer(&call->client->out,
	    (int64_t)call->client->door->table.names[DOOR_PATTERN].count);
}

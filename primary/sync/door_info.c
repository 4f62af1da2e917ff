/*
 * door_info.c - small answers: PING, ECHO, SELECT, INFO.
 *
 * INFO has the fields that clients look for before they trust a server
 * (loading, role, version) and the door's own figures.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "clusterbus/version.h"
#include "primary/sync/door_internal.h"

enum {
	INFO_MAX = 4096
};

void
door_ping(struct door_call *call)
{
	struct door_client *client = call->client;
	const size_t *count = client->subs.count;
	struct resp_out *out = &client->out;
	bool told = call->count == 2;

	if (call->count > 2) {
		door_refuse(call,
		    "ERR wrong number of arguments for 'ping' command");
	} else if (out->version == 2 &&
	    count[DOOR_CHANNEL] + count[DOOR_PATTERN] + count[DOOR_SHARD] !=
		0) {
		resp_array(out, 2);
		resp_text(out, "pong");
		resp_bulk(out, told ? call->args[1].at : "",
		    told ? call->args[1].len : 0);
	} else if (told) {
		resp_bulk(out, call->args[1].at, call->args[1].len);
	} else {
		resp_simple(out, "PONG");
	}
}

void
door_echo(struct door_call *call)
{
	resp_bulk(&call->client->out, call->args[1].at, call->args[1].len);
}

void
door_select(struct door_call *call)
{
	int64_t database;

	if (resp_number(call->args[1].at, call->args[1].len, &database) != 0)
		door_refuse(call,
		    "ERR value is not an integer or out of range");
	else if (database < INT32_MIN || database > INT32_MAX)
		door_refuse(call,
		    "ERR value is out of range, value must between %d and %d",
		    INT32_MIN, INT32_MAX);
	else if (database < 0 || database >= DOOR_DATABASES)
		door_refuse(call, "ERR DB index is out of range");
	else
		resp_simple(&call->client->out, "OK");
}

/* ---- INFO -------------------------------------------------------------- */

/* Text that grows; what is too much is cut, but nothing is. */
struct text {
	char at[INFO_MAX];
	size_t len;
};

static void say(struct text *text, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
say(struct text *text, const char *fmt, ...)
{
	size_t room = sizeof(text->at) - text->len;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text->at + text->len, room, fmt, ap);
	va_end(ap);
	if (len > 0)
		text->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void
say_server(struct text *text, const struct redis_door *door)
{
	uint64_t up = (clock_now_ms() - door->started_ms) / 1000;

	say(text, "# Server\r\nredis_version:%s\r\n", DOOR_REDIS_VERSION);
	say(text, "redis_mode:standalone\r\nserver_name:clusterbus\r\n");
	say(text, "clusterbus_version:%s\r\n", CLUSTERBUS_VERSION);
	if (door->instance != NULL)
		say(text, "clusterbus_instance:%s\r\n", door->instance);
	say(text, "process_id:%ld\r\n", (long)getpid());
	say(text, "uptime_in_seconds:%llu\r\n", (unsigned long long)up);
	say(text, "uptime_in_days:%llu\r\n", (unsigned long long)up / 86400);
}

static void
say_clients(struct text *text, const struct redis_door *door)
{
	say(text, "# Clients\r\nconnected_clients:%zu\r\n", door->client_count);
	say(text, "maxclients:%zu\r\n", door->clients_max);
}

static void
say_persistence(struct text *text, const struct redis_door *door)
{
	(void)door;
	say(text, "# Persistence\r\nloading:0\r\nasync_loading:0\r\n");
}

static void
say_stats(struct text *text, const struct redis_door *door)
{
	const struct stats_hub *stats = door->stats;

	say(text, "# Stats\r\ntotal_connections_received:%llu\r\n",
	    (unsigned long long)door->last_id);
	say(text, "total_commands_processed:%llu\r\n",
	    (unsigned long long)stats_get(&stats->door_commands));
	say(text, "rejected_connections:%llu\r\n",
	    (unsigned long long)stats_get(&stats->door_refused));
	say(text, "total_error_replies:%llu\r\n",
	    (unsigned long long)stats_get(&stats->door_errors));
	say(text, "pubsub_channels:%zu\r\npubsub_patterns:%zu\r\n",
	    door->table.names[DOOR_CHANNEL].count,
	    door->table.names[DOOR_PATTERN].count);
	say(text, "pubsubshard_channels:%zu\r\n",
	    door->table.names[DOOR_SHARD].count);
}

static void
say_replication(struct text *text, const struct redis_door *door)
{
	(void)door;
	say(text, "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n");
}

static void
say_cluster(struct text *text, const struct redis_door *door)
{
	(void)door;
	say(text, "# Cluster\r\ncluster_enabled:0\r\n");
}

static const struct {
	const char *name;
	void (*say)(struct text *text, const struct redis_door *door);
} sections[] = {
	{ "server", say_server },
	{ "clients", say_clients },
	{ "persistence", say_persistence },
	{ "stats", say_stats },
	{ "replication", say_replication },
	{ "cluster", say_cluster },
};

static bool
is_wanted(const struct door_call *call, const char *section)
{
	for (size_t i = 1; i < call->count; i++) {
		if (door_arg_is(&call->args[i], section) ||
		    door_arg_is(&call->args[i], "default") ||
		    door_arg_is(&call->args[i], "all") ||
		    door_arg_is(&call->args[i], "everything"))
			return true;
	}
	return call->count == 1;
}

void
door_info(struct door_call *call)
{
	struct text text = { .len = 0 };

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (!is_wanted(call, sections[i].name))
			continue;
		if (text.len != 0)
			say(&text, "\r\n");
		sections[i].say(&text, call->client->door);
	}
	resp_verbatim(&call->client->out, text.at, text.len);
}

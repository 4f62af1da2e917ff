/*
 * door_command.c - which command is it, and may it run now?
 *
 * The questions are asked in the order in which Redis asks them, because the
 * first one that fails is the answer: known? enough words? password said?
 * allowed to a subscriber?
 */
#include "primary/sync/door_command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

enum {
	QUOTED_MAX = 128, /* bytes of somebody's words in an error */
};

/* clang-format off */

#define CONNECTION "noscript loading stale"
#define PUBSUB     "pubsub loading stale"
#define LISTENING  "pubsub noscript loading stale"
#define ALWAYS     "noscript loading stale fast no_auth allow_busy"

#define PLAIN      "@slow @connection"
#define FAST       "@fast @connection"
#define SUBSCRIBER "@pubsub @slow"

#define NO_KEYS { 0, 0, 0 }
#define END     { .name = NULL }

static const struct door_command client_commands[] = {
	{ "client|id", 2, 0, door_client_id, CONNECTION, PLAIN, NO_KEYS,
	    "5.0.0", "connection", "The number of this connection", NULL },
	{ "client|getname", 2, 0, door_client_getname, CONNECTION, PLAIN,
	    NO_KEYS, "2.6.9", "connection", "The name it was given", NULL },
	{ "client|setname", 3, 0, door_client_setname, CONNECTION, PLAIN,
	    NO_KEYS, "2.6.9", "connection", "Give it a name", NULL },
	{ "client|setinfo", 4, 0, door_client_setinfo, CONNECTION, PLAIN,
	    NO_KEYS, "7.2.0", "connection", "Which library it is", NULL },
	{ "client|no-evict", 3, 0, door_client_no_evict,
	    "admin noscript loading stale",
	    "@admin @slow @dangerous @connection", NO_KEYS, "7.0.0",
	    "connection", "Taken, and without a meaning here", NULL },
	END
};

static const struct door_command command_commands[] = {
	{ "command|count", 2, 0, door_command_count, "loading stale", PLAIN,
	    NO_KEYS, "2.8.13", "server", "How many commands there are", NULL },
	{ "command|docs", -2, 0, door_command_docs, "loading stale", PLAIN,
	    NO_KEYS, "7.0.0", "server", "What they do, in words", NULL },
	{ "command|info", -2, 0, door_command_info, "loading stale", PLAIN,
	    NO_KEYS, "2.8.13", "server", "What they need", NULL },
	END
};

static const struct door_command pubsub_commands[] = {
	{ "pubsub|channels", -2, 0, door_pubsub_channels, PUBSUB, SUBSCRIBER,
	    NO_KEYS, "2.8.0", "pubsub", "Channels with subscribers", NULL },
	{ "pubsub|numsub", -2, 0, door_pubsub_numsub, PUBSUB, SUBSCRIBER,
	    NO_KEYS, "2.8.0", "pubsub", "How many, for each channel", NULL },
	{ "pubsub|numpat", 2, 0, door_pubsub_numpat, PUBSUB, SUBSCRIBER,
	    NO_KEYS, "2.8.0", "pubsub", "How many patterns", NULL },
	{ "pubsub|shardchannels", -2, 0, door_pubsub_shardchannels, PUBSUB,
	    SUBSCRIBER, NO_KEYS, "7.0.0", "pubsub",
	    "Shard channels with subscribers", NULL },
	{ "pubsub|shardnumsub", -2, 0, door_pubsub_shardnumsub, PUBSUB,
	    SUBSCRIBER, NO_KEYS, "7.0.0", "pubsub",
	    "How many, for each shard channel", NULL },
	END
};

const struct door_command door_commands[] = {
	{ "publish", 3, 0, door_publish, "pubsub loading stale fast",
	    "@pubsub @fast", NO_KEYS, "2.0.0", "pubsub",
	    "Publish to the members of a topic", NULL },
	{ "ping", -1, DOOR_FOR_SUBSCRIBERS, door_ping, "fast", FAST, NO_KEYS,
	    "1.0.0", "connection", "Is anybody there?", NULL },
	{ "subscribe", -2, DOOR_FOR_SUBSCRIBERS, door_subscribe, LISTENING,
	    SUBSCRIBER, NO_KEYS, "2.0.0", "pubsub", "Join topics", NULL },
	{ "unsubscribe", -1, DOOR_FOR_SUBSCRIBERS, door_unsubscribe, LISTENING,
	    SUBSCRIBER, NO_KEYS, "2.0.0", "pubsub", "Leave them", NULL },
	{ "psubscribe", -2, DOOR_FOR_SUBSCRIBERS, door_psubscribe, LISTENING,
	    SUBSCRIBER, NO_KEYS, "2.0.0", "pubsub",
	    "Join all topics that match a pattern", NULL },
	{ "punsubscribe", -1, DOOR_FOR_SUBSCRIBERS, door_punsubscribe,
	    LISTENING, SUBSCRIBER, NO_KEYS, "2.0.0", "pubsub",
	    "Leave them", NULL },
	{ "ssubscribe", -2, DOOR_FOR_SUBSCRIBERS, door_ssubscribe, LISTENING,
	    SUBSCRIBER, { 1, -1, 1 }, "7.0.0", "pubsub",
	    "Join shard channels, which only clients here have", NULL },
	{ "sunsubscribe", -1, DOOR_FOR_SUBSCRIBERS, door_sunsubscribe,
	    LISTENING, SUBSCRIBER, { 1, -1, 1 }, "7.0.0", "pubsub",
	    "Leave them", NULL },
	{ "spublish", 3, 0, door_spublish, "pubsub loading stale fast",
	    "@pubsub @fast", { 1, 1, 1 }, "7.0.0", "pubsub",
	    "Publish to a shard channel", NULL },
	{ "pubsub", -2, 0, NULL, "", "@slow", NO_KEYS, "2.8.0", "pubsub",
	    "Look at who has subscribed", pubsub_commands },
	{ "hello", -1, DOOR_FOR_STRANGERS, door_hello, ALWAYS, FAST, NO_KEYS,
	    "6.0.0", "connection", "Choose the protocol's version", NULL },
	{ "auth", -2, DOOR_FOR_STRANGERS, door_auth, ALWAYS, FAST, NO_KEYS,
	    "1.0.0", "connection", "Say the password", NULL },
	{ "reset", 1, DOOR_FOR_STRANGERS | DOOR_FOR_SUBSCRIBERS, door_reset,
	    ALWAYS, FAST, NO_KEYS, "6.2.0", "connection",
	    "Be as just connected", NULL },
	{ "quit", -1, DOOR_FOR_STRANGERS | DOOR_FOR_SUBSCRIBERS, door_quit,
	    ALWAYS, FAST, NO_KEYS, "1.0.0", "connection", "Go", NULL },
	{ "echo", 2, 0, door_echo, "loading stale fast", FAST, NO_KEYS,
	    "1.0.0", "connection", "Hear the same", NULL },
	{ "select", 2, 0, door_select, "loading stale fast", FAST, NO_KEYS,
	    "1.0.0", "connection", "All databases are the same here", NULL },
	{ "client", -2, 0, NULL, "", "@slow", NO_KEYS, "2.4.0", "connection",
	    "About this connection", client_commands },
	{ "info", -1, 0, door_info, "loading stale", "@slow @dangerous",
	    NO_KEYS, "1.0.0", "server", "How the door is doing", NULL },
	{ "command", -1, 0, door_command_list, "loading stale", PLAIN, NO_KEYS,
	    "2.8.13", "server", "Which commands there are", command_commands },
	END
};

/* clang-format on */

bool
door_arg_is(const struct resp_arg *arg, const char *word)
{
	return arg->len == strlen(word) &&
	    strncasecmp(arg->at, word, arg->len) == 0;
}

const struct door_command *
door_command_find(const struct door_command *of, const char *name, size_t len)
{
	const struct door_command *row = of != NULL ? of->subs : door_commands;
	size_t skip = of != NULL ? strlen(of->name) + 1 : 0;
	const char *own;

	for (; row != NULL && row->name != NULL; row++) {
		own = row->name + skip;
		if (strncasecmp(own, name, len) == 0 && own[len] == '\0')
			return row;
	}
	return NULL;
}

/* As much of the words as Redis shows, up to a NUL as it does. */
static void
unknown_command(struct door_call *call)
{
	char words[QUOTED_MAX + 64];
	size_t len = 0;

	words[0] = '\0';
	for (size_t i = 1; i < call->count && len < QUOTED_MAX; i++)
		len += (size_t)snprintf(words + len, sizeof(words) - len,
		    "'%.*s' ",
		    (int)(call->args[i].len < QUOTED_MAX - len ?
			    call->args[i].len :
			    QUOTED_MAX - len),
		    call->args[i].at);
	resp_error(&call->client->out,
	    "ERR unknown command '%.*s', with args beginning with: %s",
	    (int)(call->args[0].len < QUOTED_MAX ? call->args[0].len :
						   QUOTED_MAX),
	    call->args[0].at, words);
}

static void
unknown_subcommand(struct door_call *call, const struct door_command *of)
{
	const struct resp_arg *arg = &call->args[1];
	char upper[32] = "";

	for (size_t i = 0; of->name[i] != '\0' && i < sizeof(upper) - 1; i++)
		upper[i] = (char)(of->name[i] - 'a' + 'A');
	resp_error(&call->client->out,
	    "ERR unknown subcommand '%.*s'. Try %s HELP.",
	    (int)(arg->len < QUOTED_MAX ? arg->len : QUOTED_MAX), arg->at,
	    upper);
}

/* Find it, or answer why there is none.  NULL: answered. */
static const struct door_command *
look_up(struct door_call *call)
{
	const struct door_command *command, *sub;

	command = door_command_find(NULL, call->args[0].at, call->args[0].len);
	if (command == NULL) {
		unknown_command(call);
		return NULL;
	}
	if (command->subs == NULL || call->count < 2)
		return command;
	sub = door_command_find(command, call->args[1].at, call->args[1].len);
	if (sub == NULL)
		unknown_subcommand(call, command);
	return sub;
}

/* Does the number of words fit? */
static bool
fits(const struct door_command *command, size_t count)
{
	size_t arity =
	    (size_t)(command->arity < 0 ? -command->arity : command->arity);

	return command->arity < 0 ? count >= arity : count == arity;
}

static bool
is_subscriber(const struct door_client *client)
{
	const size_t *count = client->subs.count;

	return count[DOOR_CHANNEL] + count[DOOR_PATTERN] + count[DOOR_SHARD] !=
	    0;
}

/* May it run?  If not, the answer says why. */
static bool
may_run(struct door_call *call, const struct door_command *command)
{
	struct door_client *client = call->client;

	if (!fits(command, call->count)) {
		resp_error(&client->out,
		    "ERR wrong number of arguments for '%s' command",
		    command->name);
		return false;
	}
	if (!client->known && (command->allowed & DOOR_FOR_STRANGERS) == 0) {
		resp_error(&client->out, "NOAUTH Authentication required.");
		return false;
	}
	if (client->out.version == 2 && is_subscriber(client) &&
	    (command->allowed & DOOR_FOR_SUBSCRIBERS) == 0) {
		resp_error(&client->out,
		    "ERR Can't execute '%s': only (P|S)SUBSCRIBE / "
		    "(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
		    "this context",
		    command->name);
		return false;
	}
	return true;
}

/*
 * A page in a browser can make it send a request to a port of this host, and
 * the body may look like commands.
 */
static bool
is_http(const struct resp_arg *arg)
{
	return door_arg_is(arg, "post") || door_arg_is(arg, "host:");
}

void
door_command_run(struct door_client *client, const struct resp_arg *args,
    size_t count)
{
	struct stats_hub *stats = client->door->stats;
	struct door_call call = { client, args, count };
	const struct door_command *command;

	stats_add(&stats->door_commands, 1);
	if (is_http(&args[0])) {
		log_warnx("redis door: somebody speaks HTTP to it");
		stats_add(&stats->door_errors, 1);
		door_client_close(client);
		return;
	}
	command = look_up(&call);
	if (command != NULL && may_run(&call, command))
		command->run(&call);
	else
		stats_add(&stats->door_errors, 1);
	door_client_wrote(client);
}

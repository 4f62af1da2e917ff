/*
 * commands.c - the table of commands, and what happens to a word that is none.
 *
 * `busctl` is also the name of systemd's D-Bus tool.  Somebody who types one
 * of its commands here has got the wrong program, so he is told where the
 * other one is.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bench.h"
#include "cli/cli.h"

/* clang-format off */
const struct cli_command cli_commands[] = {
	{ "start", "[-n N] [--listen ADDR:PORT]... [option...]",
	    "start a bus: a primary and N workers",
	    "In the foreground, logging to standard error.  -n is short for\n"
	    "--workers; 0, or no -n, is one worker per core.",
	    CLI_ALL, false, cli_start },
	{ "hub", "[option...]",
	    "start a primary without workers; they attach",
	    "For another supervisor: start `busctl worker --attach` N times.",
	    CLI_ALL, false, cli_hub },
	{ "worker", "--attach [SOCKET] [--label TEXT] [option...]",
	    "join a running bus as a worker",
	    "SOCKET is the bus's hub.sock; without it the one of --name or\n"
	    "--run-dir is taken.  TEXT names the worker in the primary's log.\n"
	    "Without --attach the hub is at descriptor 3: that is how a primary\n"
	    "starts its workers.",
	    CLI_PLACE, false, cli_worker },
	{ "stop", "[--fast] [--verbose]",
	    "stop a bus",
	    "Clients are asked to leave, spread over drain-window; --fast closes\n"
	    "them at once.  Returns when the bus has stopped.",
	    CLI_PLACE, false, cli_stop },
	{ "reload", "[--verbose]",
	    "read the configuration again",
	    "Waits for the result.  With mistakes in it nothing changes, and all\n"
	    "of them are listed.",
	    CLI_PLACE, false, cli_reload },
	{ "restart", "[SLOT] [--verbose]",
	    "replace all workers, or one, without refusing a client",
	    "", CLI_PLACE, false, cli_restart },
	{ "upgrade", "[--binary PATH] [--no-roll] [--force] [--verbose]",
	    "replace the running program, without disconnecting anybody",
	    "The new binary (without PATH, what is now where the old one was\n"
	    "started from) is tried first; one that fails changes nothing.  Then\n"
	    "the primary becomes it, and workers are replaced one by one, unless\n"
	    "--no-roll.  --force: also when it cannot take over the workers; then\n"
	    "their clients are asked to come back.",
	    CLI_PLACE, false, cli_upgrade },
	{ "scale", "N [--verbose]",
	    "change the number of workers",
	    "", CLI_PLACE, false, cli_scale },
	{ "status", "[--json]",
	    "show what a bus is doing",
	    "Reads the statistics page only, so it works when the primary hangs\n"
	    "or has gone.",
	    CLI_PLACE, false, cli_status },
	{ "doctor", "[--json] [option...]",
	    "tell what is wrong with a bus and its backplane",
	    "Takes the words of `start`; without a backplane in them, looks at\n"
	    "that of the running bus.  Sends 20 small messages over it, which\n"
	    "nobody takes.  Lines begin with ok, warn or FAIL; the status is 1\n"
	    "when there was a FAIL.  --json: one object a line.",
	    CLI_ALL, false, cli_doctor },
	{ "clients", "[--room R|--topic T|--user U] [--json]",
	    "list the connections",
	    "All workers are asked; one that does not answer in query-timeout is\n"
	    "left out, and standard error says so.  --json: one object a line.",
	    CLI_PLACE, false, cli_clients },
	{ "topics", "[--json]",
	    "list the topics that have subscribers or listeners",
	    "", CLI_PLACE, false, cli_topics },
	{ "rooms", "[--json]",
	    "list the rooms that have members",
	    "", CLI_PLACE, false, cli_rooms },
	{ "presence", "NAME|--topic T|--room R|--user U [--follow] [--json]",
	    "who is in a topic or room, or connected as a user",
	    "NAME alone means the topic and the room of that name.  --follow goes\n"
	    "on with who joins and leaves, until Ctrl-C.",
	    CLI_PLACE, false, cli_presence },
	{ "why", "CONN [--json]",
	    "explain a connection: who, where, queue, what would close it",
	    "", CLI_PLACE, false, cli_why },
	{ "kick", "--conn X|--user U [--code N] [--reason TEXT]",
	    "close a connection, or all of a user",
	    "N is a WebSocket close code; 1008 without it.",
	    CLI_PLACE, false, cli_kick },
	{ "emit", "--conn X|--user U|--room R|--all EVENT [DATA|-] [--text]",
	    "push an event to those you choose",
	    "Without DATA, or with -, every line of standard input is one.\n"
	    "--text sends it as a JSON string.",
	    CLI_PLACE, false, cli_emit },
	{ "publish", "TOPIC [DATA|-] [--text] [--role R] [--exclude-conn X]",
	    "publish JSON, from the command line or line by line",
	    "Without DATA, or with -, every line of standard input is a message.\n"
	    "--text sends it as a JSON string; --role to the topic of a role;\n"
	    "--exclude-conn not to this connection.  Returns when the hub has\n"
	    "handled everything.",
	    CLI_PLACE, false, cli_publish },
	{ "subscribe", "[--count N] [--json] [--from] TOPIC...",
	    "print messages, one on a line",
	    "The data alone; --from puts the sending node before it, --json adds\n"
	    "topic and sender.  Ends after N messages or with Ctrl-C.",
	    CLI_PLACE, false, cli_subscribe },
	{ "bench", "[option...]",
	    "put a load on a server and measure",
	    "", CLI_NO_OPTIONS, true, cli_bench },
	{ "config", "check [FILE] | print [option...]",
	    "check a configuration, or print the effective one",
	    "`check` lists every mistake with its place.  `print` writes what\n"
	    "flags, environment and file amount to, as a file that can be used\n"
	    "with --config.",
	    CLI_ALL, false, cli_config },
	{ "contract", "check FILE | types --lang ts|c FILE",
	    "check a contract, or make types of it",
	    "`check` lists every mistake with its place.  `types` writes what\n"
	    "the contract declares: ts for users of bus.js, c a header with\n"
	    "structs, JSON to and from them, and a function for each topic.",
	    CLI_NO_OPTIONS, false, cli_contract },
	{ "token", "--key FILE --user U [option...] | check --key FILE TOKEN",
	    "make a token, or say what one claims",
	    "The key is a secret (HS256) or a private PEM key (RSA: RS256, P-256:\n"
	    "ES256).  Options: --role R, --topics A,B and --publish A,B (patterns\n"
	    "that are granted), --expires TIME (default 1h), --issuer NAME,\n"
	    "--audience NAME, --claim NAME=JSON.  `check` takes a public key as\n"
	    "well, prints the claims and ends with 0, or says what is wrong.",
	    CLI_NO_OPTIONS, false, cli_token },
	{ "version", "",
	    "print the version",
	    "", CLI_NO_OPTIONS, false, cli_version },
	{ "help", "[COMMAND|options] | --man | --markdown [TABLE]",
	    "explain a command, or list all options",
	    "TABLE is options, commands, signals or exits.",
	    CLI_NO_OPTIONS, false, cli_help },
	{ "completion", "bash",
	    "print what makes the shell complete our words",
	    "Use it with:  source <(busctl completion bash)",
	    CLI_NO_OPTIONS, false, cli_completion },
};
/* clang-format on */

const size_t cli_command_count = ARRAY_LEN(cli_commands);

/* What the other busctl knows and this one does not. */
static const char *const foreign[] = { "list", "tree", "introspect", "call",
	"monitor", "capture", "get-property", "set-property", "--user",
	"--system" };

const struct cli_command *
cli_find(const char *name)
{
	for (size_t i = 0; i < cli_command_count; i++) {
		if (strcmp(cli_commands[i].name, name) == 0)
			return &cli_commands[i];
	}
	return NULL;
}

/* Is there a program at path, and is it another one than ours? */
static bool
is_other_program(const char *path)
{
	struct stat st, self;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0 && stat("/proc/self/exe", &self) == 0 &&
	    (st.st_dev != self.st_dev || st.st_ino != self.st_ino);
}

/* The first other busctl on the PATH. */
static bool
find_other(char *path, size_t size)
{
	const char *dir = getenv("PATH");
	size_t len;
	int n;

	for (; dir != NULL && *dir != '\0'; dir += len + (dir[len] == ':')) {
		len = strcspn(dir, ":");
		if (len == 0 || len > PATH_MAX)
			continue;
		n = snprintf(path, size, "%.*s/busctl", (int)len, dir);
		if (n > 0 && (size_t)n < size && is_other_program(path))
			return true;
	}
	return false;
}

static int
say_foreign(const char *name)
{
	char path[PATH_MAX];

	cli_say("this is the busctl of clusterbus, which starts and looks "
		"after an event bus for WebSocket clients; '%s' belongs to "
		"systemd's D-Bus tool of the same name",
	    name);
	if (find_other(path, sizeof(path)))
		cli_say("the other one is %s", path);
	else
		cli_say("there is no other busctl on the PATH");
	return CLI_USAGE;
}

/* Has somebody typed the first letters of a command? */
static bool
is_beginning(const char *name, const char *command)
{
	size_t len = strlen(name);

	return len >= 3 && strncmp(name, command, len) == 0;
}

int
cli_unknown(const char *name)
{
	size_t best = SIZE_MAX, distance;
	const char *nearest = NULL;

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		if (strcmp(foreign[i], name) == 0)
			return say_foreign(name);
	}
	for (size_t i = 0; i < cli_command_count; i++) {
		distance = cli_distance(name, cli_commands[i].name);
		if (is_beginning(name, cli_commands[i].name))
			distance = 0;
		if (distance < best) {
			best = distance;
			nearest = cli_commands[i].name;
		}
	}
	if (best <= 2 || (best <= 3 && strlen(name) > 5))
		cli_say("there is no command '%.64s'; the nearest is '%s'",
		    name, nearest);
	else
		cli_say("there is no command '%.64s'; `busctl help` lists all "
			"(nearest: '%s')",
		    name, nearest);
	return CLI_USAGE;
}

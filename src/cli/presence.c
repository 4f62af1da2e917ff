/*
 * presence.c - `busctl presence`: who is in a topic or a room, or connected as
 * a user; with --follow also who comes and goes.
 *
 * A name alone may be a topic and a room; both are shown, and a column says
 * which it is.  Following needs no bus that stays: who has gone with a worker,
 * or while the primary was away, is told as gone.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/values.h"

enum {
	TARGETS_MAX = 2,
	TEXT_MAX = 512,
};

/* One that is looked at. */
struct target {
	struct looker *looker;
	enum cbus_kind kind;
	const char *what; /* "topic" and so on */
	const char *name;
	struct cbus_watch *watch;
};

struct looker {
	struct cbus *bus;
	bool json, follow, failed;
	size_t count;
	struct target targets[TARGETS_MAX];
};

static const struct row_column columns[] = {
	{ "in", "in", ROW_TEXT },
	{ "conn", "connection", ROW_TEXT },
	{ "user", "user", ROW_TEXT },
	{ "role", "role", ROW_TEXT },
};

static size_t
put(char *text, size_t size, size_t len, const char *key, const char *value)
{
	len += (size_t)snprintf(text + len, size - len,
	    "%s\"%s\":", len == 0 ? "{" : ",", key);
	return len +
	    json_string_encode(value, strlen(value), text + len, size - len);
}

/* A member as a line of JSON, without its end; event may be NULL. */
static size_t
member_json(const struct target *target, const char *event,
    const struct cbus_member *member, char *text, size_t size)
{
	size_t len = 0;

	if (event != NULL)
		len = put(text, size, len, "event", event);
	len = put(text, size, len, "in", target->what);
	len = put(text, size, len, "name", target->name);
	len = put(text, size, len, "conn", member->conn);
	len = put(text, size, len, "user", member->user);
	len = put(text, size, len, "role", member->role);
	text[len++] = '}';
	return len;
}

/* ---- once -------------------------------------------------------------- */

/* The rows of one target into the table of all. */
static int
collect(struct looker *looker, const struct target *target, struct rows *all)
{
	struct query_args args = { .channel = NULL };
	char conn[CONN_ID_TEXT_MAX], user[TEXT_MAX], role[TEXT_MAX];
	struct cbus_member member = { conn, user, role };
	char text[4 * TEXT_MAX * 6];
	struct channel_name channel;
	struct json_span row;
	struct rows rows;
	int rc;

	if (api_channel_of(target->kind, target->name, &channel) != 0)
		return CLI_USAGE;
	args.channel = channel.text;
	args.channel_len = channel.len;
	rows_init(&rows, columns + 1, ARRAY_LEN(columns) - 1);
	rc = cli_ask(looker->bus, QUERY_MEMBERS, IPC_SLOT_NONE, &args, &rows);
	for (size_t i = 0; rc == CLI_OK && rows_json(&rows, i) != NULL; i++) {
		row.at = rows_json(&rows, i);
		row.len = strlen(row.at);
		api_row_text(row, "conn", conn, sizeof(conn));
		api_row_text(row, "user", user, sizeof(user));
		api_row_text(row, "role", role, sizeof(role));
		rows_add(all, text,
		    member_json(target, NULL, &member, text, sizeof(text)));
	}
	rows_release(&rows);
	return rc;
}

static int
look(struct looker *looker)
{
	struct rows rows;
	int rc = CLI_OK;

	rows_init(&rows, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < looker->count && rc == CLI_OK; i++)
		rc = collect(looker, &looker->targets[i], &rows);
	if (rc == CLI_OK)
		rows_print(&rows, looker->json);
	rows_release(&rows);
	return rc;
}

/* ---- following --------------------------------------------------------- */

static void
on_presence(void *arg, enum cbus_presence_event event,
    const struct cbus_member *member)
{
	static const char *const words[] = {
		[CBUS_JOINED] = "joined",
		[CBUS_LEFT] = "left",
		[CBUS_READY] = "ready",
	};
	struct target *target = arg;
	struct looker *looker = target->looker;
	char text[4 * TEXT_MAX * 6];
	size_t len;

	if (looker->json) {
		len = member_json(target, words[event], member, text,
		    sizeof(text));
		(void)printf("%.*s\n", (int)len, text);
	} else if (event == CBUS_READY) {
		cli_say("%zu in %s \"%s\" now",
		    target->watch != NULL ? cbus_presence_count(target->watch) :
					    0,
		    target->what, target->name);
	} else {
		(void)printf("%-6s ", words[event]);
		rows_print_text(target->what, 5);
		(void)printf(" %s ", member->conn);
		rows_print_text(member->user, 0);
		(void)putchar('\n');
	}
	looker->failed = looker->failed || fflush(stdout) != 0;
}

static void
on_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	cli_say("%s", error->message);
}

static int
follow(struct looker *looker)
{
	volatile sig_atomic_t *stopped;
	struct target *target;
	int rc;

	cli_stop_on_signals(&stopped);
	cbus_on_error(looker->bus, on_error, NULL);
	for (size_t i = 0; i < looker->count; i++) {
		target = &looker->targets[i];
		rc = cbus_presence_watch(looker->bus, target->kind,
		    target->name, on_presence, target, &target->watch);
		if (rc != 0) {
			cli_say("\"%s\": %s", target->name, strerror(-rc));
			return CLI_FAILED;
		}
	}
	while (!*stopped && !looker->failed)
		(void)cbus_wait(looker->bus, -1); /* or interrupted */
	return looker->failed ? CLI_FAILED : CLI_OK;
}

/* ---- words ------------------------------------------------------------- */

static int
add_target(struct looker *looker, enum cbus_kind kind, const char *what,
    const char *name)
{
	struct channel_name channel;
	int rc;

	if (name == NULL)
		return CLI_OK;
	rc = cli_channel("presence", what, 't', name, &channel);
	if (rc == CLI_OK)
		looker->targets[looker->count++] =
		    (struct target){ looker, kind, what, name, NULL };
	return rc;
}

static int
take_words(struct looker *looker, int *count, char **words)
{
	const char *given[4] = { NULL }; /* topic, room, user, either */
	int rc;

	looker->json = cli_take_flag(count, words, "--json");
	looker->follow = cli_take_flag(count, words, "--follow");
	rc = cli_take_value("presence", count, words, "--topic", &given[0]);
	if (rc == CLI_OK)
		rc = cli_take_value("presence", count, words, "--room",
		    &given[1]);
	if (rc == CLI_OK)
		rc = cli_take_value("presence", count, words, "--user",
		    &given[2]);
	if (rc != CLI_OK)
		return rc;
	if (*count > 0) {
		given[3] = words[0];
		rc = cli_no_words("presence", *count - 1, words + 1);
		if (rc == CLI_OK && words[0][0] == '-')
			rc = cli_no_words("presence", *count, words);
		if (rc != CLI_OK)
			return rc;
	}
	if (cli_given(given, ARRAY_LEN(given)) != 1)
		return cli_usage("presence",
		    "whose? TOPIC or ROOM, --topic, --room or --user");
	if (given[3] != NULL)
		given[0] = given[1] = given[3];
	rc = add_target(looker, CBUS_TOPIC, "topic", given[0]);
	if (rc == CLI_OK)
		rc = add_target(looker, CBUS_ROOM, "room", given[1]);
	if (rc == CLI_OK)
		rc = add_target(looker, CBUS_USER, "user", given[2]);
	return rc;
}

int
cli_presence(int argc, char **argv)
{
	struct looker looker = { .bus = NULL };
	struct place place;
	int rest, rc;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rc = take_words(&looker, &rest, argv + 1);
	if (rc == CLI_OK)
		rc = cli_attach(&place, "busctl presence", &looker.bus);
	if (rc == CLI_OK) {
		rc = looker.follow ? follow(&looker) : look(&looker);
		cbus_detach(looker.bus);
	}
	place_release(&place);
	return rc;
}

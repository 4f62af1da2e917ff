/*
 * clients.c - `busctl clients`, `busctl topics`, `busctl rooms`: what the
 * workers have, asked through the hub.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/node.h"
#include "cli/values.h"

static const struct row_column client_columns[] = {
	{ "conn", "connection", ROW_TEXT },
	{ "user", "user", ROW_TEXT },
	{ "role", "role", ROW_TEXT },
	{ "address", "address", ROW_TEXT },
	{ "age_ms", "since", ROW_AGE },
	{ "subscriptions", "topics", ROW_NUMBER },
	{ "queued_bytes", "queued", ROW_NUMBER },
};

static const struct row_column topic_columns[] = {
	{ "name", "topic", ROW_TEXT },
	{ "kind", "kind", ROW_TEXT },
	{ "role", "role", ROW_TEXT },
	{ "clients", "clients", ROW_SUM },
	{ "listeners", "listeners", ROW_SUM },
};

static const struct row_column room_columns[] = {
	{ "name", "room", ROW_TEXT },
	{ "clients", "clients", ROW_SUM },
};

/* At most one of --room, --topic, --user; its channel into args. */
static int
take_filter(int *count, char **words, struct channel_name *channel,
    struct query_args *args)
{
	static const struct {
		const char *flag, *what;
		char kind;
	} filters[] = {
		{ "--room", "room", 'r' },
		{ "--topic", "topic", 't' },
		{ "--user", "user", 'u' },
	};

	const char *names[ARRAY_LEN(filters)] = { NULL };
	int rc = CLI_OK;

	for (size_t i = 0; i < ARRAY_LEN(filters) && rc == CLI_OK; i++)
		rc = cli_take_value("clients", count, words, filters[i].flag,
		    &names[i]);
	if (rc != CLI_OK)
		return rc;
	if (cli_given(names, ARRAY_LEN(names)) > 1)
		return cli_usage("clients",
		    "only one of --room, --topic and --user");
	for (size_t i = 0; i < ARRAY_LEN(filters) && rc == CLI_OK; i++) {
		if (names[i] == NULL)
			continue;
		rc = cli_channel("clients", filters[i].what, filters[i].kind,
		    names[i], channel);
		args->channel = channel->text;
		args->channel_len = channel->len;
	}
	return rc;
}

int
cli_clients(int argc, char **argv)
{
	struct query_args args = { .channel = NULL };
	struct channel_name channel;
	struct place place;
	bool json;
	int rest, rc;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	json = cli_take_flag(&rest, argv + 1, "--json");
	rc = take_filter(&rest, argv + 1, &channel, &args);
	if (rc == CLI_OK)
		rc = cli_no_words("clients", rest, argv + 1);
	if (rc == CLI_OK)
		rc = cli_ask_and_print(&place, "busctl clients", QUERY_CLIENTS,
		    &args, client_columns, ARRAY_LEN(client_columns), json);
	place_release(&place);
	return rc;
}

static int
list(int argc, char **argv, const char *label, enum query_kind kind,
    const struct row_column *columns, size_t count)
{
	struct query_args args = { .channel = NULL };
	struct place place;
	bool json;
	int rest, rc;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	json = cli_take_flag(&rest, argv + 1, "--json");
	rc = cli_no_words(argv[0], rest, argv + 1);
	if (rc == CLI_OK)
		rc = cli_ask_and_print(&place, label, kind, &args, columns,
		    count, json);
	place_release(&place);
	return rc;
}

int
cli_topics(int argc, char **argv)
{
	return list(argc, argv, "busctl topics", QUERY_TOPICS, topic_columns,
	    ARRAY_LEN(topic_columns));
}

int
cli_rooms(int argc, char **argv)
{
	return list(argc, argv, "busctl rooms", QUERY_ROOMS, room_columns,
	    ARRAY_LEN(room_columns));
}

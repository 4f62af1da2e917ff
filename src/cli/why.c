/*
 * why.c - `busctl why CONN`: all about one connection, in words.
 *
 * Where it is and since when, who it is, what it gets, what waits for it and
 * was dropped, and what would close it next.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/node.h"
#include "cli/status.h"

enum {
	MEMBERS_MAX = 32,
	TEXT_MAX = 512,
};

static const struct row_column column = { "conn", "connection", ROW_TEXT };

/* The names in a list, each on a line of its own when there are many. */
static void
print_list(struct json_span row, const char *key, const char *heading)
{
	struct json_member members[MEMBERS_MAX];
	size_t offset;
	ssize_t n = json_object(row.at, row.len, members, MEMBERS_MAX, &offset);

	for (ssize_t i = 0; i < n; i++) {
		if (!json_span_is(members[i].key, key) ||
		    members[i].value.len <= 2)
			continue;
		(void)printf("%-11s", heading);
		for (size_t at = 1; at + 1 < members[i].value.len; at++) {
			(void)putchar(members[i].value.at[at]);
			if (members[i].value.at[at] == ',')
				(void)putchar(' ');
		}
		(void)putchar('\n');
	}
}

static void
print_who(struct json_span row)
{
	char user[TEXT_MAX], role[TEXT_MAX], state[TEXT_MAX];

	api_row_text(row, "user", user, sizeof(user));
	api_row_text(row, "role", role, sizeof(role));
	api_row_text(row, "state", state, sizeof(state));
	(void)fputs("who        ", stdout);
	if (user[0] == '\0')
		(void)fputs("nobody in particular: no user is known", stdout);
	else
		rows_print_text(user, 0);
	if (role[0] != '\0') {
		(void)fputs(", as ", stdout);
		rows_print_text(role, 0);
	}
	(void)printf("\nstate      %s\n", state);
}

static void
print_where(struct json_span row, const char *conn)
{
	char address[TEXT_MAX], age[32], seen[32];

	api_row_text(row, "address", address, sizeof(address));
	status_duration(api_row_number(row, "age_ms"), age, sizeof(age));
	status_duration(api_row_number(row, "seen_ms"), seen, sizeof(seen));
	(void)printf("connection %s\n", conn);
	(void)printf("where      worker %" PRIu64 ", from %s\n",
	    api_row_number(row, "worker"), address);
	(void)printf("since      %s; last heard of %s ago\n", age, seen);
}

static void
print_queue(struct json_span row)
{
	uint64_t queued = api_row_number(row, "queued_bytes");
	uint64_t dropped = api_row_number(row, "dropped");
	uint64_t gaps = api_row_number(row, "gaps");

	(void)printf("queue      %" PRIu64 " of %" PRIu64
		     " bytes wait for it\n",
	    queued, api_row_number(row, "limit_bytes"));
	if (dropped == 0 && gaps == 0)
		(void)puts("missed     nothing");
	else
		(void)printf("missed     %" PRIu64
			     " messages dropped for it, %" PRIu64
			     " gaps told\n",
		    dropped, gaps);
}

/* What has most to do with its end. */
static void
print_next(struct json_span row)
{
	uint64_t queued = api_row_number(row, "queued_bytes");
	uint64_t limit = api_row_number(row, "limit_bytes");
	uint64_t expires_s = api_row_number(row, "expires_s");
	char state[TEXT_MAX], left[32];

	api_row_text(row, "state", state, sizeof(state));
	(void)fputs("next       ", stdout);
	if (strcmp(state, "closing") == 0)
		(void)puts("it is being closed already");
	else if (strcmp(state, "authenticating") == 0)
		(void)puts("it is closed with 4401 unless it authenticates "
			   "within auth-timeout");
	else if (limit != 0 && queued > limit / 2)
		(void)printf("it reads too slowly: at %" PRIu64
			     " bytes its queue is full\n",
		    limit);
	else if (expires_s != 0) {
		status_duration(expires_s * 1000, left, sizeof(left));
		(void)printf("its token ends in %s: without a new one it is "
			     "closed with 4401\n",
		    left);
	} else
		(void)puts("nothing threatens it: it would have to leave, read "
			   "too slowly, or not answer a ping");
}

static int
explain(const struct rows *rows, const char *conn, bool json)
{
	struct json_span row = { rows_json(rows, 0), 0 };

	if (row.at == NULL) {
		cli_say("there is no such connection; it has gone, or its "
			"worker did");
		return CLI_FAILED;
	}
	row.len = strlen(row.at);
	if (json) {
		(void)puts(row.at);
		return CLI_OK;
	}
	print_where(row, conn);
	print_who(row);
	print_list(row, "topics", "topics");
	print_list(row, "rooms", "rooms");
	print_list(row, "watches", "watches");
	print_queue(row);
	print_next(row);
	return CLI_OK;
}

static int
why(const struct place *place, int count, char **words)
{
	struct query_args args = { .channel = NULL };
	bool json = cli_take_flag(&count, words, "--json");
	struct conn_id id;
	struct cbus *bus;
	struct rows rows;
	int rc;

	if (count < 1)
		return cli_usage("why", "which connection?");
	rc = cli_no_words("why", count - 1, words + 1);
	if (rc != CLI_OK)
		return rc;
	if (conn_id_parse(words[0], &id) != 0)
		return cli_usage("why", "'%.64s' is no connection", words[0]);
	args.conn = words[0];
	args.conn_len = strlen(words[0]);
	rc = cli_attach(place, "busctl why", &bus);
	if (rc != CLI_OK)
		return rc;
	rows_init(&rows, &column, 1);
	rc = cli_ask(bus, QUERY_WHY, IPC_SLOT_NONE, &args, &rows);
	if (rc == CLI_OK)
		rc = explain(&rows, words[0], json);
	rows_release(&rows);
	cbus_detach(bus);
	return rc;
}

int
cli_why(int argc, char **argv)
{
	struct place place;
	int rest, rc;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rc = why(&place, rest, argv + 1);
	place_release(&place);
	return rc;
}

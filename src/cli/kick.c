/*
 * kick.c - `busctl kick`: close a connection, or all of a user.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/values.h"

enum {
	REASON_MAX = 123, /* bytes that a close frame has room for */
};

static int
take_target(const char *conn, const char *user, struct query_args *args)
{
	struct channel_name channel;
	struct conn_id id;
	int rc;

	if ((conn == NULL) == (user == NULL))
		return cli_usage("kick", "whom? --conn or --user");
	if (conn != NULL) {
		if (conn_id_parse(conn, &id) != 0)
			return cli_usage("kick", "'%.64s' is no connection",
			    conn);
		args->conn = conn;
		args->conn_len = strlen(conn);
		return CLI_OK;
	}
	rc = cli_channel("kick", "user", 'u', user, &channel);
	args->user = user;
	args->user_len = strlen(user);
	return rc;
}

static int
take_words(int *count, char **words, struct query_args *args)
{
	const char *conn = NULL, *user = NULL, *code = NULL, *reason = NULL;
	unsigned long number = 0;
	char *end = NULL;
	int rc = cli_take_value("kick", count, words, "--conn", &conn);

	if (rc == CLI_OK)
		rc = cli_take_value("kick", count, words, "--user", &user);
	if (rc == CLI_OK)
		rc = cli_take_value("kick", count, words, "--code", &code);
	if (rc == CLI_OK)
		rc = cli_take_value("kick", count, words, "--reason", &reason);
	if (rc == CLI_OK)
		rc = cli_no_words("kick", *count, words);
	if (rc == CLI_OK)
		rc = take_target(conn, user, args);
	if (rc != CLI_OK)
		return rc;
	if (code != NULL)
		number = strtoul(code, &end, 10);
	if (code != NULL &&
	    (*end != '\0' || number > UINT16_MAX ||
		!api_close_code((unsigned)number)))
		return cli_usage("kick", "'%.64s' is no close code", code);
	args->code = (uint32_t)number;
	if (reason != NULL &&
	    (strlen(reason) > REASON_MAX ||
		!utf8_valid(reason, strlen(reason))))
		return cli_usage("kick",
		    "the reason is text of at most %d bytes", REASON_MAX);
	args->text = reason;
	args->text_len = reason != NULL ? strlen(reason) : 0;
	return CLI_OK;
}

static int
kick(const struct place *place, const struct query_args *args)
{
	static const struct row_column column = { "kicked", "kicked", ROW_SUM };
	struct cbus *bus;
	struct rows rows;
	uint64_t kicked;
	int rc = cli_attach(place, "busctl kick", &bus);

	if (rc != CLI_OK)
		return rc;
	rows_init(&rows, &column, 1);
	rc = cli_ask(bus, QUERY_KICK, IPC_SLOT_NONE, args, &rows);
	kicked = rows_total(&rows, 0);
	rows_release(&rows);
	cbus_detach(bus);
	if (rc != CLI_OK)
		return rc;
	if (kicked == 0) {
		cli_say(args->conn != NULL ? "there is no such connection" :
					     "the user has no connection");
		return CLI_FAILED;
	}
	(void)printf("%" PRIu64 " connection%s closed\n", kicked,
	    kicked == 1 ? "" : "s");
	return CLI_OK;
}

int
cli_kick(int argc, char **argv)
{
	struct query_args args = { .channel = NULL };
	struct place place;
	int rest, rc;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rc = take_words(&rest, argv + 1, &args);
	if (rc == CLI_OK)
		rc = kick(&place, &args);
	place_release(&place);
	return rc;
}

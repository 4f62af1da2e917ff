/* node.c - see node.h. */
#include "cli/node.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"

int
cli_attach(const struct place *place, const char *label, struct cbus **ret_bus)
{
	struct cbus_attach_opts opts = {
		.run_dir = place->rundir.path,
		.label = label,
		.timeout_ms = CLI_NODE_TIMEOUT_MS,
	};
	char why[256];
	int rc = cbus_attach(&opts, ret_bus, why, sizeof(why));

	switch (rc) {
	case 0:
		return CLI_OK;
	case -ENOENT:
	case -ECONNREFUSED:
		cli_say("no bus runs in \"%s\"", place->rundir.path);
		return CLI_FAILED;
	case -EACCES:
		cli_say("the bus does not want us: %s",
		    why[0] != '\0' ? why : "permission denied");
		return CLI_FAILED;
	default:
		cli_say("\"%s/hub.sock\": %s", place->rundir.path,
		    strerror(-rc));
		return CLI_FAILED;
	}
}

int
cli_channel(const char *command, const char *what, char kind, const char *name,
    struct channel_name *ret_channel)
{
	const char *fault =
	    channel_name_fault(name, strlen(name), CBUS_NAME_MAX);

	if (fault != NULL)
		return cli_usage(command, "the %s %s", what, fault);
	if (channel_name(ret_channel, kind, name, strlen(name)) != 0)
		return cli_usage(command, "the %s is too long", what);
	return CLI_OK;
}

/* ---- asking ------------------------------------------------------------ */

struct asking {
	struct rows *rows;
	uint64_t cut;
	bool done, away;
	struct ipc_queried end;
};

static void
on_rows(void *arg, const struct ipc_node_id *node, const char *rows, size_t len)
{
	struct asking *asking = arg;
	struct json_span rest = { rows, len }, row;

	(void)node;
	while (api_next_row(&rest, &row, &asking->cut))
		rows_add(asking->rows, row.at, row.len);
}

static void
on_end(void *arg, const struct ipc_queried *end)
{
	struct asking *asking = arg;

	asking->done = true;
	if (end == NULL)
		asking->away = true;
	else
		asking->end = *end;
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* What the answer lacks. */
static int
judge(const struct asking *asking)
{
	const struct ipc_queried *end = &asking->end;

	if (asking->away || !asking->done) {
		cli_say(asking->away ? "the bus has gone" :
				       "the hub does not answer");
		return CLI_FAILED;
	}
	if (end->asked == 0 && end->late == IPC_QUERIED_REFUSED) {
		cli_say("the hub has too many questions under way");
		return CLI_BUSY;
	}
	if (asking->rows->failed) {
		cli_say("out of memory");
		return CLI_FAILED;
	}
	if (end->late != 0)
		cli_say("%" PRIu32 " worker%s did not answer in time; what "
			"there is of %s is missing",
		    end->late, plural(end->late),
		    end->late == 1 ? "its clients" : "their clients");
	if (end->gone != 0)
		cli_say("%" PRIu32 " worker%s died meanwhile", end->gone,
		    plural(end->gone));
	if (asking->cut != 0)
		cli_say("%" PRIu64 " row%s left out (--max-rows)", asking->cut,
		    asking->cut == 1 ? " was" : "s were");
	return CLI_OK;
}

int
cli_ask(struct cbus *bus, enum query_kind kind, uint16_t slot,
    const struct query_args *args, struct rows *rows)
{
	struct asking asking = { .rows = rows };
	uint64_t end_ms = clock_now_ms() + CLI_QUERY_TIMEOUT_MS;
	int rc = api_query(bus, kind, slot, args, on_rows, on_end, &asking);

	if (rc != 0) {
		cli_say("the workers could not be asked: %s", strerror(-rc));
		return CLI_FAILED;
	}
	while (!asking.done && clock_now_ms() < end_ms) {
		rc = cbus_wait(bus, CLI_QUERY_TIMEOUT_MS);
		if (rc != 0 && rc != -EINTR && rc != -ETIMEDOUT)
			break;
	}
	api_query_cancel(bus, &asking);
	return judge(&asking);
}

int
cli_ask_and_print(const struct place *place, const char *command,
    enum query_kind kind, const struct query_args *args,
    const struct row_column *columns, size_t column_count, bool json)
{
	struct cbus *bus;
	struct rows rows;
	int rc = cli_attach(place, command, &bus);

	if (rc != CLI_OK)
		return rc;
	rows_init(&rows, columns, column_count);
	rc = cli_ask(bus, kind, IPC_SLOT_NONE, args, &rows);
	if (rc == CLI_OK)
		rows_print(&rows, json);
	rows_release(&rows);
	cbus_detach(bus);
	return rc;
}

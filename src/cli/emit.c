/*
 * emit.c - `busctl emit`: push an event to a connection, a user, a room, all.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/node.h"
#include "cli/values.h"

enum target {
	TO_CONN,
	TO_USER,
	TO_ROOM,
	TARGETS
};

struct emitter {
	struct cbus *bus;
	const char *to[TARGETS]; /* all NULL: to all */
	const char *event;
};

/* The channel that it goes by; check_words() has looked at the names. */
static struct channel_name
channel_of(const struct emitter *e)
{
	struct channel_name channel = { .len = 0 };
	const char *to =
	    e->to[TO_USER] != NULL ? e->to[TO_USER] : e->to[TO_ROOM];
	char kind = e->to[TO_USER] != NULL ? 'u' :
	    e->to[TO_ROOM] != NULL         ? 'r' :
	    e->to[TO_CONN] != NULL         ? 'n' :
					     'a';

	if (to == NULL)
		to = "";
	(void)!channel_name(&channel, kind, to, strlen(to));
	return channel;
}

static int
emit_one(void *arg, const void *data, size_t len)
{
	const struct emitter *e = arg;
	struct channel_name channel = channel_of(e);
	int rc = cli_fits(e->bus,
	    &(struct api_push){ .channel = channel.text,
		.channel_len = channel.len,
		.name = e->event,
		.name_len = strlen(e->event),
		.data = data,
		.len = len });

	if (rc != 0)
		return rc;
	if (e->to[TO_CONN] != NULL)
		return cbus_emit_to_conn(e->bus, e->to[TO_CONN], e->event, data,
		    len);
	if (e->to[TO_USER] != NULL)
		return cbus_emit_to_user(e->bus, e->to[TO_USER], e->event, data,
		    len);
	if (e->to[TO_ROOM] != NULL)
		return cbus_room_broadcast(e->bus, e->to[TO_ROOM], e->event,
		    data, len);
	return cbus_distribute(e->bus, e->event, data, len, NULL);
}

static int
check_words(const struct emitter *e)
{
	struct channel_name channel;
	struct conn_id id;
	const char *fault =
	    channel_name_fault(e->event, strlen(e->event), CBUS_EVENT_MAX);

	if (fault != NULL)
		return cli_usage("emit", "the event %s", fault);
	if (e->to[TO_CONN] != NULL && conn_id_parse(e->to[TO_CONN], &id) != 0)
		return cli_usage("emit", "'%.64s' is no connection",
		    e->to[TO_CONN]);
	if (e->to[TO_USER] != NULL)
		return cli_channel("emit", "user", 'u', e->to[TO_USER],
		    &channel);
	if (e->to[TO_ROOM] != NULL)
		return cli_channel("emit", "room", 'r', e->to[TO_ROOM],
		    &channel);
	return CLI_OK;
}

static int
take_words(struct emitter *e, int *count, char **words, bool *ret_text)
{
	static const char *const flags[] = { "--conn", "--user", "--room" };
	bool all = cli_take_flag(count, words, "--all");
	int rc = CLI_OK;

	*ret_text = cli_take_flag(count, words, "--text");
	for (size_t i = 0; i < TARGETS && rc == CLI_OK; i++)
		rc = cli_take_value("emit", count, words, flags[i], &e->to[i]);
	if (rc != CLI_OK)
		return rc;
	if (cli_given(e->to, TARGETS) + all != 1)
		return cli_usage("emit",
		    "to whom? --conn, --user, --room or --all, one of them");
	if (*count < 1)
		return cli_usage("emit", "which event?");
	if (*count > 2)
		return cli_usage("emit", "one event and one message");
	e->event = words[0];
	return check_words(e);
}

static int
emit(const struct place *place, int count, char **words)
{
	struct emitter e = { .bus = NULL };
	bool text = false;
	int rc = take_words(&e, &count, words, &text);

	if (rc == CLI_OK)
		rc = cli_attach(place, "busctl emit", &e.bus);
	if (rc != CLI_OK)
		return rc;
	rc = cli_send_all(e.bus, count == 2 ? words[1] : NULL, text, emit_one,
	    &e);
	cbus_detach(e.bus);
	return rc;
}

int
cli_emit(int argc, char **argv)
{
	struct place place;
	int rest, rc;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rc = emit(&place, rest, argv + 1);
	place_release(&place);
	return rc;
}

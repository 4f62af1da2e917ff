/*
 * publish.c - `busctl publish TOPIC [DATA|-]`: JSON onto the bus.
 *
 * One message from the command line, or each line of standard input.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/node.h"
#include "cli/values.h"

struct publisher {
	struct cbus *bus;
	const char *topic;
	struct channel_name channel;
	struct cbus_publish_opts opts;
};

static int
publish_one(void *arg, const void *data, size_t len)
{
	const struct publisher *p = arg;
	int rc = cli_fits(p->bus,
	    &(struct api_push){ .channel = p->channel.text,
		.channel_len = p->channel.len,
		.data = data,
		.len = len });

	if (rc != 0)
		return rc;
	return cbus_publish_opts(p->bus, p->topic, data, len, &p->opts);
}

/* The words, one after the other. */
static int
take_words(struct publisher *p, int *count, char **words, bool *ret_text)
{
	struct conn_id id;
	int rc;

	*ret_text = cli_take_flag(count, words, "--text");
	rc = cli_take_value("publish", count, words, "--role", &p->opts.role);
	if (rc == CLI_OK)
		rc = cli_take_value("publish", count, words, "--exclude-conn",
		    &p->opts.exclude_conn);
	if (rc != CLI_OK)
		return rc;
	if (*count < 1)
		return cli_usage("publish", "which topic?");
	if (*count > 2)
		return cli_usage("publish", "one topic and one message");
	p->topic = words[0];
	rc = cli_channel("publish", "topic", 't', p->topic, &p->channel);
	if (rc == CLI_OK && p->opts.role != NULL &&
	    channel_name_role(&p->channel, p->opts.role, p->topic,
		strlen(p->topic)) != 0)
		rc = cli_usage("publish", "'%.64s' is no role", p->opts.role);
	if (rc == CLI_OK && p->opts.exclude_conn != NULL &&
	    conn_id_parse(p->opts.exclude_conn, &id) != 0)
		rc = cli_usage("publish", "'%.64s' is no connection",
		    p->opts.exclude_conn);
	return rc;
}

static int
publish(const struct place *place, int count, char **words)
{
	struct publisher p = { .bus = NULL };
	bool text = false;
	int rc = take_words(&p, &count, words, &text);

	if (rc == CLI_OK)
		rc = cli_attach(place, "busctl publish", &p.bus);
	if (rc != CLI_OK)
		return rc;
	rc = cli_send_all(p.bus, count == 2 ? words[1] : NULL, text,
	    publish_one, &p);
	cbus_detach(p.bus);
	return rc;
}

int
cli_publish(int argc, char **argv)
{
	struct place place;
	int rest, rc;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rc = publish(&place, rest, argv + 1);
	place_release(&place);
	return rc;
}

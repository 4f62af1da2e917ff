/*
 * publish.c - `busctl publish TOPIC [DATA|-]`: JSON onto the bus.
 *
 * One message from the command line, or each line of standard input.  A line
 * that is no JSON is told with its number and skipped; the others go out, and
 * the exit status is 1.  Returns when the hub has handled everything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/node.h"

struct publisher {
	struct node *node;
	char channel[IPC_CHANNEL_MAX];
	size_t channel_len;
	bool text; /* what is given is text, not JSON */
};

/* Publish text as a JSON string. */
static int
publish_text(struct publisher *p, const char *data, size_t len)
{
	size_t size = len * 6 + 2;
	char *quoted = malloc(size);
	int rc;

	if (quoted == NULL)
		return -ENOMEM;
	size = json_string_encode(data, len, quoted, size);
	rc = node_publish(p->node, p->channel, p->channel_len, quoted, size,
	    false);
	free(quoted);
	return rc;
}

/* Publish one message; where is for complaints. */
static int
publish_one(struct publisher *p, const char *data, size_t len,
    const char *where)
{
	int rc;

	if (!utf8_valid(data, len) || (!p->text && !json_valid(data, len))) {
		cli_say("%s is not JSON; --text sends it as a string", where);
		return CLI_FAILED;
	}
	if (p->text)
		rc = publish_text(p, data, len);
	else
		rc = node_publish(p->node, p->channel, p->channel_len, data,
		    len, false);
	if (rc == 0)
		return CLI_OK;
	cli_say("%s could not be published: %s", where, strerror(-rc));
	return CLI_FAILED;
}

static int
publish_lines(struct publisher *p)
{
	char *line = NULL, where[48];
	size_t size = 0;
	ssize_t len;
	unsigned long number = 0;
	int status = CLI_OK;

	while ((len = getline(&line, &size, stdin)) != -1) {
		number++;
		if (len > 0 && line[len - 1] == '\n')
			len--;
		if (len == 0)
			continue;
		(void)snprintf(where, sizeof(where), "line %lu", number);
		if (publish_one(p, line, (size_t)len, where) != CLI_OK)
			status = CLI_FAILED;
	}
	free(line);
	return status;
}

static int
publish(const struct place *place, int count, char **words)
{
	struct publisher p = { .node = NULL };
	int rc;

	p.text = cli_take_flag(&count, words, "--text");
	if (count < 1)
		return cli_usage("publish", "which topic?");
	if (count > 2)
		return cli_usage("publish", "one topic and one message");
	rc = cli_topic("publish", words[0], p.channel, &p.channel_len);
	if (rc == CLI_OK)
		rc = cli_attach(place, "busctl publish", &p.node);
	if (rc != CLI_OK)
		return rc;
	if (count == 2 && strcmp(words[1], "-") != 0)
		rc = publish_one(&p, words[1], strlen(words[1]), "the message");
	else
		rc = publish_lines(&p);
	if (node_sync(p.node, CLI_NODE_TIMEOUT_MS) != 0) {
		cli_say("the hub did not confirm; messages may be lost");
		rc = CLI_FAILED;
	}
	node_free(p.node);
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

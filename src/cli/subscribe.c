/*
 * subscribe.c - `busctl subscribe TOPIC...`: messages, one on a line.
 *
 * The data alone, so that it can be piped into `busctl publish`; with --json
 * an object with topic, data and from.  JSON may have line breaks between its
 * parts; they become blanks.  Bytes are printed as base64.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "wire/node_id.h"

struct printer {
	bool json;
	unsigned long left; /* messages to print; 0: all */
	bool done;
	bool failed; /* standard output does not take it */
};

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void
print_data(const struct ipc_envelope *envelope)
{
	size_t size = (envelope->payload_len + 2) / 3 * 4 + 1;
	char *text;

	if ((envelope->head.flags & IPC_PUBLISH_BINARY) == 0) {
		for (size_t i = 0; i < envelope->payload_len; i++) {
			char c = (char)envelope->payload[i];

			(void)putchar(c == '\n' || c == '\r' ? ' ' : c);
		}
		return;
	}
	text = malloc(size);
	if (text == NULL)
		return;
	size = (size_t)base64_encode(envelope->payload, envelope->payload_len,
	    text, size);
	(void)printf("\"%.*s\"", (int)size, text);
	free(text);
}

static void
print_object(const struct ipc_envelope *envelope)
{
	char topic[IPC_CHANNEL_MAX * 6 + 2], from[NODE_ID_TEXT_MAX];
	size_t len = json_string_encode(envelope->channel + 2,
	    envelope->channel_len - 2, topic, sizeof(topic));

	node_id_format(&envelope->head.origin, from, sizeof(from));
	(void)printf("{\"topic\":%.*s,\"data\":", (int)len, topic);
	print_data(envelope);
	if ((envelope->head.flags & IPC_PUBLISH_BINARY) != 0)
		(void)fputs(",\"binary\":true", stdout);
	(void)printf(",\"from\":\"%s\"}", from);
}

static void
on_envelope(void *arg, const struct ipc_envelope *envelope)
{
	struct printer *printer = arg;

	if (printer->done || envelope->channel_len <= 2)
		return;
	if (printer->json)
		print_object(envelope);
	else
		print_data(envelope);
	(void)putchar('\n');
	/* A reader at the other end of a pipe waits for this line. */
	if (fflush(stdout) != 0)
		printer->failed = true;
	if (printer->left != 0 && --printer->left == 0)
		printer->done = true;
}

static int
join_all(struct node *node, int count, char **topics)
{
	char channel[IPC_CHANNEL_MAX];
	size_t len;
	int rc;

	for (int i = 0; i < count; i++) {
		rc = cli_topic("subscribe", topics[i], channel, &len);
		if (rc != CLI_OK)
			return rc;
		if (node_join(node, channel, len, CLI_NODE_TIMEOUT_MS) != 0) {
			cli_say("the hub did not confirm \"%s\"", topics[i]);
			return CLI_FAILED;
		}
		cli_say("subscribed to \"%s\"", topics[i]);
	}
	return CLI_OK;
}

static int
follow(struct node *node, struct printer *printer)
{
	int rc = 0;

	while (!stopped && !printer->done && !printer->failed) {
		rc = node_wait(node, -1);
		if (rc == -EPIPE) {
			cli_say("the bus has gone");
			return CLI_FAILED;
		}
	}
	return printer->failed ? CLI_FAILED : CLI_OK;
}

static int
subscribe(const struct place *place, int count, char **words)
{
	struct printer printer = { .json = false };
	struct node *node;
	char *end;
	int rc;

	printer.json = cli_take_flag(&count, words, "--json");
	if (count >= 2 && strcmp(words[0], "--count") == 0) {
		printer.left = strtoul(words[1], &end, 10);
		if (*end != '\0' || printer.left == 0)
			return cli_usage("subscribe",
			    "--count needs a number above 0");
		words += 2;
		count -= 2;
	}
	if (count < 1)
		return cli_usage("subscribe", "which topic?");
	rc = cli_attach(place, "busctl subscribe", &node);
	if (rc != CLI_OK)
		return rc;
	node_on_envelope(node, on_envelope, &printer);
	rc = join_all(node, count, words);
	if (rc == CLI_OK)
		rc = follow(node, &printer);
	node_free(node);
	return rc;
}

int
cli_subscribe(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct place place;
	int rest, rc;

	/* Without SA_RESTART: poll() returns and the loop ends. */
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rc = subscribe(&place, rest, argv + 1);
	place_release(&place);
	return rc;
}

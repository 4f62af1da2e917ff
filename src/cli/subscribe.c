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
#include "cli/values.h"

struct printer {
	bool json;
	bool from;          /* the node in front of the data */
	unsigned long left; /* messages to print; 0: all */
	bool done;
	bool failed; /* standard output does not take it */
	bool gone;   /* the bus has */
};

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void
print_data(const char *data, size_t len, bool binary)
{
	size_t size = (len + 2) / 3 * 4 + 1;
	char *text;

	if (!binary) {
		for (size_t i = 0; i < len; i++)
			(void)putchar(
			    data[i] == '\n' || data[i] == '\r' ? ' ' : data[i]);
		return;
	}
	text = malloc(size);
	if (text == NULL)
		return;
	size = (size_t)base64_encode(data, len, text, size);
	(void)printf("\"%.*s\"", (int)size, text);
	free(text);
}

static void
print_object(const char *data, size_t len, const struct cbus_info *info)
{
	char topic[IPC_CHANNEL_MAX * 6 + 2];
	size_t topic_len = json_string_encode(info->name, strlen(info->name),
	    topic, sizeof(topic));

	(void)printf("{\"topic\":%.*s,\"data\":", (int)topic_len, topic);
	print_data(data, len, info->binary);
	if (info->binary)
		(void)fputs(",\"binary\":true", stdout);
	(void)printf(",\"from\":\"%s\"}", info->from);
}

static int
on_data(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct printer *printer = arg;

	if (printer->done)
		return 0;
	if (printer->from && !printer->json)
		(void)printf("%s ", info->from);
	if (printer->json)
		print_object(data, len, info);
	else
		print_data(data, len, info->binary);
	(void)putchar('\n');
	/* A reader at the other end of a pipe waits for this line. */
	if (fflush(stdout) != 0)
		printer->failed = true;
	if (printer->left != 0 && --printer->left == 0)
		printer->done = true;
	return 0;
}

static void
on_error(void *arg, const struct cbus_error *error)
{
	struct printer *printer = arg;

	if (strcmp(error->kind, "hub") == 0)
		printer->gone = true;
	else
		cli_say("%s \"%s\": %s", error->kind, error->name,
		    error->message);
}

static int
listen_to(struct cbus *bus, struct printer *printer, int count, char **topics)
{
	struct channel_name channel;
	struct cbus_sub *sub;
	int rc;

	for (int i = 0; i < count; i++) {
		rc =
		    cli_channel("subscribe", "topic", 't', topics[i], &channel);
		if (rc != CLI_OK)
			return rc;
		rc = cbus_subscribe(bus, topics[i], on_data, printer, &sub);
		if (rc != 0) {
			cli_say("\"%s\": %s", topics[i],
			    rc == -ENOENT ?
				"the contract has no such shared topic" :
				strerror(-rc));
			return CLI_FAILED;
		}
		if (cbus_sync(bus, CLI_NODE_TIMEOUT_MS) != 0) {
			cli_say("the hub did not confirm \"%s\"", topics[i]);
			return CLI_FAILED;
		}
		cli_say("subscribed to \"%s\"", topics[i]);
	}
	return CLI_OK;
}

static int
follow(struct cbus *bus, struct printer *printer)
{
	while (!stopped && !printer->done && !printer->failed) {
		(void)cbus_wait(bus, -1); /* what came is in printer */
		if (printer->gone) {
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
	const char *limit = NULL;
	struct cbus *bus;
	char *end = NULL;
	int rc;

	printer.json = cli_take_flag(&count, words, "--json");
	printer.from = cli_take_flag(&count, words, "--from");
	rc = cli_take_value("subscribe", &count, words, "--count", &limit);
	if (rc != CLI_OK)
		return rc;
	if (limit != NULL)
		printer.left = strtoul(limit, &end, 10);
	if (limit != NULL && (*end != '\0' || printer.left == 0))
		return cli_usage("subscribe", "--count needs a number above 0");
	if (count < 1)
		return cli_usage("subscribe", "which topic?");
	rc = cli_attach(place, "busctl subscribe", &bus);
	if (rc != CLI_OK)
		return rc;
	cbus_on_error(bus, on_error, &printer);
	rc = listen_to(bus, &printer, count, words);
	if (rc == CLI_OK)
		rc = follow(bus, &printer);
	cbus_detach(bus);
	return rc;
}

void
cli_stop_on_signals(volatile sig_atomic_t **ret_stopped)
{
	struct sigaction action = { .sa_handler = on_stop };

	/* Without SA_RESTART: poll() returns and the loop ends. */
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	*ret_stopped = &stopped;
}

int
cli_subscribe(int argc, char **argv)
{
	volatile sig_atomic_t *flag;
	struct place place;
	int rest, rc;

	cli_stop_on_signals(&flag);
	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rc = subscribe(&place, rest, argv + 1);
	place_release(&place);
	return rc;
}

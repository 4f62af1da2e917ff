/*
 * lines.c - messages from the command line or from standard input, for
 * `busctl publish` and `busctl emit`; see node.h.
 *
 * The queue to the hub has a limit and is not waited for, so the hub is asked
 * for an answer whenever half of it may be full.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/node.h"

enum {
	SYNC_BYTES = 1 << 20,
	SYNC_TIMEOUT_MS = 60000,
};

struct sender {
	struct cbus *bus;
	bool text; /* what is given is text, not JSON */
	cli_send_fn *send;
	void *arg;
	size_t unsynced; /* bytes */
};

/* The same as a JSON string; NULL: no memory. */
static char *
quote(const char *data, size_t len, size_t *ret_len)
{
	size_t size = len * 6 + 2;
	char *quoted = malloc(size);

	if (quoted != NULL)
		*ret_len = json_string_encode(data, len, quoted, size);
	return quoted;
}

static int
send_json(struct sender *sender, const char *data, size_t len)
{
	int rc = 0;

	sender->unsynced += len;
	if (sender->unsynced >= SYNC_BYTES) {
		rc = cbus_sync(sender->bus, SYNC_TIMEOUT_MS);
		sender->unsynced = len;
	}
	return rc == 0 ? sender->send(sender->arg, data, len) : rc;
}

/* Send one message; where is for complaints. */
static int
send_one(struct sender *sender, const char *data, size_t len, const char *where)
{
	char *quoted = NULL;
	int rc;

	if (!utf8_valid(data, len) ||
	    (!sender->text && !json_valid(data, len))) {
		cli_say("%s is not JSON; --text sends it as a string", where);
		return CLI_FAILED;
	}
	if (sender->text) {
		quoted = quote(data, len, &len);
		rc = quoted != NULL ? send_json(sender, quoted, len) : -ENOMEM;
		free(quoted);
	} else {
		rc = send_json(sender, data, len);
	}
	if (rc == 0)
		return CLI_OK;
	cli_say("%s could not be published: %s", where,
	    rc == -ENOENT      ? "the contract has no such name" :
		rc == -EBADMSG ? "it does not fit the contract" :
				 strerror(-rc));
	return CLI_FAILED;
}

int
cli_fits(struct cbus *bus, const struct api_push *push)
{
	const struct contract_entry *entry;

	if (bus->contract == NULL)
		return 0;
	entry = api_declared(bus, push);
	/* An event of a role is another one for each role. */
	if (entry == NULL || (entry->role != NULL && push->channel[0] != 'f'))
		return 0;
	return api_fits(bus, entry, push, &bus->id) ? 0 : -EBADMSG;
}

static int
send_lines(struct sender *sender)
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
		if (send_one(sender, line, (size_t)len, where) != CLI_OK)
			status = CLI_FAILED;
	}
	free(line);
	return status;
}

/* What could not be sent on: once, however often it happens. */
static void
on_error(void *arg, const struct cbus_error *error)
{
	bool *failed = arg;

	if (!*failed && strcmp(error->stage, "listener") != 0)
		cli_say("%s", error->message);
	*failed = true;
}

int
cli_send_all(struct cbus *bus, const char *data, bool text, cli_send_fn *send,
    void *arg)
{
	struct sender sender = {
		.bus = bus,
		.text = text,
		.send = send,
		.arg = arg,
	};
	bool failed = false;
	int status;

	cbus_on_error(bus, on_error, &failed);
	if (data != NULL && strcmp(data, "-") != 0)
		status = send_one(&sender, data, strlen(data), "the message");
	else
		status = send_lines(&sender);
	if (cbus_sync(bus, CLI_NODE_TIMEOUT_MS) != 0) {
		cli_say("the hub did not confirm; messages may be lost");
		status = CLI_FAILED;
	}
	cbus_on_error(bus, NULL, NULL);
	return failed ? CLI_FAILED : status;
}

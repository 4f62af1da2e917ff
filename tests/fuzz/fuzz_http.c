/*
 * fuzz_http.c - requests to the HTTP API.
 *
 * A line with method and path, one with arguments (a '&' between them), and
 * the rest is the body.  What is pushed or asked is looked at here: sound
 * names, JSON as it stood in the body.  Each request is answered once, with
 * JSON; questions are answered with rows as workers write them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/json.h"
#include "base/utf8.h"
#include "config/config.h"
#include "tests/fuzz/fuzz.h"
#include "worker/api_http.h"
#include "worker/state.h"

static const char *body;
static size_t body_len;
static unsigned answers;
static uint32_t asked; /* token of the question under way; 0: none */

static void
on_push(void *impl, const struct api_push *push)
{
	const char *data = push->data;

	(void)impl;
	assert(channel_name_valid(push->channel, push->channel_len));
	assert(
	    utf8_valid(push->name_len != 0 ? push->name : "", push->name_len));
	assert(push->name_len <= PUSH_NAME_MAX);
	if (push->binary)
		return;
	assert(json_valid(data, push->len));
	assert(data >= body && data + push->len <= body + body_len);
}

static int
on_query(void *impl, uint32_t token, enum query_kind kind, uint16_t slot,
    const struct query_args *args)
{
	struct buf text;

	(void)impl;
	(void)slot;
	assert(kind < QUERY_COUNT_OF);
	assert(args->channel_len == 0 ||
	    channel_name_valid(args->channel, args->channel_len));
	assert(args->text_len <= 123);
	buf_init(&text, IPC_QUERY_MAX);
	assert(query_append(&text, args) == 0);
	buf_release(&text);
	asked = token;
	return 0;
}

static const struct api_ops ops = { .push = on_push, .query = on_query };

static void
on_done(struct api_http *http)
{
	assert(http->status >= 200 && http->status < 600);
	assert(http->out.len != 0);
	assert(utf8_valid((const char *)buf_data(&http->out), http->out.len));
	assert(json_valid((const char *)buf_data(&http->out), http->out.len));
	answers++;
}

/* Two workers answer. */
static void
answer(struct cbus *bus)
{
	static const char rows[] = "{\"name\":\"a\\n\",\"clients\":7}\n"
				   "{\"kicked\":3}\n{\"changed\":1}\n"
				   "{\"cut\":2}\n";
	struct ipc_answer head = { .token = asked };
	struct ipc_queried end = { .token = asked, .asked = 2, .answered = 2 };

	api_on_answer(bus, &head, rows, sizeof(rows) - 1);
	api_on_answer(bus, &head, rows, sizeof(rows) - 1);
	api_on_queried(bus, &end);
}

/* Cut off a line, '\0'-terminated. */
static char *
take_line(char **at)
{
	char *line = *at;
	size_t len = strcspn(line, "\n");

	*at += len + (line[len] != '\0');
	line[len] = '\0';
	return line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config = { .max_rows = 100,
		.api_output = 1 << 20 };
	static struct cbus bus;
	static struct worker worker = { .config = &config, .bus = &bus };
	struct api_http_request request;
	struct api_http http;
	char *text = malloc(size + 1), *at = text, *path, *copy;

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	worker.stats = &worker.unplaced;
	api_init(&bus, &ops, NULL);
	request.method = take_line(&at);
	path = strchr(request.method, ' ');
	if (path != NULL)
		*path++ = '\0';
	request.path = path != NULL ? path : "/api/publish";
	request.args = take_line(&at);
	request.args_len = strlen(request.args) + 1;
	for (char *c = strchr(request.args, '&'); c != NULL; c = strchr(c, '&'))
		*c++ = '\0';
	/* Exactly as long as it is: reading on is seen by the sanitizer. */
	body_len = size - (size_t)(at - text);
	copy = malloc(body_len != 0 ? body_len : 1);
	assert(copy != NULL);
	memcpy(copy, at, body_len);
	body = request.body = copy;
	request.body_len = body_len;
	answers = 0;
	asked = 0;
	api_http_run(&http, &worker, &request, on_done, NULL);
	assert(answers == (asked == 0));
	if (asked != 0)
		answer(&bus);
	assert(answers == 1);
	api_http_release(&http);
	api_release(&bus);
	free(copy);
	free(text);
	return 0;
}

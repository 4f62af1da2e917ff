/*
 * ws_exchange.c - a request to the HTTP API: its body is read, its answer
 * waited for and written.
 *
 * While an answer is not written whole libwebsockets 4.1.6 spins on whatever
 * else the client sends, or on its half-close, for it waits for input that it
 * does not read.  So once the request is there the connection is taken over:
 * reading is switched off in libwebsockets for good, the answer is written from
 * here (through its TLS connection when there is one), and the end is made from
 * here.  Bytes behind the request stay in the kernel and cost nothing.
 *
 *	READING --whole--> ASKING --answer--> WRITING --all--> end
 *	   |                                     ^      \
 *	   +--refused, too slow------------------+       +--> LINGERING --> end
 *
 * LINGERING: closing a socket that has something unread resets the connection,
 * and the client might never see its answer; so what still comes is read and
 * thrown away for a moment.
 *
 * A client that takes its answer too slowly is cut off: see
 * ws_exchange_answer.c.  It remains one request per connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "worker/http.h"
#include "worker/ws_exchange_internal.h"

enum {
	ASK_MORE_MS = 3000, /* beyond --query-timeout */
};

/* ---- life -------------------------------------------------------------- */

void
ws_exchange_free(struct client *client)
{
	struct exchange *ex = client->exchange;

	if (ex == NULL)
		return;
	client->exchange = NULL;
	ev_io_stop(client->worker->loop, &ex->io);
	ev_timer_stop(client->worker->loop, &ex->timer);
	if (ex->running)
		api_http_release(&ex->http);
	api_output_hold(client->worker, &ex->http.held, 0);
	buf_release(&ex->args);
	buf_release(&ex->body);
	buf_release(&ex->head);
	free(ex->path);
	free(ex);
	api_output_trim(client->worker);
}

/* ---- answering --------------------------------------------------------- */

static void
on_done(struct api_http *http)
{
	exchange_respond(http->arg);
}

/* The request is whole. */
static void
run(struct exchange *ex)
{
	struct worker *worker = ex->client->worker;
	struct api_http_request request = {
		.method = ex->method,
		.path = ex->path,
		.args = (const char *)buf_data(&ex->args),
		.args_len = ex->args.len,
		.body = (const char *)buf_data(&ex->body),
		.body_len = ex->body.len,
	};

	exchange_take_over(ex);
	ex->running = true;
	ex->state = EXCHANGE_ASKING;
	exchange_wait_ms(ex, worker->config->query_timeout + ASK_MORE_MS);
	api_http_run(&ex->http, worker, &request, on_done, ex);
	buf_release(&ex->body);
	buf_release(&ex->args);
}

/* Go on after a callback of libwebsockets: 0, or -1: close it. */
static int
go_on(struct exchange *ex)
{
	if (ex->state == EXCHANGE_WRITING)
		exchange_write_on(ex);
	ex->inside = false;
	return ex->state == EXCHANGE_OVER ? -1 : 0;
}

/* After a callback of the loop. */
static void
end_if_over(struct exchange *ex)
{
	if (ex->state == EXCHANGE_OVER)
		lws_set_timeout(ex->wsi, PENDING_TIMEOUT_USER_REASON_BASE,
		    LWS_TO_KILL_SYNC); /* frees it */
}

static void
on_io(struct ev_loop *loop, ev_io *io, int revents)
{
	struct exchange *ex = io->data;

	(void)loop;
	(void)revents;
	if (ex->state == EXCHANGE_WRITING)
		exchange_write_on(ex);
	else if (ex->state == EXCHANGE_LINGERING)
		exchange_throw_away(ex);
	end_if_over(ex);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct exchange *ex = timer->data;

	(void)loop;
	(void)revents;
	switch (ex->state) {
	case EXCHANGE_READING:
		ex->rest = true;
		exchange_refuse(ex, 408, ERR_TIMEOUT,
		    "the body did not come in time");
		break;
	case EXCHANGE_ASKING:
		api_http_release(&ex->http);
		exchange_refuse(ex, 504, ERR_TIMEOUT, "no answer in time");
		break;
	case EXCHANGE_WRITING:
		exchange_cut(ex);
		break;
	case EXCHANGE_LINGERING:
	case EXCHANGE_OVER:
		ex->state = EXCHANGE_OVER;
		break;
	}
	end_if_over(ex);
}

/* ---- the request ------------------------------------------------------- */

/* How much of --handshake-timeout is left for the body. */
static uint64_t
time_left(const struct client *client)
{
	uint64_t all = client->worker->config->handshake_timeout;
	uint64_t used = client_now(client->worker) - client->seen_ms;

	return used < all ? all - used : 1;
}

static void
say_continue(struct exchange *ex)
{
	static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char value[32];
	int events;

	if (ws_header(ex->wsi, WSI_TOKEN_HTTP_EXPECT, value, sizeof(value)) <=
		0 ||
	    strcasecmp(value, "100-continue") != 0)
		return;
	/* Nothing was written before: it fits, or the client has gone. */
	if (exchange_write(ex, go, sizeof(go) - 1, &events) < 0)
		log_debug("a client that waits could not be told to go on");
}

static struct exchange *
exchange_new(struct client *client, struct lws *wsi)
{
	struct exchange *ex = calloc(1, sizeof(*ex));

	if (ex == NULL)
		return NULL;
	ex->client = client;
	ex->wsi = wsi;
	buf_init(&ex->args, 2 * PATH_MAX_BYTES);
	buf_init(&ex->head, 2 * EXCHANGE_SMALL_BYTES);
	ev_io_init(&ex->io, on_io, -1, 0);
	ev_timer_init(&ex->timer, on_timer, 0., 0.);
	ex->io.data = ex;
	ex->timer.data = ex;
	client->exchange = ex;
	return ex;
}

int
ws_exchange_start(struct client *client, struct lws *wsi)
{
	char path[PATH_MAX_BYTES];
	enum client_error code;
	struct exchange *ex;
	const char *why;
	int status;

	if (client->exchange != NULL)
		return -1; /* one request per connection */
	ex = exchange_new(client, wsi);
	if (ex == NULL)
		return -1;
	stats_add(&client->worker->stats->api_requests, 1);
	ex->method = ws_method(wsi, path, sizeof(path));
	ex->path = ex->method != NULL ? strdup(path) : NULL;
	if (ex->path == NULL || exchange_keep_args(ex) != 0)
		return -1;
	ex->inside = true;
	ex->rest = ws_body_fault(wsi, &why) != 0; /* or there is one */
	status = exchange_check(ex, &code, &why);
	if (status != 0) {
		exchange_refuse(ex, status, code, why);
	} else if (ex->is_post && ex->length != 0) {
		buf_init(&ex->body, ex->length);
		exchange_wait_ms(ex, time_left(client));
		say_continue(ex);
	} else {
		ex->rest = false;
		run(ex);
	}
	return go_on(ex);
}

int
ws_exchange_body(struct client *client, const void *bytes, size_t len)
{
	struct exchange *ex = client->exchange;

	if (ex == NULL)
		return -1;
	if (ex->state != EXCHANGE_READING || len == 0)
		return 0; /* refused already */
	if (buf_append(&ex->body, bytes, len) == 0)
		return 0;
	ex->inside = true;
	exchange_refuse(ex, 500, ERR_INTERNAL, "out of memory");
	return go_on(ex);
}

int
ws_exchange_whole(struct client *client)
{
	struct exchange *ex = client->exchange;

	if (ex == NULL)
		return -1;
	if (ex->state != EXCHANGE_READING)
		return 0;
	ex->inside = true;
	ex->rest = false;
	if (ex->body.len == ex->length)
		run(ex);
	else
		exchange_refuse(ex, 400, ERR_BAD_REQUEST,
		    "the body is not as long as it says");
	return go_on(ex);
}

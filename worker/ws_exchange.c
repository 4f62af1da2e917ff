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
 * It remains one request per connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "worker/http.h"
#include "worker/ws_exchange_internal.h"

enum {
	TURN_BYTES = 1 << 20, /* written in one turn of the loop */
	ASK_MORE_MS = 3000,   /* beyond --query-timeout */
	WRITE_MS = 10000,     /* without writing a byte */
	LINGER_MS = 2000,
};

/* ---- life -------------------------------------------------------------- */

static void
wait_ms(struct exchange *ex, uint64_t ms)
{
	struct ev_loop *loop = ex->client->worker->loop;

	ev_timer_stop(loop, &ex->timer);
	ev_timer_set(&ex->timer, (double)ms / 1000., 0.);
	ev_timer_start(loop, &ex->timer);
}

static void
wait_io(struct exchange *ex, int events)
{
	struct ev_loop *loop = ex->client->worker->loop;

	ev_io_stop(loop, &ex->io);
	ev_io_set(&ex->io, ex->client->fd, events);
	ev_io_start(loop, &ex->io);
}

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
	buf_release(&ex->args);
	buf_release(&ex->body);
	buf_release(&ex->head);
	free(ex->path);
	free(ex);
}

/* libwebsockets shall not read any more, nor close it by itself. */
static void
take_over(struct exchange *ex)
{
	(void)lws_rx_flow_control(ex->wsi, 0);
	lws_set_timeout(ex->wsi, NO_PENDING_TIMEOUT, 0);
}

/* ---- writing ----------------------------------------------------------- */

static void
written(struct exchange *ex)
{
	ex->state = EXCHANGE_OVER;
	if (!ex->rest && !exchange_has_unread(ex))
		return;
	exchange_say_end(ex);
	ex->state = EXCHANGE_LINGERING;
	wait_io(ex, EV_READ);
	wait_ms(ex, LINGER_MS);
}

static void
write_on(struct exchange *ex)
{
	struct buf *part;
	size_t total = 0;
	int events = EV_WRITE;
	ssize_t n;

	while (total < TURN_BYTES) {
		part = ex->head.len != 0 ? &ex->head : &ex->http.out;
		if (part->len == 0) {
			written(ex);
			return;
		}
		n = exchange_write(ex, buf_data(part), part->len, &events);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			stats_add(&ex->client->worker->stats->api_errors, 1);
			ex->state = EXCHANGE_OVER;
			return;
		}
		buf_consume(part, (size_t)n);
		total += (size_t)n;
	}
	wait_io(ex, events);
	if (total != 0)
		wait_ms(ex, WRITE_MS);
}

/* ---- answering --------------------------------------------------------- */

/* What a refusal has to say besides. */
static const char *
extra_lines(const struct exchange *ex)
{
	if (ex->http.status == 401)
		return "WWW-Authenticate: Bearer\r\n";
	if (ex->http.status == 405)
		return ex->is_post ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n";
	return NULL;
}

/* The answer is in http: write it, now or when there is room. */
static void
respond(struct exchange *ex)
{
	struct worker *worker = ex->client->worker;
	struct stats_worker *stats = worker->stats;
	struct buf *body = &ex->http.out;
	int err;

	ex->client->answered = true;
	ex->state = EXCHANGE_WRITING;
	stats_add(&stats->http_requests, 1);
	if (ex->http.status >= 400) {
		stats_add(&stats->http_errors, 1);
		stats_add(&stats->api_errors, 1);
	}
	err = http_json_head(ex->http.status, body->len, worker->node,
	    extra_lines(ex), &ex->head);
	if (strcmp(ex->method, "HEAD") == 0)
		buf_clear(body);
	if (err == 0 && body->len <= EXCHANGE_SMALL_BYTES) {
		err = buf_append(&ex->head, buf_data(body), body->len);
		buf_clear(body);
	}
	if (err != 0) { /* no memory: hang up without a word */
		buf_clear(&ex->head);
		buf_clear(body);
	}
	wait_ms(ex, WRITE_MS);
	if (!ex->inside)
		wait_io(ex, EV_WRITE);
}

static void
on_done(struct api_http *http)
{
	respond(http->arg);
}

static void
refuse(struct exchange *ex, int status, enum client_error code, const char *why)
{
	if (!ex->running) {
		take_over(ex);
		buf_init(&ex->http.out, API_ANSWER_MAX);
		ex->http.worker = ex->client->worker;
		ex->running = true;
	}
	buf_clear(&ex->http.out);
	ex->http.status = status;
	if (api_http_error(&ex->http.out, code, why) != 0)
		ex->http.status = 500;
	respond(ex);
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

	take_over(ex);
	ex->running = true;
	ex->state = EXCHANGE_ASKING;
	wait_ms(ex, worker->config->query_timeout + ASK_MORE_MS);
	api_http_run(&ex->http, worker, &request, on_done, ex);
	buf_release(&ex->body);
	buf_release(&ex->args);
}

/* Go on after a callback of libwebsockets: 0, or -1: close it. */
static int
go_on(struct exchange *ex)
{
	if (ex->state == EXCHANGE_WRITING)
		write_on(ex);
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
		write_on(ex);
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
		refuse(ex, 408, ERR_TIMEOUT, "the body did not come in time");
		break;
	case EXCHANGE_ASKING:
		api_http_release(&ex->http);
		refuse(ex, 504, ERR_TIMEOUT, "no answer in time");
		break;
	case EXCHANGE_WRITING:
		stats_add(&ex->client->worker->stats->api_errors, 1);
		ex->state = EXCHANGE_OVER;
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
		refuse(ex, status, code, why);
	} else if (ex->is_post && ex->length != 0) {
		buf_init(&ex->body, ex->length);
		wait_ms(ex, time_left(client));
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
	refuse(ex, 500, ERR_INTERNAL, "out of memory");
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
		refuse(ex, 400, ERR_BAD_REQUEST,
		    "the body is not as long as it says");
	return go_on(ex);
}

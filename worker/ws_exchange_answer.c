/*
 * ws_exchange_answer.c - the answer to a request of the HTTP API: its head is
 * made, and it is written as its reader takes it.
 *
 * An answer holds memory until it is written (worker/api_output.h).  So a
 * reader has a limited time: WRITE_MS without taking a byte, and WHOLE_MS for
 * all of it, more for a large one.  Then it is cut off by a reset, and what the
 * kernel has of it goes as well.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "worker/http.h"
#include "worker/ws_exchange_internal.h"

enum {
	TURN_BYTES = 1 << 20, /* written in one turn of the loop */
	WRITE_MS = 10000,     /* without writing a byte */
	WHOLE_MS = 30000,     /* for the whole answer, */
	WHOLE_MB_MS = 1000,   /* and this for each MB of it */
	LINGER_MS = 2000,
};

void
exchange_wait_ms(struct exchange *ex, uint64_t ms)
{
	struct ev_loop *loop = ex->client->worker->loop;

	ev_timer_stop(loop, &ex->timer);
	ev_timer_set(&ex->timer, (double)ms / 1000., 0.);
	ev_timer_start(loop, &ex->timer);
}

void
exchange_wait_io(struct exchange *ex, int events)
{
	struct ev_loop *loop = ex->client->worker->loop;

	ev_io_stop(loop, &ex->io);
	ev_io_set(&ex->io, ex->client->fd, events);
	ev_io_start(loop, &ex->io);
}

void
exchange_take_over(struct exchange *ex)
{
	(void)lws_rx_flow_control(ex->wsi, 0);
	lws_set_timeout(ex->wsi, NO_PENDING_TIMEOUT, 0);
}

/* ---- writing ----------------------------------------------------------- */

static void
written(struct exchange *ex)
{
	ex->state = EXCHANGE_OVER;
	buf_release(&ex->head);
	buf_release(&ex->http.out);
	api_output_hold(ex->client->worker, &ex->http.held, 0);
	if (!ex->rest && !exchange_has_unread(ex))
		return;
	exchange_say_end(ex);
	ex->state = EXCHANGE_LINGERING;
	exchange_wait_io(ex, EV_READ);
	exchange_wait_ms(ex, LINGER_MS);
}

/* Until it takes more; not beyond the answer's end. */
static void
wait_for_reader(struct exchange *ex)
{
	uint64_t now = ex->client->worker->now_ms, left = 0;

	if (now < ex->until_ms)
		left = ex->until_ms - now;
	exchange_wait_ms(ex, left < WRITE_MS ? left : WRITE_MS);
}

void
exchange_cut(struct exchange *ex)
{
	struct stats_worker *stats = ex->client->worker->stats;
	struct linger hard = { 1, 0 };

	stats_add(&stats->api_errors, 1);
	stats_add(&stats->api_cut, 1);
	/* It may fail: then the kernel keeps its part for a while. */
	(void)setsockopt(ex->client->fd, SOL_SOCKET, SO_LINGER, &hard,
	    sizeof(hard));
	ex->state = EXCHANGE_OVER;
}

void
exchange_write_on(struct exchange *ex)
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
	exchange_wait_io(ex, events);
	if (total != 0)
		wait_for_reader(ex);
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
	if (ex->http.status == 503)
		return "Retry-After: 1\r\n";
	return NULL;
}

void
exchange_respond(struct exchange *ex)
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
	api_output_hold(worker, &ex->http.held, ex->head.len + body->len);
	ex->until_ms =
	    worker->now_ms + WHOLE_MS + (ex->http.held >> 20) * WHOLE_MB_MS;
	wait_for_reader(ex);
	if (!ex->inside)
		exchange_wait_io(ex, EV_WRITE);
}

void
exchange_refuse(struct exchange *ex, int status, enum client_error code,
    const char *why)
{
	if (!ex->running) {
		exchange_take_over(ex);
		buf_init(&ex->http.out, API_ANSWER_MAX);
		ex->http.worker = ex->client->worker;
		ex->running = true;
	}
	buf_clear(&ex->http.out);
	ex->http.status = status;
	if (api_http_error(&ex->http.out, code, why) != 0)
		ex->http.status = 500;
	exchange_respond(ex);
}

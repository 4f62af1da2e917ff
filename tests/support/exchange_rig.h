/*
 * exchange_rig.h - a request to the HTTP API on a real socket, with
 * libwebsockets and the API played by hand.
 *
 * Included by the tests of ws_exchange.c, which is taken in whole.
 */
#ifndef SUPPORT_EXCHANGE_RIG_H
#define SUPPORT_EXCHANGE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/ws_exchange.c"
#include "worker/ws_exchange_check.c"
#include "worker_fixture.h"

static const char *headers[WSI_TOKEN_COUNT];
static struct worker *worker;
static struct client *client;
static int peer; /* the other end */
static bool reading, killed;
static int listener;

/* What the API was asked, and how it answers. */
static struct {
	unsigned runs, releases;
	bool later;
	struct api_http *http;
	char method[16], path[64], args[64], body[64];
	size_t body_len;
	size_t answer_bytes;
} api;

/* ---- libwebsockets ------------------------------------------------------ */

/* clang-format off */
int lws_hdr_total_length(struct lws *wsi, enum lws_token_indexes token)
{ (void)wsi; return headers[token] != NULL ? (int)strlen(headers[token]) : 0; }
void lws_set_timeout(struct lws *wsi, enum pending_timeout reason, int secs)
{ (void)wsi; if (reason != NO_PENDING_TIMEOUT && secs == LWS_TO_KILL_SYNC)
	killed = true; }
int lws_hdr_custom_length(struct lws *wsi, const char *name, int len)
{ (void)wsi; (void)name; (void)len; return -1; }
int lws_rx_flow_control(struct lws *wsi, int enable)
{ (void)wsi; reading = enable != 0; return 0; }
struct ssl_st *lws_get_ssl(struct lws *wsi) { (void)wsi; return NULL; }
int lws_hdr_copy_fragment(struct lws *wsi, char *dest, int size,
    enum lws_token_indexes token, int number)
{ (void)wsi; (void)token; if (number != 0 || api.args[0] == '\0') return -1;
	(void)snprintf(dest, (size_t)size, "%s", api.args);
	return (int)strlen(dest); }

/* clang-format on */

/* As ws_http.c has them. */
int
ws_header(struct lws *wsi, enum lws_token_indexes token, char *value,
    size_t size)
{
	int len = lws_hdr_total_length(wsi, token);

	value[0] = '\0';
	if ((size_t)len >= size)
		return -1;
	if (len != 0)
		memcpy(value, headers[token], (size_t)len + 1);
	return len;
}

const char *
ws_method(struct lws *wsi, char *path, size_t size)
{
	if (ws_header(wsi, WSI_TOKEN_POST_URI, path, size) > 0)
		return "POST";
	if (ws_header(wsi, WSI_TOKEN_HEAD_URI, path, size) > 0)
		return "HEAD";
	return ws_header(wsi, WSI_TOKEN_GET_URI, path, size) > 0 ? "GET" : NULL;
}

int
ws_body_fault(struct lws *wsi, const char **ret_why)
{
	const char *length = headers[WSI_TOKEN_HTTP_CONTENT_LENGTH];

	(void)wsi;
	*ret_why = "a body";
	if (headers[WSI_TOKEN_HTTP_TRANSFER_ENCODING] != NULL)
		return 501;
	if (length != NULL && strspn(length, "0123456789") != strlen(length))
		return 400;
	return length != NULL && strcmp(length, "0") != 0 ? 413 : 0;
}

/* ---- the API ------------------------------------------------------------ */

int
api_http_auth(struct worker *w, const struct api_sender *sender,
    enum client_error *ret_code, const char **ret_why)
{
	(void)w;
	if (sender->is_local && strcmp(sender->host, "localhost") == 0)
		return 0;
	*ret_code = ERR_FORBIDDEN;
	*ret_why = "no";
	return 403;
}

int
api_http_route(const char *method, const char *path, bool *ret_body,
    enum client_error *ret_code, const char **ret_why)
{
	*ret_code = ERR_BAD_REQUEST;
	*ret_why = "another method";
	*ret_body = strcmp(path, "/api/publish") == 0;
	return *ret_body == (strcmp(method, "POST") == 0) ? 0 : 405;
}

static inline void
answer(void)
{
	static const char piece[] = "0123456789";
	struct api_http *http = api.http;

	http->status = 200;
	while (http->out.len < api.answer_bytes)
		assert_int_equal(buf_append(&http->out, piece, 10), 0);
	http->done(http);
}

void
api_http_run(struct api_http *http, struct worker *w,
    const struct api_http_request *request, api_http_done_fn *done, void *arg)
{
	*http = (struct api_http){ .worker = w, .done = done, .arg = arg };
	buf_init(&http->out, API_ANSWER_MAX);
	(void)snprintf(api.path, sizeof(api.path), "%s", request->path);
	(void)snprintf(api.method, sizeof(api.method), "%s", request->method);
	assert_true(request->body_len < sizeof(api.body));
	memcpy(api.body, request->body_len != 0 ? request->body : "",
	    request->body_len);
	api.body[request->body_len] = '\0';
	api.http = http;
	api.runs++;
	if (!api.later)
		answer();
}

void
api_http_release(struct api_http *http)
{
	api.releases++;
	buf_release(&http->out);
}

int
api_http_error(struct buf *out, enum client_error code, const char *why)
{
	(void)code;
	return buf_append(out, why, strlen(why));
}

/* ---- a connection ------------------------------------------------------- */

static inline int
setup(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd;

	worker = fixture_new();
	if (worker == NULL)
		return -1;
	*state = worker;
	memset(headers, 0, sizeof(headers));
	memset(&api, 0, sizeof(api));
	api.answer_bytes = 20;
	killed = false;
	reading = true;
	worker->config->max_body = 1000;
	worker->config->handshake_timeout = 5000;
	worker->config->query_timeout = 2000;
	worker->config->api_output = 64 << 20;
	worker->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	assert_non_null(worker->loop);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len),
	    0);
	peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer, (struct sockaddr *)&sin, len), 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	client = fixture_accept(worker);
	assert_non_null(client);
	client->fd = fd;
	headers[WSI_TOKEN_HOST] = "localhost";
	return 0;
}

static inline int
teardown(void **state)
{
	int fd = client->fd;

	ws_exchange_free(client);
	assert_null(client->exchange);
	ws_exchange_free(client); /* nothing to do */
	fixture_gone(client);
	(void)close(fd);
	(void)close(peer);
	(void)close(listener);
	ev_loop_destroy(worker->loop);
	return fixture_teardown(state);
}

static inline int
begin(void)
{
	return ws_exchange_start(client, client->wsi);
}

static inline void
posts(const char *length)
{
	headers[WSI_TOKEN_POST_URI] = "/api/publish";
	headers[WSI_TOKEN_HTTP_CONTENT_LENGTH] = length;
	headers[WSI_TOKEN_HTTP_CONTENT_TYPE] = "application/json";
}

/* Turn the loop until the connection is killed, or n times. */
static inline void
turn(unsigned n)
{
	for (; n > 0 && !killed; n--)
		(void)ev_run(worker->loop, EVRUN_ONCE);
}

/* What has arrived at the other end; its length. */
static inline size_t
received(char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(peer, text + len, size - 1 - len, MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return len;
}

static inline void
assert_received(const char *status, const char *body)
{
	char text[4096], line[32];

	(void)received(text, sizeof(text));
	(void)snprintf(line, sizeof(line), "HTTP/1.1 %s ", status);
	if (strncmp(text, line, strlen(line)) != 0)
		fail_msg("no %s: %s", status, text);
	assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
	assert_string_equal(strstr(text, "\r\n\r\n") + 4, body);
	assert_true(client->answered);
	assert_false(reading);
}

#endif /* SUPPORT_EXCHANGE_RIG_H */

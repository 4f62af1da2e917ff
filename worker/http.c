/*
 * http.c - see http.h.
 *
 * A request is looked up in one table of routes; what is in none of them is an
 * address of the bus, so a plain request for it is told to upgrade.  Each
 * route makes a struct response (status, type, body); respond() alone writes
 * header lines.
 *
 * Nothing in here blocks, logs, or keeps a pointer beyond the call.
 */
#include "worker/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "worker/http_asset.h"
#include "worker/metrics.h"

enum {
	HEAD_MAX = 1024
};

#define PLAIN    "text/plain; charset=utf-8"
#define NO_STORE "Cache-Control: no-store\r\n"

struct response {
	int status;
	const char *type;
	const char *extra;  /* header lines, each with its CRLF */
	const char *extra2; /* more of them */
	const void *body;
	size_t len;
};

/* Fills in *res.  A body that has to be made goes into made. */
typedef int route_fn(const struct http_context *ctx,
    const struct http_request *req, struct buf *made, struct response *res);

static const struct status {
	int code;
	const char *text;
} statuses[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char *
status_text(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].code == code)
			return statuses[i].text;
	return NULL;
}

/* Append the head; node may be NULL. */
static int
put_head(struct buf *out, const struct response *res, const char *node)
{
	unsigned char *room;
	int err, n;

	room = buf_reserve(out, HEAD_MAX, &err);
	if (room == NULL)
		return err;
	n = snprintf((char *)room, HEAD_MAX,
	    "HTTP/1.1 %d %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n"
	    "Connection: close%s\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "%s%s%s%s%s\r\n",
	    res->status, status_text(res->status), res->type, res->len,
	    res->status == 426 ? ", Upgrade" : "",
	    res->extra != NULL ? res->extra : "",
	    res->extra2 != NULL ? res->extra2 : "",
	    node != NULL ? "Clusterbus-Node: " : "", node != NULL ? node : "",
	    node != NULL ? "\r\n" : "");
	if (n < 0 || n >= HEAD_MAX)
		return -ENOBUFS;
	buf_commit(out, (size_t)n);
	return 0;
}

/* Append the response; with_body is false for HEAD. */
static int
respond(struct buf *out, const struct response *res, const char *node,
    bool with_body)
{
	size_t before = out->len;
	int err = put_head(out, res, node);

	if (err == 0 && with_body && res->len != 0)
		err = buf_append(out, res->body, res->len);
	if (err != 0)
		out->len = before;
	return err;
}

int
http_json_head(int status, size_t len, const char *node, const char *extra,
    struct buf *out)
{
	struct response res = {
		.status = status_text(status) != NULL ? status : 500,
		.type = "application/json",
		.extra = NO_STORE,
		.extra2 = extra,
		.len = len,
	};

	return put_head(out, &res, node);
}

static void
say(struct response *res, int status, const char *text)
{
	res->status = status;
	res->type = PLAIN;
	res->extra = NO_STORE;
	res->body = text;
	res->len = strlen(text);
}

static int
route_health(const struct http_context *ctx, const struct http_request *req,
    struct buf *made, struct response *res)
{
	(void)req;
	(void)made;
	if (ctx->draining)
		say(res, 503, "draining\n");
	else
		say(res, 200, "ok\n");
	return 0;
}

static int
route_ready(const struct http_context *ctx, const struct http_request *req,
    struct buf *made, struct response *res)
{
	(void)req;
	(void)made;
	if (ctx->draining)
		say(res, 503, "draining\n");
	else if (!ctx->ready)
		say(res, 503, "not ready: this worker is starting\n");
	else if (!ctx->hub_connected)
		say(res, 503, "not ready: the hub is away\n");
	else
		say(res, 200, "ready\n");
	return 0;
}

static int
route_metrics(const struct http_context *ctx, const struct http_request *req,
    struct buf *made, struct response *res)
{
	int err;

	(void)req;
	err = metrics_write(ctx->page, ctx->slot, ctx->now_ms, made);
	if (err != 0)
		return err;
	say(res, 200, "");
	res->type = "text/plain; version=0.0.4; charset=utf-8";
	res->body = buf_data(made);
	res->len = made->len;
	return 0;
}

static int
route_asset(const struct http_context *ctx, const struct http_request *req,
    struct buf *made, struct response *res)
{
	const struct http_asset *asset;

	(void)ctx;
	(void)made;
	asset = http_asset_find(req->path, req->path_len);
	res->status = 200;
	res->type = asset->type;
	res->extra2 = asset->extra;
	if (req->accepts_gzip) {
		res->extra = "Cache-Control: no-cache\r\n"
			     "Vary: Accept-Encoding\r\n"
			     "Content-Encoding: gzip\r\n";
		res->body = asset->gzip;
		res->len = (size_t)(asset->gzip_end - asset->gzip);
	} else {
		res->extra = "Cache-Control: no-cache\r\n"
			     "Vary: Accept-Encoding\r\n";
		res->body = asset->plain;
		res->len = (size_t)(asset->plain_end - asset->plain);
	}
	return 0;
}

static int
route_bus(const struct http_context *ctx, const struct http_request *req,
    struct buf *made, struct response *res)
{
	(void)ctx;
	(void)req;
	(void)made;
	say(res, 426,
	    "This is an address of the bus: connect with a WebSocket "
	    "(subprotocol clusterbus.v1).\n"
	    "For browsers: / is a page, /bus.js the client library.\n");
	res->extra2 = "Upgrade: websocket\r\n";
	return 0;
}

static const struct route {
	const char *path;
	route_fn *answer;
} routes[] = {
	{ "/health", route_health },
	{ "/ready", route_ready },
	{ "/metrics", route_metrics },
};

static const struct route asset_route = { "", route_asset };
static const struct route bus_route = { "", route_bus };

static const struct route *
route_find(const char *path, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (strlen(routes[i].path) == len &&
		    memcmp(path, routes[i].path, len) == 0)
			return &routes[i];
	}
	if (http_asset_find(path, len) != NULL)
		return &asset_route;
	return &bus_route;
}

static size_t
path_length(const char *path, size_t len)
{
	const char *query = len != 0 ? memchr(path, '?', len) : NULL;

	return query != NULL ? (size_t)(query - path) : len;
}

int
http_answer(const struct http_context *ctx, const struct http_request *request,
    struct buf *out, int *ret_status)
{
	struct http_request req = *request;
	struct response res = { .status = 500 };
	bool is_head = strcmp(req.method, "HEAD") == 0;
	const struct route *route;
	struct buf made;
	int err = 0;

	buf_init(&made, HTTP_RESPONSE_MAX - HEAD_MAX);
	req.path_len = path_length(req.path, req.path_len);
	route = route_find(req.path, req.path_len);
	if (is_head || strcmp(req.method, "GET") == 0) {
		err = route->answer(ctx, &req, &made, &res);
	} else {
		say(&res, 405, "only GET and HEAD here\n");
		res.extra2 = "Allow: GET, HEAD\r\n";
	}
	if (err == 0)
		err = respond(out, &res, ctx->node, !is_head);
	if (err == 0)
		*ret_status = res.status;
	buf_release(&made);
	return err;
}

int
http_refuse(int status, const char *why, struct buf *out)
{
	struct response res = { .status = 500 };
	char text[256];

	if (status < 400 || status_text(status) == NULL)
		status = 500;
	(void)snprintf(text, sizeof(text), "%s\n", why); /* may be cut */
	say(&res, status, text);
	if (status == 405)
		res.extra2 = "Allow: GET, HEAD\r\n";
	else if (status == 426)
		res.extra2 = "Upgrade: websocket\r\n";
	return respond(out, &res, NULL, true);
}

bool
http_is_api(const char *path, size_t len)
{
	static const char api[] = "/api";

	return len >= sizeof(api) - 1 &&
	    memcmp(path, api, sizeof(api) - 1) == 0 &&
	    (len == sizeof(api) - 1 || path[sizeof(api) - 1] == '/');
}

bool
http_is_reserved(const char *path, size_t len)
{
	len = path_length(path, len);
	if (len == 1 && path[0] == '/')
		return false;
	return http_is_api(path, len) || route_find(path, len) != &bus_route;
}

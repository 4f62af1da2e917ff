/*
 * http.h - what a worker answers to plain HTTP requests, the API apart.
 *
 * Pure functions: a request and the worker's state in, the bytes of one whole
 * response out.  No sockets and no libwebsockets here; ws.c reads the request
 * and sends the answer.
 *
 * Each response ends its connection ("Connection: close") and is meant for a
 * single write: nothing may be left unsent while the client can still send, or
 * libwebsockets spins.  So everything stays within HTTP_SMALL_MAX, except
 * /metrics of a bus with many workers (HTTP_RESPONSE_MAX; 2 to 5 kB for each
 * worker).
 */
#ifndef WORKER_HTTP_H
#define WORKER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

enum {
	HTTP_SMALL_MAX = 48 * 1024, /* a new socket takes more at once */
	HTTP_RESPONSE_MAX = 2 * 1024 * 1024, /* the out buf's maximum */
};

struct stats_page;

struct http_request {
	const char *method; /* "GET"; exactly as sent */
	const char *path;   /* need not end in NUL; from '?' on it is ignored */
	size_t path_len;
	bool accepts_gzip; /* see http_accepts_gzip() */
};

struct http_context {
	const struct stats_page *page; /* borrowed; for /metrics only */
	const char *node; /* this worker's node id; NULL: it has none yet */
	uint32_t slot;
	uint64_t now_ms; /* clock_now_ms() */
	bool ready;      /* clients are accepted */
	bool draining;
	bool hub_connected;
};

/*
 * Append the whole response to req to out.  0 and *ret_status (200 to 599); or
 * -ENOMEM or -ENOBUFS of out, then out is as it was and the connection should
 * be closed.
 */
WARN_UNUSED int http_answer(const struct http_context *ctx,
    const struct http_request *req, struct buf *out, int *ret_status);

/*
 * Append a whole response that refuses a request before its path is looked at:
 * status is one of 400 401 403 404 405 408 411 413 417 426 429 431 500 501 503
 * (another one is sent as 500), why one line for people.  0, -ENOMEM or
 * -ENOBUFS.
 */
WARN_UNUSED int http_refuse(int status, const char *why, struct buf *out);

/*
 * Append the head of a response whose JSON body has len bytes and is written by
 * the caller.  extra: more header lines, each with its CRLF; may be NULL, as
 * node may.  0, -ENOMEM or -ENOBUFS.
 */
WARN_UNUSED int http_json_head(int status, size_t len, const char *node,
    const char *extra, struct buf *out);

/* Is it a path of the HTTP API (api_http.h)? */
bool http_is_api(const char *path, size_t len);

/*
 * Does the path belong to HTTP?  Then it is no place for a WebSocket.  "/" is
 * for both: a page for a browser and a WebSocket for who asks for one.
 */
bool http_is_reserved(const char *path, size_t len);

/* Does the value of an Accept-Encoding header allow gzip? */
bool http_accepts_gzip(const char *value, size_t len);

#endif /* WORKER_HTTP_H */

/*
 * api_http.h - the HTTP API: what a back-end in any language can ask for.
 *
 *	POST /api/publish, /api/emit, /api/notify, /api/kick,
 *	     /api/rooms/NAME/add, /api/rooms/NAME/remove
 *	GET  /api/status, /api/clients, /api/topics, /api/rooms, /api/users,
 *	     /api/presence/topic|room|user/NAME, /api/why/CONN
 *
 * A request comes in whole, its answer is JSON and comes at once, or when the
 * workers that were asked have answered.  No sockets and no libwebsockets
 * here: ws_exchange.c reads requests and writes answers.  Who may ask is
 * decided in api_http_auth.c.
 */
#ifndef WORKER_API_HTTP_H
#define WORKER_API_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "worker/errors.h"

struct api_ask;
struct api_http;
struct worker;

enum {
	API_ANSWER_MAX = 64 << 20, /* bytes; what does not fit is cut */
	API_BATCH_MAX = 1000,      /* messages in one publish */
};

struct api_http_request {
	const char *method; /* exactly as sent */
	const char *path;   /* decoded, without the query */
	const char *args;   /* the query's, decoded, each "a=b" and a NUL */
	size_t args_len;
	const char *body; /* whole; NULL when body_len is 0 */
	size_t body_len;
};

/* The answer is there: status and out. */
typedef void api_http_done_fn(struct api_http *http);

/* A request and its answer; lives where the caller likes. */
struct api_http {
	struct worker *worker;
	api_http_done_fn *done;
	void *arg; /* the caller's */
	int status;
	struct buf out;      /* JSON */
	size_t held;         /* counted in worker->api_output */
	struct api_ask *ask; /* owned; NULL unless workers are being asked */
};

/*
 * Handle a request: done() is called in here, or later.  The request is
 * borrowed for this call only.
 */
void api_http_run(struct api_http *http, struct worker *worker,
    const struct api_http_request *request, api_http_done_fn *done, void *arg);

/* Forget the request; done() is not called any more. */
void api_http_release(struct api_http *http);

/*
 * May this method be used on this path?  0: yes; or the status and, in *ret_code
 * and *ret_why, what to say.  *ret_body says whether it is POST that must be
 * used there, with a body; else it is GET or HEAD.  Asked before a body is
 * read.
 */
int api_http_route(const char *method, const char *path, bool *ret_body,
    enum client_error *ret_code, const char **ret_why);

/* Append the JSON of an error, {"code","message"}; 0, -ENOMEM. */
WARN_UNUSED int api_http_error(struct buf *out, enum client_error code,
    const char *why);

#endif /* WORKER_API_HTTP_H */

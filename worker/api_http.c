/*
 * api_http.c - see api_http.h: which request is whose, and how answers end.
 */
#include "worker/api_http.h"

#include <errno.h>
#include <string.h>

#include "worker/api_http_internal.h"
#include "worker/json_row.h"
#include "worker/state.h"

static const char *const error_names[] = {
#define X(code, meaning) #code,
	CLIENT_ERRORS(X)
#undef X
};

static const struct route {
	const char *path;
	bool prefix; /* all that begins with it, and is longer */
	bool post;
	api_route_fn *run;
} routes[] = {
	{ "/api/publish", false, true, api_publish },
	{ "/api/emit", false, true, api_emit },
	{ "/api/notify", false, true, api_notify },
	{ "/api/kick", false, true, api_kick },
	{ "/api/rooms/", true, true, api_rooms },
	{ "/api/status", false, false, api_status },
	{ "/api/clients", false, false, api_list_clients },
	{ "/api/topics", false, false, api_list_topics },
	{ "/api/rooms", false, false, api_list_rooms },
	{ "/api/users", false, false, api_list_users },
	{ "/api/presence/", true, false, api_presence },
	{ "/api/why/", true, false, api_why },
};

static const struct route *
find(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		size_t len = strlen(routes[i].path);

		if (routes[i].prefix ?
			strncmp(path, routes[i].path, len) == 0 &&
			    path[len] != '\0' :
			strcmp(path, routes[i].path) == 0)
			return &routes[i];
	}
	return NULL;
}

int
api_http_route(const char *method, const char *path, bool *ret_body,
    enum client_error *ret_code, const char **ret_why)
{
	const struct route *route = find(path);

	*ret_body = route != NULL && route->post;
	if (route == NULL) {
		*ret_code = ERR_NOT_FOUND;
		*ret_why = "the API has no such path";
		return 404;
	}
	*ret_code = ERR_BAD_REQUEST;
	if (route->post) {
		*ret_why = "only POST here";
		return strcmp(method, "POST") == 0 ? 0 : 405;
	}
	*ret_why = "only GET and HEAD here";
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ? 0 :
									   405;
}

const char *
api_http_code(enum client_error code)
{
	return error_names[code];
}

int
api_http_error(struct buf *out, enum client_error code, const char *why)
{
	struct row row;

	row_start(&row, out);
	row_text(&row, "code", error_names[code]);
	row_text(&row, "message", why);
	return row_end(&row);
}

static void
finish(struct api_http *http, int status)
{
	http->status = status;
	http->done(http);
}

void
api_http_fail(struct api_http *http, int status, enum client_error code,
    const char *why)
{
	buf_clear(&http->out);
	if (api_http_error(&http->out, code, why) != 0)
		status = 500; /* no memory: without a body */
	finish(http, status);
}

void
api_http_ok(struct api_http *http)
{
	finish(http, 200);
}

int
api_http_errno(int err, enum client_error *ret_code, const char **ret_why)
{
	static const struct {
		int err, status;
		enum client_error code;
		const char *why;
	} known[] = {
		{ -EINVAL, 400, ERR_BAD_REQUEST,
		    "a name or the data is not what it must be" },
		{ -EMSGSIZE, 413, ERR_TOO_LARGE, "the data is too large" },
		{ -ENOENT, 404, ERR_NOT_FOUND,
		    "the contract declares nothing of that name here" },
		{ -EPROTO, 422, ERR_VALIDATION,
		    "the data does not fit the contract" },
		{ -ENOBUFS, 503, ERR_INTERNAL, "the queue to the hub is full" },
		{ -EBUSY, 429, ERR_RATE_LIMITED,
		    "too many questions are under way" },
		{ -EPIPE, 503, ERR_DISCONNECTED, "the hub is away" },
		{ -ENOMEM, 500, ERR_INTERNAL, "out of memory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].err == err) {
			*ret_code = known[i].code;
			*ret_why = known[i].why;
			return known[i].status;
		}
	}
	*ret_code = ERR_INTERNAL;
	*ret_why = "it could not be done";
	return 500;
}

void
api_http_run(struct api_http *http, struct worker *worker,
    const struct api_http_request *request, api_http_done_fn *done, void *arg)
{
	const struct route *route = find(request->path);
	struct api_call call = { .http = http, .request = request };
	enum client_error code;
	const char *why;
	bool body;
	int status;

	*http = (struct api_http){ .worker = worker, .done = done, .arg = arg };
	buf_init(&http->out, API_ANSWER_MAX);
	status =
	    api_http_route(request->method, request->path, &body, &code, &why);
	if (status != 0) {
		api_http_fail(http, status, code, why);
		return;
	}
	call.rest = request->path + strlen(route->path);
	route->run(&call);
}

void
api_http_release(struct api_http *http)
{
	api_ask_free(http);
	buf_release(&http->out);
	if (http->held != 0)
		api_output_hold(http->worker, &http->held, 0);
}

/*
 * api_http_internal.h - shared by worker/api_http*.c only.
 */
#ifndef WORKER_API_HTTP_INTERNAL_H
#define WORKER_API_HTTP_INTERNAL_H

#include "base/json.h"
#include "wire/ipc_proto.h"
#include "wire/query.h"
#include "worker/api_http.h"

enum {
	/* A decoded name with its NUL; longer ones are no names. */
	API_TEXT_MAX = 512,
	API_MEMBERS_MAX = 16,
};

/* A string of the request, decoded, '\0'-terminated. */
struct api_text {
	bool given;
	size_t len;
	char text[API_TEXT_MAX];
};

/* ---- api_http.c ---- */

/* The answer is an error, or what stands in http->out already. */
void api_http_fail(struct api_http *http, int status, enum client_error code,
    const char *why);
void api_http_ok(struct api_http *http);

/* "BAD_REQUEST" and so on. */
const char *api_http_code(enum client_error code);

/* The status and code for what a call of bus.h returned (not 0). */
int api_http_errno(int err, enum client_error *ret_code, const char **ret_why);

/* ---- api_http_body.c ---- */

/* What members a body may have, and where their values go. */
struct api_member {
	const char *key;

	enum {
		API_TEXT,   /* a string: struct api_text */
		API_SPAN,   /* any JSON: struct json_span */
		API_BOOL,   /* bool */
		API_NUMBER, /* whole, 0 to 99999: uint32_t */
	} type;

	void *value;
};

/*
 * Read an object.  0; or -EINVAL, then *ret_why says what is wrong (static
 * text).  A member that is not in the table is a mistake: one that is misspelt
 * must not be passed over.
 */
WARN_UNUSED int api_body_read(const char *text, size_t len,
    const struct api_member *members, size_t count, const char **ret_why);

/*
 * The next element of an array's text, which has been checked to be JSON.
 * *at begins at NULL.  False: there is none, or it is no array.
 */
bool api_array_next(struct json_span array, const char **at,
    struct json_span *ret_element);

/*
 * The argument of this name (struct api_http_request, args).  0, given or not;
 * or -EINVAL: too long, or not UTF-8.
 */
WARN_UNUSED int api_args_find(const struct api_http_request *request,
    const char *name, struct api_text *ret_text);

/* A name of a topic and so on: 0; or -EINVAL and why (static text). */
WARN_UNUSED int api_check_name(const struct api_text *name, size_t max,
    const char **ret_why);

/* ---- what routes do; rest is the path behind the route's own ---- */

struct api_call {
	struct api_http *http;
	const struct api_http_request *request;
	const char *rest; /* '\0'-terminated */
};

/* Handles the request: answers, or asks the workers. */
typedef void api_route_fn(const struct api_call *call);

/* api_http_push.c */
api_route_fn api_publish, api_emit, api_notify;

/* api_http_deed.c */
api_route_fn api_kick, api_rooms;

/* api_http_list.c */
api_route_fn api_list_clients, api_list_topics, api_list_rooms, api_list_users,
    api_presence, api_why;

/* api_http_status.c */
api_route_fn api_status;

/* ---- api_http_ask.c ---- */

/* What is made of the rows. */
enum api_rows {
	API_ROWS,  /* "rows": all of them */
	API_MERGE, /* the same, those of one name added up */
	API_COUNT, /* "count" and "rows" */
	API_SUM,   /* "ok" and the sum under its name ("kicked") */
	API_ONE,   /* "rows"; none: NOT_FOUND */
};

/*
 * Ask the workers; the answer is made when they have answered.  sum is the
 * name of the number to add up (API_SUM).
 */
void api_ask(struct api_http *http, enum query_kind kind, uint16_t slot,
    const struct query_args *args, enum api_rows rows, const char *sum);

/* Forget the question and free it; NULL is allowed. */
void api_ask_free(struct api_http *http);

/* ---- api_http_merge.c ---- */

/*
 * Add up rows, each {"NAME":..., ...numbers}: those whose strings are the same
 * become one whose numbers are the sums.  rows is replaced.  0 or -ENOMEM.
 */
WARN_UNUSED int api_merge(struct buf *rows, size_t *ret_count);

#endif /* WORKER_API_HTTP_INTERNAL_H */

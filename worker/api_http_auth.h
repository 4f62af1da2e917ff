/*
 * api_http_auth.h - who may use the HTTP API.
 *
 * With keys (--jwt-key): whose token is valid and has the role --api-role.
 *
 * Without: programs of this host, which is the same trust as the hub socket
 * has, less the user.  A browser on this host runs pages of strangers, so a
 * request is refused that
 *  - has an Origin header that is not allowed by --allowed-origin: a page that
 *    posts to localhost says where it is from;
 *  - names another host than this one: a page whose own name was made to mean
 *    127.0.0.1 sends no Origin to "itself";
 *  - was forwarded by a proxy, which stands on this host for anybody.  One that
 *    says nothing of it (nginx, unless told to) looks like a program: behind
 *    such a proxy there must be keys.
 * A body's type must be application/json for the same reason: a form cannot
 * send that.
 *
 * When an application says who clients are and there are no keys, nobody may.
 */
#ifndef WORKER_API_HTTP_AUTH_H
#define WORKER_API_HTTP_AUTH_H

#include <stdbool.h>

#include "worker/errors.h"

struct worker;

/* What the request says of who sends it; "" where there is no such header. */
struct api_sender {
	bool is_local; /* its address is a loopback address */
	bool is_forwarded;
	const char *authorization;
	const char *origin;
	const char *host;
};

/* 0: it may; 401 or 403 with what to say. */
int api_http_auth(struct worker *worker, const struct api_sender *sender,
    enum client_error *ret_code, const char **ret_why);

#endif /* WORKER_API_HTTP_AUTH_H */

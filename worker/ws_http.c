/*
 * ws_http.c - a request that is answered as such; see ws_upgrade.c for others.
 *
 * Guards:
 *  - A second request in the packet of a first one makes libwebsockets 4.1.6
 *    spin for ever.  So each connection gets one answer, "Connection: close",
 *    and its end; that happens in FILTER_HTTP_CONNECTION, before a body could
 *    be read.  Only requests to the HTTP API go on: to ws_exchange.c.
 *  - Lengths and encodings of bodies are not checked there; here a request
 *    with a body gets an error, whatever the length says.
 */
#include <string.h>

#include "base/log.h"
#include "worker/http.h"
#include "worker/link.h"
#include "worker/ws_internal.h"

/* Method and the header token that holds the path. */
static const struct {
	const char *method;
	enum lws_token_indexes token;
} methods[] = {
	{ "GET", WSI_TOKEN_GET_URI },
	{ "HEAD", WSI_TOKEN_HEAD_URI },
	{ "POST", WSI_TOKEN_POST_URI },
	{ "PUT", WSI_TOKEN_PUT_URI },
	{ "PATCH", WSI_TOKEN_PATCH_URI },
	{ "DELETE", WSI_TOKEN_DELETE_URI },
	{ "OPTIONS", WSI_TOKEN_OPTIONS_URI },
};

int
ws_header(struct lws *wsi, enum lws_token_indexes token, char *value,
    size_t size)
{
	value[0] = '\0';
	if (lws_hdr_total_length(wsi, token) == 0)
		return 0;
	return lws_hdr_copy(wsi, value, (int)size, token);
}

const char *
ws_method(struct lws *wsi, char *path, size_t size)
{
	int len;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		len = ws_header(wsi, methods[i].token, path, size);
		if (len != 0)
			return len > 0 ? methods[i].method : NULL;
	}
	return NULL;
}

/* Write a whole response.  Always -1: the connection ends. */
static int
send_response(struct client *client, struct lws *wsi, struct buf *response,
    int status)
{
	struct stats_worker *stats = client->worker->stats;

	client->answered = true;
	stats_add(&stats->http_requests, 1);
	if (status >= 400)
		stats_add(&stats->http_errors, 1);
	if (response->len != 0 &&
	    lws_write(wsi, buf_data(response), response->len, LWS_WRITE_HTTP) <
		0)
		log_debug("an HTTP answer could not be written");
	buf_release(response);
	return -1;
}

int
ws_refuse(struct client *client, struct lws *wsi, int status, const char *why)
{
	struct buf response;

	buf_init(&response, HTTP_RESPONSE_MAX);
	if (http_refuse(status, why, &response) != 0)
		buf_clear(&response); /* no memory: hang up without a word */
	return send_response(client, wsi, &response, status);
}

int
ws_body_fault(struct lws *wsi, const char **ret_why)
{
	char value[VALUE_MAX];
	int len;

	*ret_why = "requests have no body here";
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) != 0) {
		*ret_why = "no transfer encoding is understood here";
		return 501;
	}
	len =
	    ws_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, value, sizeof(value));
	if (len == 0)
		return 0;
	if (len < 0 || strspn(value, "0123456789") != (size_t)len) {
		*ret_why = "the Content-Length is not a number";
		return 400;
	}
	return strspn(value, "0") == (size_t)len ? 0 : 413;
}

int
ws_http_request(struct client *client, struct lws *wsi)
{
	struct worker *worker = client->worker;
	struct http_context ctx = {
		.page = worker->page,
		.node = worker->node,
		.slot = worker->id.slot,
		.now_ms = worker->now_ms,
		.ready = worker->ready && !worker->drain.active,
		.draining = worker->drain.active,
		.hub_connected = link_state(worker->link) == LINK_UP,
	};
	char path[PATH_MAX_BYTES], accept[VALUE_MAX];
	struct http_request request = { .path = path };
	const char *why;
	struct buf response;
	int status, len;

	request.method = ws_method(wsi, path, sizeof(path));
	if (request.method == NULL)
		return ws_refuse(client, wsi, 400, "the path is too long");
	request.path_len = strlen(path);
	if (http_is_api(path, request.path_len))
		return 0;
	status = ws_body_fault(wsi, &why);
	if (status != 0)
		return ws_refuse(client, wsi, status, why);
	len = ws_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, accept,
	    sizeof(accept));
	request.accepts_gzip =
	    len > 0 && http_accepts_gzip(accept, (size_t)len);
	buf_init(&response, HTTP_RESPONSE_MAX);
	if (http_answer(&ctx, &request, &response, &status) != 0) {
		buf_clear(&response);
		status = 500;
	}
	return send_response(client, wsi, &response, status);
}

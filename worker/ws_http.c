/*
 * ws_http.c - a connection before it is a WebSocket, or instead.
 *
 * Guards:
 *  - A second request in the packet of a first one makes libwebsockets 4.1.6
 *    spin for ever.  So each connection gets one answer, "Connection: close",
 *    and its end; that happens in FILTER_HTTP_CONNECTION, before a body could
 *    be read.
 *  - "Upgrade: foo" reads freed memory: upgrades other than websocket end here,
 *    which refuses HTTP/2 over plain text as well.
 *  - Lengths and encodings of bodies are not checked there; here a request
 *    with a body gets an error, whatever the length says.
 *  - An unknown subprotocol would be hung up on without a word, and any
 *    version of the protocol be taken for 13.
 */
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "worker/http.h"
#include "worker/link.h"
#include "worker/ws_internal.h"

enum {
	VALUE_MAX = 1024,
	PATH_MAX_BYTES = 4096,
	LIST_MAX = 4096
};

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

/* Copy a header's value; its length, 0: not there, -1: too long. */
static int
header(struct lws *wsi, enum lws_token_indexes token, char *value, size_t size)
{
	value[0] = '\0';
	if (lws_hdr_total_length(wsi, token) == 0)
		return 0;
	return lws_hdr_copy(wsi, value, (int)size, token);
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

static int
refuse(struct client *client, struct lws *wsi, int status, const char *why)
{
	struct buf response;

	buf_init(&response, HTTP_RESPONSE_MAX);
	if (http_refuse(status, why, &response) != 0)
		buf_clear(&response); /* no memory: hang up without a word */
	return send_response(client, wsi, &response, status);
}

/* What is wrong with the request's body; 0: there is none. */
static int
body_fault(struct lws *wsi, const char **ret_why)
{
	char value[VALUE_MAX];
	int len;

	*ret_why = "requests have no body here";
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) != 0) {
		*ret_why = "no transfer encoding is understood here";
		return 501;
	}
	len = header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, value, sizeof(value));
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
	int status, len = -1;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		len = header(wsi, methods[i].token, path, sizeof(path));
		request.method = methods[i].method;
		if (len != 0)
			break;
	}
	if (len <= 0)
		return refuse(client, wsi, 400, "the path is too long");
	status = body_fault(wsi, &why);
	if (status != 0)
		return refuse(client, wsi, status, why);
	request.path_len = (size_t)len;
	len =
	    header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, accept, sizeof(accept));
	request.accepts_gzip =
	    len > 0 && http_accepts_gzip(accept, (size_t)len);
	buf_init(&response, HTTP_RESPONSE_MAX);
	if (http_answer(&ctx, &request, &response, &status) != 0) {
		buf_clear(&response);
		status = 500;
	}
	return send_response(client, wsi, &response, status);
}

/* Does the list of offered subprotocols have one of ours? */
static bool
offers_ours(const char *list)
{
	size_t len;

	while (*list != '\0') {
		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if ((len == strlen(WS_PROTOCOL) &&
			strncmp(list, WS_PROTOCOL, len) == 0) ||
		    (len == strlen(WS_PROTOCOL_BINARY) &&
			strncmp(list, WS_PROTOCOL_BINARY, len) == 0))
			return true;
		list += len;
	}
	return false;
}

int
ws_http_upgrade(struct client *client, struct lws *wsi)
{
	char value[LIST_MAX], path[PATH_MAX_BYTES];
	const char *why;
	int len, status;

	if (header(wsi, WSI_TOKEN_UPGRADE, value, sizeof(value)) <= 0 ||
	    strcasecmp(value, "websocket") != 0)
		return -1;
	status = body_fault(wsi, &why);
	if (status != 0) {
		(void)refuse(client, wsi, status, why);
		return 1;
	}
	len = header(wsi, WSI_TOKEN_GET_URI, path, sizeof(path));
	if (len < 0) {
		(void)refuse(client, wsi, 400, "the path is too long");
		return 1;
	}
	if (len == 0) {
		(void)refuse(client, wsi, 405, "only GET can be upgraded");
		return 1;
	}
	if (http_is_reserved(path, (size_t)len)) {
		(void)refuse(client, wsi, 404, "this path is no WebSocket");
		return 1;
	}
	if (header(wsi, WSI_TOKEN_VERSION, value, sizeof(value)) <= 0 ||
	    strcmp(value, "13") != 0) {
		(void)refuse(client, wsi, 426, "only version 13 is spoken");
		return 1;
	}
	len = header(wsi, WSI_TOKEN_PROTOCOL, value, sizeof(value));
	if (len < 0) {
		(void)refuse(client, wsi, 431,
		    "the list of subprotocols is too long");
		return 1;
	}
	if (len > 0 && !offers_ours(value)) {
		(void)refuse(client, wsi, 400,
		    "none of the subprotocols is spoken here: " WS_PROTOCOL
		    ", " WS_PROTOCOL_BINARY);
		return 1;
	}
	return 0;
}

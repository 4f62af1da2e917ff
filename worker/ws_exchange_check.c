/*
 * ws_exchange_check.c - may a request to the HTTP API be?  Decided by its
 * headers, before its body is read.
 */
#include <string.h>
#include <strings.h>

#include "base/net.h"
#include "worker/api_http_auth.h"
#include "worker/ws_exchange_internal.h"

/* Did a proxy send it?  One that says nothing of it cannot be known. */
static bool
is_forwarded(struct lws *wsi)
{
	static const char forwarded[] = "forwarded:";

	return lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) != 0 ||
	    lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_X_REAL_IP) != 0 ||
	    lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_VIA) != 0 ||
	    lws_hdr_custom_length(wsi, forwarded, sizeof(forwarded) - 1) > 0;
}

/* May its sender use the API?  As api_http_auth(). */
static int
check_sender(struct exchange *ex, enum client_error *ret_code,
    const char **ret_why)
{
	struct net_address address = { .len = sizeof(address.sa) };
	char origin[VALUE_MAX], host[VALUE_MAX], authorization[LIST_MAX];
	struct api_sender sender = {
		.authorization = authorization,
		.origin = origin,
		.host = host,
	};
	struct lws *wsi = ex->wsi;

	*ret_code = ERR_BAD_REQUEST;
	*ret_why = "a header is too long";
	if (ws_header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin)) < 0 ||
	    ws_header(wsi, WSI_TOKEN_HOST, host, sizeof(host)) < 0 ||
	    ws_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, authorization,
		sizeof(authorization)) < 0)
		return 431;
	sender.is_forwarded = is_forwarded(wsi);
	sender.is_local =
	    getpeername(ex->client->fd, (struct sockaddr *)&address.sa,
		&address.len) == 0 &&
	    net_is_loopback(&address);
	return api_http_auth(ex->client->worker, &sender, ret_code, ret_why);
}

/* What is wrong with the body that is announced?  0: ex->length bytes come. */
static int
check_body(struct exchange *ex, enum client_error *ret_code,
    const char **ret_why)
{
	static const char json[] = "application/json";
	uint64_t max = ex->client->worker->config->max_body, length = 0;
	char value[VALUE_MAX];
	int len, status;

	*ret_code = ERR_BAD_REQUEST;
	status = ws_body_fault(ex->wsi, ret_why);
	if (status != 0 && status != 413)
		return status;
	len = ws_header(ex->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, value,
	    sizeof(value));
	if (len == 0) {
		*ret_why = "a Content-Length is needed";
		return 411;
	}
	for (const char *at = value; *at != '\0' && length <= max; at++)
		length = length * 10 + (uint64_t)(*at - '0');
	if (length > max) {
		*ret_code = ERR_TOO_LARGE;
		*ret_why = "the body is larger than --max-body";
		return 413;
	}
	len = ws_header(ex->wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, value,
	    sizeof(value));
	if (len < (int)strlen(json) ||
	    strncasecmp(value, json, strlen(json)) != 0 ||
	    strchr("; \t", value[strlen(json)]) == NULL) {
		*ret_why = "the Content-Type must be application/json";
		return 415;
	}
	ex->length = (size_t)length;
	return 0;
}

int
exchange_check(struct exchange *ex, enum client_error *ret_code,
    const char **ret_why)
{
	int status = check_sender(ex, ret_code, ret_why);

	if (status != 0)
		return status;
	status = api_http_route(ex->method, ex->path, &ex->is_post, ret_code,
	    ret_why);
	if (status != 0)
		return status;
	if (!api_output_has_room(ex->client->worker, 1)) {
		stats_add(&ex->client->worker->stats->api_refused, 1);
		*ret_code = ERR_RATE_LIMITED;
		*ret_why = API_OUTPUT_FULL;
		return 503;
	}
	if (ex->is_post)
		return check_body(ex, ret_code, ret_why);
	*ret_code = ERR_BAD_REQUEST;
	return ws_body_fault(ex->wsi, ret_why);
}

int
exchange_keep_args(struct exchange *ex)
{
	char value[PATH_MAX_BYTES];
	int len, err = 0;

	for (int i = 0; err == 0 &&
	     (len = lws_hdr_copy_fragment(ex->wsi, value, sizeof(value),
		  WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
	     i++)
		err = buf_append(&ex->args, value, (size_t)len + 1);
	return err;
}

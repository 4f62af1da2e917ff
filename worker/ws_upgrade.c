/*
 * ws_upgrade.c - a request to become a WebSocket: refused in words, or let in.
 *
 * Who the client is gets decided when it is open (auth.c), so that a page sees
 * a close code and not a failed connection; what that needs of the headers is
 * kept as client->handshake.  Pages of other origins are refused here: they are
 * told nothing, not even that.
 *
 * Guards:
 *  - "Upgrade: foo" reads freed memory: upgrades other than websocket end here,
 *    which refuses HTTP/2 over plain text as well.
 *  - An unknown subprotocol would be hung up on without a word, and any
 *    version of the protocol be taken for 13.
 */
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/net.h"
#include "worker/auth.h"
#include "worker/http.h"
#include "worker/ws_internal.h"

#define BEARER          "Bearer "
#define BEARER_PROTOCOL "bearer."
#define TOKEN_ARGUMENT  "token="

/* A refusal: its status, 0 to hang up without a word. */
struct refusal {
	int status;
	const char *why;
};

/* ---- may it be upgraded at all? ---------------------------------------- */

/* False: refused as *ret says.  path has PATH_MAX_BYTES. */
static bool
check_request(struct lws *wsi, char *path, struct refusal *ret)
{
	char value[VALUE_MAX];
	int len;

	*ret = (struct refusal){ 0, "" };
	if (ws_header(wsi, WSI_TOKEN_UPGRADE, value, sizeof(value)) <= 0 ||
	    strcasecmp(value, "websocket") != 0)
		return false;
	ret->status = ws_body_fault(wsi, &ret->why);
	if (ret->status != 0)
		return false;
	len = ws_header(wsi, WSI_TOKEN_GET_URI, path, PATH_MAX_BYTES);
	if (len < 0)
		*ret = (struct refusal){ 400, "the path is too long" };
	else if (len == 0)
		*ret = (struct refusal){ 405, "only GET can be upgraded" };
	else if (http_is_reserved(path, (size_t)len))
		*ret = (struct refusal){ 404, "this path is no WebSocket" };
	else if (ws_header(wsi, WSI_TOKEN_VERSION, value, sizeof(value)) <= 0 ||
	    strcmp(value, "13") != 0)
		*ret = (struct refusal){ 426, "only version 13 is spoken" };
	return ret->status == 0;
}

/* list has LIST_MAX bytes. */
static bool
check_offer(struct lws *wsi, char *list, struct refusal *ret)
{
	const char *name;
	int len = ws_header(wsi, WSI_TOKEN_PROTOCOL, list, LIST_MAX);

	if (len < 0)
		*ret = (struct refusal){ 431,
			"the list of subprotocols is too long" };
	else if (len > 0 && ws_offered(list, &name) == 0)
		*ret = (struct refusal){ 400,
			"none of the subprotocols is spoken here: " WS_PROTOCOL
			", " WS_PROTOCOL_BINARY };
	return ret->status == 0;
}

/* May pages of this origin connect?  Programs have none and may. */
static bool
origin_is_allowed(const struct config *config, const char *origin)
{
	const struct config_list *list = &config->allowed_origin;

	if (list->count == 0 || origin[0] == '\0')
		return true;
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], "*") == 0 ||
		    strcmp(list->items[i], origin) == 0)
			return true;
	}
	return false;
}

/* origin has VALUE_MAX bytes. */
static bool
check_origin(struct worker *worker, struct lws *wsi, char *origin,
    struct refusal *ret)
{
	int len = ws_header(wsi, WSI_TOKEN_ORIGIN, origin, VALUE_MAX);

	if (len >= 0 && origin_is_allowed(worker->config, origin))
		return true;
	stats_add(&worker->stats->origin_refused, 1);
	*ret = (struct refusal){ 403, "pages of this origin may not connect" };
	return false;
}

/* ---- the token --------------------------------------------------------- */

/* "bearer.TOKEN" in the list of subprotocols; cuts the list behind it. */
static const char *
token_in_offer(char *list)
{
	size_t len;

	for (; *list != '\0'; list += len) {
		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if (strncmp(list, BEARER_PROTOCOL, strlen(BEARER_PROTOCOL)) !=
		    0)
			continue;
		list[len] = '\0';
		return list + strlen(BEARER_PROTOCOL);
	}
	return "";
}

/* Other schemes are meant for somebody else, a proxy for example. */
static const char *
token_in_header(struct lws *wsi, char *value, size_t size)
{
	if (ws_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, value, size) <= 0 ||
	    strncasecmp(value, BEARER, strlen(BEARER)) != 0)
		return "";
	value += strlen(BEARER);
	return value + strspn(value, " ");
}

static const char *
token_in_address(struct lws *wsi, char *value, size_t size)
{
	for (int i = 0; lws_hdr_copy_fragment(wsi, value, (int)size,
			    WSI_TOKEN_HTTP_URI_ARGS, i) >= 0;
	     i++) {
		if (strncmp(value, TOKEN_ARGUMENT, strlen(TOKEN_ARGUMENT)) == 0)
			return value + strlen(TOKEN_ARGUMENT);
	}
	return "";
}

/* ---- what is kept ------------------------------------------------------ */

static void
peer_address(const struct client *client, char *text, size_t size)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	text[0] = '\0';
	if (getpeername(client->fd, (struct sockaddr *)&sa, &len) == 0)
		net_format_ip((struct sockaddr *)&sa, text, size);
}

/* False: out of memory. */
static bool
keep_handshake(struct client *client, struct lws *wsi, char *list, char *path,
    const char *origin)
{
	char value[LIST_MAX], address[64];
	struct handshake handshake = { .path = path,
		.origin = origin,
		.address = address };

	path[strcspn(path, "?")] = '\0';
	peer_address(client, address, sizeof(address));
	handshake.token = token_in_offer(list);
	if (handshake.token[0] == '\0')
		handshake.token = token_in_header(wsi, value, sizeof(value));
	if (handshake.token[0] == '\0') {
		handshake.token = token_in_address(wsi, value, sizeof(value));
		if (handshake.token[0] != '\0')
			auth_note_address(client->worker);
	}
	handshake_free(client->handshake);
	client->handshake = handshake_new(&handshake);
	return client->handshake != NULL;
}

int
ws_http_upgrade(struct client *client, struct lws *wsi)
{
	char list[LIST_MAX], path[PATH_MAX_BYTES], origin[VALUE_MAX];
	struct refusal refusal;

	if (check_request(wsi, path, &refusal) &&
	    check_offer(wsi, list, &refusal) &&
	    check_origin(client->worker, wsi, origin, &refusal)) {
		if (keep_handshake(client, wsi, list, path, origin))
			return 0;
		refusal = (struct refusal){ 500, "out of memory" };
	}
	if (refusal.status == 0)
		return -1;
	(void)ws_refuse(client, wsi, refusal.status, refusal.why);
	return 1;
}

/* api_http_auth.c - see api_http_auth.h. */
#include "worker/api_http_auth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "worker/auth.h"
#include "worker/state.h"

#define BEARER "Bearer "

static int
check_token(struct worker *worker, const char *value,
    enum client_error *ret_code, const char **ret_why)
{
	struct identity *identity;
	bool may;
	int err;

	*ret_code = ERR_UNAUTHORIZED;
	*ret_why = "a token is needed: Authorization: Bearer TOKEN";
	if (strncasecmp(value, BEARER, strlen(BEARER)) != 0)
		return 401;
	value += strlen(BEARER);
	value += strspn(value, " ");
	err = auth_check(worker, value, strlen(value), &identity, ret_why);
	if (err == -EPERM) {
		*ret_code = ERR_FORBIDDEN;
		return 403;
	}
	if (err != 0)
		return 401;
	may = identity->api;
	identity_free(identity);
	if (may)
		return 0;
	*ret_code = ERR_FORBIDDEN;
	*ret_why = "this token's role may not use the API";
	return 403;
}

static bool
origin_is_allowed(const struct config_list *list, const char *origin)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], origin) == 0)
			return true;
	}
	return false;
}

/* Does a Host header (NAME, NAME:PORT, [V6]:PORT) mean this host? */
static bool
host_is_local(const char *host)
{
	size_t len =
	    host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	struct in_addr v4;
	char name[64];

	if (len >= sizeof(name) || len > strlen(host) ||
	    (host[len] != '\0' && host[len] != ':'))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, name, &v4) == 1 &&
	    ntohl(v4.s_addr) >> 24 == 127;
}

int
api_http_auth(struct worker *worker, const struct api_sender *sender,
    enum client_error *ret_code, const char **ret_why)
{
	const struct config *config = worker->config;

	if (config->jwt_key.count != 0)
		return check_token(worker, sender->authorization, ret_code,
		    ret_why);
	*ret_code = ERR_FORBIDDEN;
	if (worker->app_authenticates)
		*ret_why = "the API needs --jwt-key when an application "
			   "authenticates";
	else if (!sender->is_local)
		*ret_why = "without --jwt-key the API is for this host only";
	else if (sender->is_forwarded)
		*ret_why = "without --jwt-key the API is not for proxies";
	else if (sender->origin[0] != '\0' &&
	    !origin_is_allowed(&config->allowed_origin, sender->origin))
		*ret_why = "pages of this origin may not use the API";
	else if (!host_is_local(sender->host))
		*ret_why = "the Host header must name this host: localhost";
	else
		return 0;
	return 403;
}

/*
 * ws_offer.c - the list of subprotocols that a client offers.
 *
 * A page cannot set headers; its token travels as a subprotocol:
 *
 *	Sec-WebSocket-Protocol: clusterbus.v1, bearer.TOKEN
 *
 * libwebsockets 4.1.6 copies this list into 128 bytes and hangs up when it is
 * longer, and no callback of it can change what it reads.  It calls its own
 * lws_hdr_copy() through the dynamic linker, though, like everybody else; so
 * the one defined here comes first, and answers a question that has too little
 * room for the list with the one name that matters.  All other questions go to
 * the library's function.
 */
#include <dlfcn.h>
#include <string.h>

#include "base/log.h"
#include "worker/ws_internal.h"

enum {
	/* Who asks with less room than this is the library itself. */
	SMALL_BYTES = 256
};

typedef int copy_fn(struct lws *wsi, char *dest, int len,
    enum lws_token_indexes token);

static bool
is_name(const char *at, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(at, name, len) == 0;
}

size_t
ws_offered(const char *list, const char **ret_name)
{
	size_t len;

	for (; *list != '\0'; list += len) {
		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if (is_name(list, len, WS_PROTOCOL) ||
		    is_name(list, len, WS_PROTOCOL_BINARY)) {
			*ret_name = list;
			return len;
		}
	}
	return 0;
}

/* The library's function. */
static copy_fn *
original(void)
{
	static copy_fn *found;
	void *symbol;

	if (found == NULL) {
		symbol = dlsym(RTLD_NEXT, "lws_hdr_copy");
		memcpy(&found, &symbol, sizeof(found));
	}
	return found;
}

int
lws_hdr_copy(struct lws *wsi, char *dest, int len, enum lws_token_indexes token)
{
	char list[LIST_MAX];
	const char *name;
	size_t n = 0;

	if (token == WSI_TOKEN_PROTOCOL && len < SMALL_BYTES &&
	    original()(wsi, list, sizeof(list), token) > 0)
		n = ws_offered(list, &name);
	if (n == 0 || n >= (size_t)len)
		return original()(wsi, dest, len, token);
	memcpy(dest, name, n);
	dest[n] = '\0';
	return (int)n;
}

bool
ws_offer_guard(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "lws_hdr_copy");
	copy_fn *first;

	memcpy(&first, &symbol, sizeof(first));
	if (first == lws_hdr_copy && original() != NULL)
		return true;
	log_warnx("tokens in Sec-WebSocket-Protocol will not work: "
		  "libwebsockets is linked in a way that was not foreseen");
	return false;
}

/*
 * http_rig.h - requests as libwebsockets has read them, and what is answered.
 *
 * Included by the tests of ws_http.c and ws_upgrade.c, which are taken in
 * whole; of libwebsockets they need headers and a write, which stand here.
 */
#ifndef SUPPORT_HTTP_RIG_H
#define SUPPORT_HTTP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "worker/ws_http.c"
#include "worker/ws_upgrade.c"
#include "worker_fixture.h"

/* What libwebsockets has read; NULL: no such header. */
static const char *headers[WSI_TOKEN_COUNT];

/* What was written. */
static char written[HTTP_SMALL_MAX + 1];
static unsigned writes;
static int write_result; /* < 0: the connection is broken */

int
lws_hdr_total_length(struct lws *wsi, enum lws_token_indexes token)
{
	(void)wsi;
	return headers[token] != NULL ? (int)strlen(headers[token]) : 0;
}

int
lws_hdr_copy(struct lws *wsi, char *dest, int size,
    enum lws_token_indexes token)
{
	int len = lws_hdr_total_length(wsi, token);

	if (len >= size)
		return -1;
	memcpy(dest, headers[token], (size_t)len + 1);
	return len;
}

/* The query's arguments, by their number. */
static const char *arguments[4];

int
lws_hdr_copy_fragment(struct lws *wsi, char *dest, int size,
    enum lws_token_indexes token, int number)
{
	const char *text = number < 4 ? arguments[number] : NULL;

	(void)wsi;
	assert_int_equal(token, WSI_TOKEN_HTTP_URI_ARGS);
	if (text == NULL || strlen(text) >= (size_t)size)
		return -1;
	memcpy(dest, text, strlen(text) + 1);
	return (int)strlen(text);
}

/* As ws_offer.c, which would take the place of lws_hdr_copy() above. */
size_t
ws_offered(const char *list, const char **ret_name)
{
	size_t len;

	for (; *list != '\0'; list += len) {
		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		*ret_name = list;
		if ((len == 13 && memcmp(list, "clusterbus.v1", 13) == 0) ||
		    (len == 17 && memcmp(list, "clusterbus.v1.bin", 17) == 0))
			return len;
	}
	return 0;
}

int
lws_write(struct lws *wsi, unsigned char *bytes, size_t len,
    enum lws_write_protocol protocol)
{
	(void)wsi;
	assert_int_equal(protocol, LWS_WRITE_HTTP);
	assert_true(len < sizeof(written));
	memcpy(written, bytes, len);
	written[len] = '\0';
	writes++;
	return write_result < 0 ? write_result : (int)len;
}

static inline void
forget(void)
{
	memset(headers, 0, sizeof(headers));
	memset(arguments, 0, sizeof(arguments));
	written[0] = '\0';
	writes = 0;
	write_result = 0;
}

static inline int
setup(void **state)
{
	forget();
	return fixture_setup(state);
}

/* A request to upgrade with which nothing is wrong. */
static inline void
ask_for_a_websocket(void)
{
	forget();
	headers[WSI_TOKEN_GET_URI] = "/";
	headers[WSI_TOKEN_UPGRADE] = "websocket";
	headers[WSI_TOKEN_VERSION] = "13";
}

/* The answer has this status and says that the connection ends. */
static inline void
assert_answer(const char *status)
{
	char line[32];

	assert_int_equal(writes, 1);
	(void)snprintf(line, sizeof(line), "HTTP/1.1 %s", status);
	if (strncmp(written, line, strlen(line)) != 0)
		fail_msg("'%.40s' is no %s", written, status);
	assert_non_null(strstr(written, "\r\nConnection: close"));
}

/* The client has no more than this one answer; it goes. */
static inline void
assert_gone_answered(struct client *client, unsigned errors)
{
	struct stats_worker *stats = client->worker->stats;

	assert_true(client->answered);
	assert_int_equal(client->state, CLIENT_HANDSHAKE);
	assert_int_equal(stats->http_errors, errors);
	fixture_gone(client);
	assert_int_equal(stats->handshake_errors, 0);
}

/* Bodies and what is said of them, for both kinds of requests. */
static const struct body_case {
	const char *length, *encoding, *status, *why;
} bodies[] = {
	{ "1", NULL, "413", "requests have no body here" },
	{ "00000000000000000001", NULL, "413", "no body" },
	{ "18446744073709551616", NULL, "413", "no body" },
	{ "-1", NULL, "400", "not a number" },
	{ "0x0", NULL, "400", "not a number" },
	{ "0, 0", NULL, "400", "not a number" },
	{ " ", NULL, "400", "not a number" },
	{ NULL, "chunked", "501", "no transfer encoding" },
	{ "0", "chunked", "501", "no transfer encoding" },
	{ NULL, "identity", "501", "no transfer encoding" },
};

#endif /* SUPPORT_HTTP_RIG_H */

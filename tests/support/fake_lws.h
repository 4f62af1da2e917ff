/*
 * fake_lws.h - libwebsockets, as far as ws_read.c asks it.
 *
 * Included by the tests of ws_read.c: it defines the few functions of the
 * library that are called there.
 */
#ifndef SUPPORT_FAKE_LWS_H
#define SUPPORT_FAKE_LWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "worker/ws_internal.h"
#include "worker_fixture.h"

/* What libwebsockets would say about the piece at hand. */
static struct {
	int first, final, binary;
	size_t remaining;
} piece;

/* What lws_service_fd() reads for the client with this fd. */
static struct {
	struct client *client;
	size_t left;    /* bytes that have come */
	size_t at_once; /* given by one call */
	int calls;
	int rc;
	bool dies; /* the connection ends in the call */
} source[4];

/* clang-format off */
int lws_is_first_fragment(struct lws *wsi) { (void)wsi; return piece.first; }
int lws_is_final_fragment(struct lws *wsi) { (void)wsi; return piece.final; }
int lws_frame_is_binary(struct lws *wsi) { (void)wsi; return piece.binary; }

/* clang-format on */

size_t
lws_remaining_packet_payload(struct lws *wsi)
{
	(void)wsi;
	return piece.remaining;
}

static inline void
give(struct client *client, const char *data, size_t len, bool first,
    bool final)
{
	piece.first = first;
	piece.final = final;
	ws_read_piece(client, NULL, data, len);
}

static inline void
say(struct client *client, const char *text)
{
	give(client, text, strlen(text), true, true);
}

int
lws_service_fd(struct lws_context *context, struct lws_pollfd *pollfd)
{
	size_t i = (size_t)pollfd->fd, n;
	static const char ping[] = "{\"op\":\"ping\",\"id\":1}";
	char text[2048];

	(void)context;
	assert_true(i < ARRAY_LEN(source));
	assert_int_equal(pollfd->revents, LWS_POLLIN);
	source[i].calls++;
	if (source[i].dies) {
		fixture_gone(source[i].client);
		return 0;
	}
	if (source[i].rc != 0)
		return source[i].rc;
	n = source[i].left < source[i].at_once ? source[i].left :
						 source[i].at_once;
	source[i].left -= n;
	if (n >= sizeof(ping)) {
		memset(text, ' ', n);
		memcpy(text, ping, sizeof(ping) - 1);
		give(source[i].client, text, n, true, true);
	}
	pollfd->revents = 0; /* as libwebsockets does with what it used up */
	return 0;
}

static struct ws ws;

static inline int
setup(void **state)
{
	struct worker *worker = fixture_new();

	assert_non_null(worker);
	worker->config->outbox_soft = 1 << 30;
	worker->config->outbox_hard = 1 << 30;
	memset(&piece, 0, sizeof(piece));
	memset(&source, 0, sizeof(source));
	memset(&ws, 0, sizeof(ws));
	ws.worker = worker;
	list_init(&ws.readers);
	worker->ws = &ws;
	*state = worker;
	return 0;
}

#define PING "{\"op\":\"ping\",\"id\":1}"
#define PONG "{\"op\":\"ok\",\"id\":1}\n"

#endif /* SUPPORT_FAKE_LWS_H */

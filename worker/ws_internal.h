/*
 * ws_internal.h - shared by worker/ws*.c only; the one place where
 * libwebsockets.h is included.
 */
#ifndef WORKER_WS_INTERNAL_H
#define WORKER_WS_INTERNAL_H

#include <libwebsockets.h>

#include "base/list.h"
#include "worker/client.h"
#include "worker/state.h"
#include "worker/ws.h"

struct ws {
	struct worker *worker;
	struct lws_context *context;
	struct lws_vhost *plain;
	struct lws_vhost *tls; /* NULL: no certificate */
	void *ssl_ctx;         /* of the TLS host, for ws_reload_tls() */
	lws_sorted_usec_list_t heartbeat;
	struct list readers;     /* clients that were read this turn */
	struct client *adopting; /* until libwebsockets has taken it */
};

/* Names in the order of the protocol table. */
#define WS_PROTOCOL        "clusterbus.v1"
#define WS_PROTOCOL_BINARY "clusterbus.v1.bin"

/* ws_http.c: callbacks of a connection that is not a WebSocket yet. */

/*
 * A plain request has been read up to its blank line: answer it.  Always
 * returns -1: one request per connection, see there.
 */
int ws_http_request(struct client *client, struct lws *wsi);

/* A request to upgrade.  0: go on; 1: refused with an answer; -1: hang up. */
int ws_http_upgrade(struct client *client, struct lws *wsi);

/* ws_read.c */

/* A piece of a message. */
void ws_read_piece(struct client *client, struct lws *wsi, const void *data,
    size_t len);

#endif /* WORKER_WS_INTERNAL_H */

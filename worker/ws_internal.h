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
	/* ws_move.c */
	struct client *in_hand; /* is being put in or taken out */
	bool hand_open;         /* in_hand: ESTABLISHED has come */
	bool hand_clean;        /* in_hand: nothing is left to send */
	bool hand_gone;         /* in_hand: libwebsockets has forgotten it */
	size_t hand_heard;      /* in_hand: bytes handed over */
	bool can_move;          /* ws_move_works() */
	bool watching;          /* ws_libc_init() has been called */
	uint16_t turn;          /* of the loop; wraps */
	int epoll_fd;           /* libev's; -1: not known */
};

/* Names in the order of the protocol table. */
#define WS_PROTOCOL        "clusterbus.v1"
#define WS_PROTOCOL_BINARY "clusterbus.v1.bin"

enum {
	VALUE_MAX = 1024,
	PATH_MAX_BYTES = 4096,
	LIST_MAX = 8192, /* has room for a token */
	/* Turns of the loop between two moves of a connection, at least. */
	WS_MOVE_STAY_TURNS = 2,
};

/* ws_http.c: a request that is answered as such. */

/*
 * A plain request has been read up to its blank line: answer it.  Returns -1:
 * one request per connection, see there; or 0: it is for the HTTP API.
 */
int ws_http_request(struct client *client, struct lws *wsi);

/*
 * The request's method (static text) and its path, decoded, without the query;
 * NULL: no method that anybody knows, or the path is longer than size - 1.
 */
const char *ws_method(struct lws *wsi, char *path, size_t size);

/* Copy a header's value; its length, 0: not there, -1: too long. */
int ws_header(struct lws *wsi, enum lws_token_indexes token, char *value,
    size_t size);

/* Answer with an error.  Always -1: the connection ends. */
int ws_refuse(struct client *client, struct lws *wsi, int status,
    const char *why);

/* The status for what is wrong with the request's body; 0: there is none. */
int ws_body_fault(struct lws *wsi, const char **ret_why);

/* ws_exchange.c: requests to the HTTP API; all return -1 to close. */

/* The headers are read, the body is not. */
int ws_exchange_start(struct client *client, struct lws *wsi);

/* A piece of the body has come; all of it has. */
int ws_exchange_body(struct client *client, const void *bytes, size_t len);
int ws_exchange_whole(struct client *client);

/* The connection has gone; a client without an exchange is fine. */
void ws_exchange_free(struct client *client);

/* ws_upgrade.c */

/* A request to upgrade.  0: go on; 1: refused with an answer; -1: hang up. */
int ws_http_upgrade(struct client *client, struct lws *wsi);

/* ws_offer.c */

/*
 * The first subprotocol of ours in a list as clients send it.  Its length and
 * where it is, or 0.
 */
size_t ws_offered(const char *list, const char **ret_name);

/* Is what libwebsockets asks for subprotocols answered there?  Logs if not. */
bool ws_offer_guard(void);

/* ws_tls.c */

/* Would the configured files make a certificate? */
bool ws_certificate_is_good(const struct config *config);

/* ws_follow.c: what ws.c tells */

/* Can connections be moved?  Followed they are in any case. */
void ws_move_init(struct ws *ws);
void ws_move_release(struct ws *ws);

/* A plain connection is about to be adopted; it has become a WebSocket. */
void ws_move_adopted(struct client *client);
void ws_move_opened(struct client *client);

/* len bytes of a message were handed over.  False: they are not the client's. */
bool ws_move_heard(struct client *client, size_t len);

/*
 * The client's close frame has come.  libwebsockets 4.1.6 has put 1002 in the
 * place of codes that it does not know; put the client's own back.
 */
void ws_move_mend_code(struct client *client, unsigned char *payload,
    size_t len);

/* libwebsockets has forgotten the connection. */
void ws_move_gone(struct client *client);

/* ws_move.c */

/*
 * From here on nothing that libwebsockets does with client reaches it, nor its
 * wire when something is played; until it is let go.
 */
struct ws_play;
void ws_hand_take(struct ws *ws, struct client *client, struct ws_play *play);
void ws_hand_let_go(struct ws *ws);

/*
 * Let libwebsockets act on LWS_POLLIN or LWS_POLLOUT.  False: it has closed the
 * connection, or cannot.
 */
bool ws_hand_serve(struct ws *ws, int fd, short events);

/* A callback about ws->in_hand. */
int ws_move_callback(struct ws *ws, struct lws *wsi,
    enum lws_callback_reasons reason, size_t len);

/* ws_move_trial.c: move a connection of our own; did it work? */
bool ws_move_trial(struct ws *ws);

/* ws_read.c */

/* A piece of a message. */
void ws_read_piece(struct client *client, struct lws *wsi, const void *data,
    size_t len);

#endif /* WORKER_WS_INTERNAL_H */

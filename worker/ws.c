/*
 * ws.c - see ws.h: the context, its hosts, its callback, writing and closing.
 *
 * Guards against what libwebsockets 4.1.6 does, each found by trying:
 *  - Its libev timers stop firing on a quiet or busy loop, and with them all
 *    timeouts.  A timer of its own that re-arms itself every HEARTBEAT_US keeps
 *    them going; it has to be kicked once.
 *  - Timers are a sorted list with insertion from the front: an all-zero retry
 *    policy switches its keep-alive off; ours is clients_sweep().
 *  - close() scans a table of RLIMIT_NOFILE entries: worker.c sets that limit
 *    to what is needed.
 *  - It never sets SO_REUSEPORT: door.c accepts, we adopt.
 *  - The first host with the same port number takes all requests: our hosts
 *    have different ones.
 *  - Raw writes jump over the encapsulation of HTTP/2: so there is none.
 *  - It passes a CONNECT on as a raw socket: closed in the callback.
 *  - It logs at error level what any peer can cause: debug for us.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/utf8.h"
#include "worker/ws_internal.h"

enum {
	HEARTBEAT_US = 200 * 1000,
	TX_BYTES = 256 * 1024, /* larger writes would be copied piecewise */
	SERVICE_BYTES = 64 * 1024,
	HEADER_BYTES = 8 * 1024,
};

static_assert((int)WS_HEADROOM >= LWS_PRE, "no room for a header");

/* Warnings of its start matter, those of its work are about one peer. */
static bool starting;

static void
emit_log(int level, const char *line)
{
	int len = (int)strcspn(line, "\n");

	(void)level;
	if (starting)
		log_warnx("libwebsockets: %.*s", len, line);
	else
		log_debug("libwebsockets: %.*s", len, line);
}

/* ---- the callback ------------------------------------------------------ */

static void
on_established(struct client *client, struct lws *wsi)
{
	client->wants_binary =
	    strcmp(lws_get_protocol(wsi)->name, WS_PROTOCOL_BINARY) == 0;
	ws_move_opened(client);
	client_opened(client);
}

/*
 * Not written from here: at the end of the turn the flush does, together with
 * what has come meanwhile, and there it may close.
 */
static void
on_writeable(struct client *client, struct lws *wsi)
{
	client->partial = lws_partial_buffered(wsi) != 0;
	if (!client->partial)
		flush_mark(&client->worker->flush, client);
}

/*
 * The client's close frame would be sent back as it is, so half a code and a
 * reason that is no text are answered here.
 */
static int
on_peer_close(struct client *client, struct lws *wsi, unsigned char *payload,
    size_t len)
{
	enum lws_close_status code = LWS_CLOSE_STATUS_PROTOCOL_ERR;

	client_closed(client);
	ws_move_mend_code(client, payload, len);
	if (len == 0 ||
	    (len >= 2 && utf8_valid((const char *)payload + 2, len - 2)))
		return 0;
	if (len > 2)
		code = LWS_CLOSE_STATUS_INVALID_PAYLOAD;
	lws_close_reason(wsi, code, NULL, 0);
	return -1;
}

/* The socket is closed and the connection's memory goes. */
static void
on_destroy(struct client *client)
{
	struct ws *ws = client->worker->ws;

	if (ws->adopting == client)
		ws->adopting = NULL;
	ws_exchange_free(client);
	client_closed(client);
	ws_move_gone(client);
	client_free(client);
}

/* The callbacks of an upgraded connection. */
static int
on_websocket(struct client *client, struct lws *wsi,
    enum lws_callback_reasons reason, void *in, size_t len)
{
	switch ((int)reason) {
	case LWS_CALLBACK_ESTABLISHED:
		on_established(client, wsi);
		break;
	case LWS_CALLBACK_RECEIVE:
		if (ws_move_heard(client, len))
			ws_read_piece(client, wsi, in, len);
		break;
	case LWS_CALLBACK_RECEIVE_PONG:
		client_seen(client);
		break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		on_writeable(client, wsi);
		break;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return on_peer_close(client, wsi, in, len);
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		client_closed(client);
		break;
	default:
		break;
	}
	return 0;
}

static int
callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct client *client;

	(void)user;
	if ((int)reason ==
	    LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
		struct ws *ws = lws_context_user(lws_get_context(wsi));

		ws->ssl_ctx = user;
		return 0;
	}
	client = wsi != NULL ? lws_get_opaque_user_data(wsi) : NULL;
	if (client == NULL)
		return 0; /* the context's own, about no connection */
	if (client->worker->ws != NULL && client->worker->ws->in_hand == client)
		return ws_move_callback(client->worker->ws, wsi, reason, len);
	client->wsi = wsi;
	switch ((int)reason) {
	case LWS_CALLBACK_FILTER_HTTP_CONNECTION:
		return ws_http_request(client, wsi);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return ws_http_upgrade(client, wsi);
	case LWS_CALLBACK_HTTP:
		return ws_exchange_start(client, wsi);
	case LWS_CALLBACK_HTTP_BODY:
		return ws_exchange_body(client, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return ws_exchange_whole(client);
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
	case LWS_CALLBACK_RAW_WRITEABLE:
		return -1; /* CONNECT ends here */
	case LWS_CALLBACK_WSI_DESTROY:
		on_destroy(client);
		return 0;
	default:
		return on_websocket(client, wsi, reason, in, len);
	}
}

static const struct lws_protocols protocols[] = {
	{ WS_PROTOCOL, callback, 0, WS_RX_BYTES, 0, NULL, TX_BYTES },
	{ WS_PROTOCOL_BINARY, callback, 0, WS_RX_BYTES, 0, NULL, TX_BYTES },
	{ NULL, NULL, 0, 0, 0, NULL, 0 },
};

/* ---- life -------------------------------------------------------------- */

static void
on_heartbeat(lws_sorted_usec_list_t *sul)
{
	struct ws *ws = CONTAINER_OF(sul, struct ws, heartbeat);

	lws_sul_schedule(ws->context, 0, &ws->heartbeat, on_heartbeat,
	    HEARTBEAT_US);
}

/* All zero; for the context and, because it does not inherit, for hosts. */
static const lws_retry_bo_t no_validity_timers;

static struct lws_vhost *
make_vhost(struct ws *ws, bool tls)
{
	const struct config *config = ws->worker->config;
	struct lws_context_creation_info info = {
		.port = tls ? CONTEXT_PORT_NO_LISTEN_SERVER :
			      CONTEXT_PORT_NO_LISTEN,
		.vhost_name = tls ? "tls" : "plain",
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.alpn = "http/1.1",
		.timeout_secs =
		    (unsigned int)(config->handshake_timeout / 1000),
		.retry_and_idle_policy = &no_validity_timers,
	};

	if (tls) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = config->tls_cert;
		info.ssl_private_key_filepath = config->tls_key;
	}
	return lws_create_vhost(ws->context, &info);
}

static struct lws_context *
make_context(struct ws *ws)
{
	void *loops[] = { ws->worker->loop };
	const struct config *config = ws->worker->config;
	unsigned int seconds = (unsigned int)(config->handshake_timeout / 1000);
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_LIBEV |
		    LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
		    LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
		    LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.foreign_loops = loops,
		.user = ws,
		.gid = -1,
		.uid = -1,
		.pt_serv_buf_size = SERVICE_BYTES,
		.max_http_header_data = HEADER_BYTES,
		.timeout_secs = seconds,
		.timeout_secs_ah_idle = (uint16_t)seconds,
		.retry_and_idle_policy = &no_validity_timers,
		.alpn = "http/1.1",
	};

	return lws_create_context(&info);
}

struct ws *
ws_new(struct worker *worker, bool *ret_hopeless)
{
	const struct config *config = worker->config;
	struct ws *ws = calloc(1, sizeof(*ws));

	*ret_hopeless = false;
	if (ws == NULL)
		return NULL;
	ws->worker = worker;
	ws->epoll_fd = -1;
	list_init(&ws->readers);
	if (config->tls_cert[0] != '\0' && !ws_certificate_is_good(config)) {
		log_warnx("\"%s\" and \"%s\" are no certificate and its key",
		    config->tls_cert, config->tls_key);
		*ret_hopeless = true;
		free(ws);
		return NULL;
	}
	starting = true;
	lws_set_log_level(LLL_ERR | LLL_WARN, emit_log);
	ws->context = make_context(ws);
	if (ws->context != NULL)
		ws->plain = make_vhost(ws, false);
	if (ws->plain != NULL && config->tls_cert[0] != '\0')
		ws->tls = make_vhost(ws, true);
	starting = false;
	if (ws->plain == NULL ||
	    (config->tls_cert[0] != '\0' && ws->tls == NULL)) {
		log_warnx("libwebsockets does not start; is its libev plugin "
			  "(libwebsockets-evlib-ev) installed?");
		ws_free(ws);
		return NULL;
	}
	(void)ws_offer_guard(); /* it has logged what does not work */
	on_heartbeat(&ws->heartbeat);
	lws_cancel_service(ws->context);
	ws_move_init(ws);
	return ws;
}

void
ws_free(struct ws *ws)
{
	if (ws == NULL)
		return;
	if (ws->context != NULL)
		lws_context_destroy(ws->context);
	ws_move_release(ws);
	free(ws);
}

bool
ws_adopt(struct ws *ws, struct client *client)
{
	lws_adopt_desc_t desc = {
		.vh = client->tls ? ws->tls : ws->plain,
		.type = client->tls ?
		    LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL :
		    LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
		.fd.sockfd = client->fd,
		.opaque = client,
	};

	ws->adopting = client;
	ws_move_adopted(client);
	if (lws_adopt_descriptor_vhost_via_info(&desc) == NULL) {
		if (ws->adopting != NULL) {
			ws_move_gone(client);
			client_free(client);
		}
		ws->adopting = NULL;
		return false;
	}
	ws->adopting = NULL;
	return true;
}

/* ---- writing and closing ----------------------------------------------- */

int
ws_write(struct client *client, unsigned char *bytes, size_t len)
{
	/*
	 * LWS_WRITE_RAW sends the bytes as they are and touches neither them
	 * nor the framing state.  Whole frames only, and never while a rest
	 * is buffered: a PONG might get in between.
	 */
	assert(!client->partial);
	if (lws_write(client->wsi, bytes, len, LWS_WRITE_RAW) < 0) {
		client->state = CLIENT_DEAD;
		ws_kill(client);
		return -EIO;
	}
	if (lws_partial_buffered(client->wsi)) {
		client->partial = true;
		(void)lws_callback_on_writable(client->wsi); /* 0 or 1 */
	}
	return 0;
}

void
ws_close(struct client *client)
{
	const char *reason = client->close_reason;
	size_t len = reason != NULL ? strlen(reason) : 0;
	unsigned char text[124];

	if (client->close_sent)
		return;
	client->close_sent = true;
	if (len > sizeof(text) - 1)
		len = sizeof(text) - 1;
	if (len != 0)
		memcpy(text, reason, len);
	lws_close_reason(client->wsi, (enum lws_close_status)client->close_code,
	    text, len);
	/* Sends the close frame and waits for the client's, five seconds. */
	lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_REASON_BASE,
	    LWS_TO_KILL_SYNC);
}

void
ws_kill(struct client *client)
{
	/* libwebsockets sees the end of file and does the rest. */
	(void)shutdown(client->fd, SHUT_RDWR);
}

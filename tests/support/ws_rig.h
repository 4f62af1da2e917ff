/*
 * ws_rig.h - ws.c on a libwebsockets that only notes what it is asked.
 *
 * Included by the tests of ws.c, which is taken in whole.  What libwebsockets
 * would do next is set in `lib`; what it was told stands in lib.said, a line
 * each.  The other callbacks (ws_http.c, ws_read.c) are notes as well.
 */
#ifndef SUPPORT_WS_RIG_H
#define SUPPORT_WS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "fake_door.h"
#include "fake_link.h"
#include "torture.h"
#include "worker/ws.c"

/* Opaque in the library's headers, so they are ours here. */
struct lws {
	struct client *client;
	const struct lws_protocols *protocol;
};

struct lws_context {
	void *user;
};

struct lws_vhost {
	bool tls;
};

static struct {
	struct lws_context context;
	struct lws_vhost plain, tls;
	struct lws wsi;
	bool no_context, no_plain, no_tls;
	bool refuses, refuses_late; /* adoption; late: with WSI_DESTROY */
	bool partial;               /* a write leaves a rest */
	bool broken;                /* a write fails */
	int http_result, upgrade_result;
	struct lws_context_creation_info info, plain_info, tls_info;
	lws_adopt_desc_t desc;
	void (*log)(int level, const char *line);
	lws_sorted_usec_list_t *timer;
	SSL_CTX *ssl_ctx;
	char said[2048];
} lib;

static inline void PRINTF_LIKE(1, 2) note(const char *fmt, ...)
{
	size_t len = strlen(lib.said);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(lib.said + len, sizeof(lib.said) - len, fmt, ap);
	va_end(ap);
}

static inline void
assert_said(const char *text)
{
	assert_string_equal(lib.said, text);
	lib.said[0] = '\0';
}

/* As libwebsockets calls back. */
static inline int
calls(struct client *client, enum lws_callback_reasons reason, const char *in,
    size_t len)
{
	char copy[256];

	assert_true(len <= sizeof(copy));
	if (len != 0)
		memcpy(copy, in, len);
	lib.wsi.client = client;
	return protocols[0].callback(&lib.wsi, reason, NULL, copy, len);
}

/* ---- what ws.c asks of libwebsockets ------------------------------------ */

void
lws_set_log_level(int level, void (*emit)(int, const char *))
{
	(void)level;
	lib.log = emit;
}

struct lws_context *
lws_create_context(const struct lws_context_creation_info *info)
{
	lib.info = *info;
	lib.log(LLL_ERR, "a word of the start\n");
	if (lib.no_context)
		return NULL;
	lib.context.user = info->user;
	note("context\n");
	return &lib.context;
}

struct lws_vhost *
lws_create_vhost(struct lws_context *context,
    const struct lws_context_creation_info *info)
{
	bool tls = info->ssl_cert_filepath != NULL;

	assert_ptr_equal(context, &lib.context);
	*(tls ? &lib.tls_info : &lib.plain_info) = *info;
	if (tls ? lib.no_tls : lib.no_plain)
		return NULL;
	note("%s\n", info->vhost_name);
	if (!tls)
		return &lib.plain;
	lib.ssl_ctx = SSL_CTX_new(TLS_server_method());
	(void)info->protocols[0].callback(&lib.wsi,
	    LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS, lib.ssl_ctx,
	    NULL, 0);
	return &lib.tls;
}

void
lws_context_destroy(struct lws_context *context)
{
	assert_ptr_equal(context, &lib.context);
	SSL_CTX_free(lib.ssl_ctx);
	lib.ssl_ctx = NULL;
	note("destroy\n");
}

struct lws *
lws_adopt_descriptor_vhost_via_info(const lws_adopt_desc_t *desc)
{
	lib.desc = *desc;
	if (lib.refuses_late)
		(void)calls(desc->opaque, LWS_CALLBACK_WSI_DESTROY, NULL, 0);
	return lib.refuses || lib.refuses_late ? NULL : &lib.wsi;
}

int
lws_write(struct lws *wsi, unsigned char *bytes, size_t len,
    enum lws_write_protocol protocol)
{
	(void)wsi;
	(void)bytes;
	assert_int_equal(protocol, LWS_WRITE_RAW);
	note("write %zu\n", len);
	return lib.broken ? -1 : (int)len;
}

void
lws_close_reason(struct lws *wsi, enum lws_close_status status,
    unsigned char *bytes, size_t len)
{
	(void)wsi;
	note("close %d '%.*s'\n", (int)status, (int)len,
	    bytes != NULL ? (const char *)bytes : "");
}

void
lws_set_timeout(struct lws *wsi, enum pending_timeout reason, int seconds)
{
	(void)wsi;
	assert_int_equal(reason, PENDING_TIMEOUT_USER_REASON_BASE);
	note("%s\n", seconds == LWS_TO_KILL_SYNC ? "kill" : "later");
}

int
lws_callback_on_writable(struct lws *wsi)
{
	(void)wsi;
	note("wait\n");
	return 1;
}

void
lws_sul_schedule(struct lws_context *context, int tsi,
    lws_sorted_usec_list_t *sul, sul_cb_t cb, lws_usec_t us)
{
	(void)context;
	(void)tsi;
	lib.timer = sul;
	sul->cb = cb;
	note("timer %d ms\n", (int)(us / 1000));
}

/* clang-format off */
int lws_partial_buffered(struct lws *wsi) { (void)wsi; return lib.partial; }
const struct lws_protocols *lws_get_protocol(struct lws *wsi)
{ return wsi->protocol; }
void *lws_get_opaque_user_data(const struct lws *wsi) { return wsi->client; }
struct lws_context *lws_get_context(const struct lws *wsi)
{ (void)wsi; return &lib.context; }
void *lws_context_user(struct lws_context *context) { return context->user; }
void lws_cancel_service(struct lws_context *context)
{ (void)context; note("kick\n"); }

/* ---- ws_http.c, ws_exchange.c, ws_read.c ----------------------------- */

int ws_http_request(struct client *client, struct lws *wsi)
{ (void)client; (void)wsi; note("request\n"); return lib.http_result; }
int ws_http_upgrade(struct client *client, struct lws *wsi)
{ (void)client; (void)wsi; note("upgrade\n"); return lib.upgrade_result; }
int ws_exchange_start(struct client *client, struct lws *wsi)
{ (void)client; (void)wsi; note("exchange\n"); return lib.http_result; }
int ws_exchange_body(struct client *client, const void *bytes, size_t len)
{ (void)client; note("body %.*s\n", (int)len, (const char *)bytes);
  return lib.http_result; }
int ws_exchange_whole(struct client *client)
{ (void)client; note("whole\n"); return lib.http_result; }
void ws_exchange_free(struct client *client) { (void)client; }
void ws_read_piece(struct client *client, struct lws *wsi, const void *data,
    size_t len)
{ (void)client; (void)wsi; note("piece %.*s\n", (int)len, (const char *)data); }

/* ---- ws_follow.c -------------------------------------------------------- */

void ws_move_init(struct ws *ws) { (void)ws; }
void ws_move_release(struct ws *ws) { (void)ws; }
void ws_move_adopted(struct client *client) { (void)client; }
void ws_move_opened(struct client *client) { (void)client; }
bool ws_move_heard(struct client *client, size_t len)
{ (void)client; (void)len; return true; }
void ws_move_mend_code(struct client *client, unsigned char *payload,
    size_t len)
{ (void)client; (void)payload; (void)len; }
void ws_move_gone(struct client *client) { (void)client; }

/* clang-format on */

/* ---- a worker ----------------------------------------------------------- */

static struct worker worker;
static struct config config;
static char no_file[] = "";

static inline int
setup(void **state)
{
	(void)state;
	memset(&lib, 0, sizeof(lib));
	memset(&worker, 0, sizeof(worker));
	memset(&config, 0, sizeof(config));
	config.handshake_timeout = 7000;
	config.tls_cert = config.tls_key = no_file;
	config.outbox_soft = config.outbox_hard = 1 << 20;
	config.ping_interval = 25000;
	worker.config = &config;
	worker.stats = &worker.unplaced;
	worker.now_ms = 1000000;
	worker.door = &fake_door;
	worker.link = fake_link_new();
	channels_init(&worker.channels);
	lib.wsi.protocol = &protocols[0];
	return flush_init(&worker.flush);
}

static inline int
teardown(void **state)
{
	(void)state;
	while (worker.clients.count != 0) {
		client_closed(worker.clients.all[0]);
		client_free(worker.clients.all[0]);
	}
	assert_int_equal(worker.stats->handshakes, 0);
	assert_int_equal(worker.stats->clients, 0);
	ws_free(worker.ws);
	flush_release(&worker.flush);
	channels_release(&worker.channels);
	clients_release(&worker.clients);
	fake_link_free(worker.link);
	return 0;
}

/* The same, with a context. */
static inline int
setup_with_context(void **state)
{
	bool hopeless;

	if (setup(state) != 0)
		return -1;
	worker.ws = ws_new(&worker, &hopeless);
	lib.said[0] = '\0';
	return worker.ws == NULL;
}

static inline struct client *
connection(bool tls)
{
	struct client *client = client_new(&worker, -1, tls);

	assert_non_null(client);
	client->wsi = &lib.wsi;
	return client;
}

/* One that is a WebSocket and has had its welcome. */
static inline struct client *
open_client(void)
{
	struct client *client = connection(false);

	assert_int_equal(calls(client, LWS_CALLBACK_ESTABLISHED, NULL, 0), 0);
	flush_run(&worker);
	lib.said[0] = '\0';
	return client;
}

#endif /* SUPPORT_WS_RIG_H */

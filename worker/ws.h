/*
 * ws.h - the one door to libwebsockets.
 *
 * It does handshakes, framing of what comes in, TLS and closing; what goes out
 * are whole frames of ours, written raw and directly at the end of a turn.
 * libwebsockets 4.1.6 as Debian has it needs a number of guards; each is named
 * at its place in ws.c, ws_http.c and ws_read.c.
 */
#ifndef WORKER_WS_H
#define WORKER_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct client;
struct worker;
struct ws;

enum {
	WS_HEADROOM = 32,  /* writable bytes in front of a batch */
	WS_RX_BYTES = 768, /* read from a client at once */
};

/*
 * Make the context on worker->loop, with TLS when the configuration has a
 * certificate.  NULL: it could not be made, the reason was logged; *ret_config
 * says whether another try with this configuration could ever work.
 */
struct ws *ws_new(struct worker *worker, bool *ret_hopeless);

/* Close everything at once and free.  NULL is allowed. */
void ws_free(struct ws *ws);

/*
 * Give an accepted socket to libwebsockets.  client belongs to it from now on
 * and is freed with it.  False: it failed, fd is closed and client freed.
 */
bool ws_adopt(struct ws *ws, struct client *client);

/*
 * Write whole frames; client->partial is set when a rest is left to
 * libwebsockets, which then says when there is room.  bytes need WS_HEADROOM
 * or a frame's header in front of nothing: they are not written to.
 * 0, or -EIO: the client is dead now.
 */
WARN_UNUSED int ws_write(struct client *client, unsigned char *bytes,
    size_t len);

/* Send the close frame (client->close_code) and wait for the client's. */
void ws_close(struct client *client);

/* Cut the connection off. */
void ws_kill(struct client *client);

/* At the end of a turn: read on where more has come than one read took. */
void ws_read_on(struct ws *ws);

/* Read certificate and key again, for new connections.  0 or -EINVAL. */
WARN_UNUSED int ws_reload_tls(struct ws *ws);

#endif /* WORKER_WS_H */

/*
 * fake_ws.h - ws.h without libwebsockets: what is written is kept.
 *
 * Each client has a wire of its own; its `wsi` points to it.  What worker/ws.c
 * promises to libwebsockets is asserted: nothing is written to a client that
 * holds a rest, is dead or has had its close frame.
 *
 * Memory of the wires is not touched by torture.h.
 */
#ifndef SUPPORT_FAKE_WS_H
#define SUPPORT_FAKE_WS_H

#include <stdbool.h>
#include <stddef.h>

struct client;

/* What the next ws_write() to a client does. */
enum fake_ws_next {
	FAKE_WS_ALL = 0, /* takes all, as do those after it */
	FAKE_WS_PARTIAL, /* keeps a rest: no more until fake_ws_room() */
	FAKE_WS_FAIL,    /* the connection is broken */
};

struct wire {
	unsigned char *bytes; /* all that was written and not forgotten */
	size_t len, cap;
	const unsigned char *last; /* where the last write's bytes lay */
	enum fake_ws_next next;
	unsigned writes;
	unsigned closes, kills; /* calls of ws_close() and ws_kill() */
};

/* A wire for a new client.  Takes over client->wsi. */
void fake_ws_attach(struct client *client);

/* Before the client is freed. */
void fake_ws_detach(struct client *client);

struct wire *fake_ws_wire(const struct client *client);

/* Forget what was written. */
void fake_ws_forget(struct client *client);

/* The rest is out: as libwebsockets' SERVER_WRITEABLE. */
void fake_ws_room(struct client *client);

/*
 * All frames that were written, a line each: the payload of a text, "<binary
 * N>", "<ping TEXT>"; then "<close CODE REASON>" and "<kill>" when that was
 * asked for.  Valid until the next call; the bytes are forgotten, closes and
 * kills are not.  Fails when the bytes are not whole frames.
 */
const char *fake_ws_text(struct client *client);

/* ws_adopt() refuses from now on (the client is freed), or not. */
extern bool fake_ws_refuses;

#endif /* SUPPORT_FAKE_WS_H */

/*
 * protocol.h - clusterbus.v1: what a client may say.
 *
 * A message is parsed once and looked up in the command table.  What is wrong
 * is answered with an error from errors.h; nothing else happens and nobody
 * else notices.
 */
#ifndef WORKER_PROTOCOL_H
#define WORKER_PROTOCOL_H

#include <stddef.h>

struct client;

enum {
	PROTOCOL_ID_MAX = 128,     /* bytes of an id, as JSON text */
	PROTOCOL_MEMBERS_MAX = 16, /* members of a command's object */
	/* Messages over the rate in a row; then the client is closed (4429). */
	PROTOCOL_REFUSED_MAX = 1000,
};

/* Handle one whole text message. */
void protocol_text(struct client *client, const char *text, size_t len);

/* Handle one whole binary message. */
void protocol_binary(struct client *client, const unsigned char *data,
    size_t len);

#endif /* WORKER_PROTOCOL_H */

/*
 * handshake.h - what of the request to upgrade is kept for a moment.
 *
 * libwebsockets forgets the headers with the upgrade, but who the client is
 * gets decided after it.  Made by ws_upgrade.c, hangs on the client until
 * that is decided.  It holds a token: never logged, wiped when freed.
 */
#ifndef WORKER_HANDSHAKE_H
#define WORKER_HANDSHAKE_H

/* "" where there is none. */
struct handshake {
	const char *token;
	const char *path;    /* without the query */
	const char *origin;  /* the page's; a program has none */
	const char *address; /* IP address of the other end */
};

/* A copy in one piece.  NULL: out of memory. */
struct handshake *handshake_new(const struct handshake *from);

/* NULL is allowed. */
void handshake_free(struct handshake *handshake);

#endif /* WORKER_HANDSHAKE_H */

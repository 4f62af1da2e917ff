/*
 * ws_libc.h - what libwebsockets says to the kernel, and hears.
 *
 * recv(), send() and shutdown() are defined in this program, so libwebsockets
 * calls ours (see ws_libc.c for when it would not).  They pass everything on;
 * of plain WebSocket connections, which stand in a table by descriptor, they
 * follow what is read (ws_shadow.h).  And for as long as a connection is put in
 * or taken out, they play the client: see struct ws_play.
 *
 * All of it is for one thread, the one that called ws_libc_init(); calls from
 * others go straight to the kernel.
 */
#ifndef WORKER_WS_LIBC_H
#define WORKER_WS_LIBC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "worker/ws_shadow.h"

struct client;

/* A plain connection that libwebsockets has. */
struct ws_watch {
	struct client *client;    /* NULL: it is none of ours */
	struct ws_shadow *shadow; /* owned; NULL: between two messages */
	uint32_t unheard; /* payload that was read, not handed over; wraps */
	uint16_t turn;    /* of the loop, when it was opened or put in */
	uint16_t code;    /* the client's close code; 0: none */
	uint8_t blank;    /* bytes of the request's blank line; 5: and more */
	bool open;        /* frames come, no more a request */
	bool closed;      /* a close frame has begun */
	bool bad;         /* it sent no frames, or they could not be followed */
	bool unmasked;    /* ... because one was not masked */
	bool swallow;     /* ... and what comes now is not the client's */
};

/*
 * The client, as libwebsockets is made to see it: it has sent `input`, then
 * nothing; and takes all that is sent.  shutdown() does nothing.
 */
struct ws_play {
	int fd;
	const unsigned char *input;
	size_t input_len;
	bool keep;           /* what is sent, in kept; or forget it */
	unsigned char *kept; /* owned by whoever plays */
	size_t kept_len;
	bool failed;    /* no memory: the last send() has sent nothing */
	unsigned reads; /* calls of recv(), for the trial */
};

/* Make the table; one for all who call this.  0 or -ENOMEM. */
WARN_UNUSED int ws_libc_init(void);

/* The last one who made it frees it. */
void ws_libc_release(void);

/*
 * Begin to follow this descriptor.  NULL: there is no table, or the number is
 * too high for it.
 */
struct ws_watch *ws_watch_begin(int fd, struct client *client);

/* The request was answered; in this turn of the loop frames begin. */
void ws_watch_open(struct ws_watch *watch, uint16_t turn);

/* No more; what is not followed is ignored. */
void ws_watch_end(int fd);

/* What is followed of this client, or NULL. */
struct ws_watch *ws_watch_find(int fd, const struct client *client);

/* Play, until NULL is played. */
void ws_libc_play(struct ws_play *new_play);

#endif /* WORKER_WS_LIBC_H */

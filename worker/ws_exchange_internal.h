/*
 * ws_exchange_internal.h - shared by worker/ws_exchange*.c only: a request to
 * the HTTP API and its answer.
 */
#ifndef WORKER_WS_EXCHANGE_INTERNAL_H
#define WORKER_WS_EXCHANGE_INTERNAL_H

#include <ev.h>
#include <sys/types.h>

#include "worker/api_http.h"
#include "worker/ws_internal.h"

enum {
	EXCHANGE_SMALL_BYTES = 16 * 1024, /* written with the head */
	EXCHANGE_JUNK_BYTES = 16 << 20,   /* thrown away at most */
};

enum exchange_state {
	EXCHANGE_READING,
	EXCHANGE_ASKING,
	EXCHANGE_WRITING,
	EXCHANGE_LINGERING,
	EXCHANGE_OVER,
};

struct exchange {
	struct client *client;
	struct lws *wsi;
	enum exchange_state state;
	bool inside;  /* called by libwebsockets, which will close it if told */
	bool rest;    /* not all of the request has been read */
	bool is_post; /* the path is for POST */
	bool running; /* http is in use */
	const char *method;
	char *path; /* owned */
	struct buf args;
	size_t length; /* of the body */
	struct buf body;
	struct api_http http;
	struct buf head;   /* of the answer; a small body, too */
	size_t junk;       /* bytes thrown away */
	uint64_t until_ms; /* the answer must be written by then */
	ev_io io;
	ev_timer timer;
};

/* ---- ws_exchange_answer.c ---- */

/* Be called when it is readable or writable; when so much time has gone. */
void exchange_wait_io(struct exchange *ex, int events);
void exchange_wait_ms(struct exchange *ex, uint64_t ms);

/* libwebsockets shall not read any more, nor close it by itself. */
void exchange_take_over(struct exchange *ex);

/* The answer is in http: write it, now or when there is room. */
void exchange_respond(struct exchange *ex);

/* Answer with an error instead; the request need not have been taken over. */
void exchange_refuse(struct exchange *ex, int status, enum client_error code,
    const char *why);

/* Write what there is room for. */
void exchange_write_on(struct exchange *ex);

/* Its reader is too slow: count it, end it. */
void exchange_cut(struct exchange *ex);

/* ---- ws_exchange_check.c ---- */

/* May it be?  0: yes; or the status of the refusal and what it says. */
int exchange_check(struct exchange *ex, enum client_error *ret_code,
    const char **ret_why);

/* Keep the arguments behind '?'.  0 or -errno. */
WARN_UNUSED int exchange_keep_args(struct exchange *ex);

/* ---- ws_exchange_write.c ---- */

/* Bytes written; -EAGAIN and what to wait for (EV_WRITE, EV_READ); or -EIO. */
WARN_UNUSED ssize_t exchange_write(struct exchange *ex, const void *bytes,
    size_t len, int *ret_events);

/* Has something come that nobody has read? */
bool exchange_has_unread(const struct exchange *ex);

/* Tell the other end that no more will come. */
void exchange_say_end(struct exchange *ex);

/* Throw away what has come; EXCHANGE_OVER when that was all. */
void exchange_throw_away(struct exchange *ex);

#endif /* WORKER_WS_EXCHANGE_INTERNAL_H */

/*
 * driver_redis.h - what the parts of the Redis driver tell each other.
 *
 * One driver has two connections, a publisher and a subscriber, that come and
 * go together:
 *
 *	AWAY --timer--> RESOLVING --addresses--> CONNECTING --both ready--> UP
 *	  ^                 |                        |                      |
 *	  +--- any failure: one on_error, back-off --+----------------------+
 *
 * hiredis writes, reads and parses; the sockets and the waiting are ours.  Its
 * asynchronous contexts are not used: in 0.14 they assert() that the server
 * answers as it should, look up host names with everybody waiting, and open
 * descriptors that are not close-on-exec.
 *
 * The driver is a shared object: of the program it may use cbus_* alone.
 */
#ifndef PRIMARY_SYNC_DRIVER_REDIS_H
#define PRIMARY_SYNC_DRIVER_REDIS_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/base.h"
#include "clusterbus/sync.h"
#include "wire/ipc_proto.h"

enum {
	REDIS_TICK_MS = 2000,   /* how often a connection must show life */
	REDIS_SILENT_TICKS = 3, /* so many ticks without an answer: dead */
	REDIS_WHY_MAX = 256,
	/* The longest reply: a payload of which each byte became \u00xx. */
	REDIS_REPLY_MAX = 6 * IPC_PAYLOAD_MAX + 65536,
};

/* ---- where (driver_redis_url.c) ----------------------------------------- */

struct redis_url {
	bool tls;
	char *host;            /* NULL: a Unix socket */
	char *path;            /* NULL: TCP */
	char *user, *password; /* NULL: none */
	char *ca, *cert, *key; /* files for TLS, NULL: none */
	uint16_t port;
	uint32_t db;
};

/*
 * 0 and a url to be released; -ENOMEM; -EINVAL, and in why what is wrong.  No
 * text says a user or a password.
 */
WARN_UNUSED int redis_url_parse(const char *text, struct redis_url *ret_url,
    char *why, size_t size);

/* Free what it has, the password overwritten. */
void redis_url_release(struct redis_url *url);

/* "host:port" or the path, for messages. */
void redis_url_show(const struct redis_url *url, char *text, size_t size);

/* ---- addresses (driver_redis_resolve.c) --------------------------------- */

struct redis_resolver;

/*
 * Begin to look a name up without waiting; a numeric address is there at
 * once.  0, -ENOMEM, -EAGAIN.
 */
WARN_UNUSED int redis_resolve(const struct redis_url *url,
    struct redis_resolver **ret_resolver);

/*
 * 0: there are addresses; -EINPROGRESS: not yet; -EHOSTUNREACH: there is none,
 * and in why the reason.
 */
WARN_UNUSED int redis_resolver_look(struct redis_resolver *resolver, char *why,
    size_t size);

/* An address; n counts on beyond the last one from the first. */
const struct sockaddr *redis_resolver_address(const struct redis_resolver
						  *resolver,
    uint32_t n, socklen_t *ret_len);

/*
 * Give it back; NULL is allowed.  One that cannot be called off any more is
 * kept until the C library is done with it, and freed by a later call.
 */
void redis_resolver_free(struct redis_resolver *resolver);

/* ---- what was asked and not answered (driver_redis_asks.c) --------------- */

enum redis_ask {
	REDIS_ASK_AUTH,
	REDIS_ASK_SELECT,
	REDIS_ASK_NAME,
	REDIS_ASK_WHO,   /* INFO: is it our own bus that answers? */
	REDIS_ASK_READY, /* PING, or SUBSCRIBE: the last of the greeting */
	REDIS_ASK_ALIVE, /* the same, later */
	REDIS_ASK_PUBLISH,
};

/* A ring, first in, first out. */
struct redis_asks {
	uint32_t *items; /* bytes << 3 | enum redis_ask */
	uint32_t first, count, size;
};

/* One more question, and the bytes that it counts.  0 or -ENOMEM. */
WARN_UNUSED int redis_asks_put(struct redis_asks *asks, enum redis_ask ask,
    uint32_t bytes);

/* What was asked first.  False: there is none. */
bool redis_asks_take(struct redis_asks *asks, enum redis_ask *ret_ask,
    uint32_t *ret_bytes);

/* Forget all of them. */
void redis_asks_release(struct redis_asks *asks);

/* ---- TLS (driver_redis_tls.c) ------------------------------------------- */

struct redisContext;
struct redis_tls;

/* -EINVAL, and why: not built in, or a file is no good; -ENOMEM. */
WARN_UNUSED int redis_tls_new(const struct redis_url *url,
    struct redis_tls **ret_tls, char *why, size_t size);

/* NULL is allowed. */
void redis_tls_free(struct redis_tls *tls);

/*
 * True, and in why the reason: a read or write failed because of TLS.  hiredis
 * does not say.
 */
bool redis_tls_failed(char *why, size_t size);

/* Speak TLS on a connected context from now on.  0 or -EPROTO and why. */
WARN_UNUSED int redis_tls_begin(struct redis_tls *tls,
    struct redisContext *context, char *why, size_t size);

/* ---- one connection (driver_redis_link.c) -------------------------------- */

struct redis_link {
	struct cbus_sync *sync;
	bool subscriber;
	bool connected;               /* TCP or Unix; nothing is said yet */
	bool ready;                   /* greeted, subscribed */
	uint8_t silent;               /* ticks since something was heard */
	struct redisContext *context; /* NULL: none */
	struct redis_asks asks;
	ev_io readable, writable;
};

/* One that is not connected. */
void redis_link_init(struct redis_link *link, struct cbus_sync *sync,
    bool subscriber);

/* 0: connecting; or -errno. */
WARN_UNUSED int redis_link_connect(struct redis_link *link,
    const struct sockaddr *sa, socklen_t len);

/* Its socket goes, and with it what was not written and not answered. */
void redis_link_close(struct redis_link *link);

/*
 * Send a command, at the end of this turn of the loop; bytes is what it counts
 * in sync->queued.  0 or -ENOMEM.
 */
WARN_UNUSED int redis_link_ask(struct redis_link *link, enum redis_ask ask,
    uint32_t bytes, int argc, const char **argv, const size_t *lens);

/*
 * Write what the socket takes; read and handle what it has.  0; or -errno and
 * why: the link is broken and has to be closed.
 */
WARN_UNUSED int redis_link_write(struct redis_link *link, char *why,
    size_t size);
WARN_UNUSED int redis_link_read(struct redis_link *link, char *why,
    size_t size);

/* ---- what is said on it (driver_redis_talk.c) ---------------------------- */

struct redisReply;

/* Greet: AUTH, SELECT, CLIENT SETNAME, PING or SUBSCRIBE.  0 or -ENOMEM. */
WARN_UNUSED int redis_talk_greet(struct redis_link *link);

/* Ask for a sign of life: PING or SUBSCRIBE.  0 or -ENOMEM. */
WARN_UNUSED int redis_talk_alive(struct redis_link *link);

/* One reply.  0; or -errno and why: it is no good, close the link. */
WARN_UNUSED int redis_talk_hear(struct redis_link *link,
    const struct redisReply *reply, char *why, size_t size);

/* ---- the whole (driver_redis_life.c) ------------------------------------- */

enum redis_state {
	REDIS_AWAY,
	REDIS_RESOLVING,
	REDIS_CONNECTING,
	REDIS_UP,
	REDIS_CLOSING, /* no event is told any more */
};

struct cbus_sync {
	enum redis_state state;
	struct ev_loop *loop;
	const struct cbus_sync_events *events;
	void *arg;
	char *channel;
	size_t channel_len;
	char id[CBUS_SYNC_ID_LEN];
	struct redis_url url;
	struct redis_tls *tls; /* NULL: none */
	struct redis_resolver *resolver;
	struct redis_link publisher, subscriber;
	ev_timer timer;   /* next attempt, look at the resolver, or the tick */
	uint32_t attempt; /* since it was up for a tick; picks the address */
	uint32_t backoff_min_ms, backoff_max_ms;
	size_t queue_max;
	size_t queued; /* bytes of what was published and not answered */
};

/* Try to connect as soon as the loop runs. */
void redis_life_start(struct cbus_sync *sync);

/* A connection is ready; when both are, the driver is up. */
void redis_life_ready(struct cbus_sync *sync);

/*
 * A connection broke: close both, tell it, wait, begin anew.  link is the one
 * to blame, or NULL.
 */
void redis_life_fail(struct cbus_sync *sync, const struct redis_link *link,
    int code, const char *why);

/* Send what waits for at most timeout_ms, without the loop; then close. */
void redis_life_end(struct cbus_sync *sync, uint32_t timeout_ms);

#endif /* PRIMARY_SYNC_DRIVER_REDIS_H */

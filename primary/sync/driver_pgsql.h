/*
 * driver_pgsql.h - what the files of the PostgreSQL driver share.
 *
 *	WAITING --timer--> RESOLVING --addresses--> CONNECTING --> SETUP
 *	   ^                                                         |
 *	   +---- failed, lost, silent (from every state) ---- READY <-+
 *
 * WAITING is the back-off.  SETUP sends LISTEN; READY is subscribed.  There
 * is one timer: it ends the waiting, limits every step, and in READY asks the
 * server for a sign of life when nothing was asked for a while.
 *
 * At most one query is on its way.  What is published meanwhile waits and goes
 * together as the next one, in one transaction.  PostgreSQL drops a second
 * equal notification of a transaction, so an equal one begins the next batch.
 */
#ifndef PRIMARY_SYNC_DRIVER_PGSQL_H
#define PRIMARY_SYNC_DRIVER_PGSQL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clusterbus/sync.h"

enum {
	PGSQL_CHANNEL_MAX = 63,   /* bytes of an identifier */
	PGSQL_PAYLOAD_MAX = 7999, /* bytes of a notification */
	PGSQL_BATCH_MAX = 256,    /* messages in one transaction */
	PGSQL_BATCH_BYTES = 128 * 1024,
	PGSQL_HOSTS_MAX = 16,     /* in a URL */
	PGSQL_ADDRESSES_MAX = 32, /* of all these hosts */
	PGSQL_WORDS_MAX = 64,     /* parameters of a connection */
	PGSQL_WHY_MAX = 256,      /* bytes of a text for people */
	PGSQL_CONNECT_MS = 10000, /* to be subscribed, unless the URL says */
	PGSQL_ANSWER_MS = 10000,  /* a query must be answered within this */
	PGSQL_SILENCE_MS = 5000 /* then the server is asked whether it lives */
};

/* ---- the URL (driver_pgsql_url.c) ---- */

struct pgsql_host {
	char *name;    /* host, directory of a socket, or "" */
	char *address; /* numeric; "": a socket, or not known yet */
	char *port;
};

struct pgsql_url {
	char *keywords[PGSQL_WORDS_MAX + 1]; /* all but hosts and ports */
	char *values[PGSQL_WORDS_MAX + 1];
	size_t count;
	struct pgsql_host hosts[PGSQL_HOSTS_MAX];
	size_t host_count;
	uint32_t connect_ms;
};

/*
 * Take a URL apart.  0, -EINVAL or -ENOMEM, and in why what is wrong, without
 * anything that could be a piece of a password.  Nothing is to be released
 * after a failure.
 */
int pgsql_url_parse(struct pgsql_url *url, const char *text, char *why,
    size_t size);
void pgsql_url_release(struct pgsql_url *url);

/* Has the host a name that must be looked up? */
bool pgsql_host_is_name(const struct pgsql_host *host);

/* ---- names to addresses (driver_pgsql_resolve.c) ---- */

/* Called once: the addresses, one on each of the lines; "": there is none. */
typedef void pgsql_resolved_fn(void *arg, const char *lines);

struct pgsql_resolver {
	struct ev_loop *loop;
	ev_io io;
	pid_t pid; /* 0: nothing is looked up */
	int fd;
	char text[PGSQL_ADDRESSES_MAX * 48];
	size_t len;
	pgsql_resolved_fn *fn;
	void *arg;
};

/* Nothing is looked up yet; fn will be called with arg. */
void pgsql_resolver_init(struct pgsql_resolver *resolver, struct ev_loop *loop,
    pgsql_resolved_fn *fn, void *arg);

/*
 * Look a name up in a process of its own, because that may wait for long.  0
 * and fn follows, or -errno and it does not.
 */
int pgsql_resolver_start(struct pgsql_resolver *resolver, const char *name);

/* Forget the question; fn is not called any more. */
void pgsql_resolver_stop(struct pgsql_resolver *resolver);

/* ---- what waits to be sent (driver_pgsql_queue.c) ---- */

struct pgsql_item {
	struct pgsql_item *next;
	char *text; /* the envelope, owned */
	size_t len;
	uint64_t hash;
};

struct pgsql_queue {
	struct pgsql_item *first, **end;
	size_t bytes, max; /* with the items themselves */
	size_t count;
	size_t sent;        /* of the first: in the query on its way */
	size_t singly;      /* so many go alone: together they failed */
	unsigned char *mem; /* a batch as PostgreSQL wants to have it */
};

/* 0 or -ENOMEM. */
int pgsql_queue_init(struct pgsql_queue *queue, size_t max);
void pgsql_queue_release(struct pgsql_queue *queue);

/* Put text at the end; it is consumed.  0, -ENOBUFS, -ENOMEM. */
int pgsql_queue_put(struct pgsql_queue *queue, char *text, size_t len);

/*
 * The next batch as a text[] in binary; *ret_len are its bytes.  NULL: there
 * is nothing to send.  It stays in the queue until pgsql_queue_done().
 */
const char *pgsql_queue_batch(struct pgsql_queue *queue, int *ret_len);

/* The batch has gone out, or failed alone: forget it. */
void pgsql_queue_done(struct pgsql_queue *queue);

/*
 * It failed, and a transaction fails as a whole: true when its messages will be
 * tried each alone, false when it was one message, which is still there.
 */
bool pgsql_queue_failed(struct pgsql_queue *queue);

/* Forget everything; how many messages that were. */
size_t pgsql_queue_clear(struct pgsql_queue *queue);

/* ---- the connection (driver_pgsql.c, driver_pgsql_link.c) ---- */

enum pgsql_state {
	PGSQL_WAITING,
	PGSQL_RESOLVING,
	PGSQL_CONNECTING,
	PGSQL_SETUP,
	PGSQL_READY,
};

enum pgsql_query {
	PGSQL_NONE,
	PGSQL_LISTEN,
	PGSQL_NOTIFY,
	PGSQL_SIGN_OF_LIFE,
	PGSQL_UNLISTEN,
};

struct pg_conn; /* libpq's */

struct cbus_sync {
	struct ev_loop *loop;
	const struct cbus_sync_events *events;
	void *arg;
	char channel[PGSQL_CHANNEL_MAX + 1];
	char quoted[2 * PGSQL_CHANNEL_MAX + 3]; /* as an identifier */
	char own[CBUS_SYNC_ID_LEN + 16];        /* how our envelopes begin */
	char id[CBUS_SYNC_ID_LEN + 1];
	struct pgsql_url url;
	struct pgsql_queue queue;
	uint32_t backoff_min_ms, backoff_max_ms;

	enum pgsql_state state;
	enum pgsql_query query; /* on its way */
	bool closing;           /* nobody is told any more */
	bool broken;            /* sending failed: to be ended by the timer */
	bool query_failed;
	char why[PGSQL_WHY_MAX]; /* the query's mistake */
	struct pg_conn *conn;
	ev_io io;
	ev_timer timer;
	uint32_t attempts; /* without success, or with a short one */
	ev_tstamp ready_at;

	/* Addresses as found, for one attempt to connect. */
	struct pgsql_resolver resolver;
	struct pgsql_host addresses[PGSQL_ADDRESSES_MAX];
	size_t address_count;
	size_t host; /* being looked up */
	size_t turn; /* begin with this address */
};

/* Connect at the loop's next turn. */
void pgsql_link_init(struct cbus_sync *sync);

/* End the connection and all that waits; nobody is told. */
void pgsql_link_release(struct cbus_sync *sync);

/* Let the timer ring in so many milliseconds, and not before. */
void pgsql_link_timer(struct cbus_sync *sync, uint32_t ms);

/* Tell on_error, unless it is being closed. */
void pgsql_link_tell(struct cbus_sync *sync, enum cbus_sync_stage stage,
    int code, const char *text);

/* Tell that messages did not go out, and why, unless it is being closed. */
void pgsql_link_lose(struct cbus_sync *sync, size_t count, int code,
    const char *text);

/* ---- what is said on it (driver_pgsql_talk.c) ---- */

/* Connected: begin to listen; READY follows. */
void pgsql_talk_begin(struct cbus_sync *sync);

/* Send the next batch unless a query is on its way. */
void pgsql_talk_send(struct cbus_sync *sync);

/* Begin a query without parameters.  0 or -EIO. */
int pgsql_talk_ask(struct cbus_sync *sync, enum pgsql_query query,
    const char *text);

/* Read and write what there is; 0, or -errno: the connection is of no use. */
int pgsql_talk_turn(struct cbus_sync *sync);

/* The first line of libpq's words, without its end of line. */
void pgsql_words(char *out, size_t size, const char *text);

/* ---- addresses for a connection (driver_pgsql_address.c) ---- */

/*
 * Find all addresses of all hosts; pgsql_addresses_found() is called later, or
 * within.
 */
void pgsql_addresses_find(struct cbus_sync *sync);

/* They are in sync->addresses, none perhaps (driver_pgsql_link.c). */
void pgsql_addresses_found(struct cbus_sync *sync);

/* Begin a connection to them; NULL: no memory. */
struct pg_conn *pgsql_addresses_connect(struct cbus_sync *sync);

/* Forget what was found. */
void pgsql_addresses_clear(struct cbus_sync *sync);

#endif /* PRIMARY_SYNC_DRIVER_PGSQL_H */

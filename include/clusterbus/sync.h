/*
 * clusterbus/sync.h - drivers: how the hubs of several hosts are joined.
 *
 * A driver carries messages over a backplane, a server that exists already:
 * the primary loads one driver (`--sync redis://...`) and hands it every
 * message that nodes of this host publish; what other hosts sent it hands
 * back.  One connection set for a host, not for a worker.
 *
 * The promise is that of every backplane: at most once, no order between
 * hosts, nothing is kept while the backplane is away.  Local delivery comes
 * first and depends on nothing here; a failure is told to on_error and never
 * to the one who published.
 *
 * On text backplanes (redis, pgsql) a message travels in the envelope of
 * crossws's sync (cbus_envelope_encode()), so Node applications that use
 * crossws and clusterbus share one channel.
 *
 * A driver is a shared object that exports
 *
 *	const struct cbus_sync_driver cbus_sync_driver = { ... };
 *
 * `--sync NAME://...` looks for clusterbus-NAME.so beside the program, in its
 * ../lib/clusterbus/ and in --sync-dir.  It runs in the primary's one thread
 * on the primary's libev loop and must never wait.
 */
#ifndef CLUSTERBUS_SYNC_H
#define CLUSTERBUS_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	CBUS_SYNC_VERSION = 1,
	CBUS_SYNC_ID_LEN = 36,      /* characters of an instance id, a UUID */
	CBUS_SYNC_CHANNEL_MAX = 255 /* bytes; a driver may allow less */
};

/*
 * A message between hosts.  Everything is borrowed for the call; no string here
 * is '\0'-terminated.
 */
struct cbus_sync_message {
	const char *namespace_; /* empty: all */
	size_t namespace_len;
	const char *topic;
	size_t topic_len;
	const void *data; /* text in UTF-8, or bytes */
	size_t len;
	bool binary;
	/*
	 * The instance that sent it.  cbus_envelope_decode() sets it; a driver
	 * that delivers without an envelope does so itself.  On the way out it
	 * is not set: a driver knows params->id.
	 */
	const char *id;
	size_t id_len;
};

/* What went wrong where: the stages of crossws. */
enum cbus_sync_stage {
	CBUS_SYNC_SUBSCRIBE, /* connecting, authenticating, subscribing */
	CBUS_SYNC_PUBLISH,   /* a message did not go out */
	CBUS_SYNC_DELIVERY,  /* what came in was no good */
};

/* What a driver tells; arg is params->arg. */
struct cbus_sync_events {
	/*
	 * A message of another instance.  Own ones (message->id is params->id)
	 * are dropped by whoever sees them first.
	 */
	void (*deliver)(void *arg, const struct cbus_sync_message *message);
	/*
	 * Something failed; code is a negative errno, text is for people and
	 * has no password in it.  The driver goes on by itself.
	 */
	void (*on_error)(void *arg, enum cbus_sync_stage stage, int code,
	    const char *text);
	/*
	 * So many messages that publish() had taken did not go out.  They are
	 * counted here; on_error says why, once for all of them.
	 */
	void (*on_lost)(void *arg, size_t count);
	/* Subscribed (true), or the backplane is away (false). */
	void (*on_state)(void *arg, bool connected);
};

struct ev_loop;

struct cbus_sync_params {
	const char *url;     /* as given, without the channel */
	const char *channel; /* scopes the cluster; never empty */
	const char *id;      /* of this instance, CBUS_SYNC_ID_LEN */
	struct ev_loop *loop;
	size_t queue_max; /* bytes that may wait to be sent */
	uint32_t backoff_min_ms, backoff_max_ms;
	const struct cbus_sync_events *events;
	void *arg;
};

struct cbus_sync; /* the driver's own */

struct cbus_sync_driver {
	uint32_t version;     /* CBUS_SYNC_VERSION */
	const char *name;     /* "redis": the URL's scheme; others in aliases */
	const char *aliases;  /* "rediss unix" or NULL */
	uint32_t channel_max; /* bytes; 0: CBUS_SYNC_CHANNEL_MAX */

	/*
	 * Check URL and channel without connecting.  0, or -EINVAL and in why
	 * what is wrong, for people.
	 */
	int (*check)(const char *url, const char *channel, char *why,
	    size_t size);

	/*
	 * Begin to connect; on_state and on_error tell how it goes, on_error
	 * never before this has returned.  params and its strings are borrowed
	 * for the call, but id, events and loop are kept.  0; -EINVAL, -ENOMEM
	 * and why.
	 */
	int (*open)(const struct cbus_sync_params *params,
	    struct cbus_sync **ret_sync, char *why, size_t size);

	/*
	 * Send to the other instances.  0; -ENOTCONN: away; -ENOBUFS: queue_max
	 * is reached; -EMSGSIZE: larger than the backplane takes; -ENOMEM.
	 * The caller counts and tells it; the driver does not.
	 */
	int (*publish)(struct cbus_sync *sync,
	    const struct cbus_sync_message *message);

	/*
	 * Stop: unsubscribe, send what is queued for at most timeout_ms without
	 * the loop, free.  NULL is allowed.
	 */
	void (*close)(struct cbus_sync *sync, uint32_t timeout_ms);
};

#pragma GCC visibility push(default)

/* What a driver exports. */
extern const struct cbus_sync_driver cbus_sync_driver;

/* What a driver thinks of what it has found. */
enum cbus_sync_verdict {
	CBUS_SYNC_FINE,
	CBUS_SYNC_DOUBTFUL,
	CBUS_SYNC_WRONG,
};

/*
 * What `busctl doctor` hears about the server: a word or two, what to do about
 * it (NULL: nothing), what it is like.  No password.
 */
typedef void cbus_sync_fact_fn(void *arg, enum cbus_sync_verdict verdict,
    const char *name, const char *advice, const char *text);

/*
 * A driver may export this besides.  It connects by itself, may wait for a few
 * seconds, and tells what it finds; what it may not see it leaves out.  own:
 * so many instances on the channel are the asker's.  In params id, loop,
 * events and arg are of no use.
 */
typedef void cbus_sync_facts_fn(const struct cbus_sync_params *params,
    unsigned own, cbus_sync_fact_fn *fact, void *arg);
extern cbus_sync_facts_fn cbus_sync_facts;

/* ---- the envelope of crossws ------------------------------------------- */

/* A decoded envelope; the strings are owned and not '\0'-terminated. */
struct cbus_envelope {
	char *id;
	size_t id_len;
	struct cbus_sync_message message; /* its pointers are owned, too */
};

/*
 * {"id":...,"msg":{"namespace":...,"topic":...,"binary":...,"data":...}},
 * exactly as JSON.stringify() writes it: *ret_text is '\0'-terminated, free()
 * it.  0, -ENOMEM, -EMSGSIZE: more than a bus carries; -EINVAL: text that is
 * not UTF-8.
 */
int cbus_envelope_encode(const char *id, size_t id_len,
    const struct cbus_sync_message *message, char **ret_text, size_t *ret_len);

/*
 * 0 and an envelope to be released; -EPROTO: malformed, or nested more than 128
 * levels, or of more than 64 members; -EMSGSIZE: more than a bus carries;
 * -ENOMEM.  What crossws ignores silently is to be ignored silently.
 */
int cbus_envelope_decode(const char *text, size_t len,
    struct cbus_envelope *ret_envelope);
void cbus_envelope_release(struct cbus_envelope *envelope);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* CLUSTERBUS_SYNC_H */

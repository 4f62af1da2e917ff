/*
 * api.h - behind the public API: what a struct cbus is.
 *
 * The calls of include/clusterbus check what they are given, find the channel
 * and hand over to one of two back ends: a worker (worker/api_worker.c) or an
 * attached program (src/node/attach.c).  What both have in common is here:
 * listeners, errors, questions under way, presence.
 *
 *	cbus_publish() --> api (names, JSON, contract) --> ops->push()
 *	                                                     | api_fire()
 *	                                                     | own clients
 *	                                                     | the hub
 *	an envelope from the hub --> api_check() --> api_fire(), own clients
 *
 * Listeners live in one table by channel name, apart from a worker's channels:
 * a worker without an application pays one comparison for them.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/json.h"
#include "base/list.h"
#include "base/table.h"
#include "clusterbus/clusterbus.h"
#include "contract/contract.h"
#include "wire/channel_name.h"
#include "wire/ipc.h"
#include "wire/push.h"
#include "wire/query.h"

/* A publish or push on its way out.  Everything is borrowed for the call. */
struct api_push {
	const char *channel; /* with its prefix */
	size_t channel_len;
	const char *name; /* event, or type of a change; len 0: a topic */
	size_t name_len;
	const void *data;
	size_t len;
	bool binary;
	bool local_only;
	struct conn_id target;           /* n: channels */
	struct conn_id exclude;          /* number 0: none */
	struct ipc_node_id exclude_node; /* host 0: none; a: only */
};

/* What a back end does. */
struct api_ops {
	/*
	 * Deliver here (api_fire() and own clients), then to the others.
	 * Never fails; what could not be done is counted and told by
	 * api_error().
	 */
	void (*push)(void *impl, const struct api_push *push);

	/*
	 * The first listener of a channel has come; the last has gone.  join:
	 * 0, -ENOSPC, -ENOMEM.
	 */
	int (*join)(void *impl, const char *channel, size_t len);
	void (*leave)(void *impl, const char *channel, size_t len);

	/*
	 * Send a QUERY with this token; slot may be IPC_SLOT_NONE or
	 * IPC_SLOT_OTHERS.  0, -ENOMEM, -EPIPE: the hub is away.
	 */
	int (*query)(void *impl, uint32_t token, enum query_kind kind,
	    uint16_t slot, const struct query_args *args);

	/*
	 * Do what a KICK, ROOM_ADD or ROOM_REMOVE means for this node's own
	 * connections, at once.  True: that was all, the connection is
	 * nowhere else.  NULL where there are no clients.
	 */
	bool (*act)(void *impl, enum query_kind kind,
	    const struct query_args *args);
};

struct cbus {
	const struct api_ops *ops;
	void *impl;
	char node[NODE_ID_TEXT_MAX]; /* kept up to date by the back end */
	struct ipc_node_id id;
	/* NULL: the bus is open.  Borrowed; the back end changes it. */
	const struct contract *contract;
	bool has_clients; /* a worker */
	cbus_error_fn *on_error;
	void *error_arg;
	uint64_t errors; /* how many were told */
	bool telling;    /* on_error is running */
	uint64_t log_second;
	uint32_t logged; /* errors, in that second */

	struct table listeners; /* struct listening by channel, listener.c */
	size_t listener_count;
	uint32_t firing;  /* > 0: removed listeners are freed later */
	struct list dead; /* removed while firing */

	struct list queries; /* under way, query.c */
	uint32_t token;      /* of the last */
	uint32_t query_count;

	struct list filling; /* rooms, far.c */

	struct list watches;      /* presence.c */
	uint64_t presence_due_ms; /* api_presence_due() */
	uint32_t presence_busy;   /* > 0: watches are freed later */
	bool presence_changed;    /* one has ended, or is due at another time */
	struct ev_loop *loop;     /* NULL in a program */
};

/* Set up and tear down (frees listeners, watches, questions without calls). */
void api_init(struct cbus *bus, const struct api_ops *ops, void *impl);
void api_release(struct cbus *bus);

/*
 * The parts of api_release(): listener.c, query.c and presence.c each free
 * what they have, without calling anybody.
 */
void api_release_listeners(struct cbus *bus);
void api_release_queries(struct cbus *bus);
void api_release_watches(struct cbus *bus);

/* A WebSocket close code that a server may send? */
bool api_close_code(unsigned code);

/* ---- listener.c ---- */

/*
 * Call the listeners of a channel (t:, a:; presence on p:).  On a: those of
 * the event `name`; none when it is local_only, which is for clients.  from:
 * the node it came from.  Nothing happens when listener_count is 0.
 */
void api_fire(struct cbus *bus, const struct api_push *push,
    const struct ipc_node_id *from, uint64_t seq);

/* How many listen to a channel (HTTP API, questions). */
size_t api_listener_count(const struct cbus *bus, const char *channel,
    size_t len);

/* Tell an error; message may be NULL: strerror.  from NULL: this node. */
void api_error(struct cbus *bus, const char *kind, const char *name,
    size_t name_len, const char *stage, const struct ipc_node_id *from,
    int code, const char *message);

/* The hub says that the backplane failed: an error of kind "hub". */
void api_on_fault(struct cbus *bus, const struct ipc_message *message);

/* Add a listener inside the library (presence.c); see cbus_subscribe(). */
WARN_UNUSED int api_listen(struct cbus *bus, const char *channel, size_t len,
    const char *event, cbus_data_fn *fn, void *arg, struct cbus_sub **ret_sub);

/* ---- check.c ---- */

/*
 * What came from another node: is it sound (names, UTF-8, JSON for what a
 * program sent) and does it fit the contract?  Fills in *ret_push, pointing
 * into the envelope.  0, or a negative errno after api_error() has been told;
 * then it is not delivered.  bus->contract NULL: soundness only.
 */
WARN_UNUSED int api_check(struct cbus *bus, const struct ipc_envelope *envelope,
    struct api_push *ret_push);

/*
 * Does the data fit what is declared?  False: api_error() has been told.
 */
bool api_fits(struct cbus *bus, const struct contract_entry *entry,
    const struct api_push *push, const struct ipc_node_id *from);

/*
 * What the contract (not NULL) declares for a push: the topic, event or
 * resource, a role's when there is no shared one; or NULL.
 */
const struct contract_entry *api_declared(const struct cbus *bus,
    const struct api_push *push);

/*
 * May this event be pushed to a client of this role (NULL: none)?  Always true
 * on an open bus.
 */
bool api_event_for(const struct cbus *bus, const char *role, const char *event,
    size_t len);

/* ---- query.c ---- */

/* Gets rows of one worker, whole lines, as they come. */
typedef void api_rows_fn(void *arg, const struct ipc_node_id *node,
    const char *rows, size_t len);

/* Gets the figures in the end; NULL: the hub has gone away. */
typedef void api_end_fn(void *arg, const struct ipc_queried *end);

/*
 * Ask with a callback for rows as they come (busctl, the HTTP API).  end has
 * the figures; rows (may be NULL) gets lines, each with its '\n'.  cbus_ask() is
 * made of it.  end comes once, later, unless this fails; with NULL when the hub
 * has gone away, with late IPC_QUERIED_REFUSED when it does not ask anybody.
 * 0, -EBUSY: IPC_QUERIES_MAX are under way; -ENOMEM, -EPIPE.
 */
WARN_UNUSED int api_query(struct cbus *bus, enum query_kind kind, uint16_t slot,
    const struct query_args *args, api_rows_fn *rows, api_end_fn *end,
    void *arg);

/*
 * The question that was just asked owns its arg: when the bus is released
 * before it has ended, forget(arg) is called.
 */
typedef void api_forget_fn(void *arg);
void api_query_owns(struct cbus *bus, api_forget_fn *forget);

/* enum ipc_publish_flags of an envelope that is made of this push. */
uint16_t api_publish_flags(const struct cbus *bus, const struct api_push *push);

/* Forget all questions with this arg: neither rows nor end come any more. */
void api_query_cancel(struct cbus *bus, const void *arg);

/* The hub is away: end all questions. */
void api_queries_end(struct cbus *bus);

/* The back end hands in what came; unknown tokens are ignored. */
void api_on_answer(struct cbus *bus, const struct ipc_answer *answer,
    const char *rows, size_t len);
void api_on_queried(struct cbus *bus, const struct ipc_queried *queried);

/* ---- ask.c ---- */

/*
 * Take the first line off rows, without its '\n'.  False: there is none.  A
 * line that tells how many rows were left out ({"cut":N}) is no row: *ret_cut
 * grows by it, and the next line is taken.
 */
bool api_next_row(struct json_span *rows, struct json_span *ret_row,
    uint64_t *ret_cut);

/* The unsigned number that a row has under this key; 0 when it has none. */
uint64_t api_row_number(struct json_span row, const char *key);

/*
 * The text that a row has under this key, decoded and with a '\0'; "" when it
 * has none (or null), or it is longer than size.
 */
void api_row_text(struct json_span row, const char *key, char *text,
    size_t size);

/* The channel that a kind and a name mean.  0, -EINVAL. */
WARN_UNUSED int api_channel_of(enum cbus_kind kind, const char *name,
    struct channel_name *ret_channel);

/* ---- presence.c ---- */

/* A worker has gone: its members have left. */
void api_on_gone(struct cbus *bus, const struct ipc_node_id *node);

/*
 * The hub is away: questions under way end with -EPIPE.  It is back: watches
 * ask anew and tell the difference.
 */
void api_on_away(struct cbus *bus);
void api_on_back(struct cbus *bus);

/*
 * Envelopes on a channel were missed (a gap): a watch of it asks anew.
 */
void api_on_gap(struct cbus *bus, const char *channel, size_t len,
    const struct ipc_node_id *from, uint64_t missed);

/*
 * Watches have timers of their own: when the next one is due (UINT64_MAX: none
 * is), and run those that are.  The back end calls the second when the time of
 * the first has come, or several times a second: it costs one comparison.
 */
uint64_t api_presence_due(const struct cbus *bus);
void api_presence_tick(struct cbus *bus, uint64_t now_ms);

#endif /* API_API_H */

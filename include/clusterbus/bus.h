/*
 * clusterbus/bus.h - publish, listen, and push, from any node of the bus.
 *
 * The calls are the same in an application that workers load (app.h), in a
 * worker program of one's own (app.h) and in a program that is attached to a
 * running bus (attach.h).
 *
 * What is published on a topic reaches three kinds of subscriber at once:
 *   1. listeners of this node: called in-process before cbus_publish() returns,
 *      before the hub hears of it;
 *   2. listeners of the other nodes, over the hub;
 *   3. clients that subscribed, on every worker.
 * An event, by contrast, is pushed to clients that the server chooses: one
 * connection, a user, a room, all.
 *
 * Data is JSON text in UTF-8 (of no bytes: null), or bytes with `binary`.  It is
 * borrowed for the call.  At most CBUS_DATA_MAX bytes.  Names (topics, rooms, events, users,
 * resources) are UTF-8 without control characters, 1 to CBUS_NAME_MAX bytes.
 *
 * Delivery is at most once.  One publisher's messages on one topic arrive in
 * the order in which they were sent, at every receiver.
 *
 * Return values are 0 or a negative errno:
 *   -EINVAL    a name or the data is not what it must be
 *   -EMSGSIZE  the data is larger than CBUS_DATA_MAX
 *   -ENOENT    the contract declares no such name here
 *   -ENOMEM    no memory
 *   -ENOSPC    the limit on channels (--max-channels)
 *   -ENOTSUP   not in this kind of program (no clients here)
 * What goes wrong later is told to the function of cbus_on_error(), never to
 * the one who published: a failing backplane must not fail a request.
 *
 * Threads: a bus belongs to the thread that made it.  All functions are called
 * there, and all callbacks come there.
 */
#ifndef CLUSTERBUS_BUS_H
#define CLUSTERBUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
	CBUS_DATA_MAX = (64 << 20) - 4096, /* bytes of data */
	CBUS_NAME_MAX = 480,               /* bytes of a name */
	CBUS_EVENT_MAX = 255, /* bytes of an event's or method's name */
};

struct cbus;
struct cbus_conn; /* a client's connection on this node, conn.h */
struct cbus_sub;  /* a listener */

/*
 * This node's id, as others see it in `from`.  Valid as long as the bus; another
 * primary may give another id, then the text changes.
 */
const char *cbus_node_id(const struct cbus *bus);

/* ---- listening --------------------------------------------------------- */

/* About one message; valid during the call. */
struct cbus_info {
	const char *name; /* the topic, or the event */
	const char *from; /* the id of the node that published */
	uint64_t seq;     /* counts its messages on this topic; 0: unknown */
	bool binary;      /* bytes, not JSON */
};

/*
 * A message came.  0, or a negative errno that goes to cbus_on_error() as
 * stage "listener"; other listeners get the message all the same.  In here one
 * may publish, subscribe and unsubscribe, itself included.
 */
typedef int cbus_data_fn(void *arg, const void *data, size_t len,
    const struct cbus_info *info);

/*
 * Listen to a shared topic, wherever it is published, here included: a
 * listener that does not want its own node's messages compares info->from with
 * cbus_node_id().  Messages of other nodes are checked against the contract
 * first; what does not fit goes to cbus_on_error() and is not delivered.
 * *ret_sub is for cbus_unsubscribe().  The topics of a role have no listeners
 * (-ENOENT).
 *
 * In a worker the hub is told at the end of this turn of the loop; in an
 * attached program cbus_sync() waits until it knows.
 */
int cbus_subscribe(struct cbus *bus, const char *topic, cbus_data_fn *fn,
    void *arg, struct cbus_sub **ret_sub);

/* Listen to an event that is distributed to all nodes (cbus_distribute()). */
int cbus_on_event(struct cbus *bus, const char *event, cbus_data_fn *fn,
    void *arg, struct cbus_sub **ret_sub);

/* End it; no call comes after this returns.  NULL is allowed. */
void cbus_unsubscribe(struct cbus_sub *sub);

/* ---- topics ------------------------------------------------------------ */

/* Publish JSON text on a shared topic. */
int cbus_publish(struct cbus *bus, const char *topic, const void *data,
    size_t len);

/*
 * Publish on a role's topic: reaches subscribed clients of this role only.
 * -ENOENT without a contract: there are no roles then.
 */
int cbus_publish_role(struct cbus *bus, const char *role, const char *topic,
    const void *data, size_t len);

struct cbus_publish_opts {
	const char *role;         /* NULL: a shared topic */
	const char *exclude_conn; /* this connection does not get it */
	bool local_only;          /* stays on this node */
	bool binary; /* bytes; -EINVAL where the contract has a schema */
};

/* The same with options; opts may be NULL. */
int cbus_publish_opts(struct cbus *bus, const char *topic, const void *data,
    size_t len, const struct cbus_publish_opts *opts);

/* ---- events ------------------------------------------------------------ */

/*
 * To one connection on this node; -ENOTCONN when it is closing.  The event is
 * a shared one or one of the connection's role (else -ENOENT).
 */
int cbus_emit(struct cbus_conn *conn, const char *event, const void *data,
    size_t len);

/*
 * To a connection wherever it is; one that has gone misses it.  When it is on
 * this node nothing leaves the node.  The event is a shared one or one of the
 * connection's role; what its role does not know is not sent and goes to the
 * error function of its node.
 */
int cbus_emit_to_conn(struct cbus *bus, const char *conn_id, const char *event,
    const void *data, size_t len);

/* To every connection of a user, on all nodes; else the same. */
int cbus_emit_to_user(struct cbus *bus, const char *user, const char *event,
    const void *data, size_t len);

/*
 * To all nodes: every client and every listener of cbus_on_event(), except
 * those of the node exclude_node (NULL: none excluded).  A shared event.
 */
int cbus_distribute(struct cbus *bus, const char *event, const void *data,
    size_t len, const char *exclude_node);

/*
 * To all clients of this node, except exclude_conn (NULL: none).  Does not
 * leave the node.  A shared event.  -ENOTSUP in an attached program.
 */
int cbus_broadcast_local(struct cbus *bus, const char *event, const void *data,
    size_t len, const char *exclude_conn);

/*
 * To the clients that watch a resource ("doc:42"), except exclude_conn (NULL:
 * none): it has changed, how is told by type (like an event's name) and data.
 * Stays on this node unless the contract declares the resource "cluster"; so
 * an attached program, which has no watchers, gets -ENOTSUP for others.
 */
int cbus_notify(struct cbus *bus, const char *resource, const char *type,
    const void *data, size_t len, const char *exclude_conn);

/* ---- errors ------------------------------------------------------------ */

struct cbus_error {
	/* "topic", "event", "resource", "method", "hub", "app" */
	const char *kind;
	const char *name; /* which one; "" when none is meant */
	/* "subscribe", "publish", "delivery", "listener", "answer" */
	const char *stage;
	const char *from;    /* the node it came from; "" when it is this one */
	int code;            /* a negative errno */
	const char *message; /* plain words */
};

/* Hears of an error, which is valid during the call. */
typedef void cbus_error_fn(void *arg, const struct cbus_error *error);

/*
 * Who is told: a listener failed (stage "listener"); what came from another
 * node does not fit the contract, or messages were missed (stage "delivery",
 * -EPROTO and -ENODATA); an envelope could not leave this node
 * (stage "publish"); interest could not be told (stage "subscribe"); a
 * method's answer is not what the contract says (stage "answer").  Without a
 * function errors go to the log (in a program: nowhere); they are counted
 * always.  fn NULL: back to that.
 */
void cbus_on_error(struct cbus *bus, cbus_error_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* CLUSTERBUS_BUS_H */

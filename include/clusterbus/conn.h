/*
 * clusterbus/conn.h - connections and rooms: what only workers have.
 *
 * A struct cbus_conn is a client's connection on this node.  It is valid from
 * the application's connect (or move_in) hook to the return of its close (or
 * moved) hook, see app.h.  Do not keep it to reach a user later, from elsewhere:
 * keep the id (cbus_emit_to_conn()), use the user (cbus_emit_to_user()) or a
 * room; those work from every node.
 */
#ifndef CLUSTERBUS_CONN_H
#define CLUSTERBUS_CONN_H

#include <clusterbus/bus.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/*
 * Its id, unique on the bus.  The same for the connection's whole life, also
 * when it goes to another worker; the text is valid as long as conn.
 */
const char *cbus_conn_id(const struct cbus_conn *conn);

/*
 * Who it is, "" when that is not known.  Changes once at most: with --anonymous
 * a connection may say later who it is.
 */
const char *cbus_conn_user(const struct cbus_conn *conn);
const char *cbus_conn_role(const struct cbus_conn *conn);

/* IP address and port of the other end, for people. */
const char *cbus_conn_address(const struct cbus_conn *conn);

/*
 * The application's own pointer; NULL at first.  There is one, also for several
 * applications in one worker.
 */
void cbus_conn_set_data(struct cbus_conn *conn, void *data);
void *cbus_conn_data(const struct cbus_conn *conn);

/* The connection on this node that has this id, or NULL. */
struct cbus_conn *cbus_conn_find(struct cbus *bus, const char *conn_id);

/*
 * Close it with a WebSocket close code (4000 to 4999 are the application's)
 * and a reason of at most 123 bytes (NULL: none; a longer one is cut).  The
 * close hook follows, not before this returns.  Instead of a code that nobody
 * may send (1005, 1006 and so on) it is 1008.
 */
void cbus_conn_close(struct cbus_conn *conn, uint16_t code, const char *reason);

/*
 * Close a connection, or all connections of a user, wherever on this host they
 * are.  Give one of the two.  code 0 is 1008; -EINVAL: one that nobody may
 * send.  Those of this node are closed at once.  -ENOENT: a connection of
 * another host, which only a node there can close; connections that a user has
 * on other hosts stay.  -EPIPE: the hub is away, so others were not reached;
 * -EBUSY: too many questions under way.
 */
int cbus_kick(struct cbus *bus, const char *conn_id, const char *user,
    uint16_t code, const char *reason);

/* ---- rooms ------------------------------------------------------------- */

/*
 * A room is a group of connections that servers fill.  It needs no making: it
 * is there while it has members.  Members may have different roles, so only
 * shared events are broadcast to rooms (another one is -ENOENT).  Membership
 * ends with the connection.
 *
 * Adding twice counts once; removing one that is no member is -ENOENT.
 * -ENOSPC: the limit on channels (--max-channels).  -ENOTCONN: it is closing.
 */
int cbus_room_add(struct cbus *bus, const char *room, struct cbus_conn *conn);
int cbus_room_remove(struct cbus *bus, const char *room,
    struct cbus_conn *conn);

/*
 * The same for a connection by its id, or for all connections that a user has
 * now, wherever on this host they are; give one of the two.  From any node.
 * What this node broadcasts to the room afterwards reaches them.  Errors as of
 * cbus_kick(), so a connection of another host is -ENOENT: each host puts its
 * own into the room.  A full room is counted where it happens.
 */
int cbus_room_add_far(struct cbus *bus, const char *room, const char *conn_id,
    const char *user);
int cbus_room_remove_far(struct cbus *bus, const char *room,
    const char *conn_id, const char *user);

/*
 * Push an event to every member on every node, except exclude_conn (NULL:
 * none).
 */
int cbus_room_broadcast(struct cbus *bus, const char *room, const char *event,
    const void *data, size_t len);
int cbus_room_broadcast_except(struct cbus *bus, const char *room,
    const char *event, const void *data, size_t len, const char *exclude_conn);

/* Members on THIS node.  cbus_count() (presence.h) asks the whole bus. */
size_t cbus_room_size(struct cbus *bus, const char *room);

/* What cbus_room_each() calls. */
typedef void cbus_conn_fn(void *arg, struct cbus_conn *conn);

/*
 * Call fn for every member on THIS node that is there now: to emit an event of
 * its role to each.  In fn anything may be done, to the room too; a member that
 * has left meanwhile is left out.  0, -EINVAL, -ENOMEM, -ENOTSUP.
 */
int cbus_room_each(struct cbus *bus, const char *room, cbus_conn_fn *fn,
    void *arg);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* CLUSTERBUS_CONN_H */

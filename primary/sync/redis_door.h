/*
 * redis_door.h - the Redis door: the bus for whoever speaks the Redis protocol.
 *
 * The primary listens on RUNDIR/redis.sock (for the same user and root) and,
 * with --redis-listen, on a loopback address.  A client there is taken for a
 * member of the bus by every Redis library in every language: what it
 * PUBLISHes to `chat` reaches WebSocket clients and listeners of the topic
 * `chat` on every worker, other hosts, and the door's own subscribers; and the
 * other way round.  Answers are those of Redis 7, byte for byte, in RESP
 * versions 2 and 3.  Nothing is stored, so every command that would is unknown.
 *
 *	t:chat  <--- PUBLISH chat, SUBSCRIBE chat, PSUBSCRIBE ch*
 *
 * What is text and JSON is the same JSON on the other side.  Other text is a
 * JSON string there, bytes are binary; between clients of the door everything
 * is what it was, byte for byte.  A channel whose name no topic can have
 * (empty, longer than 480 bytes, control characters, not UTF-8) is known to the
 * door's clients only.  So are shard channels (SSUBSCRIBE, SPUBLISH): they
 * are names of their own in Redis, too, and topics have no such second set.
 *
 * Each client is a node of its own: `from` tells them apart.  Its node id has
 * the slot DOOR_SLOT and as its generation a place at the door, the lowest that
 * was free when it came.  A place is given again when its client has gone, and
 * goes on counting its envelopes where it was: who connects for one PUBLISH
 * only is part of a row without gaps like everybody, and receivers follow as
 * many origins as there are clients at a time (up to CHANNEL_ORIGINS_MAX of one
 * channel, then they begin anew).  To the hub the door is still one sink, so an
 * envelope is framed once for all of them.
 *
 * A client that calls itself DOOR_BRIDGE_NAME is the bridge of another bus that
 * uses this door as its Redis.  It has the slot DOOR_BRIDGE_SLOT, and what it
 * publishes stays on this bus: our bridge does not carry it on, so that buses
 * at each other's doors do not send an envelope round for ever.
 *
 * Files: redis_door.c listens; door_client.c reads and writes; door_command.c
 * knows the commands; door_hello.c, door_info.c, door_docs.c, door_subscribe.c,
 * door_pubsub.c and door_publish.c carry them out; door_table.c is who has
 * subscribed to what; door_glob.c matches patterns.  resp.c reads and
 * resp_out.c writes the protocol.
 */
#ifndef PRIMARY_SYNC_REDIS_DOOR_H
#define PRIMARY_SYNC_REDIS_DOOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "config/config.h"
#include "wire/stats.h"

struct redis_door;
struct ev_loop;
struct hub;

#define DOOR_BRIDGE_NAME "clusterbus"

enum {
	DOOR_BRIDGE_SLOT = 0xfffc, /* in the node id of other buses' bridges */
	DOOR_SLOT = 0xfffd,        /* of other clients of the door */
};

/*
 * A door with nobody at it, that listens where config->redis_listen says, if
 * it does, and reads the password from config->redis_password.  host is the
 * bus's; loop, hub and stats are borrowed until redis_door_free(), config for
 * the call.  NULL with the reason in why.
 */
struct redis_door *redis_door_new(struct ev_loop *loop, struct hub *hub,
    struct stats_hub *stats, uint32_t host, const struct config *config,
    char *why, size_t size);

/*
 * Accept clients on a Unix socket; the listening descriptor is consumed.  Peers
 * that are neither this user nor root are turned away.
 */
void redis_door_listen(struct redis_door *door, int listen_fd);

/*
 * The instance id of the bridge of this bus (NULL: it has none), for INFO: a
 * driver that finds its own there has been sent to its own bus.
 */
void redis_door_set_instance(struct redis_door *door, const char *id);

/*
 * The descriptors that it listens on, -1 where it does not; they stay its own.
 */
void redis_door_fds(const struct redis_door *door, int *ret_unix, int *ret_tcp);

/*
 * As redis_door_new() and redis_door_listen(), with the sockets of a door that
 * was another program's in this process (consumed, on failure too; tcp_fd may
 * be -1).
 */
struct redis_door *redis_door_again(struct ev_loop *loop, struct hub *hub,
    struct stats_hub *stats, uint32_t host, const struct config *config,
    int unix_fd, int tcp_fd, char *why, size_t size);

/* What may change while it runs: its limits. */
void redis_door_apply(struct redis_door *door, const struct config *config);

/* Close all clients and free; before hub_free().  NULL is allowed. */
void redis_door_free(struct redis_door *door);

#endif /* PRIMARY_SYNC_REDIS_DOOR_H */

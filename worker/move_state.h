/*
 * move_state.h - a connection's state as bytes, from one worker to another.
 *
 * Two parts, at two moments (see move.h): who it is, with the OFFER; and what
 * changes with every frame, with the GIVE.  The taker fills a fresh client from
 * them.  Bytes come from another process, perhaps of another version: every
 * length, count and value is checked, and what does not fit is -EPROTO; a
 * client that was filled in part is to be freed.
 *
 * Numbers are little-endian and texts have a length in front; the first bytes
 * are a magic and MOVE_STATE_VERSION.
 */
#ifndef WORKER_MOVE_STATE_H
#define WORKER_MOVE_STATE_H

#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"

struct client;
struct net_address;
struct ws_moved;

enum {
	MOVE_STATE_VERSION = 1,
	MOVE_STATE_MAX = 256 << 20,   /* bytes of the second part */
	MOVE_STATE_APP_MAX = 64 << 10 /* bytes that applications may add */
};

/* What move_who_read() calls for each channel, with its prefix. 0 or -errno. */
typedef int move_channel_fn(void *arg, const char *channel, size_t len);

/*
 * Who it is, of one that has said so: home and number, user, role, expiry, grants, address, protocol,
 * age, the names of all channels that it is a member of.  0, -ENOBUFS (more
 * than IPC_OFFER_MAX), -ENOMEM.
 */
WARN_UNUSED int move_who_write(const struct client *client, struct buf *out);

/*
 * Fill a client from client_new_moved() with that; then call fn for each of its
 * channels: topics, rooms, watched resources, its user.  A name may come twice.
 * 0, -EPROTO, -ENOMEM, -ENOBUFS (more than max-subscriptions here), or what fn
 * said.  home and number are set, client_named() is the caller's.
 */
WARN_UNUSED int move_who_read(const void *bytes, size_t len,
    struct client *client, move_channel_fn *fn, void *arg);

/*
 * The other end's address, as the giver saw it; len 0: it did not.  0, or
 * -EPROTO.
 */
WARN_UNUSED int move_who_address(const void *bytes, size_t len,
    struct net_address *ret_address);

/*
 * The rest: frames in the outbox with what is needed to drop one and tell the
 * gap, gaps, the message that is being put together, rate tokens, counters,
 * times, a ping that is out, where the reading stands, the tail, and what
 * applications have added.  0, -ENOBUFS (MOVE_STATE_MAX), -ENOMEM.
 */
WARN_UNUSED int move_state_write(const struct client *client,
    const struct ws_moved *moved, const void *app, size_t app_len,
    struct buf *out);

/*
 * Fill the client with that: frames go in front of what its outbox has got
 * since, gaps to those noted since.  ret_app points into bytes.  0; -EPROTO,
 * also when it is another connection's; -ENOMEM; -ENOBUFS: more than
 * max-message or outbox-hard allow here.  ret_moved is the caller's to release
 * when it is 0.
 */
WARN_UNUSED int move_state_read(const void *bytes, size_t len,
    struct client *client, struct ws_moved *ret_moved, const void **ret_app,
    size_t *ret_app_len);

#endif /* WORKER_MOVE_STATE_H */

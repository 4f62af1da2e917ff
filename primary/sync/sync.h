/*
 * sync.h - the bridge between the hub of this host and a backplane.
 *
 * One for a primary, with one driver.  It is a tap on the hub: what nodes of
 * this host publish has gone to this host's queues before the bridge sees it,
 * and nothing that happens to the backplane comes back to them but a counter,
 * a line in the log and FAULT (cbus_on_error).
 *
 * What travels:
 *
 *	t:TOPIC          namespace --sync-namespace, topic TOPIC; JSON as the
 *	                 text that it is, plain text (IPC_PUBLISH_TEXT) plain,
 *	                 bytes as bytes: what crossws speaks
 *	f: r: u: a: w:   namespace "clusterbus", topic the channel's whole name,
 *	                 bytes: a struct of ours (sync_frame.h), so that the
 *	                 hosts of a cluster share role topics, rooms, users,
 *	                 events for all and resources; crossws delivers to
 *	                 paths, which begin with '/', so nobody there hears it
 *	n: other hosts   the same; only the host whose node it is takes it
 *	p:, n: of ours   never
 *
 * What comes in goes to the hub with the bridge's own sink, so it does not go
 * out again.  A message of a foreign instance has as its origin a node of a
 * host whose number is made of the instance's id, in slot SYNC_SLOT.
 */
#ifndef PRIMARY_SYNC_SYNC_H
#define PRIMARY_SYNC_SYNC_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "config/config.h"
#include "wire/stats.h"

struct cbus_sync_driver;
struct ev_loop;
struct hub;
struct sync;

enum {
	SYNC_SLOT = 0xfffe,
	SYNC_BACKOFF_MIN_MS = 100,
	SYNC_BACKOFF_MAX_MS = 5000,
	SYNC_CLOSE_MS = 500, /* at the end, for what is queued */
};

/* All borrowed for the call. */
struct sync_options {
	const char *url;     /* without the channel */
	const char *channel; /* not empty */
	const char *namespace_;
	size_t queue_max;
	size_t topic_max;
	uint32_t host; /* of this bus */
};

/*
 * Join the backplane; it connects later, by itself.  loop, hub, stats and
 * driver are borrowed until sync_close().  NULL with the reason in why.
 */
struct sync *sync_open(struct ev_loop *loop, struct hub *hub,
    struct stats_hub *stats, const struct cbus_sync_driver *driver,
    const struct sync_options *options, char *why, size_t size);

/*
 * Join what config says, and write into the page what that is.  0 with
 * *ret_sync NULL when it says none; -EINVAL with the reason in why.
 */
WARN_UNUSED int sync_start(struct ev_loop *loop, struct hub *hub,
    struct stats_page *page, const struct config *config,
    struct sync **ret_sync, char *why, size_t size);

/* The id of this instance on the backplane; valid until sync_close(). */
const char *sync_id(const struct sync *sync);

/* The longest topic that is taken from others; may change at any time. */
void sync_set_topic_max(struct sync *sync, size_t bytes);

/*
 * Leave it, waiting at most timeout_ms for what is queued; before hub_free().
 * NULL is allowed.
 */
void sync_close(struct sync *sync, uint32_t timeout_ms);

#endif /* PRIMARY_SYNC_SYNC_H */

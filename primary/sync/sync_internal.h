/*
 * sync_internal.h - what the parts of the bridge share.
 *
 * Inside primary/sync/sync*.c only.  sync.c is its life and its troubles,
 * sync_out.c and sync_in.c are the two directions.
 */
#ifndef PRIMARY_SYNC_SYNC_INTERNAL_H
#define PRIMARY_SYNC_SYNC_INTERNAL_H

#include <stdbool.h>

#include "clusterbus/sync.h"
#include "primary/hub_sink.h"
#include "primary/sync/sync.h"

#define SYNC_OWN_NAMESPACE "clusterbus"

enum {
	SYNC_STAGES = CBUS_SYNC_DELIVERY + 1
};

/* Lines in the log for one stage: the first, then one in a while. */
struct sync_trouble {
	uint64_t told_ms; /* 0: never */
	unsigned left_out;
};

struct sync {
	struct hub *hub;
	struct stats_hub *stats;
	const struct cbus_sync_driver *driver;
	struct cbus_sync *handle; /* owned; NULL while it is opened */
	struct hub_sink *sink;    /* owned; joins nothing */
	char id[CBUS_SYNC_ID_LEN + 1];
	char *namespace_; /* owned */
	size_t namespace_len;
	size_t topic_max;
	uint32_t host;
	bool connected;
	bool was_connected;
	struct sync_trouble troubles[SYNC_STAGES];
};

/* Something failed: to the log and to all nodes, both not too often. */
void sync_fail(struct sync *sync, enum cbus_sync_stage stage, int code,
    const char *text);

/* Is it "n:" and a node of this host? */
bool sync_names_host(const struct sync *sync, const char *channel, size_t len);

/* hub_sink_fn: an envelope of this host. */
void sync_send(void *arg, const struct ipc_envelope *envelope);

/* The driver's deliver: a message of another instance. */
void sync_take(void *arg, const struct cbus_sync_message *message);

#endif /* PRIMARY_SYNC_SYNC_INTERNAL_H */

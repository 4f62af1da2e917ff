/*
 * hub_sink.h - nodes inside the primary: they have no socket of their own.
 *
 * A sink joins channels like any node and is called for their envelopes, as
 * they are read.  The Redis door is one, however many clients it has.  A tap
 * sees every envelope that any node or sink of this host publishes, whether
 * anybody joined its channel or not: the bridge to the backplane is one, the
 * door's patterns are another.
 *
 * A sink is an index in the interest table like a node's, from HUB_NODES_MAX
 * on, so questions, WANTED and GONE do not see it, and relaying costs one
 * compare for each receiver.
 *
 * During a call an envelope's pointers are valid and nothing else; what is to
 * be kept is copied.  Sinks and taps may publish inside (hub_inject) and close
 * sinks (those are freed at the end of the turn); they must not join or leave
 * there, nor add or remove taps.
 */
#ifndef PRIMARY_HUB_SINK_H
#define PRIMARY_HUB_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/ipc.h"

struct hub;
struct hub_sink;

enum {
	HUB_SINKS_MAX = 2048,
	HUB_TAPS_MAX = 4
};

/* What a sink or tap is called with: its arg and an envelope. */
typedef void hub_sink_fn(void *arg, const struct ipc_envelope *envelope);

/*
 * A sink; id is the origin of what it publishes, see hub_inject().  NULL: no
 * memory, or HUB_SINKS_MAX reached.
 */
struct hub_sink *hub_sink_new(struct hub *hub, const struct ipc_node_id *id,
    hub_sink_fn *fn, void *arg);

/*
 * Leave all channels; no call comes any more.  If any is joined still, the
 * whole table is walked for them.  NULL is allowed.
 */
void hub_sink_close(struct hub_sink *sink);

/* 1: joined; 0: had joined before; -ENOMEM.  And: whether it had joined. */
WARN_UNUSED int hub_sink_join(struct hub_sink *sink, const char *channel,
    size_t len);
int hub_sink_leave(struct hub_sink *sink, const char *channel, size_t len);

/*
 * Publish: to all nodes and sinks that joined the channel, except `from`
 * (NULL: none excepted), and to the taps, except those of `from`.  head.origin
 * is taken as it is, but with host 0 it becomes from's id; channel_len of the
 * head is set.  Everything is copied.  Returns how many nodes and sinks it
 * went to, or -ENOMEM, -EMSGSIZE (channel or payload).
 */
WARN_UNUSED int hub_inject(struct hub *hub, struct hub_sink *from,
    const struct ipc_envelope *envelope);

/*
 * See every envelope of this host, but not what the sink `own` (NULL: none)
 * injected.  0, or -ENOBUFS: HUB_TAPS_MAX.  fn and arg say which to remove.
 */
WARN_UNUSED int hub_add_tap(struct hub *hub, hub_sink_fn *fn, void *arg,
    struct hub_sink *own);
void hub_remove_tap(struct hub *hub, hub_sink_fn *fn, void *arg);

/*
 * Would hub_inject() give it to anybody, node, sink or tap?  If not, there is
 * no need to make the envelope.
 */
bool hub_is_wanted(const struct hub *hub, const struct hub_sink *from,
    const char *channel, size_t len);

/* How many nodes and sinks have joined a channel; sinks alone in *ret_sinks. */
uint32_t hub_interested(const struct hub *hub, const char *channel, size_t len,
    uint32_t *ret_sinks);

/*
 * Tell all nodes (FAULT): something at stage `stage` ("subscribe", "publish",
 * "delivery") failed with the backplane.  At most one a second for each stage;
 * the number left out is in the next one's text.
 */
void hub_fault(struct hub *hub, const char *stage, int code, const char *name,
    const char *text);

#endif /* PRIMARY_HUB_SINK_H */

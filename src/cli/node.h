/*
 * node.h - what `busctl publish` and `busctl subscribe` share: attach to the
 * bus that is meant, and make a channel's name of a topic.
 */
#ifndef CLI_NODE_H
#define CLI_NODE_H

#include <stddef.h>

#include "base/base.h"
#include "cli/place.h"
#include "node/node.h"

enum {
	CLI_NODE_TIMEOUT_MS = 5000
};

/* Attach as a program of this name.  CLI_OK, or a status after saying why. */
WARN_UNUSED int cli_attach(const struct place *place, const char *name,
    struct node **ret_node);

/*
 * The channel of a topic, into channel (IPC_CHANNEL_MAX bytes).  CLI_OK, or
 * CLI_USAGE after saying what is wrong with the topic.
 */
WARN_UNUSED int cli_topic(const char *command, const char *topic, char *channel,
    size_t *ret_len);

#endif /* CLI_NODE_H */

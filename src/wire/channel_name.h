/*
 * channel_name.h - the prefixes of channel names.
 *
 * What topic, room, user and so on have in common is the channel; what kind it
 * is stands in its first two bytes.
 *
 *	t:TOPIC        shared topic: clients subscribe, nodes listen
 *	f:ROLE/TOPIC   the topic of a role: that role's clients subscribe
 *	r:ROOM         room: servers put clients in
 *	u:USER         user: all connections that authenticated as this user
 *	w:RESOURCE     resource: clients watch it
 *	n:NODE         one node; for its connections, each by its number
 *	a:             all: every client and listener of every node
 *	p:CHANNEL      presence: joins and leaves of another channel
 *
 * A role's name has no '/', so that f: is unambiguous (the contract sees to
 * it).
 */
#ifndef WIRE_CHANNEL_NAME_H
#define WIRE_CHANNEL_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "wire/ipc_proto.h"
#include "wire/node_id.h"

enum {
	CHANNEL_PREFIX_LEN = 2
};

/* A channel's name being put together. */
struct channel_name {
	size_t len;
	char text[IPC_CHANNEL_MAX + 1]; /* '\0'-terminated as well */
};

/* Kind 't' and so on, and the name.  0, or -ENAMETOOLONG. */
WARN_UNUSED int channel_name(struct channel_name *ret_channel, char kind,
    const char *name, size_t len);

/* "f:ROLE/TOPIC".  0, -ENAMETOOLONG, -EINVAL: the role has a '/'. */
WARN_UNUSED int channel_name_role(struct channel_name *ret_channel,
    const char *role, const char *topic, size_t len);

/* "n:NODE" */
void channel_name_node(struct channel_name *ret_channel,
    const struct ipc_node_id *node);

/* "p:" and a channel's name.  0, or -ENAMETOOLONG. */
WARN_UNUSED int channel_name_presence(struct channel_name *ret_channel,
    const char *channel, size_t len);

/*
 * Is it a name with a prefix of the list, not empty behind it ("a:" is), and
 * without control characters?
 */
bool channel_name_valid(const char *channel, size_t len);

/*
 * What is wrong with the name of a topic, room, user or resource (without a
 * prefix): empty, longer than max, control characters, not UTF-8.  NULL:
 * nothing; else static text: "is empty" and so on.
 */
const char *channel_name_fault(const char *name, size_t len, size_t max);

#endif /* WIRE_CHANNEL_NAME_H */

/*
 * node_id.h - the name of a node: host, slot, generation.
 *
 * As text it is "%08x-%u-%u"; a connection's id is that, '-' and a number.  As
 * a number it fits into 64 bits, for keys and comparisons.
 */
#ifndef WIRE_NODE_ID_H
#define WIRE_NODE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/ipc_proto.h"

enum {
	NODE_ID_TEXT_MAX = 24
}; /* the longest text, with its NUL */

/* Write id as text; size is best NODE_ID_TEXT_MAX. */
void node_id_format(const struct ipc_node_id *id, char *text, size_t size);

/* Read what node_id_format() writes, and nothing else.  0 or -EINVAL. */
WARN_UNUSED int node_id_parse(const char *text, struct ipc_node_id *ret_id);

/* The id as one number, different for different ids, and back. */
uint64_t node_id_to_u64(const struct ipc_node_id *id);
struct ipc_node_id node_id_from_u64(uint64_t number);

/* Do both name the same node? */
bool node_id_equal(const struct ipc_node_id *a, const struct ipc_node_id *b);

#endif /* WIRE_NODE_ID_H */

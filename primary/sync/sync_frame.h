/*
 * sync_frame.h - what stands before the payload of an envelope that goes to
 * another clusterbus host.
 *
 * A byte of flags, the origin in network byte order, then the payload as it
 * lies.  A push_head in that is in the byte order of its host, which the
 * topmost bit of the flags tells; who has the other one does not take it.
 */
#ifndef PRIMARY_SYNC_SYNC_FRAME_H
#define PRIMARY_SYNC_SYNC_FRAME_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "wire/ipc_proto.h"

enum {
	SYNC_FRAME_HEAD = 9, /* bytes */
	SYNC_FRAME_FLAGS =
	    IPC_PUBLISH_BINARY | IPC_PUBLISH_PUSH | IPC_PUBLISH_TEXT,
	SYNC_FRAME_BIG_ENDIAN = 0x80,
};

/* What the topmost bit is on this host. */
static inline unsigned char
sync_frame_order(void)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? SYNC_FRAME_BIG_ENDIAN :
							0;
}

static inline void
sync_frame_write(unsigned char *head, uint16_t flags,
    const struct ipc_node_id *origin)
{
	uint32_t host = htonl(origin->host);
	uint16_t slot = htons(origin->slot);
	uint16_t generation = htons(origin->generation);

	head[0] =
	    (unsigned char)((flags & SYNC_FRAME_FLAGS) | sync_frame_order());
	memcpy(head + 1, &host, 4);
	memcpy(head + 5, &slot, 2);
	memcpy(head + 7, &generation, 2);
}

static inline void
sync_frame_read(const unsigned char *head, struct ipc_node_id *ret_origin)
{
	uint32_t host;
	uint16_t slot, generation;

	memcpy(&host, head + 1, 4);
	memcpy(&slot, head + 5, 2);
	memcpy(&generation, head + 7, 2);
	ret_origin->host = ntohl(host);
	ret_origin->slot = ntohs(slot);
	ret_origin->generation = ntohs(generation);
}

#endif /* PRIMARY_SYNC_SYNC_FRAME_H */

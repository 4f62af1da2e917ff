/*
 * address.h - the IP addresses that have connections here, and how many.
 *
 * IPv4 counts as the IPv6 address that it is mapped to, so that it is one
 * address whichever socket it came through.
 */
#ifndef WORKER_ADDRESS_H
#define WORKER_ADDRESS_H

#include <stdint.h>

#include "base/table.h"

struct sockaddr_storage;

enum {
	ADDRESS_LEN = 16
};

/* One that has connections, or is just being looked at. */
struct address {
	struct table_entry entry;
	uint32_t clients; /* handshakes included */
	uint32_t handshakes;
	char ip[ADDRESS_LEN];
};

/*
 * The entry of this peer's address, a new one if need be; table is for these
 * only.  NULL: out of memory.
 */
struct address *address_get(struct table *table,
    const struct sockaddr_storage *sa);

/* Its counts have changed: forget it when it has no connection. */
void address_settle(struct table *table, struct address *address);

#endif /* WORKER_ADDRESS_H */

/* address.c - see address.h. */
#include "worker/address.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base.h"
#include "base/hash.h"

/* IPv4 as IPv6 does: one key for both. */
static void
ip_of(const struct sockaddr_storage *sa, char *ip)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(ip, 0, ADDRESS_LEN);
	if (sa->ss_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		ip[10] = (char)0xff;
		ip[11] = (char)0xff;
		memcpy(ip + 12, &v4.sin_addr, 4);
	} else if (sa->ss_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(ip, &v6.sin6_addr, ADDRESS_LEN);
	}
}

struct address *
address_get(struct table *table, const struct sockaddr_storage *sa)
{
	char ip[ADDRESS_LEN];
	struct table_entry *entry;
	struct address *address;
	uint64_t hash;

	ip_of(sa, ip);
	hash = hash_bytes(ip, ADDRESS_LEN);
	entry = table_find(table, ip, ADDRESS_LEN, hash);
	if (entry != NULL)
		return CONTAINER_OF(entry, struct address, entry);
	address = calloc(1, sizeof(*address));
	if (address == NULL)
		return NULL;
	memcpy(address->ip, ip, ADDRESS_LEN);
	address->entry.key = address->ip;
	address->entry.key_len = ADDRESS_LEN;
	address->entry.hash = hash;
	if (table_insert(table, &address->entry) != 0) {
		free(address);
		return NULL;
	}
	return address;
}

void
address_settle(struct table *table, struct address *address)
{
	if (address->clients != 0)
		return;
	table_remove(table, &address->entry);
	free(address);
}

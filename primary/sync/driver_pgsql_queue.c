/*
 * driver_pgsql_queue.c - envelopes that wait for PostgreSQL.
 *
 * A batch is the longest run from the front that has no two equal texts and
 * fits.  Texts are compared by a hash: two different ones that are taken for
 * equal only go one after the other.
 */
#include "primary/sync/driver_pgsql.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEEN_SLOTS = PGSQL_BATCH_MAX * 2, /* a power of two */
	ARRAY_HEAD = 5 * 4,
	TEXT_OID = 25
};

static uint64_t
hash_of(const char *text, size_t len)
{
	uint64_t hash = 14695981039346656037u;
	size_t i;

	for (i = 0; i < len; i++) {
		hash ^= (unsigned char)text[i];
		hash *= 1099511628211u;
	}
	return hash != 0 ? hash : 1;
}

/* Was the hash there?  It is now. */
static bool
is_seen(uint64_t *seen, uint64_t hash)
{
	size_t i = (size_t)hash % SEEN_SLOTS;

	while (seen[i] != 0) {
		if (seen[i] == hash)
			return true;
		i = (i + 1) % SEEN_SLOTS;
	}
	seen[i] = hash;
	return false;
}

int
pgsql_queue_init(struct pgsql_queue *queue, size_t max)
{
	memset(queue, 0, sizeof(*queue));
	queue->end = &queue->first;
	queue->max = max;
	queue->mem = malloc(PGSQL_BATCH_BYTES);
	return queue->mem != NULL ? 0 : -ENOMEM;
}

void
pgsql_queue_release(struct pgsql_queue *queue)
{
	(void)pgsql_queue_clear(queue); /* whom could it be told */
	free(queue->mem);
	queue->mem = NULL;
}

int
pgsql_queue_put(struct pgsql_queue *queue, char *text, size_t len)
{
	struct pgsql_item *item;

	assert(len <= PGSQL_PAYLOAD_MAX);
	if (queue->bytes + len + sizeof(*item) > queue->max) {
		free(text);
		return -ENOBUFS;
	}
	item = malloc(sizeof(*item));
	if (item == NULL) {
		free(text);
		return -ENOMEM;
	}
	item->next = NULL;
	item->text = text;
	item->len = len;
	item->hash = hash_of(text, len);
	*queue->end = item;
	queue->end = &item->next;
	queue->bytes += len + sizeof(*item);
	queue->count++;
	return 0;
}

static void
put_number(unsigned char *at, size_t value)
{
	uint32_t number = htonl((uint32_t)value);

	memcpy(at, &number, sizeof(number));
}

const char *
pgsql_queue_batch(struct pgsql_queue *queue, int *ret_len)
{
	uint64_t seen[SEEN_SLOTS] = { 0 };
	size_t most = queue->singly > 0 ? 1 : PGSQL_BATCH_MAX;
	size_t at = ARRAY_HEAD;
	const struct pgsql_item *item;

	assert(queue->sent == 0);
	for (item = queue->first; item != NULL; item = item->next) {
		if (queue->sent == most ||
		    at + 4 + item->len > PGSQL_BATCH_BYTES ||
		    is_seen(seen, item->hash))
			break;
		put_number(queue->mem + at, item->len);
		memcpy(queue->mem + at + 4, item->text, item->len);
		at += 4 + item->len;
		queue->sent++;
	}
	if (queue->sent == 0)
		return NULL;
	put_number(queue->mem, 1);     /* dimensions */
	put_number(queue->mem + 4, 0); /* no element is null */
	put_number(queue->mem + 8, TEXT_OID);
	put_number(queue->mem + 12, queue->sent);
	put_number(queue->mem + 16, 1); /* the first one's index */
	*ret_len = (int)at;
	return (const char *)queue->mem;
}

static void
drop_first(struct pgsql_queue *queue)
{
	struct pgsql_item *item = queue->first;

	queue->first = item->next;
	if (queue->first == NULL)
		queue->end = &queue->first;
	queue->bytes -= item->len + sizeof(*item);
	queue->count--;
	free(item->text);
	free(item);
}

void
pgsql_queue_done(struct pgsql_queue *queue)
{
	for (; queue->sent > 0; queue->sent--) {
		drop_first(queue);
		if (queue->singly > 0)
			queue->singly--;
	}
}

bool
pgsql_queue_failed(struct pgsql_queue *queue)
{
	if (queue->sent <= 1)
		return false;
	queue->singly = queue->sent;
	queue->sent = 0;
	return true;
}

size_t
pgsql_queue_clear(struct pgsql_queue *queue)
{
	size_t count = queue->count;

	while (queue->first != NULL)
		drop_first(queue);
	queue->sent = queue->singly = 0;
	return count;
}

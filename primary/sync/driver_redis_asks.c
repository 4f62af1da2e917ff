/*
 * driver_redis_asks.c - what was asked and not answered; see driver_redis.h.
 *
 * Redis answers in order, so a ring of what was asked tells what a reply is
 * for.  It is as long as what may wait (queue_max) allows.
 */
#include <errno.h>
#include <stdlib.h>

#include "primary/sync/driver_redis.h"

enum {
	ASKS_MIN = 16,
	KIND_BITS = 3,
	KIND_MASK = (1 << KIND_BITS) - 1
};

static int
grow(struct redis_asks *asks)
{
	uint32_t size = asks->size == 0 ? ASKS_MIN : asks->size * 2;
	uint32_t *items = malloc(size * sizeof(*items));

	if (items == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < asks->count; i++)
		items[i] = asks->items[(asks->first + i) & (asks->size - 1)];
	free(asks->items);
	asks->items = items;
	asks->first = 0;
	asks->size = size;
	return 0;
}

int
redis_asks_put(struct redis_asks *asks, enum redis_ask ask, uint32_t bytes)
{
	if (asks->count == asks->size) {
		int err = grow(asks);

		if (err != 0)
			return err;
	}
	asks->items[(asks->first + asks->count) & (asks->size - 1)] =
	    bytes << KIND_BITS | (uint32_t)ask;
	asks->count++;
	return 0;
}

bool
redis_asks_take(struct redis_asks *asks, enum redis_ask *ret_ask,
    uint32_t *ret_bytes)
{
	uint32_t item;

	if (asks->count == 0)
		return false;
	item = asks->items[asks->first];
	asks->first = (asks->first + 1) & (asks->size - 1);
	asks->count--;
	*ret_ask = (enum redis_ask)(item & KIND_MASK);
	*ret_bytes = item >> KIND_BITS;
	return true;
}

void
redis_asks_release(struct redis_asks *asks)
{
	free(asks->items);
	*asks = (struct redis_asks){ 0 };
}

/*
 * membership_internal.h - what the two halves of membership.h share.
 *
 * Inside worker/membership*.c only.  membership.c is about clients and pins,
 * membership_hub.c about what the hub knows.
 */
#ifndef WORKER_MEMBERSHIP_INTERNAL_H
#define WORKER_MEMBERSHIP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/list.h"
#include "worker/membership.h"

struct channel;
struct client;
struct frame;
struct worker;

/* What an acknowledgement says while the hub is away. */
#define MEMBERSHIP_HUB_AWAY ",\"hub\":\"away\""

/* A client that waits for JOINED to be told ok, or to get an answer. */
struct waiter {
	struct list in_channel;
	struct list in_client;
	struct client *client;
	struct frame *answer; /* owned; NULL: ok, with id */
	bool holds;           /* no answer: client->held ends */
	size_t id_len;
	char id[];
};

/* Write the number of channels into the statistics. */
void membership_note_counts(struct worker *worker);

/* Take a waiter out of both lists and free it. */
void membership_waiter_free(struct waiter *waiter);

/* Tell the hub that we want a channel whose interest is NONE, now or later. */
void membership_send_join(struct worker *worker, struct channel *channel);

/* Nobody wants the channel any more: tell the hub; the channel may go. */
void membership_end_interest(struct worker *worker, struct channel *channel);

#endif /* WORKER_MEMBERSHIP_INTERNAL_H */

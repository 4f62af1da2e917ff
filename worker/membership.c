/* membership.c - see membership.h. */
#include "worker/membership.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/link.h"
#include "worker/reply.h"
#include "worker/state.h"

enum {
	WAITERS_SPARE = 16
};

#define HUB_AWAY ",\"hub\":\"away\""

/* A client that waits for JOINED to be told ok. */
struct waiter {
	struct list in_channel;
	struct list in_client;
	struct client *client;
	size_t id_len;
	char id[];
};

static void
note_counts(struct worker *worker)
{
	stats_set(&worker->stats->channels,
	    worker->channels.table.count - worker->channels.idle_count);
}

static void
waiter_free(struct waiter *waiter)
{
	list_remove(&waiter->in_channel);
	list_remove(&waiter->in_client);
	waiter->client->waiter_count--;
	free(waiter);
}

static int
wait_for_joined(struct channel *channel, struct client *client, const char *id,
    size_t id_len)
{
	struct waiter *waiter;

	/* Each subscription may be asked for twice, and a few more often. */
	if (client->waiter_count >=
	    2 * client->worker->config->max_subscriptions + WAITERS_SPARE)
		return -ENOSPC;
	waiter = malloc(sizeof(*waiter) + id_len);
	if (waiter == NULL)
		return -ENOMEM;
	client->waiter_count++;
	waiter->client = client;
	waiter->id_len = id_len;
	if (id_len != 0)
		memcpy(waiter->id, id, id_len);
	list_append(&channel->waiters, &waiter->in_channel);
	list_append(&client->waiters, &waiter->in_client);
	return 0;
}

/* Tell all that wait for this channel. */
static void
acknowledge(struct channel *channel, const char *extra)
{
	struct waiter *waiter;

	while (!list_is_empty(&channel->waiters)) {
		waiter = LIST_ENTRY(channel->waiters.next, struct waiter,
		    in_channel);
		client_push_own(waiter->client,
		    reply_ok(waiter->id, waiter->id_len, extra));
		waiter_free(waiter);
	}
}

/* Tell the hub that we want the channel. */
static void
send_join(struct worker *worker, struct channel *channel)
{
	/* Answers come in order, so the token only proves it. */
	uint32_t token = (uint32_t)channel->entry.hash | 1;

	assert(channel->interest == INTEREST_NONE);
	if (!link_join(worker->link, token, channel->name,
		channel->entry.key_len)) {
		worker->rejoin = true; /* there may be room later */
		return;
	}
	channel->interest = INTEREST_JOINING;
	list_append(&worker->channels.joining, &channel->joining);
}

/* The last member has left. */
static void
end_interest(struct worker *worker, struct channel *channel)
{
	if (channel->interest == INTEREST_JOINED) {
		link_leave(worker->link, channel->name, channel->entry.key_len);
		channel->interest = INTEREST_NONE;
	}
	if (channel->interest == INTEREST_NONE) {
		channel_forget_seqs(channel);
		channel_settle(&worker->channels, channel);
	}
}

/* May the client not join?  channel is counted unless it is idle. */
static bool
over_a_limit(const struct worker *worker, const struct client *client,
    const struct channel *channel)
{
	uint64_t used =
	    worker->channels.table.count - worker->channels.idle_count;

	if (!list_is_empty(&channel->idle))
		used++;
	return client->sub_count >= worker->config->max_subscriptions ||
	    (channel->count == 0 && used > worker->config->max_channels);
}

static void
leave(struct worker *worker, struct client *client, uint32_t sub)
{
	struct channel *channel = client->subs[sub].channel;

	stats_set(&worker->stats->subscriptions,
	    worker->stats->subscriptions - 1);
	if (channel_remove(&worker->channels, client, sub))
		end_interest(worker, channel);
	note_counts(worker);
}

int
membership_join(struct worker *worker, struct client *client, const char *name,
    size_t len, const char *id, size_t id_len)
{
	struct channel *channel = channel_get(&worker->channels, name, len);
	bool is_new = false;
	int rc = 0;

	if (channel == NULL)
		return -ENOMEM;
	if (channel_member(channel, client) < 0) {
		rc = over_a_limit(worker, client, channel) ?
		    -ENOSPC :
		    channel_add(&worker->channels, channel, client);
		if (rc != 0) {
			channel_settle(&worker->channels, channel);
			return rc;
		}
		is_new = true;
		stats_add(&worker->stats->subscriptions, 1);
		note_counts(worker);
		if (channel->interest == INTEREST_NONE)
			send_join(worker, channel);
	}
	if (channel->interest != INTEREST_JOINING) {
		client_push_own(client,
		    reply_ok(id, id_len,
			channel->interest == INTEREST_JOINED ? "" : HUB_AWAY));
		return 0;
	}
	rc = wait_for_joined(channel, client, id, id_len);
	if (rc != 0 && is_new)
		leave(worker, client, client->sub_count - 1);
	return rc;
}

/* Forget what this client waits for on this channel. */
static void
stop_waiting(struct client *client, const struct channel *channel)
{
	struct list *link, *next;
	struct waiter *waiter;

	list_for_each_safe(link, next, &channel->waiters) {
		waiter = LIST_ENTRY(link, struct waiter, in_channel);
		if (waiter->client != client)
			continue;
		client_push_own(client,
		    reply_err(waiter->id, waiter->id_len, ERR_BAD_REQUEST,
			"unsubscribed before the subscription was complete"));
		waiter_free(waiter);
	}
}

int
membership_leave(struct worker *worker, struct client *client, const char *name,
    size_t len)
{
	struct channel *channel = channel_find(&worker->channels, name, len);
	int64_t sub = channel != NULL ? channel_member(channel, client) : -1;

	if (sub < 0)
		return -ENOENT;
	stop_waiting(client, channel);
	leave(worker, client, (uint32_t)sub);
	return 0;
}

void
membership_end(struct worker *worker, struct client *client)
{
	while (!list_is_empty(&client->waiters))
		waiter_free(
		    LIST_ENTRY(client->waiters.next, struct waiter, in_client));
	while (client->sub_count != 0)
		leave(worker, client, client->sub_count - 1);
}

void
membership_on_joined(struct worker *worker, uint32_t token)
{
	struct channels *channels = &worker->channels;
	struct channel *channel;

	if (list_is_empty(&channels->joining))
		return; /* from before a hub was away; it was answered */
	channel = LIST_ENTRY(channels->joining.next, struct channel, joining);
	assert(token == ((uint32_t)channel->entry.hash | 1));
	list_remove(&channel->joining);
	channel->interest = INTEREST_JOINED;
	acknowledge(channel, "");
	if (channel->count == 0)
		end_interest(worker, channel);
	note_counts(worker);
}

void
membership_on_away(struct worker *worker)
{
	struct table *table = &worker->channels.table;
	struct table_entry *entry, *next;
	struct channel *channel;

	for (entry = table_next(table, NULL); entry != NULL; entry = next) {
		next = table_next(table, entry);
		channel = CONTAINER_OF(entry, struct channel, entry);
		list_remove(&channel->joining);
		channel->interest = INTEREST_NONE;
		acknowledge(channel, HUB_AWAY);
		/*
		 * The numbers are kept: what other workers publish until the
		 * hub is back will be missing here, and is told then.
		 */
		if (channel->count == 0 && list_is_empty(&channel->idle))
			channel_settle(&worker->channels, channel);
	}
	note_counts(worker);
}

void
membership_rejoin(struct worker *worker)
{
	struct table *table = &worker->channels.table;
	struct table_entry *entry;
	struct channel *channel;

	if (!worker->rejoin || !link_has_room(worker->link))
		return;
	worker->rejoin = false;
	for (entry = table_next(table, NULL); entry != NULL && !worker->rejoin;
	     entry = table_next(table, entry)) {
		channel = CONTAINER_OF(entry, struct channel, entry);
		if (channel->count != 0 && channel->interest == INTEREST_NONE)
			send_join(worker, channel);
	}
}

void
membership_on_back(struct worker *worker)
{
	worker->rejoin = true;
	membership_rejoin(worker);
}

/* membership.c - see membership.h. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/membership_internal.h"
#include "worker/presence.h"
#include "worker/reply.h"
#include "worker/state.h"

enum {
	WAITERS_SPARE = 16
};

void
membership_note_counts(struct worker *worker)
{
	stats_set(&worker->stats->channels, channels_used(&worker->channels));
}

void
membership_waiter_free(struct waiter *waiter)
{
	list_remove(&waiter->in_channel);
	list_remove(&waiter->in_client);
	waiter->client->waiter_count--;
	frame_unref(waiter->answer);
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
	waiter->answer = NULL;
	waiter->holds = false;
	waiter->id_len = id_len;
	if (id_len != 0)
		memcpy(waiter->id, id, id_len);
	list_append(&channel->waiters, &waiter->in_channel);
	list_append(&client->waiters, &waiter->in_client);
	return 0;
}

/* Did the worker put members of this channel into it? */
static bool
is_put(const char *name)
{
	return name[0] == 'r' || name[0] == 'u' || name[0] == 'n';
}

/* May no channel be added?  channel is counted unless it is idle. */
static bool
too_many_channels(const struct worker *worker, const struct channel *channel)
{
	uint64_t used = channels_used(&worker->channels);

	if (!list_is_empty(&channel->idle))
		used++;
	return !channel_is_wanted(channel) &&
	    used > worker->config->max_channels;
}

/* May the client not join by itself? */
static bool
too_many_subscriptions(const struct worker *worker, const struct client *client)
{
	return client->sub_count - client->put_count >=
	    worker->config->max_subscriptions;
}

/*
 * Tell who follows the channel.  A listener may do anything, also leave what
 * was just joined: nothing that the caller has looked up is sure to be there
 * afterwards.
 */
static void
tell(struct worker *worker, struct client *client,
    const struct channel *channel, bool joined)
{
	/* One that is on its way is told where it counts. */
	if ((client->counted ||
		(client->move != NULL && client->move->giver)) &&
	    presence_any(worker))
		presence_tell(worker, client, channel->name,
		    channel->entry.key_len, joined);
}

/* One more or less; the way to a moved client's id is none of its own. */
static void
note_subscription(struct worker *worker, const struct channel *channel,
    uint64_t more)
{
	if (channel->name[0] != 'n')
		stats_set(&worker->stats->subscriptions,
		    worker->stats->subscriptions + more);
}

/* The member has been told, or never was. */
static void
leave_untold(struct worker *worker, struct client *client, uint32_t sub)
{
	struct channel *channel = client->subs[sub].channel;

	if (client->move != NULL)
		client->move->changed = true;
	note_subscription(worker, channel, UINT64_MAX);
	if (is_put(channel->name))
		client->put_count--;
	if (channel_remove(&worker->channels, client, sub))
		membership_end_interest(worker, channel);
	membership_note_counts(worker);
}

static void
leave(struct worker *worker, struct client *client, uint32_t sub)
{
	struct channel *channel = client->subs[sub].channel;
	bool pinned = presence_any(worker) &&
	    channel_pin(&worker->channels, channel) == 0;

	leave_untold(worker, client, sub);
	if (!pinned)
		return;
	tell(worker, client, channel, false);
	if (channel_unpin(channel))
		membership_end_interest(worker, channel);
	membership_note_counts(worker);
}

/* A member more. */
static int
add(struct worker *worker, struct channel *channel, struct client *client)
{
	int rc = too_many_channels(worker, channel) ?
	    -ENOSPC :
	    channel_add(&worker->channels, channel, client);

	if (rc != 0) {
		channel_settle(&worker->channels, channel);
		return rc;
	}
	if (client->move != NULL)
		client->move->changed = true;
	note_subscription(worker, channel, 1);
	if (is_put(channel->name))
		client->put_count++;
	membership_note_counts(worker);
	if (channel->interest == INTEREST_NONE)
		membership_send_join(worker, channel);
	return 0;
}

int
membership_join(struct worker *worker, struct client *client, const char *name,
    size_t len, const char *id, size_t id_len)
{
	struct channel *channel = channel_get(&worker->channels, name, len);
	bool is_new;
	int rc = 0;

	if (channel == NULL)
		return -ENOMEM;
	is_new = channel_member(channel, client) < 0;
	if (is_new && too_many_subscriptions(worker, client)) {
		channel_settle(&worker->channels, channel);
		return -ENOSPC;
	}
	if (is_new)
		rc = add(worker, channel, client);
	if (rc != 0)
		return rc;
	if (channel->interest == INTEREST_JOINING)
		rc = wait_for_joined(channel, client, id, id_len);
	else
		client_push_own(client,
		    reply_ok(id, id_len,
			channel->interest == INTEREST_JOINED ?
			    "" :
			    MEMBERSHIP_HUB_AWAY));
	if (rc != 0 && is_new)
		leave_untold(worker, client, client->sub_count - 1);
	else if (is_new)
		tell(worker, client, channel, true);
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
		if (waiter->client != client || waiter->answer != NULL ||
		    waiter->holds)
			continue;
		client_push_own(client,
		    reply_err(waiter->id, waiter->id_len, ERR_BAD_REQUEST,
			"unsubscribed before the subscription was complete"));
		membership_waiter_free(waiter);
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

int
membership_put(struct worker *worker, struct client *client, const char *name,
    size_t len)
{
	struct channel *channel;
	int rc;

	assert(is_put(name));
	if (!client_takes(client))
		return -ENOTCONN;
	channel = channel_get(&worker->channels, name, len);
	if (channel == NULL)
		return -ENOMEM;
	if (channel_member(channel, client) >= 0)
		return -EEXIST;
	rc = add(worker, channel, client);
	if (rc == 0)
		tell(worker, client, channel, true);
	return rc;
}

int
membership_take(struct worker *worker, struct client *client, const char *name,
    size_t len)
{
	assert(is_put(name));
	return membership_leave(worker, client, name, len);
}

int
membership_pin(struct worker *worker, const char *name, size_t len)
{
	struct channel *channel = channel_get(&worker->channels, name, len);
	int rc;

	if (channel == NULL)
		return -ENOMEM;
	rc = too_many_channels(worker, channel) ?
	    -ENOSPC :
	    channel_pin(&worker->channels, channel);
	if (rc != 0) {
		channel_settle(&worker->channels, channel);
		return rc;
	}
	membership_note_counts(worker);
	if (channel->interest == INTEREST_NONE)
		membership_send_join(worker, channel);
	return 0;
}

void
membership_unpin(struct worker *worker, const char *name, size_t len)
{
	struct channel *channel = channel_find(&worker->channels, name, len);

	assert(channel != NULL);
	if (channel_unpin(channel))
		membership_end_interest(worker, channel);
	membership_note_counts(worker);
}

void
membership_end(struct worker *worker, struct client *client)
{
	while (!list_is_empty(&client->waiters))
		membership_waiter_free(
		    LIST_ENTRY(client->waiters.next, struct waiter, in_client));
	while (client->sub_count != 0)
		leave(worker, client, client->sub_count - 1);
}

/* ---- on the way -------------------------------------------------------- */

int
membership_bring(struct worker *worker, struct client *client, const char *name,
    size_t len)
{
	struct channel *channel = channel_get(&worker->channels, name, len);

	if (channel == NULL)
		return -ENOMEM;
	if (channel_member(channel, client) >= 0)
		return 0;
	return add(worker, channel, client);
}

bool
membership_told(const struct client *client)
{
	for (uint32_t i = 0; i < client->sub_count; i++) {
		if (client->subs[i].channel->interest == INTEREST_NONE)
			return false;
	}
	return true;
}

void
membership_drop(struct worker *worker, struct client *client)
{
	while (!list_is_empty(&client->waiters))
		membership_waiter_free(
		    LIST_ENTRY(client->waiters.next, struct waiter, in_client));
	while (client->sub_count != 0)
		leave_untold(worker, client, client->sub_count - 1);
}

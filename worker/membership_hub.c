/*
 * membership_hub.c - what the hub knows of this worker's channels; see
 * membership.h.
 *
 * A channel that is wanted stands in one of two lists until the hub has said
 * JOINED: `joining` when the JOIN has been sent (answers come in this order),
 * `unjoined` when it could not be: the hub is away or the queue is full.  The
 * second list is worked off as room allows, at the end of every loop turn.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "wire/channel_name.h"
#include "worker/link.h"
#include "worker/membership_internal.h"
#include "worker/reply.h"
#include "worker/state.h"

/* Tell all that wait for this channel. */
static void
acknowledge(struct channel *channel, const char *extra)
{
	struct waiter *waiter;

	while (!list_is_empty(&channel->waiters)) {
		waiter = LIST_ENTRY(channel->waiters.next, struct waiter,
		    in_channel);
		if (waiter->holds) {
			membership_let_go(waiter->client);
			membership_waiter_free(waiter);
			continue;
		}
		client_push_own(waiter->client,
		    waiter->answer != NULL ?
			frame_ref(waiter->answer) :
			reply_ok(waiter->id, waiter->id_len, extra));
		membership_waiter_free(waiter);
	}
}

/*
 * A waiter for all JOINs that are under way: they are answered in order, so the
 * last one's answer stands for all.  NULL: there is none, or no memory.
 */
static struct waiter *
wait_for_all(struct worker *worker, struct client *client)
{
	struct list *joining = &worker->channels.joining;
	struct channel *channel;
	struct waiter *waiter;

	if (list_is_empty(joining))
		return NULL;
	waiter = calloc(1, sizeof(*waiter));
	if (waiter == NULL)
		return NULL;
	channel = LIST_ENTRY(joining->prev, struct channel, joining);
	waiter->client = client;
	client->waiter_count++;
	list_append(&channel->waiters, &waiter->in_channel);
	list_append(&client->waiters, &waiter->in_client);
	return waiter;
}

void
membership_answer(struct worker *worker, struct client *client,
    struct frame *frame)
{
	struct waiter *waiter =
	    frame != NULL ? wait_for_all(worker, client) : NULL;

	if (waiter != NULL)
		waiter->answer = frame;
	else
		client_push_own(client, frame);
}

void
membership_hold(struct worker *worker, struct client *client)
{
	struct waiter *waiter = wait_for_all(worker, client);

	if (waiter == NULL)
		return;
	waiter->holds = true;
	client->held = 1;
}

void
membership_let_go(struct client *client)
{
	client->held = 0;
	flush_mark(&client->worker->flush, client);
}

void
membership_send_join(struct worker *worker, struct channel *channel)
{
	/* Answers come in order, so the token only proves it. */
	uint32_t token = (uint32_t)channel->entry.hash | 1;

	assert(channel->interest == INTEREST_NONE);
	list_remove(&channel->joining);
	if (!link_join(worker->link, token, channel->name,
		channel->entry.key_len)) {
		list_append(&worker->channels.unjoined, &channel->joining);
		return;
	}
	channel->interest = INTEREST_JOINING;
	worker->channels.joins++;
	list_append(&worker->channels.joining, &channel->joining);
}

void
membership_end_interest(struct worker *worker, struct channel *channel)
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
	if (!channel_is_wanted(channel))
		membership_end_interest(worker, channel);
	membership_note_counts(worker);
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
		acknowledge(channel, MEMBERSHIP_HUB_AWAY);
		/*
		 * The numbers are kept: what other workers publish until the
		 * hub is back will be missing here, and is told then.
		 */
		if (channel_is_wanted(channel))
			list_append(&worker->channels.unjoined,
			    &channel->joining);
		else if (list_is_empty(&channel->idle))
			channel_settle(&worker->channels, channel);
	}
	membership_note_counts(worker);
}

void
membership_rejoin(struct worker *worker)
{
	struct list *unjoined = &worker->channels.unjoined;

	while (!list_is_empty(unjoined) && link_has_room(worker->link))
		membership_send_join(worker,
		    LIST_ENTRY(unjoined->next, struct channel, joining));
}

void
membership_on_back(struct worker *worker)
{
	membership_rejoin(worker);
}

/* ---- the worker's own -------------------------------------------------- */

static void
pinned(struct worker *worker, struct channel *channel)
{
	if (channel->interest == INTEREST_NONE && channel->pins == 1 &&
	    channel->count == 0)
		membership_send_join(worker, channel);
}

/* It is told its id when it is open, so it may still be another. */
static void
rename_early(struct clients *clients, struct client *client)
{
	int rc;

	clients_unindex(clients, client);
	client->home = client->worker->id;
	rc = clients_index(clients, client);
	assert(rc == 0); /* there is room: it was in there */
}

/*
 * The worker has another id now.  Clients keep theirs, and are members of the
 * channel of their home, so that what is for them by id arrives.
 */
static void
keep_homes(struct worker *worker)
{
	struct channel_name name;
	struct client *client;

	for (uint32_t i = 0; i < worker->clients.count; i++) {
		client = worker->clients.all[i];
		if (node_id_equal(&client->home, &worker->id))
			continue;
		if (client->state == CLIENT_HANDSHAKE) {
			rename_early(&worker->clients, client);
			continue;
		}
		channel_name_node(&name, &client->home);
		if (client_takes(client) &&
		    membership_bring(worker, client, name.text, name.len) != 0)
			stats_add(&worker->stats->drop_memory, 1);
	}
}

int
membership_placed(struct worker *worker)
{
	struct channels *channels = &worker->channels;
	struct channel *node, *all, *old = channels->node;
	struct channel_name name;
	int rc;

	channel_name_node(&name, &worker->id);
	node = channel_get(channels, name.text, name.len);
	if (node == NULL)
		return -ENOMEM;
	if (node == old)
		return 0;
	if (old == NULL) {
		all = channel_get(channels, "a:", CHANNEL_PREFIX_LEN);
		rc = all == NULL ? -ENOMEM : channel_pin(channels, all);
		if (rc != 0) {
			channel_settle(channels, node);
			return rc;
		}
		channels->own++;
		pinned(worker, all);
	}
	rc = channel_pin(channels, node);
	assert(rc == 0);
	channels->node = node;
	channels->own++;
	pinned(worker, node);
	keep_homes(worker);
	if (old != NULL) {
		channels->own--;
		if (channel_unpin(old))
			membership_end_interest(worker, old);
	}
	membership_note_counts(worker);
	return 0;
}
